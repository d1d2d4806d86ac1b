#include "bad_address.h"
#include <csetjmp>
#include <csignal>

namespace gpu {
namespace {

struct sigaction before_us;
thread_local sigjmp_buf* way_out = nullptr;
thread_local volatile uint64_t address = 0;

void on_bad_address(int signal, siginfo_t* what, void* context) {
    if (way_out) {
        address = uint64_t(what->si_addr);
        siglongjmp(*way_out, 1);
    }
    // Not in a kernel: as if we had never been here.
    if (before_us.sa_flags & SA_SIGINFO) before_us.sa_sigaction(signal, what, context);
    else if (before_us.sa_handler != SIG_DFL && before_us.sa_handler != SIG_IGN) before_us.sa_handler(signal);
    else sigaction(signal, &before_us, nullptr);
}

}  // namespace

uint64_t guard_against_bad_addresses(const std::function<void()>& f) {
    static const int installed = [] {
        struct sigaction action = {};
        action.sa_sigaction = on_bad_address;
        // The handler is left by a jump, so that the signal must not stay blocked.
        action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        return sigaction(SIGSEGV, &action, &before_us);
    }();
    (void)installed;
    sigjmp_buf here;
    if (sigsetjmp(here, 0)) {
        way_out = nullptr;
        return address ? uint64_t(address) : 1;
    }
    way_out = &here;
    try {
        f();
    } catch (...) {
        way_out = nullptr;
        throw;
    }
    way_out = nullptr;
    return 0;
}

}  // namespace gpu
