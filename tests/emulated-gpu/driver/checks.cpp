// The checked mode: every access of a kernel is looked at before it is made.
#include "block.h"
#include "context.h"
#include "errors.h"
#include "memory.h"

namespace gpu {
namespace {

const char* verb(Access access) { return access == Access::Read ? "read" : access == Access::Write ? "write" : "atomic access"; }

}  // namespace

void Block::fail_access(Warp& warp, unsigned lane, int error, const char* what, uint64_t address, uint32_t bytes, Access access,
                        uint32_t line) {
    char text[300];
    snprintf(text, sizeof text, "%s: a %s of %u bytes at %#lx by %s", what, verb(access), bytes, address,
             thread_name(warp, lane).c_str());
    fail(warp, error, text, line);
}

void Block::check_global(Warp& warp, Mask lanes, const uint64_t* addresses, uint32_t bytes, Access access, uint32_t line) {
    for (Mask left = lanes; left; left &= left - 1) {
        const auto lane = unsigned(__builtin_ctz(left));
        const uint64_t address = addresses[lane];
        if (address % bytes) fail_access(warp, lane, MISALIGNED_ADDRESS, "misaligned", address, bytes, access, line);
        bool known = false;
        for (const Range& range : known_) known |= address >= range.start && address + bytes <= range.end;
        if (known) continue;
        const auto found = allocation_of(address, bytes);
        if (!found) {
            const auto begins_in = allocation_of(address, 1);
            char what[120] = "out of bounds, in no allocation";
            if (begins_in) snprintf(what, sizeof what, "out of bounds, over the end of an allocation");
            else if (const auto before = allocation_of(address - bytes, 1))
                snprintf(what, sizeof what, "out of bounds, %lu bytes behind an allocation of %zu bytes",
                         address - before->start - before->bytes, before->bytes);
            fail_access(warp, lane, ILLEGAL_ADDRESS, what, address, bytes, access, line);
        }
        const Context& context = *launch_->context;
        if (found->kind == Allocation::Kind::Device && found->device != context.device && !context.peers.contains(found->device)) {
            char what[120];
            snprintf(what, sizeof what, "memory of gpu %d, to which gpu %d has no access", found->device, context.device);
            fail_access(warp, lane, ILLEGAL_ADDRESS, what, address, bytes, access, line);
        }
        known_[next_known_++ % 4] = {found->start, found->start + found->bytes};
    }
}

void Block::check_shared(Warp& warp, Mask lanes, const uint64_t* addresses, uint32_t bytes, Access access, uint32_t line) {
    for (Mask left = lanes; left; left &= left - 1) {
        const auto lane = unsigned(__builtin_ctz(left));
        const uint64_t offset = addresses[lane] - uint64_t(warp.shared);
        if (offset % bytes) fail_access(warp, lane, MISALIGNED_ADDRESS, "misaligned in shared memory", offset, bytes, access, line);
        if (offset + bytes > warp.shared_bytes) {
            char what[120];
            snprintf(what, sizeof what, "out of the %u bytes of shared memory", warp.shared_bytes);
            fail_access(warp, lane, ILLEGAL_ADDRESS, what, offset, bytes, access, line);
        }
        // Atomic operations do not race with each other; with others they are not looked at.
        if (access == Access::Atomic) continue;
        const uint32_t thread = warp.index * LANES + lane;
        const uint32_t other = races_.conflict(uint32_t(offset), bytes, access == Access::Write, thread, warp.syncs);
        if (other == Races::NONE) continue;
        char what[160];
        snprintf(what, sizeof what, "a race in shared memory with %s, which no barrier keeps apart",
                 thread_name(warps_[other / LANES]->warp, other % LANES).c_str());
        fail_access(warp, lane, LAUNCH_FAILED, what, offset, bytes, access, line);
    }
    if (access == Access::Atomic) return;
    for (Mask left = lanes; left; left &= left - 1) {
        const auto lane = unsigned(__builtin_ctz(left));
        const auto offset = uint32_t(addresses[lane] - uint64_t(warp.shared));
        races_.note(offset, bytes, access == Access::Write, warp.index * LANES + lane, warp.syncs);
    }
}

}  // namespace gpu
