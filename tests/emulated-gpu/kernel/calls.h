// What kernels ask of their surroundings: their own index, the time, a message.
#pragma once
#include "memory.h"
#include <cstdio>

namespace gpu {

INLINE Lanes<uint32_t> thread_index(const Warp& w, unsigned axis) {
    Lanes<uint32_t> x;
    memcpy(&x, w.thread[axis], sizeof x);
    return x;
}

INLINE uint64_t clock_now() { return __builtin_ia32_rdtsc(); }

OUTLINE void fail_assertion(Warp& w, Mask, uint64_t message, uint32_t line) {
    char text[300];
    snprintf(text, sizeof text, "assertion failed: %s", (const char*)message);
    services->fail(w, 710, text, line);
}

// Device-side printf prints its format; the arguments are not formatted.
OUTLINE void print(Warp&, Mask m, const uint64_t* formats, const uint64_t*) {
    for (Mask left = m; left; left &= left - 1) fputs((const char*)formats[first_of(left)], stdout);
}

}  // namespace gpu
