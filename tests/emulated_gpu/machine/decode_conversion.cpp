// mov and cvt: values that change their place or their type.
#include "decoder.h"
#include "dispatch.h"
#include "numbers.h"

namespace gpu {

using namespace ptx;

namespace {

template <class T> Handler copying() {
    return lanewise<T, T>([](T x) { return x; });
}

Type bits_of(uint32_t bytes) {
    return bytes == 1 ? Type::B8 : bytes == 2 ? Type::B16 : bytes == 4 ? Type::B32 : Type::B64;
}

Handler reading_the_clock() {
    return [](Warp&, const Op&, void* to) {
        for (unsigned l = 0; l < LANES; ++l) ((uint64_t*)to)[l] = __builtin_ia32_rdtsc();
    };
}

// A float of one type as another.
Handler between_floats(Type to, Type from) {
    return for_float(from, [&](auto source) {
        return for_float(to, [](auto target) {
            using S = decltype(source);
            using D = decltype(target);
            return lanewise<D, S>([](S x) { return D(x); });
        });
    });
}

enum class Whole { No, Even, Zero, Down, Up };

Whole whole_of(const Instruction& each) {
    return each.has("rni") ? Whole::Even
         : each.has("rzi") ? Whole::Zero
         : each.has("rmi") ? Whole::Down
         : each.has("rpi") ? Whole::Up
                           : Whole::No;
}

template <class T> Handler rounding_to_whole(Whole how) {
    switch (how) {
    case Whole::Even: return lanewise<T, T>([](T x) { return std::nearbyint(x); });
    case Whole::Zero: return lanewise<T, T>([](T x) { return std::trunc(x); });
    case Whole::Down: return lanewise<T, T>([](T x) { return std::floor(x); });
    case Whole::Up: return lanewise<T, T>([](T x) { return std::ceil(x); });
    case Whole::No: break;
    }
    throw Unsupported("no rounding");
}

template <class D, class S> Handler from_integer(const Instruction& each) {
    if (each.has("rm")) return lanewise<D, S>([](S x) { return rounded<FE_DOWNWARD>([](S v) { return D(v); }, x); });
    if (each.has("rp")) return lanewise<D, S>([](S x) { return rounded<FE_UPWARD>([](S v) { return D(v); }, x); });
    if (each.has("rz")) return lanewise<D, S>([](S x) { return rounded<FE_TOWARDZERO>([](S v) { return D(v); }, x); });
    return lanewise<D, S>([](S x) { return D(x); });
}

Handler narrowing(Type type) {
    if (type == Type::F16) return lanewise<uint16_t, float>([](float x) { return Half::narrow(x); });
    return lanewise<uint16_t, float>([](float x) { return BrainHalf::narrow(x); });
}

}  // namespace

void Decoder::move(const Instruction& each) {
    const Type type = each.type();
    const Operand &to = each.operands.at(0), &from = each.operands.at(1);
    if (type == Type::Pred) {
        emit(of_masks<1>([](Mask x) { return x; }), to, type, {read_predicate(from)});
    } else if (to.kind == Operand::Kind::List) {
        // The parts of a register, the lowest first.
        const uint32_t bytes = bytes_of(type) / uint32_t(to.list.size());
        const uint32_t whole = read(from, bits_of(bytes_of(type)));
        for (size_t i = 0; i < to.list.size(); ++i) {
            const Handler handler = for_bits(type, [&](auto zero) {
                using T = decltype(zero);
                return for_bits(bits_of(bytes), [](auto part) -> Handler {
                    using P = decltype(part);
                    return [](Warp& warp, const Op& op, void* result) {
                        for (unsigned l = 0; l < LANES; ++l)
                            ((P*)result)[l] = P(warp.lanes<T>(op.from[0])[l] >> op.value);
                    };
                });
            });
            // Into a temporary first: the register may be one of its parts.
            const uint32_t part = emit_temporary(handler, bits_of(bytes), {whole});
            current_->ops.back().value = int64_t(8 * bytes * i);
            const Handler copy = for_bits(bits_of(bytes), [](auto zero) { return copying<decltype(zero)>(); });
            if (to.list[i].word != "_") emit(copy, to.list[i], bits_of(bytes), {part});
        }
    } else if (from.kind == Operand::Kind::List) {
        const uint32_t bytes = bytes_of(type) / uint32_t(from.list.size());
        uint32_t sum = constant(0, bytes_of(type));
        for (size_t i = 0; i < from.list.size(); ++i) {
            const uint32_t part = read(from.list[i], bits_of(bytes));
            const Handler handler = for_bits(type, [&](auto zero) {
                using T = decltype(zero);
                return for_bits(bits_of(bytes), [](auto narrow) -> Handler {
                    using P = decltype(narrow);
                    return [](Warp& warp, const Op& op, void* result) {
                        for (unsigned l = 0; l < LANES; ++l)
                            ((T*)result)[l] =
                                T(warp.lanes<T>(op.from[0])[l] | T(T(warp.lanes<P>(op.from[1])[l]) << op.value));
                    };
                });
            });
            sum = emit_temporary(handler, bits_of(bytes_of(type)), {sum, part});
            current_->ops.back().value = int64_t(8 * bytes * i);
        }
        emit(for_bits(type, [](auto zero) { return copying<decltype(zero)>(); }), to, bits_of(bytes_of(type)), {sum});
    } else if (from.word.starts_with("%clock") || from.word.starts_with("%globaltimer")) {
        const uint32_t now = emit_temporary(reading_the_clock(), Type::U64, {});
        const uint32_t own = bytes_of(type) == 8 ? now : cast(now, Type::U64, Type::U32);
        emit(for_bits(type, [](auto zero) { return copying<decltype(zero)>(); }), to, type, {own});
    } else {
        emit(for_bits(type, [](auto zero) { return copying<decltype(zero)>(); }), to, type, {read(from, type)});
    }
}

// Addresses of any space are those of the host; those of shared memory count from its start.
void Decoder::convert_address(const Instruction& each) {
    const Type type = each.type();
    if (bytes_of(type) != 8) throw Unsupported("its type");
    const uint32_t from = read(each.operands.at(1), type);
    Handler handler = copying<uint64_t>();
    if (each.has("shared"))
        handler = [](Warp& warp, const Op& op, void* to) {
            for (unsigned l = 0; l < LANES; ++l)
                ((uint64_t*)to)[l] = warp.lanes<uint64_t>(op.from[0])[l] + uint64_t(op.value) * uint64_t(warp.shared);
        };
    emit(handler, each.operands[0], type, {from}).value = each.has("to") ? -1 : 1;
}

void Decoder::convert(const Instruction& each) {
    if (each.operands.size() == 3) {
        // Two floats into the halves of a register, the second into the lower one.
        const Type to = each.type_before();
        if ((to != Type::F16x2 && to != Type::BF16x2) || each.has("rz")) throw Unsupported("its type");
        const Handler handler = to == Type::F16x2
                                  ? lanewise<uint32_t, float, float>([](float high, float low) {
                                        return uint32_t(Half::narrow(high)) << 16 | Half::narrow(low);
                                    })
                                  : lanewise<uint32_t, float, float>([](float high, float low) {
                                        return uint32_t(BrainHalf::narrow(high)) << 16 | BrainHalf::narrow(low);
                                    });
        emit(handler, each.operands[0], Type::B32,
             {read(each.operands[1], Type::F32), read(each.operands[2], Type::F32)});
        return;
    }
    const Type to = each.type_before(), source = each.type();
    if (to == Type::TF32) {
        if (!each.has("rna") && !each.has("rn")) throw Unsupported("its rounding");
        const Handler handler = each.has("rna") ? lanewise<uint32_t, float>([](float x) { return tf32_away(x); })
                                                : lanewise<uint32_t, float>([](float x) { return tf32_even(x); });
        emit(handler, each.operands[0], Type::B32, {read(each.operands[1], Type::F32)});
        return;
    }
    // What is not a number of the host's is one of type `from` after this.
    Type from = source;
    uint32_t value = read(each.operands.at(1), is_half(source) ? Type::B16 : source);
    if (is_half(source)) {
        from = Type::F32;
        value = emit_temporary(source == Type::F16
                                   ? lanewise<float, uint16_t>([](uint16_t x) { return Half::widen(x); })
                                   : lanewise<float, uint16_t>([](uint16_t x) { return BrainHalf::widen(x); }),
                               from, {value});
    }
    const Handler flushing = lanewise<float, float>([](float x) { return flush(x); });
    if (each.has("ftz") && from == Type::F32) value = emit_temporary(flushing, from, {value});
    const bool directed = each.has("rm") || each.has("rp") || each.has("rz");
    const Whole whole = whole_of(each);
    if (!is_float(to) && !is_half(to)) {
        Handler handler = nullptr;
        if (is_float(from)) {
            value = emit_temporary(for_float(from, [&](auto zero) { return rounding_to_whole<decltype(zero)>(whole); }),
                                   from, {value});
            handler = for_float(from, [&](auto s) {
                return for_integer(to, [](auto d) {
                    using S = decltype(s);
                    using D = decltype(d);
                    return lanewise<D, S>([](S x) { return to_integer<D>(x); });
                });
            });
        } else {
            const bool clamps = each.has("sat");
            handler = for_integer(from, [&](auto s) {
                return for_integer(to, [&](auto d) {
                    using S = decltype(s);
                    using D = decltype(d);
                    return clamps ? lanewise<D, S>([](S x) { return clamp_to<D>(x); })
                                  : lanewise<D, S>([](S x) { return D(x); });
                });
            });
        }
        emit(handler, each.operands[0], to, {value});
        return;
    }
    const Type result = is_half(to) ? Type::F32 : to;
    if (is_float(from)) {
        if (directed && bytes_of(to) < bytes_of(source)) throw Unsupported("its rounding");
        if (is_half(to) && from == Type::F64) throw Unsupported("its type");
        if (whole != Whole::No)
            value = emit_temporary(for_float(from, [&](auto zero) { return rounding_to_whole<decltype(zero)>(whole); }),
                                   from, {value});
        value = emit_temporary(between_floats(result, from), result, {value});
    } else {
        const Handler handler = for_integer(from, [&](auto s) {
            return for_float(result, [&](auto d) { return from_integer<decltype(d), decltype(s)>(each); });
        });
        value = emit_temporary(handler, result, {value});
    }
    if (each.has("ftz") && result == Type::F32) value = emit_temporary(flushing, result, {value});
    if (each.has("sat")) {
        value = emit_temporary(for_float(result,
                                         [](auto zero) {
                                             using T = decltype(zero);
                                             return lanewise<T, T>([](T x) { return saturate(x); });
                                         }),
                               result, {value});
    }
    if (is_half(to)) emit(narrowing(to), each.operands[0], Type::B16, {value});
    else emit(for_float(to, [](auto zero) { return copying<decltype(zero)>(); }), each.operands[0], to, {value});
}

}  // namespace gpu
