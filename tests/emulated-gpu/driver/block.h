// The execution of one block of threads.
#pragma once
#include "../kernel/contract.h"
#include "counters.h"
#include "fiber.h"
#include "races.h"
#include <memory>
#include <string>
#include <vector>

namespace gpu {

struct Context;

// A kernel with all that a launch gives it.
struct Launch {
    const Kernel* kernel;
    Context* context;
    uint32_t grid[3], block[3];
    uint32_t dynamic_bytes;
    std::shared_ptr<const std::vector<uint8_t>> parameters;

    uint32_t threads() const { return block[0] * block[1] * block[2]; }
    uint64_t blocks() const { return uint64_t(grid[0]) * grid[1] * grid[2]; }
};

class Block {
public:
    // Executes one block of a launch. Returns a CUDA error; message() then says more.
    int run(const Launch&, uint64_t index);
    const std::string& message() const { return message_; }
    Counters& counters() { return counters_; }
    // The block that this host thread executes; null outside of kernels.
    static Block* current();

    // What kernels ask for, through the services below. The last two end the launch: they do not return.
    void wait_at_barrier(Warp&, uint32_t barrier, uint32_t threads, uint32_t line);
    void check_global(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, Access, uint32_t line);
    void check_shared(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, Access, uint32_t line);
    [[noreturn]] void fail(Warp&, int error, const char* message, uint32_t line);
    // A memory access that the host's processor has refused.
    [[noreturn]] void fail_at(uint64_t address);

private:
    enum class State { Ready, AtBarrier, Ended };
    struct Thread {     // of control: a warp
        Warp warp;
        Fiber fiber;
        State state;
        uint32_t barrier, threads, line;
        Block* block;
    };
    struct Range {
        uint64_t start = 0, end = 0;
    };

    void prepare(const Launch&, uint64_t index);
    void execute(Thread&);
    bool release_barriers();
    void report_hang();
    std::string thread_name(const Warp&, unsigned lane) const;
    [[noreturn]] void fail_access(Warp&, unsigned lane, int error, const char* what, uint64_t address, uint32_t bytes, Access,
                                  uint32_t line);

    const Launch* launch_ = nullptr;
    std::vector<std::unique_ptr<Thread>> warps_;
    uint32_t warp_count_ = 0;
    Thread* executing_ = nullptr;
    std::vector<uint8_t> shared_;
    Races races_;
    Range known_[4];        // allocations that an access has lately been found in
    unsigned next_known_ = 0;
    Counters counters_;
    int error_ = 0;
    std::string message_;
};

// What the driver gives to every module.
extern const Services SERVICES;

}  // namespace gpu
