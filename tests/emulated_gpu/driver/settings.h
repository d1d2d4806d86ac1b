// What the environment asks of the emulator. README lists the variables.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpu {

enum class Schedule {
    Eager,      // each operation at once: for debugging
    Threads,    // a thread for each stream, as free as on a GPU
    Lazy,       // nothing until the program waits for it, and then only what it waits for
    Random,     // any order that is allowed, by a seed
};

// Something that goes wrong on purpose. Numbers count from 1 over all devices.
struct Fault {
    enum class Kind { Allocation, Launch, Refusal, Illegal, Vanish, Unwaited, Unsynchronized } kind;
    uint64_t number;
    std::string kernel;     // for Illegal: only its launches count
};

struct Settings {
    int devices = 1;
    Schedule schedule = Schedule::Threads;
    uint64_t seed = 0;
    uint32_t order = 0;             // of threads: 0 ascending, 1 descending, else a seed
    unsigned workers = 1;           // host threads that execute the blocks of one launch
    unsigned jitter_us = 0;         // the longest delay before an operation
    bool checked = false;
    bool peer_access = true;
    bool memory_pools = true;
    uint64_t memory = uint64_t(4) << 30;
    int capability = 80;            // 10 · major + minor
    int driver_version = 12040;     // 1000 · major + 10 · minor
    unsigned hang_seconds = 60;
    std::string name = "Emulated GPU";
    std::string log, counters;
    std::vector<Fault> faults;
};

// Read once. A value that makes no sense ends the process: a test would otherwise test something else.
const Settings& settings();

}  // namespace gpu
