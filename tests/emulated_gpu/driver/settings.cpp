#include "settings.h"
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace gpu {
namespace {

[[noreturn]] void refuse(const std::string& variable, const std::string& value) {
    fprintf(stderr, "emulated GPU: EMULATED_GPU_%s=%s makes no sense\n", variable.c_str(), value.c_str());
    _exit(2);
}

std::optional<std::string> text(const char* variable) {
    const char* value = getenv((std::string("EMULATED_GPU_") + variable).c_str());
    return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

uint64_t number_of(const char* variable, const std::string& value, std::string* suffix = nullptr) {
    char* end = nullptr;
    const uint64_t number = strtoull(value.c_str(), &end, 10);
    if (end == value.c_str() || (*end && !suffix)) refuse(variable, value);
    if (suffix) *suffix = end;
    return number;
}

template <class T> void take(const char* variable, T& setting) {
    if (auto value = text(variable)) setting = T(number_of(variable, *value));
}

// 4G, 512M, 64K or bytes.
uint64_t size_of(const char* variable, const std::string& value) {
    std::string suffix;
    const uint64_t number = number_of(variable, value, &suffix);
    if (suffix.empty()) return number;
    if (suffix == "K") return number << 10;
    if (suffix == "M") return number << 20;
    if (suffix == "G") return number << 30;
    refuse(variable, value);
}

// 8.0
std::pair<int, int> version_of(const char* variable, const std::string& value) {
    int major = 0, minor = 0;
    if (sscanf(value.c_str(), "%d.%d", &major, &minor) != 2) refuse(variable, value);
    return {major, minor};
}

void read_schedule(const std::string& value, Settings& s) {
    if (value == "eager") s.schedule = Schedule::Eager;
    else if (value == "threads") s.schedule = Schedule::Threads;
    else if (value == "lazy") s.schedule = Schedule::Lazy;
    else if (value.starts_with("random:")) {
        s.schedule = Schedule::Random;
        s.seed = number_of("SCHEDULE", value.substr(7));
    } else refuse("SCHEDULE", value);
}

// allocation:3,launch:5,refusal:2,illegal:KERNEL:1,vanish:100,unwaited:2,unsynchronized:2
std::vector<Fault> read_faults(const std::string& value) {
    std::vector<Fault> faults;
    for (size_t start = 0; start <= value.size();) {
        const size_t end = std::min(value.find(',', start), value.size());
        const std::string part = value.substr(start, end - start);
        const size_t colon = part.find(':');
        if (colon == std::string::npos) refuse("FAULTS", value);
        const std::string name = part.substr(0, colon), rest = part.substr(colon + 1);
        if (name == "allocation") faults.push_back({Fault::Kind::Allocation, number_of("FAULTS", rest), ""});
        else if (name == "launch") faults.push_back({Fault::Kind::Launch, number_of("FAULTS", rest), ""});
        else if (name == "refusal") faults.push_back({Fault::Kind::Refusal, number_of("FAULTS", rest), ""});
        else if (name == "unwaited") faults.push_back({Fault::Kind::Unwaited, number_of("FAULTS", rest), ""});
        else if (name == "unsynchronized") faults.push_back({Fault::Kind::Unsynchronized, number_of("FAULTS", rest), ""});
        else if (name == "vanish") faults.push_back({Fault::Kind::Vanish, number_of("FAULTS", rest), ""});
        else if (name == "illegal") {
            const size_t second = rest.find(':');
            const uint64_t number = second == std::string::npos ? 1 : number_of("FAULTS", rest.substr(second + 1));
            faults.push_back({Fault::Kind::Illegal, number, rest.substr(0, second)});
        } else refuse("FAULTS", value);
        start = end + 1;
    }
    return faults;
}

Settings read() {
    Settings s;
    take("COUNT", s.devices);
    take("WORKERS", s.workers);
    take("JITTER_US", s.jitter_us);
    take("HANG_SECONDS", s.hang_seconds);
    take("CHECK", s.checked);
    take("PEER_ACCESS", s.peer_access);
    take("MEMORY_POOLS", s.memory_pools);
    if (auto value = text("SCHEDULE")) read_schedule(*value, s);
    if (auto value = text("ORDER"))
        s.order = *value == "asc" ? 0 : *value == "desc" ? 1 : uint32_t(number_of("ORDER", *value)) + 2;
    if (auto value = text("MEMORY")) s.memory = size_of("MEMORY", *value);
    if (auto value = text("CAPABILITY")) {
        auto [major, minor] = version_of("CAPABILITY", *value);
        s.capability = 10 * major + minor;
    }
    if (auto value = text("DRIVER")) {
        auto [major, minor] = version_of("DRIVER", *value);
        s.driver_version = 1000 * major + 10 * minor;
    }
    if (auto value = text("FAULTS")) s.faults = read_faults(*value);
    s.name = text("NAME").value_or(s.name);
    s.log = text("LOG").value_or("");
    s.counters = text("COUNTERS").value_or("");
    return s;
}

}  // namespace

const Settings& settings() {
    static const Settings& read_once = *new Settings(read());
    return read_once;
}

}  // namespace gpu
