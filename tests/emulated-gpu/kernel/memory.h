// Loads and stores of a warp.
//
// -DCHECKED asks the driver about every access, and -DCOUNTED tells it, so that it can count conflicts.
#pragma once
#include "masks.h"

namespace gpu {

enum class Space { Global, Shared, Local, Generic };

static const Services* services;

INLINE bool is_shared(const Warp& w, uint64_t address) { return address - uint64_t(w.shared) < w.shared_bytes; }
INLINE bool is_local(const Warp& w, uint64_t address) {
    return address >= uint64_t(w.local_low) && address < uint64_t(w.local_high);
}

#ifdef CHECKED
constexpr bool IS_CHECKED = true;
#else
constexpr bool IS_CHECKED = false;
#endif
#ifdef COUNTED
constexpr bool IS_COUNTED = true;
#else
constexpr bool IS_COUNTED = false;
#endif

struct Notice {
    Warp& w;
    const Array<uint64_t>& at;
    uint32_t bytes;
    Access access;
    uint32_t line;

    void of_shared(Mask m) const {
        if constexpr (IS_CHECKED) services->check_shared(w, m, at.lane, bytes, access, line);
        if constexpr (IS_COUNTED) services->count_shared(w, m, at.lane, bytes, line);
    }
    void of_global(Mask m) const {
        if constexpr (IS_CHECKED) services->check_global(w, m, at.lane, bytes, access, line);
        if constexpr (IS_COUNTED) services->count_global(w, m, at.lane, bytes, line);
    }
    // Addresses that may point anywhere are told apart lane by lane.
    void of_any(Mask m) const {
        Mask in_shared = 0, in_global = 0;
        for (Mask left = m; left; left &= left - 1) {
            const uint64_t address = at[first_of(left)];
            if (is_shared(w, address)) in_shared |= left & -left;
            else if (!is_local(w, address)) in_global |= left & -left;
        }
        if (in_shared) of_shared(in_shared);
        if (in_global) of_global(in_global);
    }
};

template <Space S> INLINE void notice(Warp& w, Mask m, const Array<uint64_t>& at, uint32_t bytes, Access access, uint32_t line) {
    if constexpr (IS_CHECKED || IS_COUNTED) {
        const Notice notice{w, at, bytes, access, line};
        if constexpr (S == Space::Shared) notice.of_shared(m);
        if constexpr (S == Space::Global) notice.of_global(m);
        if constexpr (S == Space::Generic) notice.of_any(m);
    }
}

// Addresses of the host. Those of shared memory count from its start in PTX.
template <Space S> INLINE Array<uint64_t> host_addresses(const Warp& w, const Lanes<uint64_t>& given, int64_t offset) {
    const auto sum = given + all(uint64_t(offset));
    if constexpr (S == Space::Shared) return array((sum & all(uint64_t(0xffffffff))) + all(uint64_t(w.shared)));
    else return array(sum);
}

INLINE bool are_consecutive(const Array<uint64_t>& at, uint64_t bytes) {
    uint64_t differences = 0;
    for (unsigned l = 0; l < LANES; ++l) differences |= at[l] ^ (at[0] + l * bytes);
    return differences == 0;
}

// One lane after the other: the empty asm keeps the compiler from gathering, which is slower on most processors.
template <class F> INLINE void for_lanes(Mask m, F f) {
    if (m == EVERY_LANE) {
        for (unsigned l = 0; l < LANES; ++l) {
            f(l);
            asm("");
        }
        return;
    }
    for (Mask left = m; left; left &= left - 1) f(first_of(left));
}

// N values a lane, which follow each other in memory.
template <class T, unsigned N> struct Values {
    Array<T> value[N];
    INLINE Lanes<T> operator[](unsigned i) const { return lanes(value[i]); }
};

template <Space S, class T, unsigned N = 1> OUTLINE Values<T, N> load(
    Warp& w, Mask m, Lanes<uint64_t> address, int64_t offset, uint32_t line) {
    const auto at = host_addresses<S>(w, address, offset);
    notice<S>(w, m, at, N * sizeof(T), Access::Read, line);
    Values<T, N> y;
    if (N == 1 && m == EVERY_LANE && are_consecutive(at, sizeof(T))) {
        memcpy(&y.value[0], (const void*)at[0], sizeof y.value[0]);
        return y;
    }
    for_lanes(m, [&](unsigned l) {
        T own[N];
        memcpy(own, (const void*)at[l], sizeof own);
        for (unsigned i = 0; i < N; ++i) y.value[i][l] = own[i];
    });
    return y;
}

template <Space S, class T, unsigned N> OUTLINE void store_values(
    Warp& w, Mask m, Lanes<uint64_t> address, int64_t offset, uint32_t line, const Values<T, N>& x) {
    const auto at = host_addresses<S>(w, address, offset);
    notice<S>(w, m, at, N * sizeof(T), Access::Write, line);
    if (N == 1 && m == EVERY_LANE && are_consecutive(at, sizeof(T))) {
        memcpy((void*)at[0], &x.value[0], sizeof x.value[0]);
        return;
    }
    for_lanes(m, [&](unsigned l) {
        T own[N];
        for (unsigned i = 0; i < N; ++i) own[i] = x.value[i][l];
        memcpy((void*)at[l], own, sizeof own);
    });
}
template <Space S, class T, class... V> INLINE void store(
    Warp& w, Mask m, const Lanes<uint64_t>& address, int64_t offset, uint32_t line, const V&... values) {
    store_values<S, T, sizeof...(V)>(w, m, address, offset, line, {{array(values)...}});
}

// A kernel's parameter is the same in all lanes.
template <class T> INLINE Lanes<T> parameter(const uint8_t* parameters, size_t offset) {
    T value;
    memcpy(&value, parameters + offset, sizeof value);
    return all(value);
}

// .local variables of a function: a piece of the warp's stack for each lane.
INLINE Lanes<uint64_t> each_own(const void* start, size_t bytes) { return all(uint64_t(start)) + ramp(uint64_t(bytes)); }

}  // namespace gpu
