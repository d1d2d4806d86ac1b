// Operations between the lanes of a warp. All lanes have come that they name: blocks see to that.
#include "decoder.h"
#include "dispatch.h"
#include "errors.h"

namespace gpu {

using namespace ptx;

namespace {

enum class Shuffle { Up, Down, Butterfly, Index };

// more->to: the result, and the predicate of the lanes that have got the value of another one. The last lane of a
// segment is in bits 0-4 of the clamp and the segments' mask in bits 8-12, as in PTX.
template <Shuffle S> void shuffle_lanes(Warp& warp, const Op& op, void*) {
    uint32_t values[LANES];
    memcpy(values, warp.lanes<uint32_t>(op.from[0]), sizeof values);
    const auto *distances = warp.lanes<uint32_t>(op.from[1]), *clamps = warp.lanes<uint32_t>(op.from[2]);
    uint32_t results[LANES];
    Mask inside = 0;
    for_lanes(warp.mask, [&](unsigned lane) {
        const int l = int(lane), b = distances[l] & 31, segment = clamps[l] >> 8 & 31,
                  last = (l & segment) | (clamps[l] & 31 & ~segment);
        int source = S == Shuffle::Up        ? l - b
                   : S == Shuffle::Down      ? l + b
                   : S == Shuffle::Butterfly ? l ^ b
                                             : (l & segment) | (b & ~segment);
        if (S == Shuffle::Up ? source >= last : source <= last) inside |= 1u << l;
        else source = l;
        if (!(warp.mask >> source & 1))
            warp.fail(LAUNCH_FAILED, "shfl reads a lane that is not in its mask or has exited", op.line);
        results[l] = values[source];
    });
    for_lanes(warp.mask, [&](unsigned l) { warp.lanes<uint32_t>(op.more->to[0])[l] = results[l]; });
    Mask& predicate = warp.mask_at(op.more->to[1]);
    predicate = (predicate & ~warp.mask) | inside;
}

// f over the lanes, for all of them.
template <class T, class F> Handler reducing(F) {
    return [](Warp& warp, const Op& op, void* to) {
        const T* x = warp.lanes<T>(op.from[0]);
        T sum = x[first_of(warp.mask)];
        for_lanes(warp.mask & (warp.mask - 1), [&](unsigned l) { sum = F()(sum, x[l]); });
        for (unsigned l = 0; l < LANES; ++l) ((T*)to)[l] = sum;
    };
}

}  // namespace

void Decoder::synchronize_warp(const Instruction&) {
    emit_plain([](Warp& warp, const Op&, void*) { ++warp.syncs; });
}

void Decoder::shuffle(const Instruction& each) {
    const bool two = each.operands[0].kind == Operand::Kind::List;
    Registers& more = list();
    more.to.push_back(destination(two ? each.operands[0].list[0] : each.operands[0], Type::B32));
    if (two) {
        more.to.push_back(own(each.operands[0].list[1].word));
    } else {
        of_instruction_.push_back({temporary(1), 1});
        more.to.push_back(of_instruction_.back().offset);
    }
    const Handler handler = each.has("up")   ? shuffle_lanes<Shuffle::Up>
                          : each.has("down") ? shuffle_lanes<Shuffle::Down>
                          : each.has("bfly") ? shuffle_lanes<Shuffle::Butterfly>
                                             : shuffle_lanes<Shuffle::Index>;
    emit_plain(handler, {read(each.operands[1], Type::B32), read(each.operands[2], Type::B32),
                         read(each.operands[3], Type::B32)})
        .more = &more;
}

void Decoder::vote(const Instruction& each) {
    const uint32_t votes = read_predicate(each.operands.at(1));
    if (each.has("ballot")) {
        emit(
            [](Warp& warp, const Op& op, void* to) {
                for (unsigned l = 0; l < LANES; ++l) ((Mask*)to)[l] = warp.mask_at(op.from[0]) & warp.mask;
            },
            each.operands[0], Type::B32, {votes});
    } else {
        const Handler handler = each.has("any")
                                  ? [](Warp& warp, const Op& op,
                                       void* to) { *(Mask*)to = warp.mask_at(op.from[0]) & warp.mask ? EVERY_LANE : 0; }
                                  : [](Warp& warp, const Op& op, void* to) {
                                        *(Mask*)to = ~warp.mask_at(op.from[0]) & warp.mask ? 0 : EVERY_LANE;
                                    };
        emit(handler, each.operands[0], Type::Pred, {votes});
    }
}

void Decoder::match(const Instruction& each) {
    const Handler handler = for_bits(each.type(), [](auto zero) -> Handler {
        using T = decltype(zero);
        return [](Warp& warp, const Op& op, void* to) {
            const T* x = warp.lanes<T>(op.from[0]);
            for (unsigned l = 0; l < LANES; ++l) {
                Mask same = 0;
                for_lanes(warp.mask, [&](unsigned other) { same |= Mask(x[other] == x[l]) << other; });
                ((Mask*)to)[l] = same;
            }
        };
    });
    emit(handler, each.operands[0], Type::B32, {read(each.operands.at(1), each.type())});
}

void Decoder::reduce(const Instruction& each) {
    const Handler handler = for_word(each.type(), [&](auto zero) -> Handler {
        using T = decltype(zero);
        if (each.has("add")) return reducing<T>([](T a, T b) { return T(a + b); });
        if (each.has("min")) return reducing<T>([](T a, T b) { return a < b ? a : b; });
        if (each.has("max")) return reducing<T>([](T a, T b) { return a > b ? a : b; });
        if (each.has("and")) return reducing<T>([](T a, T b) { return T(a & b); });
        if (each.has("or")) return reducing<T>([](T a, T b) { return T(a | b); });
        return reducing<T>([](T a, T b) { return T(a ^ b); });
    });
    emit(handler, each.operands[0], each.type(), {read(each.operands.at(1), each.type())});
}

void Decoder::active_mask(const Instruction& each) {
    emit(
        [](Warp& warp, const Op&, void* to) {
            for (unsigned l = 0; l < LANES; ++l) ((Mask*)to)[l] = warp.mask;
        },
        each.operands.at(0), Type::B32, {});
}

}  // namespace gpu
