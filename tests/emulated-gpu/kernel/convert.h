// Conversions between types of numbers that are no plain cast, for `each`.
#pragma once
#include "arithmetic.h"

namespace gpu {

// A float to an integer: what does not fit becomes the nearest that does, and NaN becomes 0.
template <class D, class S> INLINE D to_integer(S x) {
    constexpr D LOW = std::numeric_limits<D>::min(), HIGH = std::numeric_limits<D>::max();
    if (x != x) return 0;
    if (x <= S(LOW)) return LOW;
    if (x >= S(HIGH)) return HIGH;
    return D(x);
}

// An integer to a smaller one, with .sat.
template <class D, class S> INLINE D clamp_to(S x) {
    __int128 v = x;
    if (v < __int128(std::numeric_limits<D>::min())) v = std::numeric_limits<D>::min();
    if (v > __int128(std::numeric_limits<D>::max())) v = std::numeric_limits<D>::max();
    return D(v);
}

template <class T> INLINE T round_even(T x) { return std::nearbyint(x); }
template <class T> INLINE T round_zero(T x) { return std::trunc(x); }
template <class T> INLINE T round_down(T x) { return std::floor(x); }
template <class T> INLINE T round_up(T x) { return std::ceil(x); }

// The two 16-bit formats, as the types of PTX are called.
struct f16 {
    static INLINE float widen(uint16_t h) { return float(bits<_Float16>(h)); }
    static INLINE uint16_t narrow(float x) { return bits<uint16_t>(_Float16(x)); }
};
struct bf16 {
    static INLINE float widen(uint16_t h) { return bits<float>(uint32_t(h) << 16); }
    static INLINE uint16_t narrow(float x) {
        const auto u = bits<uint32_t>(x);
        return x != x ? uint16_t(0x7fff) : uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
};

// Both halves of a 32-bit register, the second operand in the low one.
template <class H> INLINE uint32_t narrow_two(float high, float low) {
    return uint32_t(H::narrow(high)) << 16 | H::narrow(low);
}

// f on 16-bit numbers, by way of float: one operation and then one rounding. A product with a sum needs double to round once.
template <class H, class F> INLINE uint16_t half_of(F f, uint16_t a) { return H::narrow(f(H::widen(a))); }
template <class H, class F> INLINE uint16_t half_of(F f, uint16_t a, uint16_t b) { return H::narrow(f(H::widen(a), H::widen(b))); }
template <class H> INLINE uint16_t half_fma(uint16_t a, uint16_t b, uint16_t c) {
    return H::narrow(float(double(H::widen(a)) * double(H::widen(b)) + double(H::widen(c))));
}

// f on both halves of 32-bit registers.
template <class F, class... S> INLINE uint32_t in_halves(F f, S... x) {
    return uint32_t(f(uint16_t(x >> 16)...)) << 16 | f(uint16_t(x)...);
}

// f32 with the mantissa of TF32: to nearest with ties away from zero, and with ties to even.
INLINE uint32_t tf32_away(float x) {
    const auto u = bits<uint32_t>(x);
    return (u & 0x7f800000) == 0x7f800000 ? u : (u + 0x1000) & 0xffffe000;
}
INLINE uint32_t tf32_even(float x) {
    const auto u = bits<uint32_t>(x);
    return (u & 0x7f800000) == 0x7f800000 ? u : (u + 0xfff + (u >> 13 & 1)) & 0xffffe000;
}

}  // namespace gpu
