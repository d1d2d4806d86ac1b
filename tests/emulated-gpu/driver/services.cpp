// What modules ask for, handed to the block that is executed; and what the processor refuses, taken from the operating system.
#include "services.h"
#include "block.h"
#include <csignal>

namespace gpu {
namespace {

struct sigaction before_us;

void on_bad_address(int signal, siginfo_t* what, void* context) {
    if (Block* block = Block::current()) block->fail_at(uint64_t(what->si_addr));
    // Not in a kernel: as if we had never been here.
    if (before_us.sa_flags & SA_SIGINFO) before_us.sa_sigaction(signal, what, context);
    else if (before_us.sa_handler != SIG_DFL && before_us.sa_handler != SIG_IGN) before_us.sa_handler(signal);
    else sigaction(signal, &before_us, nullptr);
}

}  // namespace

const Services SERVICES = {
    [](Warp& warp, uint32_t barrier, uint32_t threads, uint32_t line) {
        Block::current()->wait_at_barrier(warp, barrier, threads, line);
    },
    [](Warp& warp, int error, const char* message, uint32_t line) { Block::current()->fail(warp, error, message, line); },
    [](Warp& warp, Mask lanes, const uint64_t* addresses, uint32_t bytes, Access access, uint32_t line) {
        Block::current()->check_global(warp, lanes, addresses, bytes, access, line);
    },
    [](Warp& warp, Mask lanes, const uint64_t* addresses, uint32_t bytes, Access access, uint32_t line) {
        Block::current()->check_shared(warp, lanes, addresses, bytes, access, line);
    },
    [](Warp&, Mask lanes, const uint64_t* addresses, uint32_t bytes, uint32_t line) {
        Block::current()->counters().count_global(lanes, addresses, bytes, line);
    },
    [](Warp&, Mask lanes, const uint64_t* addresses, uint32_t bytes, uint32_t line) {
        Block::current()->counters().count_shared(lanes, addresses, bytes, line);
    },
};

// The handler runs on the stack of the fiber and leaves it by a switch, so that the signal must not stay blocked.
void catch_bad_addresses() {
    static const int installed = [] {
        struct sigaction action = {};
        action.sa_sigaction = on_bad_address;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        return sigaction(SIGSEGV, &action, &before_us);
    }();
    (void)installed;
}

}  // namespace gpu
