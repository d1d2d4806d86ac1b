// Atomic operations and asynchronous copies.
#include "addresses.h"
#include "decoder.h"
#include "dispatch.h"

namespace gpu {

using namespace ptx;

namespace {

// Blocks may run on several host threads, so it is atomic here too. Returns what was there.
template <class T, class F> T exchange_by(uint64_t address, F f) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    auto* at = (Bits*)address;
    Bits before = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &before, bits<Bits>(T(f(bits<T>(before)))), false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {}
    return bits<T>(before);
}

// Lanes take their turns in the order of their numbers. f(old, operands…) is the new value, the old one is the result.
template <Space S, class T, class F> void exchange_lanes(Warp& warp, const Op& op, void* to) {
    const auto at = addresses_of<S>(warp, op.from[0], op.value, sizeof(T), Access::Atomic, op.line);
    const T *a = warp.lanes<T>(op.from[1]), *b = warp.lanes<T>(op.from[2]);
    T before[LANES];
    for_lanes(warp.mask,
              [&](unsigned l) { before[l] = exchange_by<T>(at.of[l], [&](T old) { return F()(old, a[l], b[l]); }); });
    for_lanes(warp.mask, [&](unsigned l) { ((T*)to)[l] = before[l]; });
}

template <class T, class F> Handler exchanging(Space space, F) {
    if (space == Space::Global) return exchange_lanes<Space::Global, T, F>;
    return space == Space::Shared ? exchange_lanes<Space::Shared, T, F> : exchange_lanes<Space::Any, T, F>;
}

template <class T> Handler atomic_handler(const Instruction& each, Space space) {
    if (each.has("add")) return exchanging<T>(space, [](T old, T x, T) { return T(old + x); });
    if (each.has("min")) return exchanging<T>(space, [](T old, T x, T) { return old < x ? old : x; });
    if (each.has("max")) return exchanging<T>(space, [](T old, T x, T) { return old > x ? old : x; });
    if (each.has("exch")) return exchanging<T>(space, [](T, T x, T) { return x; });
    if (each.has("cas")) return exchanging<T>(space, [](T old, T expected, T x) { return old == expected ? x : old; });
    if constexpr (std::is_integral_v<T>) {
        if (each.has("and")) return exchanging<T>(space, [](T old, T x, T) { return T(old & x); });
        if (each.has("or")) return exchanging<T>(space, [](T old, T x, T) { return T(old | x); });
        if (each.has("xor")) return exchanging<T>(space, [](T old, T x, T) { return T(old ^ x); });
        if (each.has("inc"))
            return exchanging<T>(space, [](T old, T limit, T) { return old >= limit ? T(0) : T(old + 1); });
        if (each.has("dec"))
            return exchanging<T>(space, [](T old, T limit, T) { return old == 0 || old > limit ? limit : T(old - 1); });
    }
    throw Unsupported("such an operation");
}

}  // namespace

void Decoder::atomic(const Instruction& each) {
    const Type type = each.type();
    const Space space = each.has("global") ? Space::Global : each.has("shared") ? Space::Shared : Space::Any;
    const bool returns = each.name == "atom";
    const Operand& at = each.operands.at(returns);
    const Handler handler = is_float(type)
                              ? for_float(type, [&](auto zero) { return atomic_handler<decltype(zero)>(each, space); })
                              : for_word(type, [&](auto zero) { return atomic_handler<decltype(zero)>(each, space); });
    const uint32_t first = read(each.operands.at(returns + 1), type);
    const uint32_t second = each.has("cas") ? read(each.operands.at(returns + 2), type) : first;
    Op& op = emit_plain(handler, {address(at), first, second});
    op.value = at.offset;
    op.to = returns ? destination(each.operands[0], type) : destination(Operand{Operand::Kind::Word, "_"}, type);
}

void Decoder::copy_async(const Instruction& each) {
    if (each.has("commit_group")) {
        emit_plain([](Warp& warp, const Op&, void*) { warp.copies.commit(warp.mask); });
    } else if (each.has("wait_group")) {
        emit_plain([](Warp& warp, const Op& op, void*) { warp.copies.wait(warp.mask, uint32_t(op.value)); }).value =
            int64_t(number(each.operands.at(0), Type::U32).value());
    } else if (each.has("wait_all")) {
        emit_plain([](Warp& warp, const Op&, void*) {
            warp.copies.commit(warp.mask);
            warp.copies.wait(warp.mask, 0);
        });
    } else {
        const Operand &to = each.operands.at(0), &from = each.operands.at(1), &bytes = each.operands.at(2);
        // How much is read: less than is written, where the rest is zero.
        const uint32_t read_bytes = read(each.operands.size() > 3 ? each.operands[3] : bytes, Type::U32);
        Registers& more = list();
        more.from = {uint32_t(number(bytes, Type::U32).value()), uint32_t(int32_t(to.offset)),
                     uint32_t(int32_t(from.offset))};
        emit_plain(
            [](Warp& warp, const Op& op, void*) {
                const uint32_t size = op.more->from[0];
                const auto target = addresses_of<Space::Shared>(warp, op.from[0], int32_t(op.more->from[1]), size,
                                                                Access::Write, op.line);
                const auto* sizes = warp.lanes<uint32_t>(op.from[2]);
                const Mask all = warp.mask;
                // Where nothing is read, the address need not be one.
                for_lanes(all, [&](unsigned l) { warp.mask &= sizes[l] ? EVERY_LANE : ~(1u << l); });
                const auto source = addresses_of<Space::Global>(warp, op.from[1], int32_t(op.more->from[2]), size,
                                                                Access::Read, op.line);
                warp.mask = all;
                for_lanes(all, [&](unsigned l) { warp.copies.add(l, target.of[l], source.of[l], size, sizes[l]); });
            },
            {address(to), address(from), read_bytes})
            .more = &more;
    }
}

}  // namespace gpu
