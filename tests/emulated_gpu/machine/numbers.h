// Arithmetic of one lane for which C++ has no operator.
#pragma once
#include "lanes.h"
#include <cfenv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace gpu {

template <class T> using SignedBits = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;

template <class T> inline T fused(T a, T b, T c) {
    if constexpr (sizeof(T) == 4) return __builtin_fmaf(a, b, c);
    else return __builtin_fma(a, b, c);
}

// .ftz: subnormal numbers are zero.
inline float flush(float x) {
    return __builtin_fabsf(x) < std::numeric_limits<float>::min() ? __builtin_copysignf(0, x) : x;
}

// .sat: from 0 to 1, and NaN is 0.
template <class T> inline T saturate(T x) { return x > 0 ? (x < 1 ? x : T(1)) : T(0); }

template <class T> constexpr T canonical_nan() {
    if constexpr (sizeof(T) == 4) return __builtin_bit_cast(float, 0x7fffffff);
    else return __builtin_bit_cast(double, 0x7fffffffffffffff);
}

// The other number where one is NaN, and -0 below +0.
template <class T> inline T larger(T a, T b) {
    using Bits = SignedBits<T>;
    const T of_numbers = a > b ? a : a == b ? bits<T>(Bits(bits<Bits>(a) & bits<Bits>(b))) : b;
    return a != a ? (b != b ? canonical_nan<T>() : b) : b != b ? a : of_numbers;
}
template <class T> inline T smaller(T a, T b) {
    using Bits = SignedBits<T>;
    const T of_numbers = a < b ? a : a == b ? bits<T>(Bits(bits<Bits>(a) | bits<Bits>(b))) : b;
    return a != a ? (b != b ? canonical_nan<T>() : b) : b != b ? a : of_numbers;
}

// Quotients of 32-bit numbers are exact in double precision, and the host divides doubles by vectors. By zero: all
// ones.
template <class T> inline T quotient(T a, T b) {
    if constexpr (std::is_same_v<T, int32_t>) {
        return b == 0 ? -1 : int32_t(double(a) / double(b));
    } else {
        if (b == 0) return T(-1);
        if (std::is_signed_v<T> && b == T(-1)) return T(0 - std::make_unsigned_t<T>(a));
        return T(a / b);
    }
}
template <class T> inline T remainder_of(T a, T b) {
    using Bits = std::make_unsigned_t<T>;
    return b == 0 ? a : T(Bits(a) - Bits(quotient(a, b)) * Bits(b));
}

template <class T> inline T high_product(T a, T b) {
    if constexpr (sizeof(T) == 8) {
        using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
        return T((Wide(a) * Wide(b)) >> 64);
    } else {
        using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
        return T((Wide(a) * Wide(b)) >> (8 * sizeof(T)));
    }
}

// .rm, .rp and .rz. Volatile, or the compiler would compute ahead of the change of mode.
template <int MODE, class F, class T, class... S> inline auto rounded(F f, T a, S... rest) {
    const int before = fegetround();
    fesetround(MODE);
    volatile T held = a;
    volatile auto result = f(held, rest...);
    fesetround(before);
    return decltype(f(a, rest...))(result);
}

// A float to an integer: what does not fit becomes the nearest that does, and NaN becomes 0.
template <class D, class S> inline D to_integer(S x) {
    constexpr D LOW = std::numeric_limits<D>::min(), HIGH = std::numeric_limits<D>::max();
    return x != x ? D(0) : x <= S(LOW) ? LOW : x >= S(HIGH) ? HIGH : D(x);
}

// An integer to a smaller one, with .sat.
template <class D, class S> inline D clamp_to(S x) {
    const __int128 low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max(), v = x;
    return D(v < low ? low : v > high ? high : v);
}

// The two 16-bit formats.
struct Half {
    static float widen(uint16_t h) { return float(bits<_Float16>(h)); }
    static uint16_t narrow(float x) { return bits<uint16_t>(_Float16(x)); }
};
struct BrainHalf {
    static float widen(uint16_t h) { return bits<float>(uint32_t(h) << 16); }
    static uint16_t narrow(float x) {
        const auto u = bits<uint32_t>(x);
        return x != x ? uint16_t(0x7fff) : uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
};

// f32 with the mantissa of TF32: to nearest with ties away from zero, and with ties to even.
inline uint32_t tf32_away(float x) {
    const auto u = bits<uint32_t>(x);
    return (u & 0x7f800000) == 0x7f800000 ? u : (u + 0x1000) & 0xffffe000;
}
inline uint32_t tf32_even(float x) {
    const auto u = bits<uint32_t>(x);
    return (u & 0x7f800000) == 0x7f800000 ? u : (u + 0xfff + (u >> 13 & 1)) & 0xffffe000;
}

}  // namespace gpu
