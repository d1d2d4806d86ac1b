#include "faults.h"
#include "errors.h"
#include "settings.h"
#include <atomic>
#include <map>
#include <mutex>

namespace gpu {
namespace {

bool strikes(Fault::Kind kind, uint64_t number) {
    for (const Fault& fault : settings().faults)
        if (fault.kind == kind && fault.number == number) return true;
    return false;
}

}  // namespace

bool allocation_fails() {
    static std::atomic<uint64_t> allocations;
    return strikes(Fault::Kind::Allocation, ++allocations);
}

bool stream_does_not_wait() {
    static std::atomic<uint64_t> waits;
    return strikes(Fault::Kind::Unwaited, ++waits);
}

bool program_does_not_wait() {
    static std::atomic<uint64_t> waits;
    return strikes(Fault::Kind::Unsynchronized, ++waits);
}

int launch_is_refused() {
    static std::atomic<uint64_t> launches;
    return strikes(Fault::Kind::Refusal, ++launches) ? LAUNCH_OUT_OF_RESOURCES : SUCCESS;
}

int launch_fails(const std::string& kernel, int device) {
    static std::mutex mutex;
    static std::map<std::string, uint64_t> launches_of;
    static uint64_t launches;
    std::lock_guard<std::mutex> lock(mutex);
    const uint64_t number = ++launches, of_this = ++launches_of[kernel];
    for (const Fault& fault : settings().faults) {
        if (fault.kind == Fault::Kind::Vanish && number > fault.number) {
            complain("gpu %d has vanished, as was asked for, before launch %lu (%s)", device, number, kernel.c_str());
            return UNKNOWN;
        }
        if (fault.kind == Fault::Kind::Launch && number == fault.number) {
            complain("kernel %s on gpu %d fails, as was asked for", kernel.c_str(), device);
            return LAUNCH_FAILED;
        }
        if (fault.kind == Fault::Kind::Illegal && fault.kernel == kernel && of_this == fault.number) {
            complain("kernel %s on gpu %d: an illegal address, as was asked for", kernel.c_str(), device);
            return ILLEGAL_ADDRESS;
        }
    }
    return SUCCESS;
}

}  // namespace gpu
