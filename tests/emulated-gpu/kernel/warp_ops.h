// Operations between the lanes of a warp. All lanes of the mask have come when these are called.
#pragma once
#include "memory.h"

namespace gpu {

enum class Shuffle { Up, Down, Butterfly, Index };

// shfl.sync: `clamp` has the last lane of a segment in bits 0-4 and the segments' mask in bits 8-12, as in PTX. `inside` tells
// which lanes have got the value of another one.
template <Shuffle S> OUTLINE Lanes<uint32_t> shuffle(
    Warp& w, Mask m, Lanes<uint32_t> value, Lanes<uint32_t> by, Lanes<uint32_t> clamp, Mask& inside, uint32_t line) {
    auto from = array(value), distance = array(by), limits = array(clamp);
    Array<uint32_t> y{};
    inside = 0;
    for (Mask left = m; left; left &= left - 1) {
        const int l = int(first_of(left));
        const int b = distance[l] & 31, segment = limits[l] >> 8 & 31, last = (l & segment) | (limits[l] & 31 & ~segment);
        int source = l;
        if (S == Shuffle::Up) source = l - b;
        if (S == Shuffle::Down) source = l + b;
        if (S == Shuffle::Butterfly) source = l ^ b;
        if (S == Shuffle::Index) source = (l & segment) | (b & ~segment);
        if (S == Shuffle::Up ? source >= last : source <= last) inside |= 1u << l;
        else source = l;
        if (!(m >> source & 1)) services->fail(w, 719, "shfl reads a lane that is not in its mask or has exited", line);
        y[l] = from[source];
    }
    return lanes(y);
}

template <class T> OUTLINE Lanes<uint32_t> match_any(Mask m, Lanes<T> value) {
    auto x = array(value);
    Array<uint32_t> y{};
    for (unsigned l = 0; l < LANES; ++l)
        for (unsigned other = 0; other < LANES; ++other)
            if (m >> other & 1 && x[other] == x[l]) y[l] |= 1u << other;
    return lanes(y);
}

// redux.sync and what is like it: f over the lanes of the mask, for all of them.
template <class T, class F> OUTLINE Lanes<T> reduce(Mask m, Lanes<T> value, F f) {
    auto x = array(value);
    T sum = x[first_of(m)];
    for (Mask left = m & (m - 1); left; left &= left - 1) sum = f(sum, x[first_of(left)]);
    return all(sum);
}

}  // namespace gpu
