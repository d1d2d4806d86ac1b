// Predicates are masks, one bit a lane: comparisons make them, choices use them.
#pragma once
#include "lanes.h"

namespace gpu {

typedef float Floats __attribute__((vector_size(WIDEST)));
typedef double Doubles __attribute__((vector_size(WIDEST)));
typedef int Ints __attribute__((vector_size(WIDEST)));
typedef long long Longs __attribute__((vector_size(WIDEST)));

// A bit for each element of a piece: whether it is all ones, as comparisons make it.
template <class Piece, unsigned BYTES> INLINE Mask bits_of_piece(Piece piece) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    if constexpr (BYTES == 4) return Mask(__builtin_ia32_cvtd2mask512((Ints)piece));
    else return Mask(__builtin_ia32_cvtq2mask512((Longs)piece));
#elif defined(__AVX2__)
    if constexpr (BYTES == 4) return Mask(__builtin_ia32_movmskps256((Floats)piece));
    else return Mask(__builtin_ia32_movmskpd256((Doubles)piece));
#else
    if constexpr (BYTES == 4) return Mask(__builtin_ia32_movmskps((Floats)piece));
    else return Mask(__builtin_ia32_movmskpd((Doubles)piece));
#endif
}

template <unsigned BYTES> struct Signed;
template <> struct Signed<1> { using Type = int8_t; };
template <> struct Signed<2> { using Type = int16_t; };
template <> struct Signed<4> { using Type = int32_t; };
template <> struct Signed<8> { using Type = int64_t; };

// Comparisons are functions that are called: kernels have many, and inlined they would be most of what is compiled.
#define COMPARISON(NAME, OPERATOR) \
    template <class T> OUTLINE Mask NAME##_in_memory(const Lanes<T>& a, const Lanes<T>& b) { \
        Mask mask = 0; \
        if constexpr (sizeof(T) < 4) { \
            for (unsigned l = 0; l < LANES; ++l) \
                mask |= Mask(a.piece[l / Lanes<T>::PER_PIECE][l % Lanes<T>::PER_PIECE] OPERATOR \
                             b.piece[l / Lanes<T>::PER_PIECE][l % Lanes<T>::PER_PIECE]) << l; \
        } else { \
            EACH_PIECE(T, mask |= bits_of_piece<decltype(a.piece[i] OPERATOR b.piece[i]), sizeof(T)>( \
                a.piece[i] OPERATOR b.piece[i]) << (i * Lanes<T>::PER_PIECE)) \
        } \
        return mask; \
    } \
    template <class T> INLINE Mask NAME(Lanes<T> a, Lanes<T> b) { return NAME##_in_memory<T>(a, b); }
COMPARISON(equal, ==)
COMPARISON(differ, !=)
COMPARISON(less, <)
COMPARISON(less_or_equal, <=)
COMPARISON(greater, >)
COMPARISON(greater_or_equal, >=)
#undef COMPARISON

// Of numbers that may be NaN: both are numbers.
template <class T> INLINE Mask ordered(const Lanes<T>& a, const Lanes<T>& b) { return equal(a, a) & equal(b, b); }

// 1, 2, 4 … in the elements of a piece.
template <class T> struct LaneBits {
    alignas(64) T bit[Lanes<T>::PER_PIECE];
    constexpr LaneBits() : bit() {
        for (unsigned l = 0; l < Lanes<T>::PER_PIECE; ++l) bit[l] = T(uint64_t(1) << (l % (8 * sizeof(T))));
    }
};
template <class T> constexpr LaneBits<T> LANE_BITS;

// All ones in the elements of a piece whose lanes the mask has.
template <class T> INLINE typename Lanes<T>::Piece spread(Mask of_piece) {
    const auto bits_of_lanes = *(const typename Lanes<T>::Piece*)LANE_BITS<T>.bit;
    return (((T)of_piece - typename Lanes<T>::Piece{}) & bits_of_lanes) == bits_of_lanes;
}

// Lanes of `yes` where the mask has them, of `no` elsewhere.
template <class T> INLINE Lanes<T> choose(Mask mask, const Lanes<T>& yes, const Lanes<T>& no) {
    using Bits = typename Signed<sizeof(T)>::Type;
    Lanes<T> y;
    if constexpr (Lanes<T>::PER_PIECE > 8 * sizeof(T)) {
        auto a = array(yes), b = array(no);
        for (unsigned l = 0; l < LANES; ++l) b[l] = mask >> l & 1 ? a[l] : b[l];
        y = lanes(b);
    } else {
        EACH_PIECE(T, y.piece[i] = spread<Bits>(mask >> (i * Lanes<T>::PER_PIECE)) ? yes.piece[i] : no.piece[i])
    }
    return y;
}
INLINE Mask choose(Mask mask, Mask yes, Mask no) { return (yes & mask) | (no & ~mask); }

// Writes a register. Lanes that are not in the mask may hold a value that they still need.
template <class T> OUTLINE void set_in_memory(Mask mask, Lanes<T>& to, const Lanes<T>& value) {
    to = mask == EVERY_LANE ? value : choose(mask, value, to);
}
template <class T> INLINE void set(Mask mask, Lanes<T>& to, Lanes<T> value) { set_in_memory(mask, to, value); }
INLINE void set(Mask mask, Mask& to, Mask value) { to = choose(mask, value, to); }

// A predicate that is the same in all lanes.
INLINE Mask predicate(bool value) { return value ? EVERY_LANE : 0; }

INLINE unsigned first_of(Mask mask) { return unsigned(__builtin_ctz(mask)); }

}  // namespace gpu
