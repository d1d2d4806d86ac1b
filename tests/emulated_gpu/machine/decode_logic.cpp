// Instructions on bits, comparisons and choices.
#include "bits.h"
#include "decoder.h"
#include "dispatch.h"
#include "numbers.h"

namespace gpu {

using namespace ptx;

void Decoder::logic(const Instruction& each) {
    const Type type = each.type();
    const std::string& name = each.name;
    const uint32_t a = read(each.operands.at(1), type), b = name == "not" ? 0 : read(each.operands.at(2), type);
    Handler handler = nullptr;
    if (type == Type::Pred) {
        if (name == "not") handler = of_masks<1>([](Mask x) { return ~x; });
        else if (name == "and") handler = of_masks<2>([](Mask x, Mask y) { return x & y; });
        else if (name == "or") handler = of_masks<2>([](Mask x, Mask y) { return x | y; });
        else handler = of_masks<2>([](Mask x, Mask y) { return x ^ y; });
    } else {
        handler = for_bits(type, [&](auto zero) -> Handler {
            using T = decltype(zero);
            if (name == "not") return lanewise<T, T>([](T x) { return T(~x); });
            if (name == "and") return lanewise<T, T, T>([](T x, T y) { return T(x & y); });
            if (name == "or") return lanewise<T, T, T>([](T x, T y) { return T(x | y); });
            return lanewise<T, T, T>([](T x, T y) { return T(x ^ y); });
        });
    }
    emit(handler, each.operands[0], type, {a, b});
}

void Decoder::shift(const Instruction& each) {
    const Type type = each.type();
    if (each.name == "shf") {
        const bool left = each.has("l"), wraps = each.has("wrap");
        using U = uint32_t;
        const Handler handler =
            left && wraps ? lanewise<U, U, U, U>([](U l, U h, U n) { return funnel_left(l, h, n & 31); })
            : left        ? lanewise<U, U, U, U>([](U l, U h, U n) { return funnel_left(l, h, n > 32 ? 32 : n); })
            : wraps       ? lanewise<U, U, U, U>([](U l, U h, U n) { return funnel_right(l, h, n & 31); })
                          : lanewise<U, U, U, U>([](U l, U h, U n) { return funnel_right(l, h, n > 32 ? 32 : n); });
        emit(handler, each.operands[0], type,
             {read(each.operands.at(1), type), read(each.operands.at(2), type), read(each.operands.at(3), type)});
        return;
    }
    const bool left = each.name == "shl";
    const Handler handler = for_integer(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        if (left) return lanewise<T, T, uint32_t>([](T x, uint32_t n) { return shift_left(x, n); });
        return lanewise<T, T, uint32_t>([](T x, uint32_t n) { return shift_right(x, n); });
    });
    emit(handler, each.operands[0], type, {read(each.operands.at(1), type), read(each.operands.at(2), Type::U32)});
}

void Decoder::on_bits(const Instruction& each) {
    const std::string& name = each.name;
    using U = uint32_t;
    auto read_words = [&](size_t place) { return read(each.operands.at(place), Type::U32); };
    if (name == "prmt") {
        emit(lanewise<U, U, U, U>([](U a, U b, U c) { return permute_bytes(a, b, c); }), each.operands[0], Type::U32,
             {read_words(1), read_words(2), read_words(3)});
        return;
    }
    if (name == "lop3") {
        emit(lanewise<U, U, U, U, U>([](U a, U b, U c, U table) { return logic_of_three(a, b, c, table); }),
             each.operands[0], Type::U32, {read_words(1), read_words(2), read_words(3), read_words(4)});
        return;
    }
    if (name == "dp4a") {
        const bool a_signed = each.qualifiers.at(0) == "s32", b_signed = each.qualifiers.at(1) == "s32";
        const Handler handler =
            a_signed && b_signed
                ? lanewise<U, U, U, U>([](U a, U b, U c) { return dot_of_bytes<int8_t, int8_t>(a, b, c); })
            : a_signed ? lanewise<U, U, U, U>([](U a, U b, U c) { return dot_of_bytes<int8_t, uint8_t>(a, b, c); })
            : b_signed ? lanewise<U, U, U, U>([](U a, U b, U c) { return dot_of_bytes<uint8_t, int8_t>(a, b, c); })
                       : lanewise<U, U, U, U>([](U a, U b, U c) { return dot_of_bytes<uint8_t, uint8_t>(a, b, c); });
        emit(handler, each.operands[0], Type::U32, {read_words(1), read_words(2), read_words(3)});
        return;
    }
    const Type type = each.type();
    const bool counts = name == "clz" || name == "popc" || name == "bfind";
    const bool as_shift = each.has("shiftamt");
    const Handler handler = for_word(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        using B = std::make_unsigned_t<T>;
        if (name == "clz") return lanewise<U, B>([](B x) { return leading_zeros(x); });
        if (name == "popc") return lanewise<U, B>([](B x) { return ones(x); });
        if (name == "bfind" && as_shift) return lanewise<U, T>([](T x) { return highest_bit<T, true>(x); });
        if (name == "bfind") return lanewise<U, T>([](T x) { return highest_bit<T, false>(x); });
        if (name == "brev") return lanewise<B, B>([](B x) { return reverse_bits(x); });
        if (name == "bfe")
            return lanewise<T, T, U, U>([](T x, U start, U length) { return extract_bits(x, start, length); });
        return lanewise<B, B, B, U, U>(
            [](B field, B base, U start, U length) { return insert_bits(field, base, start, length); });
    });
    const uint32_t first = read(each.operands.at(1), type);
    if (name == "bfe") emit(handler, each.operands[0], type, {first, read_words(2), read_words(3)});
    else if (name == "bfi")
        emit(handler, each.operands[0], type, {first, read(each.operands.at(2), type), read_words(3), read_words(4)});
    else emit(handler, each.operands[0], counts ? Type::U32 : type, {first});
}

namespace {

// Comparisons whose names end in u hold also where one is NaN.
template <class T> Handler comparison_of(const std::string& how) {
    auto make = [](auto f) { return comparison<T, T>(f); };
    if (how == "eq") return make([](T a, T b) { return a == b; });
    if (how == "ne") return make([](T a, T b) { return a < b || a > b; });
    if (how == "lt" || how == "lo") return make([](T a, T b) { return a < b; });
    if (how == "le" || how == "ls") return make([](T a, T b) { return a <= b; });
    if (how == "gt" || how == "hi") return make([](T a, T b) { return a > b; });
    if (how == "ge" || how == "hs") return make([](T a, T b) { return a >= b; });
    if (how == "equ") return make([](T a, T b) { return !(a < b || a > b); });
    if (how == "neu") return make([](T a, T b) { return a != b; });
    if (how == "ltu") return make([](T a, T b) { return !(a >= b); });
    if (how == "leu") return make([](T a, T b) { return !(a > b); });
    if (how == "gtu") return make([](T a, T b) { return !(a <= b); });
    if (how == "geu") return make([](T a, T b) { return !(a < b); });
    if (how == "num") return make([](T a, T b) { return a == a && b == b; });
    if (how == "nan") return make([](T a, T b) { return a != a || b != b; });
    throw Unsupported("such a comparison");
}

// 16-bit numbers as floats.
Handler widening(Type type) {
    if (type == Type::F16) return lanewise<float, uint16_t>([](uint16_t x) { return Half::widen(x); });
    return lanewise<float, uint16_t>([](uint16_t x) { return BrainHalf::widen(x); });
}

}  // namespace

// setp and set: a comparison, perhaps combined with a predicate.
void Decoder::compare(const Instruction& each) {
    const Type type = each.type();
    const bool half = type == Type::F16 || type == Type::BF16;
    if (is_half(type) && !half) throw Unsupported("its type");
    uint32_t from[2];
    for (size_t i = 0; i < 2; ++i) {
        from[i] = read(each.operands.at(i + 1), half ? Type::B16 : type);
        if (half) from[i] = emit_temporary(widening(type), Type::F32, {from[i]});
        if (each.has("ftz"))
            from[i] = emit_temporary(lanewise<float, float>([](float x) { return flush(x); }), Type::F32, {from[i]});
    }
    const std::string& how = each.qualifiers.front();
    const Handler handler = half ? comparison_of<float>(how)
                                 : for_number(type, [&](auto zero) { return comparison_of<decltype(zero)>(how); });
    const bool combined = each.has("and") || each.has("or") || each.has("xor"), is_set = each.name == "set";
    const bool second = each.operands[0].kind == Operand::Kind::List;
    const Operand& to = second ? each.operands[0].list.at(0) : each.operands[0];
    if (!combined && !second && !is_set) {
        emit(handler, to, Type::Pred, {from[0], from[1]});
        return;
    }
    const uint32_t truth = emit_temporary(handler, Type::Pred, {from[0], from[1]});
    const uint32_t other = combined ? read_predicate(each.operands.at(3)) : truth;
    auto combine = [&](bool opposite) -> Handler {
        if (each.has("and"))
            return opposite ? of_masks<2>([](Mask x, Mask y) { return ~x & y; })
                            : of_masks<2>([](Mask x, Mask y) { return x & y; });
        if (each.has("or"))
            return opposite ? of_masks<2>([](Mask x, Mask y) { return ~x | y; })
                            : of_masks<2>([](Mask x, Mask y) { return x | y; });
        if (each.has("xor"))
            return opposite ? of_masks<2>([](Mask x, Mask y) { return ~x ^ y; })
                            : of_masks<2>([](Mask x, Mask y) { return x ^ y; });
        return opposite ? of_masks<2>([](Mask x, Mask) { return ~x; }) : of_masks<2>([](Mask x, Mask) { return x; });
    };
    if (is_set) {
        const uint32_t all = emit_temporary(combine(false), Type::Pred, {truth, other});
        const bool number = each.type_before() == Type::F32;
        if (bytes_of(each.type_before()) != 4) throw Unsupported("such a result");
        emit(
            [](Warp& warp, const Op& op, void* result) {
                const Mask mask = warp.mask_at(op.from[0]);
                for (unsigned l = 0; l < LANES; ++l) ((uint32_t*)result)[l] = mask >> l & 1 ? uint32_t(op.value) : 0;
            },
            to, Type::B32, {all})
            .value = number ? 0x3f800000 : 0xffffffff;
        return;
    }
    // Both before either is written: one of them may be read.
    const uint32_t yes = emit_temporary(combine(false), Type::Pred, {truth, other});
    const uint32_t no = emit_temporary(combine(true), Type::Pred, {truth, other});
    emit(of_masks<1>([](Mask x) { return x; }), to, Type::Pred, {yes});
    if (second) emit(of_masks<1>([](Mask x) { return x; }), each.operands[0].list.at(1), Type::Pred, {no});
}

void Decoder::test(const Instruction& each) {
    const std::string& what = each.qualifiers.front();
    const Handler handler = for_float(each.type(), [&](auto zero) -> Handler {
        using T = decltype(zero);
        if (what == "finite") return comparison<T>([](T x) { return std::isfinite(x); });
        if (what == "infinite") return comparison<T>([](T x) { return std::isinf(x); });
        if (what == "number") return comparison<T>([](T x) { return x == x; });
        return comparison<T>([](T x) { return x != x; });
    });
    emit(handler, each.operands.at(0), Type::Pred, {read(each.operands.at(1), each.type())});
}

void Decoder::select(const Instruction& each) {
    const Type type = each.type();
    const Handler handler = for_bits(type, [](auto zero) -> Handler {
        using T = decltype(zero);
        return [](Warp& warp, const Op& op, void* to) {
            const Mask mask = warp.mask_at(op.from[2]);
            const T *a = warp.lanes<T>(op.from[0]), *b = warp.lanes<T>(op.from[1]);
            for (unsigned l = 0; l < LANES; ++l) ((T*)to)[l] = mask >> l & 1 ? a[l] : b[l];
        };
    });
    emit(handler, each.operands[0], type,
         {read(each.operands.at(1), type), read(each.operands.at(2), type), read_predicate(each.operands.at(3))});
}

}  // namespace gpu
