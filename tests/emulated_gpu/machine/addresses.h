// The addresses of one access of a warp, as those of the host.
#pragma once
#include "block.h"
#include "op.h"
#include "space.h"

namespace gpu {

struct Addresses {
    alignas(64) uint64_t of[LANES];

    // Whether lane after lane lies side by side.
    bool are_consecutive(uint64_t bytes) const {
        // Most that do not are known by their neighbours.
        if (of[1] - of[0] != bytes) return false;
        uint64_t differences = 0;
        for (unsigned l = 0; l < LANES; ++l) differences |= of[l] ^ (of[0] + l * bytes);
        return differences == 0;
    }
};

// What PTX has in a register, with the offset that stands beside it. Addresses of shared memory count from its start.
// The access is checked and counted if that is wanted.
template <Space S>
inline Addresses addresses_of(Warp& warp, uint32_t in_register, int64_t offset, uint32_t bytes, Access access,
                              uint32_t line) {
    Addresses addresses;
    const auto* given = warp.lanes<uint64_t>(in_register);
    const uint64_t base = uint64_t(offset) + (S == Space::Shared ? uint64_t(warp.shared) : 0);
    for (unsigned l = 0; l < LANES; ++l) addresses.of[l] = given[l] + base;
    if (warp.block->is_watched()) warp.block->notice(warp, S, {addresses.of, warp.mask, bytes, access, line});
    return addresses;
}

}  // namespace gpu
