// Integer instructions on the bits of one lane.
#pragma once
#include "lanes.h"
#include <type_traits>

namespace gpu {

template <class T> constexpr uint32_t WIDTH = 8 * sizeof(T);
template <class T> using Unsigned = std::make_unsigned_t<T>;

template <class T> inline T shift_left(T a, uint32_t n) { return n >= WIDTH<T> ? T(0) : T(Unsigned<T>(a) << n); }
// Of a signed number: its sign comes in.
template <class T> inline T shift_right(T a, uint32_t n) {
    if constexpr (std::is_signed_v<T>) return T(a >> (n >= WIDTH<T> ? WIDTH<T> - 1 : n));
    else return n >= WIDTH<T> ? T(0) : T(a >> n);
}

// shf: 32 of the 64 bits high:low.
inline uint32_t funnel_left(uint32_t low, uint32_t high, uint32_t n) {
    return uint32_t(((uint64_t(high) << 32 | low) << n) >> 32);
}
inline uint32_t funnel_right(uint32_t low, uint32_t high, uint32_t n) {
    return uint32_t((uint64_t(high) << 32 | low) >> n);
}

// bfe: `length` bits from `start` on, with the sign of a signed number.
template <class T> inline T extract_bits(T a, uint32_t start, uint32_t length) {
    start &= 255;
    length &= 255;
    const bool negative = std::is_signed_v<T> && a < 0;
    if (length == 0) return 0;
    if (start >= WIDTH<T>) return negative ? T(-1) : T(0);
    if (length >= WIDTH<T> - start) return T(a >> start);
    const auto mask = (Unsigned<T>(1) << length) - 1;
    auto field = Unsigned<T>((Unsigned<T>(a) >> start) & mask);
    if (std::is_signed_v<T> && (field >> (length - 1) & 1)) field |= ~mask;
    return T(field);
}

// bfi: the low bits of `field` in the place of `length` bits of `base`.
template <class T> inline T insert_bits(T field, T base, uint32_t start, uint32_t length) {
    start &= 255;
    length &= 255;
    if (start >= WIDTH<T> || length == 0) return base;
    if (length > WIDTH<T> - start) length = WIDTH<T> - start;
    T mask = length >= WIDTH<T> ? T(~T(0)) : T((T(1) << length) - 1);
    mask = T(mask << start);
    return T((base & ~mask) | (T(field << start) & mask));
}

inline uint32_t leading_zeros(uint32_t x) { return x ? uint32_t(__builtin_clz(x)) : 32; }
inline uint32_t leading_zeros(uint64_t x) { return x ? uint32_t(__builtin_clzll(x)) : 64; }
template <class T> inline uint32_t ones(T x) { return uint32_t(__builtin_popcountll(x)); }

template <class T> inline T reverse_bits(T x) {
    T y = 0;
    for (uint32_t i = 0; i < WIDTH<T>; ++i) y |= T(x >> i & 1) << (WIDTH<T> - 1 - i);
    return y;
}

// bfind: the highest bit that is not the sign; as a shift to the top with `.shiftamt`.
template <class T, bool AS_SHIFT> inline uint32_t highest_bit(T a) {
    const auto x = Unsigned<T>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (x == 0) return 0xffffffff;
    const uint32_t at = 63 - uint32_t(__builtin_clzll(uint64_t(x)));
    return AS_SHIFT ? WIDTH<T> - 1 - at : at;
}

// prmt: four bytes out of the eight of high:low.
inline uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selectors) {
    const uint64_t bytes = uint64_t(high) << 32 | low;
    uint32_t y = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const uint32_t selector = selectors >> (4 * i) & 15;
        auto byte = uint8_t(bytes >> (8 * (selector & 7)));
        if (selector & 8) byte = byte & 0x80 ? 0xff : 0;    // its sign only
        y |= uint32_t(byte) << (8 * i);
    }
    return y;
}

// lop3: any function of three bits, as its table.
inline uint32_t logic_of_three(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
    uint32_t y = 0;
    for (unsigned i = 0; i < 8; ++i)
        if (table >> i & 1) y |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    return y;
}

// dp4a: the products of four pairs of bytes, added.
template <class A, class B> inline uint32_t dot_of_bytes(uint32_t a, uint32_t b, uint32_t sum) {
    for (unsigned i = 0; i < 4; ++i) sum += uint32_t(int32_t(A(a >> (8 * i))) * int32_t(B(b >> (8 * i))));
    return sum;
}

}  // namespace gpu
