// Modules: PTX that has been read, and made into programs.
#pragma once
#include "../machine/program.h"
#include <string>

namespace gpu {

struct Context;
struct LoadedModule;

struct Function {
    const Program* program;
    LoadedModule* module;
    // What cuFuncSetAttribute has allowed; 0: nothing.
    int dynamic_bytes = 0;

    // How much dynamic shared memory a launch may ask for.
    uint32_t most_dynamic_bytes() const;
};

struct LoadedModule {
    const Context* context;
    std::vector<std::unique_ptr<Program>> programs = {};
    // Its .global and .const variables. Two devices do not share them: each loads modules of its own.
    struct Variable {
        std::unique_ptr<uint8_t[]> memory;
        uint64_t address;
        size_t bytes;
    };
    std::map<std::string, Variable> variables = {};
    std::map<std::string, std::unique_ptr<Function>> functions = {};
};

// Returns a CUDA error. The reason goes to standard error.
int load(std::unique_ptr<LoadedModule>& module, const std::string& ptx, const Context&);
void unload(LoadedModule&);

}  // namespace gpu
