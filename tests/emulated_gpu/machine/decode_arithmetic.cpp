// Arithmetic.
#include "decoder.h"
#include "dispatch.h"
#include "numbers.h"

namespace gpu {

using namespace ptx;

namespace {

// A function of floats in one of the modes of rounding, if an instruction names one.
template <class T, class... S, class F> Handler directed(const Instruction& each, F f) {
    if (each.has("rm")) return lanewise<T, S...>([](S... x) { return rounded<FE_DOWNWARD>(F(), x...); });
    if (each.has("rp")) return lanewise<T, S...>([](S... x) { return rounded<FE_UPWARD>(F(), x...); });
    if (each.has("rz")) return lanewise<T, S...>([](S... x) { return rounded<FE_TOWARDZERO>(F(), x...); });
    return lanewise<T, S...>(f);
}

Handler flushing() {
    return lanewise<float, float>([](float x) { return flush(x); });
}

bool names_rounding(const Instruction& each) { return each.has("rm") || each.has("rp") || each.has("rz"); }

}  // namespace

void Decoder::arithmetic(const Instruction& each) {
    const Type type = each.type();
    if (is_half(type)) return half_arithmetic(each);
    const std::string& name = each.name;
    if (name == "mul" && !is_float(type) && !each.has("lo")) return multiply_add(each);
    if (!is_float(type) && (each.has("sat") || names_rounding(each) || each.has("ftz")))
        throw Unsupported("such a result");
    Handler handler = nullptr;
    if (is_float(type)) {
        handler = for_float(type, [&](auto zero) -> Handler {
            using T = decltype(zero);
            if (name == "add") return directed<T, T, T>(each, [](T a, T b) { return a + b; });
            if (name == "sub") return directed<T, T, T>(each, [](T a, T b) { return a - b; });
            if (name == "mul") return directed<T, T, T>(each, [](T a, T b) { return a * b; });
            if (name == "copysign") return lanewise<T, T, T>([](T a, T b) { return std::copysign(b, a); });
            if (name == "min" && each.has("NaN"))
                return lanewise<T, T, T>(
                    [](T a, T b) { return a != a || b != b ? canonical_nan<T>() : smaller(a, b); });
            if (name == "max" && each.has("NaN"))
                return lanewise<T, T, T>([](T a, T b) { return a != a || b != b ? canonical_nan<T>() : larger(a, b); });
            if (name == "min") return lanewise<T, T, T>([](T a, T b) { return smaller(a, b); });
            return lanewise<T, T, T>([](T a, T b) { return larger(a, b); });
        });
    } else {
        handler = for_integer(type, [&](auto zero) -> Handler {
            using T = decltype(zero);
            if (name == "add") return lanewise<T, T, T>([](T a, T b) { return T(a + b); });
            if (name == "sub") return lanewise<T, T, T>([](T a, T b) { return T(a - b); });
            if (name == "mul")
                return lanewise<T, T, T>(
                    [](T a, T b) { return T(std::make_unsigned_t<T>(a) * std::make_unsigned_t<T>(b)); });
            if (name == "min") return lanewise<T, T, T>([](T a, T b) { return a < b ? a : b; });
            if (name == "max") return lanewise<T, T, T>([](T a, T b) { return a > b ? a : b; });
            throw Unsupported("its type");
        });
    }
    if (each.operands.size() != 3) throw Unsupported("so many operands");
    finish(each, handler, {number_of(each, 1), number_of(each, 2)});
}

// An operand, with .ftz.
uint32_t Decoder::number_of(const Instruction& each, size_t place) {
    const uint32_t from = read(each.operands.at(place), each.type());
    return each.has("ftz") && each.type() == Type::F32 ? emit_temporary(flushing(), Type::F32, {from}) : from;
}

// The operation, and .ftz and .sat of its result.
void Decoder::finish(const Instruction& each, Handler handler, std::initializer_list<uint32_t> from) {
    const Type type = each.type();
    const bool flushes = each.has("ftz") && type == Type::F32, saturates = each.has("sat") && is_float(type);
    if (!flushes && !saturates) {
        emit(handler, each.operands[0], type, from);
        return;
    }
    const uint32_t result = emit_temporary(handler, type, from);
    const uint32_t flushed = flushes && saturates ? emit_temporary(flushing(), type, {result}) : result;
    const Handler last = !saturates ? flushing() : for_float(type, [](auto zero) {
        using T = decltype(zero);
        return lanewise<T, T>([](T x) { return saturate(x); });
    });
    emit(last, each.operands[0], type, {flushed});
}

// mul and mad of integers with .lo, .hi or .wide; fma.
void Decoder::multiply_add(const Instruction& each) {
    const Type type = each.type();
    if (is_half(type)) return half_arithmetic(each);
    if (is_float(type)) {
        const Handler handler = for_float(type, [&](auto zero) {
            using T = decltype(zero);
            return directed<T, T, T, T>(each, [](T a, T b, T c) { return fused(a, b, c); });
        });
        return finish(each, handler, {number_of(each, 1), number_of(each, 2), number_of(each, 3)});
    }
    if (each.has("sat") || each.has("ftz") || names_rounding(each)) throw Unsupported("such a result");
    const bool adds = each.name == "mad", wide = each.has("wide");
    const Type result = !wide           ? type
                      : is_signed(type) ? (bytes_of(type) == 2 ? Type::S32 : Type::S64)
                                        : (bytes_of(type) == 2 ? Type::U32 : Type::U64);
    const uint32_t a = read(each.operands[1], type), b = read(each.operands[2], type);
    const Handler handler = for_integer(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        using U = std::make_unsigned_t<T>;
        if constexpr (sizeof(T) == 2 || sizeof(T) == 4) {
            using W = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                                         std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
            if (wide && adds) return lanewise<W, T, T, W>([](T x, T y, W z) { return W(W(x) * W(y) + z); });
            if (wide) return lanewise<W, T, T>([](T x, T y) { return W(W(x) * W(y)); });
        }
        if (wide) throw Unsupported("its type");
        if (each.has("hi") && adds)
            return lanewise<T, T, T, T>([](T x, T y, T z) { return T(U(high_product(x, y)) + U(z)); });
        if (each.has("hi")) return lanewise<T, T, T>([](T x, T y) { return high_product(x, y); });
        if (!each.has("lo") || !adds) throw Unsupported("such a product");
        return lanewise<T, T, T, T>([](T x, T y, T z) { return T(U(x) * U(y) + U(z)); });
    });
    if (adds) emit(handler, each.operands[0], result, {a, b, read(each.operands.at(3), result)});
    else emit(handler, each.operands[0], result, {a, b});
}

void Decoder::divide(const Instruction& each) {
    const Type type = each.type();
    const bool divides = each.name == "div";
    const Handler handler = for_number(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        if constexpr (std::is_floating_point_v<T>) {
            if (divides) return lanewise<T, T, T>([](T a, T b) { return a / b; });
            throw Unsupported("its type");
        } else {
            if (divides) return lanewise<T, T, T>([](T a, T b) { return quotient(a, b); });
            return lanewise<T, T, T>([](T a, T b) { return remainder_of(a, b); });
        }
    });
    finish(each, handler, {number_of(each, 1), number_of(each, 2)});
}

// Approximations of the hardware are the C library's functions here, which are at least as exact.
void Decoder::function_of_one(const Instruction& each) {
    const Type type = each.type();
    const std::string& name = each.name;
    if (is_half(type)) return half_arithmetic(each);
    const Handler handler = for_number(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        if (name == "neg") return lanewise<T, T>([](T x) { return T(-x); });
        if constexpr (std::is_floating_point_v<T>) {
            if (name == "abs") return lanewise<T, T>([](T x) { return std::fabs(x); });
            if (name == "rcp") return lanewise<T, T>([](T x) { return T(1) / x; });
            if (name == "sqrt") return lanewise<T, T>([](T x) { return std::sqrt(x); });
            if (name == "rsqrt") return lanewise<T, T>([](T x) { return T(1) / std::sqrt(x); });
            if (name == "ex2") return lanewise<T, T>([](T x) { return std::exp2(x); });
            if (name == "lg2") return lanewise<T, T>([](T x) { return std::log2(x); });
            if (name == "sin") return lanewise<T, T>([](T x) { return std::sin(x); });
            if (name == "cos") return lanewise<T, T>([](T x) { return std::cos(x); });
            if (name == "tanh") return lanewise<T, T>([](T x) { return std::tanh(x); });
        } else if (name == "abs") {
            return lanewise<T, T>([](T x) { return x < T(0) ? T(0 - x) : x; });
        }
        throw Unsupported("its type");
    });
    finish(each, handler, {number_of(each, 1)});
}

namespace {

// f on one or two 16-bit numbers a register, by way of float: one operation and then one rounding.
template <class H, class F, class... U> uint16_t half_of(F f, U... x) { return H::narrow(float(f(H::widen(x)...))); }

template <class H, bool PAIR, class F, class... U> Handler on_halves(F) {
    if constexpr (PAIR)
        return lanewise<uint32_t, U...>([](U... x) {
            return uint32_t(half_of<H>(F(), uint16_t(x >> 16)...)) << 16 | half_of<H>(F(), uint16_t(x)...);
        });
    else return lanewise<uint16_t, U...>([](U... x) { return half_of<H>(F(), x...); });
}

template <class H, bool PAIR> Handler half_handler(const std::string& name) {
    using U = std::conditional_t<PAIR, uint32_t, uint16_t>;
    auto one = [](auto f) { return on_halves<H, PAIR, decltype(f), U>(f); };
    auto two = [](auto f) { return on_halves<H, PAIR, decltype(f), U, U>(f); };
    if (name == "add") return two([](float a, float b) { return a + b; });
    if (name == "sub") return two([](float a, float b) { return a - b; });
    if (name == "mul") return two([](float a, float b) { return a * b; });
    if (name == "min") return two([](float a, float b) { return smaller(a, b); });
    if (name == "max") return two([](float a, float b) { return larger(a, b); });
    if (name == "neg") return one([](float a) { return -a; });
    if (name == "abs") return one([](float a) { return std::fabs(a); });
    // A product with a sum needs double to be rounded once.
    auto fma = [](float a, float b, float c) { return double(a) * double(b) + double(c); };
    if (name == "fma") return on_halves<H, PAIR, decltype(fma), U, U, U>(fma);
    throw Unsupported("its type");
}

}  // namespace

void Decoder::half_arithmetic(const Instruction& each) {
    if (each.has("ftz") || each.has("sat") || each.has("NaN") || names_rounding(each))
        throw Unsupported("such a result");
    const Type type = each.type(), held = bytes_of(type) == 4 ? Type::B32 : Type::B16;
    const Handler handler = type == Type::F16   ? half_handler<Half, false>(each.name)
                          : type == Type::F16x2 ? half_handler<Half, true>(each.name)
                          : type == Type::BF16  ? half_handler<BrainHalf, false>(each.name)
                                                : half_handler<BrainHalf, true>(each.name);
    std::vector<uint32_t> from;
    for (size_t i = 1; i < each.operands.size(); ++i) from.push_back(read(each.operands[i], held));
    from.resize(3);
    emit(handler, each.operands[0], held, {from[0], from[1], from[2]});
}

}  // namespace gpu
