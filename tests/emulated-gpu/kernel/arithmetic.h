// Arithmetic of PTX that C++ has no operator for.
#pragma once
#include "masks.h"
#include <cfenv>
#include <cmath>
#include <limits>

namespace gpu {

// One rounding, as on a GPU. The functions of the C library would do, one lane at a time.
INLINE Lanes<float> fma(const Lanes<float>& a, const Lanes<float>& b, const Lanes<float>& c) {
#if defined(__FMA__)
    Lanes<float> y;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    EACH_PIECE(float, y.piece[i] = __builtin_ia32_vfmaddps512_mask(a.piece[i], b.piece[i], c.piece[i], -1, 4))
#elif defined(__AVX2__)
    EACH_PIECE(float, y.piece[i] = __builtin_ia32_vfmaddps256(a.piece[i], b.piece[i], c.piece[i]))
#else
    EACH_PIECE(float, y.piece[i] = __builtin_ia32_vfmaddps(a.piece[i], b.piece[i], c.piece[i]))
#endif
    return y;
#else
    return each([](float x, float y, float z) { return __builtin_fmaf(x, y, z); }, a, b, c);
#endif
}
OUTLINE Lanes<double> fma(Lanes<double> a, Lanes<double> b, Lanes<double> c) {
    return each([](double x, double y, double z) { return __builtin_fma(x, y, z); }, a, b, c);
}

// .ftz: subnormal numbers are zero.
OUTLINE Lanes<float> flush(Lanes<float> x) {
    auto sign = all(0x80000000u), bits_of_x = as<uint32_t>(x);
    auto magnitude = as<float>(bits_of_x & ~sign);
    return choose(less(magnitude, all(std::numeric_limits<float>::min())), as<float>(bits_of_x & sign), x);
}

// .sat: from 0 to 1, and NaN is 0.
template <class T> OUTLINE Lanes<T> saturate(Lanes<T> x) {
    x = choose(greater(x, all(T(0))), x, all(T(0)));
    return choose(less(x, all(T(1))), x, all(T(1)));
}

template <class T> INLINE Lanes<T> negate(Lanes<T> x) {
    using Bits = typename Signed<sizeof(T)>::Type;
    if constexpr (std::is_floating_point_v<T>) return as<T>(as<Bits>(x) ^ all(std::numeric_limits<Bits>::min()));
    else return all(T(0)) - x;
}

template <class T> OUTLINE Lanes<T> magnitude(Lanes<T> x) {
    using Bits = typename Signed<sizeof(T)>::Type;
    if constexpr (std::is_floating_point_v<T>) return as<T>(as<Bits>(x) & all(std::numeric_limits<Bits>::max()));
    else return choose(less(x, all(T(0))), negate(x), x);
}

// The other number where one is NaN, and -0 below +0.
template <class T, bool WANTS_LARGER> OUTLINE Lanes<T> larger_or_smaller(Lanes<T> a, Lanes<T> b) {
    if constexpr (std::is_floating_point_v<T>) {
        using Bits = typename Signed<sizeof(T)>::Type;
        Mask a_is_number = equal(a, a), b_is_number = equal(b, b);
        auto of_equals = WANTS_LARGER ? as<Bits>(a) & as<Bits>(b) : as<Bits>(a) | as<Bits>(b);
        auto y = choose(WANTS_LARGER ? greater(a, b) : less(a, b), a, b);
        y = choose(equal(a, b), as<T>(of_equals), y);
        y = choose(a_is_number, choose(b_is_number, y, a), b);
        return choose(a_is_number | b_is_number, y, as<T>(all(std::numeric_limits<Bits>::max())));
    } else {
        return choose(WANTS_LARGER ? greater(a, b) : less(a, b), a, b);
    }
}
template <class T> INLINE Lanes<T> maximum(Lanes<T> a, Lanes<T> b) { return larger_or_smaller<T, true>(a, b); }
template <class T> INLINE Lanes<T> minimum(Lanes<T> a, Lanes<T> b) { return larger_or_smaller<T, false>(a, b); }

// .NaN: NaN where one is NaN.
template <class T> OUTLINE Lanes<T> or_nan(Lanes<T> y, Lanes<T> a, Lanes<T> b) {
    using Bits = typename Signed<sizeof(T)>::Type;
    return choose(ordered(a, b), y, as<T>(all(std::numeric_limits<Bits>::max())));
}

template <class D, class S> OUTLINE Lanes<D> multiply_wide(Lanes<S> a, Lanes<S> b) {
    return each([](S x, S y) { return D(D(x) * D(y)); }, a, b);
}

template <class T> OUTLINE Lanes<T> multiply_high(Lanes<T> a, Lanes<T> b) {
    return each([](T x, T y) {
        if constexpr (sizeof(T) == 8) {
            using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
            return T((Wide(x) * Wide(y)) >> 64);
        } else {
            using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
            return T((Wide(x) * Wide(y)) >> (8 * sizeof(T)));
        }
    }, a, b);
}

// Quotients of 32-bit numbers are exact in double precision, and the host divides doubles by vectors. By zero: all ones.
template <class T> OUTLINE Lanes<T> divide(Lanes<T> a, Lanes<T> b) {
    if constexpr (std::is_same_v<T, int32_t>) {
        auto quotient = each([](int32_t x, int32_t y) { return int32_t(double(x) / double(y)); }, a, b);
        return choose(equal(b, all(0)), all(-1), quotient);
    } else {
        return each([](T x, T y) {
            if (y == 0) return T(-1);
            if (std::is_signed_v<T> && y == T(-1)) return T(0 - std::make_unsigned_t<T>(x));
            return T(x / y);
        }, a, b);
    }
}
template <class T> OUTLINE Lanes<T> remainder(Lanes<T> a, Lanes<T> b) {
    using Bits = std::make_unsigned_t<T>;
    return choose(equal(b, all(T(0))), a, as<T>(as<Bits>(a) - as<Bits>(divide(a, b)) * as<Bits>(b)));
}

// .rm, .rp and .rz, one lane at a time. Volatile, or the compiler would compute ahead of the change of mode.
template <int MODE, class F, class T, class... S> INLINE Lanes<T> rounded(F f, Lanes<T> a, Lanes<S>... rest) {
    const int before = fegetround();
    fesetround(MODE);
    auto y = each([&](T x, S... others) {
        volatile T held = x;
        volatile T result = f(held, others...);
        return T(result);
    }, a, rest...);
    fesetround(before);
    return y;
}

// The same for a conversion.
template <int MODE, class D, class F, class S> INLINE Lanes<D> rounded_from(F f, Lanes<S> a) {
    const int before = fegetround();
    fesetround(MODE);
    auto y = each([&](S x) {
        volatile S held = x;
        volatile D result = f(held);
        return D(result);
    }, a);
    fesetround(before);
    return y;
}

// Approximations of the hardware are the C library's functions here, which are at least as exact.
#define APPROXIMATION(NAME, EXPRESSION) \
    template <class T> OUTLINE Lanes<T> NAME(Lanes<T> a) { return each([](T x) { return T(EXPRESSION); }, a); }
APPROXIMATION(exp2, std::exp2(x))
APPROXIMATION(log2, std::log2(x))
APPROXIMATION(sine, std::sin(x))
APPROXIMATION(cosine, std::cos(x))
APPROXIMATION(tanh, std::tanh(x))
APPROXIMATION(square_root, sizeof(T) == 4 ? T(__builtin_sqrtf(float(x))) : T(__builtin_sqrt(double(x))))
#undef APPROXIMATION
template <class T> OUTLINE Lanes<T> reciprocal(Lanes<T> a) { return all(T(1)) / a; }
template <class T> OUTLINE Lanes<T> reciprocal_square_root(Lanes<T> a) { return all(T(1)) / square_root(a); }

template <class T> OUTLINE Lanes<T> copy_sign(Lanes<T> sign, Lanes<T> value) {
    using Bits = typename Signed<sizeof(T)>::Type;
    auto top = all(std::numeric_limits<Bits>::min());
    return as<T>((as<Bits>(sign) & top) | (as<Bits>(value) & ~top));
}

}  // namespace gpu
