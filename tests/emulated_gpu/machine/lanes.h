// The lanes of a warp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gpu {

constexpr unsigned LANES = 32;

// One bit for each lane: a predicate, or a set of lanes.
using Mask = uint32_t;
constexpr Mask EVERY_LANE = 0xffffffff;

inline unsigned first_of(Mask mask) { return unsigned(__builtin_ctz(mask)); }
inline Mask first_bit(Mask mask) { return mask & -mask; }

template <class F> inline void for_lanes(Mask mask, F f) {
    for (Mask left = mask; left; left &= left - 1) f(first_of(left));
}

// The same bits as another type.
template <class D, class S> inline D bits(S x) {
    static_assert(sizeof(D) == sizeof(S));
    D y;
    memcpy(&y, &x, sizeof y);
    return y;
}

// A mask of the lanes whose number is -1; the others are 0.
inline Mask mask_of(const int32_t* truth) {
    Mask mask = 0;
#if defined(__AVX2__)
    typedef float Floats __attribute__((vector_size(32), aligned(4)));
    for (unsigned i = 0; i < 4; ++i) mask |= Mask(__builtin_ia32_movmskps256(((const Floats*)truth)[i])) << (8 * i);
#else
    for (unsigned l = 0; l < LANES; ++l) mask |= Mask(truth[l] & 1) << l;
#endif
    return mask;
}

}  // namespace gpu
