// How a translated function goes from block to block. `m` has the lanes that are in the block, `flow` has those that are parked.
// While none are parked, a jump is a jump; else the flow decides who goes on.
#pragma once

#define JUMP(TO) \
    { \
        if (!flow.diverged()) goto block_##TO; \
        flow.park(TO, m); \
        goto dispatch; \
    }

// Into the next block, which follows.
#define FALL(TO) \
    if (flow.diverged()) { \
        flow.park(TO, m); \
        goto dispatch; \
    }

#define BRANCH(CONDITION, TO, OTHERWISE) \
    { \
        const Mask taken = m & (CONDITION); \
        if (taken == m) JUMP(TO) \
        if (taken) { \
            flow.park(TO, taken); \
            flow.park(OTHERWISE, m & ~taken); \
            goto dispatch; \
        } \
        FALL(OTHERWISE) \
    }

// These lanes leave the function, and the others go on.
#define LEAVE(LANES_THAT_LEAVE, LAST_ACT, TO) \
    { \
        const Mask left = LANES_THAT_LEAVE; \
        if (left) { \
            LAST_ACT \
            if (m & ~left) flow.park(TO, m & ~left); \
            goto dispatch; \
        } \
    }

// The block begins with an operation of several lanes: those that have come wait for the others.
#define GATHER(BLOCK, MEMBERS, LINE) \
    if (const Mask now = flow.gather(BLOCK, m, MEMBERS, LINE)) m = now; \
    else goto dispatch;
