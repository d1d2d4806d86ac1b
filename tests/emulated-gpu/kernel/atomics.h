// Atomic operations. Blocks may run on several host threads, so they are atomic here too; lanes take their turns in order.
#pragma once
#include "memory.h"

namespace gpu {

template <class T, class F> INLINE T exchange_by(uint64_t address, F f) {
    using Bits = std::make_unsigned_t<typename Signed<sizeof(T)>::Type>;
    auto* at = (Bits*)address;
    Bits before = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &before, bits<Bits>(T(f(bits<T>(before)))), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return bits<T>(before);
}

// f(old, operands…) is the new value; the old one is returned.
template <Space S, class T, class F, class... V> OUTLINE Lanes<T> atomic(
    Warp& w, Mask m, Lanes<uint64_t> address, int64_t offset, uint32_t line, F f, V... operands) {
    const auto at = host_addresses<S>(w, address, offset);
    notice<S>(w, m, at, sizeof(T), Access::Atomic, line);
    Array<T> before;
    [&](const auto&... values) {
        for_lanes(m, [&](unsigned l) { before[l] = exchange_by<T>(at[l], [&](T old) { return f(old, values[l]...); }); });
    }(array(operands)...);
    return lanes(before);
}

template <class T> struct Atomic {
    static T add(T old, T x) { return T(old + x); }
    static T min(T old, T x) { return old < x ? old : x; }
    static T max(T old, T x) { return old > x ? old : x; }
    static T exch(T, T x) { return x; }
    static T cas(T old, T expected, T x) { return old == expected ? x : old; }
    static T and_(T old, T x) { return T(old & x); }
    static T or_(T old, T x) { return T(old | x); }
    static T xor_(T old, T x) { return T(old ^ x); }
    static T inc(T old, T limit) { return old >= limit ? T(0) : T(old + 1); }
    static T dec(T old, T limit) { return old == 0 || old > limit ? limit : T(old - 1); }
};
// The members of a class template that are not used are not compiled, so floats may lack & and |.

}  // namespace gpu
