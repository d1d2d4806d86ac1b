// A PTX register of a whole warp: one value a lane, held in vector registers of the host.
#pragma once
#include "contract.h"
#include <cstring>
#include <type_traits>
#include <utility>

#define INLINE __attribute__((always_inline)) inline

// What is not a handful of instructions is a function that is called. Its operands are passed in memory, which costs it little.
#define OUTLINE [[gnu::noinline]] static

namespace gpu {

#if defined(__AVX512F__) && defined(__AVX512DQ__)
constexpr unsigned WIDEST = 64;
#elif defined(__AVX2__)
constexpr unsigned WIDEST = 32;
#else
constexpr unsigned WIDEST = 16;
#endif

// A statement for each piece `i` of lanes of the type T. Neither a loop nor a lambda: the compiler keeps an array in registers only
// where every index is a constant before it looks at loops, and kernels have so many of these that what each costs is felt.
#define EACH_PIECE(T, ...) \
    { constexpr unsigned i = 0; __VA_ARGS__; } \
    if constexpr (Lanes<T>::PIECES > 1) { constexpr unsigned i = 1; __VA_ARGS__; } \
    if constexpr (Lanes<T>::PIECES > 2) { { constexpr unsigned i = 2; __VA_ARGS__; } { constexpr unsigned i = 3; __VA_ARGS__; } } \
    if constexpr (Lanes<T>::PIECES > 4) { \
        { constexpr unsigned i = 4; __VA_ARGS__; } { constexpr unsigned i = 5; __VA_ARGS__; } \
        { constexpr unsigned i = 6; __VA_ARGS__; } { constexpr unsigned i = 7; __VA_ARGS__; } \
    } \
    if constexpr (Lanes<T>::PIECES > 8) { \
        { constexpr unsigned i = 8; __VA_ARGS__; } { constexpr unsigned i = 9; __VA_ARGS__; } \
        { constexpr unsigned i = 10; __VA_ARGS__; } { constexpr unsigned i = 11; __VA_ARGS__; } \
        { constexpr unsigned i = 12; __VA_ARGS__; } { constexpr unsigned i = 13; __VA_ARGS__; } \
        { constexpr unsigned i = 14; __VA_ARGS__; } { constexpr unsigned i = 15; __VA_ARGS__; } \
    }

template <class T> struct Lanes {
    static constexpr unsigned BYTES = LANES * sizeof(T) < WIDEST ? LANES * sizeof(T) : WIDEST;
    static constexpr unsigned PIECES = LANES * sizeof(T) / BYTES;
    static constexpr unsigned PER_PIECE = LANES / PIECES;
    typedef T Piece __attribute__((vector_size(BYTES)));
    Piece piece[PIECES];
};

// The same in memory, where lanes can be had one by one.
template <class T> struct Array {
    alignas(64) T lane[LANES];
    T& operator[](unsigned i) { return lane[i]; }
    const T& operator[](unsigned i) const { return lane[i]; }
};

// By value: a register whose address is taken would live in memory everywhere.
template <class T> INLINE Array<T> array(Lanes<T> x) { Array<T> a; memcpy(&a, &x, sizeof a); return a; }
template <class T> INLINE Lanes<T> lanes(const Array<T>& a) { Lanes<T> x; memcpy(&x, &a, sizeof x); return x; }

template <class T> INLINE Lanes<T> all(T value) {
    Lanes<T> x;
    EACH_PIECE(T, x.piece[i] = value - typename Lanes<T>::Piece{})
    return x;
}

// 0, step, 2 · step …
template <class T> OUTLINE Lanes<T> ramp(T step) {
    Array<T> a;
    for (unsigned l = 0; l < LANES; ++l) a[l] = T(l * step);
    return lanes(a);
}

// The same bits as another type of the same size.
template <class D, class S> INLINE Lanes<D> as(const Lanes<S>& x) {
    static_assert(sizeof(D) == sizeof(S));
    if constexpr (std::is_same_v<D, S>) return x;
    Lanes<D> y;
    EACH_PIECE(D, y.piece[i] = (typename Lanes<D>::Piece)x.piece[i])
    return y;
}

template <class D, class S> INLINE D bits(S x) {
    static_assert(sizeof(D) == sizeof(S));
    D y;
    memcpy(&y, &x, sizeof y);
    return y;
}

// f of each lane. The compiler makes vectors of what is simple enough.
template <class F, class... S> INLINE auto each(F f, Lanes<S>... x) {
    using D = decltype(f(S()...));
    return [&](const Array<S>&... a) __attribute__((always_inline)) {
        Array<D> y;
        for (unsigned l = 0; l < LANES; ++l) y[l] = f(a[l]...);
        return lanes(y);
    }(array(x)...);
}

template <class D, class S> OUTLINE Lanes<D> convert_lanes(Lanes<S> x) {
    return each([](S v) { return D(v); }, x);
}
template <class D, class S> INLINE Lanes<D> convert(const Lanes<S>& x) {
    if constexpr (std::is_same_v<D, S>) return x;
    else if constexpr (sizeof(D) == sizeof(S) && std::is_integral_v<D> && std::is_integral_v<S>) return as<D>(x);
    else return convert_lanes<D>(x);
}

#define PIECEWISE(OPERATOR) \
    template <class T> INLINE Lanes<T> operator OPERATOR(const Lanes<T>& a, const Lanes<T>& b) { \
        Lanes<T> y; \
        EACH_PIECE(T, y.piece[i] = a.piece[i] OPERATOR b.piece[i]) \
        return y; \
    }
PIECEWISE(+)
PIECEWISE(-)
PIECEWISE(*)
PIECEWISE(&)
PIECEWISE(|)
PIECEWISE(^)
#undef PIECEWISE

template <class T> INLINE Lanes<T> operator~(const Lanes<T>& a) { return a ^ all<T>(T(-1)); }

// By the same number in all lanes, less than the width.
template <class T> INLINE Lanes<T> operator<<(const Lanes<T>& a, unsigned by) {
    Lanes<T> y;
    EACH_PIECE(T, y.piece[i] = a.piece[i] << T(by))
    return y;
}
template <class T> INLINE Lanes<T> operator>>(const Lanes<T>& a, unsigned by) {
    Lanes<T> y;
    EACH_PIECE(T, y.piece[i] = a.piece[i] >> T(by))
    return y;
}

INLINE Lanes<float> operator/(const Lanes<float>& a, const Lanes<float>& b) {
    Lanes<float> y;
    EACH_PIECE(float, y.piece[i] = a.piece[i] / b.piece[i])
    return y;
}
INLINE Lanes<double> operator/(const Lanes<double>& a, const Lanes<double>& b) {
    Lanes<double> y;
    EACH_PIECE(double, y.piece[i] = a.piece[i] / b.piece[i])
    return y;
}

}  // namespace gpu
