// Finds races in shared memory: two threads that touch the same bytes, one of them writing, with nothing between that
// orders them.
//
// Barriers of the block order all of its threads, __syncwarp those of a warp. What one instruction of one warp does at
// once is no race here: to write the same value by all lanes is common.
#pragma once
#include <cstdint>
#include <vector>

namespace gpu {

class Races {
public:
    // A new block, with so many bytes of shared memory. Accesses are told apart by pieces of `granule` bytes.
    void begin(uint32_t bytes, uint32_t granule);
    // All threads have passed a barrier.
    void synchronize() { ++barriers_; }

    static constexpr uint32_t NONE = 0xffffffff;
    // The thread that an access races with, or NONE. The access is noted by note().
    uint32_t conflict(uint32_t offset, uint32_t bytes, bool writes, uint32_t thread, uint32_t syncs) const;
    void note(uint32_t offset, uint32_t bytes, bool writes, uint32_t thread, uint32_t syncs);

private:
    // Who has touched a piece, and when: the count of barriers, and that of the warp's own synchronisations.
    struct Touch {
        uint64_t barriers : 32, syncs : 21, thread : 11;
    };
    // Two readers: a writer races with one of them, whoever it is, unless it is the only one.
    struct Piece {
        Touch writer, readers[2];
    };
    bool races(Touch, uint32_t thread, uint32_t syncs) const;

    std::vector<Piece> pieces_;
    uint32_t granule_ = 4;
    uint64_t barriers_ = 0;
};

}  // namespace gpu
