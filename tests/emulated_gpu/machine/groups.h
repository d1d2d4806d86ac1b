// Lanes of a warp that go different ways.
//
// Lanes that are in the same basic block execute it together. Where a branch parts them, one part goes on and the
// others are parked, each with its block. While some are parked, the group in the lowest block goes first: the others
// lie ahead of it, so that it comes to them and joins them.
#pragma once
#include "lanes.h"

namespace gpu {

struct Group {
    uint32_t block;
    Mask lanes;
    // It waits for these lanes, to execute an operation with them.
    Mask members = 0;
    bool waits = false;
};

class Groups {
public:
    void clear() { count_ = 0; }
    bool any() const { return count_ != 0; }
    const Group* begin() const { return groups_; }
    const Group* end() const { return groups_ + count_; }

    void park(Group group) {
        for (unsigned i = 0; i < count_; ++i) {
            if (groups_[i].block != group.block) continue;
            groups_[i].lanes |= group.lanes;
            groups_[i].waits = false;       // perhaps all have come now
            return;
        }
        groups_[count_++] = group;
    }

    // Lanes have left the kernel: nobody waits for them any longer.
    void look_again() {
        for (unsigned i = 0; i < count_; ++i) groups_[i].waits = false;
    }

    // Takes the group that goes on; `draw` is 0, or a random number that chooses. False where all wait.
    bool take(Group& taken, uint32_t draw) {
        unsigned chosen = count_, ready = 0;
        for (unsigned i = 0; i < count_; ++i) ready += !groups_[i].waits;
        if (ready == 0) return false;
        unsigned skip = draw % ready;
        for (unsigned i = 0; i < count_; ++i) {
            if (groups_[i].waits) continue;
            if (draw ? skip-- == 0 : chosen == count_ || groups_[i].block < groups_[chosen].block) chosen = i;
        }
        taken = groups_[chosen];
        groups_[chosen] = groups_[--count_];
        return true;
    }

private:
    Group groups_[LANES + 1];
    unsigned count_ = 0;
};

}  // namespace gpu
