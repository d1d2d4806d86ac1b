// Lanes of a warp that go different ways.
//
// A function is cut into blocks of instructions without branches. The lanes that are in one block execute it together. Where a
// branch parts them, one part goes on and the others are parked, each with its block. While some are parked, the group in the
// lowest block goes first: the others lie ahead of it, so that it comes to them and joins them.
#pragma once
#include "masks.h"
#include <cstdio>

namespace gpu {

class Flow {
public:
    static constexpr uint32_t FINISHED = 0xffffffff;

    Flow(Warp& warp, const Services& services) : warp_(warp), services_(services), turn_(warp.order) {}

    bool diverged() const { return count_ != 0; }

    void park(uint32_t block, Mask lanes, bool waits = false, Mask members = 0, uint32_t line = 0) {
        for (unsigned i = 0; i < count_; ++i) {
            if (groups_[i].block != block) continue;
            groups_[i].lanes |= lanes;
            groups_[i].waits = false;
            return;
        }
        groups_[count_++] = {block, lanes, members, line, waits};
    }

    // The block that is executed next; its lanes are in lanes().
    uint32_t next() {
        if (count_ == 0) return FINISHED;
        unsigned chosen = LANES, ready = 0;
        for (unsigned i = 0; i < count_; ++i) ready += !groups_[i].waits;
        if (ready == 0) stuck();
        // With a seed, any may go first.
        unsigned skip = turn_ ? draw() % ready : 0;
        for (unsigned i = 0; i < count_; ++i) {
            if (groups_[i].waits) continue;
            if (turn_ ? skip-- == 0 : chosen == LANES || groups_[i].block < groups_[chosen].block) chosen = i;
        }
        lanes_ = groups_[chosen].lanes;
        const uint32_t block = groups_[chosen].block;
        groups_[chosen] = groups_[--count_];
        return block;
    }
    Mask lanes() const { return lanes_; }

    // Lanes have come to a block that begins with an operation of several lanes. Returns those that execute it now, all of `members`
    // that have not exited; none where some have still to come, for which the others then wait.
    Mask gather(uint32_t block, Mask lanes, Mask members, uint32_t line) {
        if (lanes & ~members) services_.fail(warp_, 719, "a lane calls an operation of the warp with a mask that lacks it", line);
        if ((members & warp_.live & ~lanes) == 0) {
            ++warp_.syncs;
            return lanes;
        }
        park(block, lanes, true, members, line);
        return 0;
    }

    // The same with masks in a register. Each lane may name others.
    Mask gather(uint32_t block, Mask lanes, Lanes<uint32_t> members, uint32_t line) {
        auto masks = array(members);
        for (Mask left = lanes; left;) {
            const Mask mask = masks[first_of(left)];
            Mask same = 0;
            for (Mask rest = left; rest; rest &= rest - 1) same |= masks[first_of(rest)] == mask ? rest & -rest : 0;
            left &= ~same;
            if (mask & warp_.live & ~same && left) continue;
            if (mask & warp_.live & ~same) break;
            if (lanes & ~same) park(block, lanes & ~same, false);
            return gather(block, same, mask, line);
        }
        park(block, lanes, true, masks[first_of(lanes)], line);
        return 0;
    }

    // Lanes have left the kernel: nobody waits for them any longer.
    void exit(Mask lanes) {
        warp_.live &= ~lanes;
        for (unsigned i = 0; i < count_; ++i) groups_[i].waits = false;
    }

private:
    struct Group {
        uint32_t block;
        Mask lanes, members;
        uint32_t line;
        bool waits;
    };

    uint32_t draw() {
        turn_ = turn_ * 1664525 + 1013904223;
        return turn_ >> 8 | 1u << 30;
    }

    [[gnu::noinline]] void stuck() {
        char text[256];
        const Group& group = groups_[0];
        snprintf(text, sizeof text, "lanes %08x wait for lanes %08x, which wait elsewhere or have passed by%s", group.lanes,
                 group.members & warp_.live & ~group.lanes, group.members == EVERY_LANE ? " (a divergent barrier?)" : "");
        services_.fail(warp_, 719, text, group.line);
    }

    Warp& warp_;
    const Services& services_;
    Group groups_[LANES];
    unsigned count_ = 0;
    Mask lanes_ = 0;
    uint32_t turn_;
};

}  // namespace gpu
