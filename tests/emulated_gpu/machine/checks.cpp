// The checked mode: every access of a kernel is looked at before it is made.
#include "../driver/context.h"
#include "../driver/memory.h"
#include "block.h"
#include "errors.h"

namespace gpu {
namespace {

const char* verb(Access access) {
    return access == Access::Read ? "read" : access == Access::Write ? "write" : "atomic access";
}

}  // namespace

void Block::fail_access(const Warp& warp, unsigned lane, int error, const std::string& what, uint64_t address,
                        const MemoryAccess& access) const {
    char text[120];
    snprintf(text, sizeof text, ": a %s of %u bytes at %#lx by ", verb(access.access), access.bytes, address);
    warp.fail(error, what + text + thread_name(warp, lane), access.line);
}

void Block::check_global(const Warp& warp, const MemoryAccess& access) {
    for_lanes(access.lanes, [&](unsigned lane) {
        const uint64_t address = access.addresses[lane], bytes = access.bytes;
        if (address % bytes) fail_access(warp, lane, MISALIGNED_ADDRESS, "misaligned", address, access);
        for (const Range& range : known_)
            if (address >= range.start && address + bytes <= range.end) return;
        const auto found = allocation_of(address, bytes);
        if (!found) {
            std::string what = "out of bounds, in no allocation";
            if (allocation_of(address, 1)) what = "out of bounds, over the end of an allocation";
            else if (const auto before = allocation_of(address - bytes, 1))
                what = "out of bounds, " + std::to_string(address - before->start - before->bytes) +
                       " bytes behind an allocation of " + std::to_string(before->bytes) + " bytes";
            fail_access(warp, lane, ILLEGAL_ADDRESS, what, address, access);
        }
        const Context& context = *launch_->context;
        if (found->kind == Allocation::Kind::Device && found->device != context.device &&
            !context.peers.contains(found->device))
            fail_access(warp, lane, ILLEGAL_ADDRESS,
                        "memory of gpu " + std::to_string(found->device) + ", to which gpu " +
                            std::to_string(context.device) + " has no access",
                        address, access);
        known_[next_known_++ % 4] = {found->start, found->start + found->bytes};
    });
}

void Block::check_shared(const Warp& warp, const MemoryAccess& access) {
    const bool writes = access.access == Access::Write;
    for_lanes(access.lanes, [&](unsigned lane) {
        const uint64_t offset = access.addresses[lane] - uint64_t(shared_);
        if (offset % access.bytes)
            fail_access(warp, lane, MISALIGNED_ADDRESS, "misaligned in shared memory", offset, access);
        if (offset + access.bytes > shared_bytes_)
            fail_access(warp, lane, ILLEGAL_ADDRESS,
                        "out of the " + std::to_string(shared_bytes_) + " bytes of shared memory", offset, access);
        // Atomic operations do not race with each other; with others they are not looked at.
        if (access.access == Access::Atomic) return;
        const uint32_t other =
            races_.conflict(uint32_t(offset), access.bytes, writes, warp.number * LANES + lane, warp.syncs);
        if (other == Races::NONE) return;
        fail_access(warp, lane, LAUNCH_FAILED,
                    "a race in shared memory with " + thread_name(warps_[other / LANES], other % LANES) +
                        ", which nothing keeps apart",
                    offset, access);
    });
    if (access.access == Access::Atomic) return;
    for_lanes(access.lanes, [&](unsigned lane) {
        const auto offset = uint32_t(access.addresses[lane] - uint64_t(shared_));
        races_.note(offset, access.bytes, writes, warp.number * LANES + lane, warp.syncs);
    });
}

}  // namespace gpu
