#include "compiler.h"
#include "errors.h"
#include "settings.h"
#include <filesystem>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace gpu {
namespace {

namespace fs = std::filesystem;

// FNV-1a
uint64_t hash(const std::string& text) {
    uint64_t value = 0xcbf29ce484222325;
    for (const unsigned char letter : text) value = (value ^ letter) * 0x100000001b3;
    return value;
}

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// All that a library depends on besides its PTX: headers, translator, options, and the processor that it is compiled for.
const std::string& surroundings() {
    static const std::string& only = *new std::string([] {
        std::string all = settings().compiler + settings().compiler_flags;
        std::vector<fs::path> files;
        for (const char* folder : {"kernel", "translator"})
            for (const auto& entry : fs::directory_iterator(fs::path(settings().home) / folder))
                if (entry.is_regular_file()) files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files) all += read(file);
        std::ifstream processor("/proc/cpuinfo");
        for (std::string line; std::getline(processor, line);)
            if (line.starts_with("flags")) return all + line;
        return all;
    }());
    return only;
}

bool run(std::vector<std::string> words, const char* folder) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t child;
    const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        complain("%s is needed to run kernels and cannot be started", arguments[0]);
        return false;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string compile(const std::string& ptx) {
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    const bool counted = !settings().counters.empty();
    const std::string variant = std::string(settings().checked ? "-checked" : "") + (counted ? "-counted" : "");
    char name[48];
    snprintf(name, sizeof name, "%016lx%016lx", hash(ptx), hash(surroundings() + variant));
    const fs::path folder = fs::absolute(settings().cache), library = folder / (name + variant + ".so");
    if (fs::exists(library)) return library;
    std::error_code ignored;
    fs::create_directories(folder, ignored);
    // Of this process only, until it is complete: others may be at the same.
    const std::string stem = folder / (name + std::string("-") + std::to_string(getpid()));
    const std::string source = stem + ".ptx", code = stem + ".cpp", object = stem + ".so";
    std::ofstream(source) << ptx;
    if (!run({"python3", "-B", "-m", "translator", source, code}, settings().home.c_str())) return "";
    std::vector<std::string> words = {settings().compiler, "-std=c++20", "-shared", "-fPIC", "-w", "-march=native",
        // As PTX says and not better: one rounding only where it has fma.
        "-ffp-contract=off", "-fno-math-errno", "-fno-strict-aliasing", "-I", settings().home + "/kernel"};
    std::istringstream flags(settings().compiler_flags);
    for (std::string flag; flags >> flag;) words.push_back(flag);
    if (settings().checked) words.push_back("-DCHECKED");
    if (counted) words.push_back("-DCOUNTED");
    words.insert(words.end(), {code, "-o", object});
    if (!run(words, folder.c_str())) {
        complain("%s does not compile: a fault of the translator", code.c_str());
        return "";
    }
    fs::rename(object, library);
    fs::remove(source);
    fs::remove(code);
    return library;
}

}  // namespace gpu
