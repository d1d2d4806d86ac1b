// Loads and stores.
#include "addresses.h"
#include "decoder.h"
#include "dispatch.h"
#include "quads.h"

namespace gpu {

using namespace ptx;

namespace {

// N values a lane, which follow each other in memory: as T there, as R in registers.
template <Space S, class T, class R, unsigned N> void load_lanes(Warp& warp, const Op& op, void* to) {
    const auto at = addresses_of<S>(warp, op.from[0], op.value, N * sizeof(T), Access::Read, op.line);
    R* y[N];
    if constexpr (N == 1) y[0] = (R*)to;
    else
        for (unsigned i = 0; i < N; ++i) y[i] = warp.lanes<R>(op.more->to[i]);
    if constexpr (N == 1 && sizeof(T) == sizeof(R)) {
        if (warp.mask == EVERY_LANE && at.are_consecutive(sizeof(T))) {
            memcpy(y[0], (const void*)at.of[0], LANES * sizeof(T));
            return;
        }
    }
    if constexpr (N == 1 && std::is_same_v<T, uint32_t> && std::is_same_v<R, uint32_t>) {
        if (warp.mask == EVERY_LANE) return load_words(at.of, y[0]);
    }
    if constexpr (N == 4 && std::is_same_v<T, uint32_t> && std::is_same_v<R, uint32_t>) {
        if (warp.mask == EVERY_LANE) return load_quads(at.of, y);
    }
    auto one = [&](unsigned l) {
        T values[N];
        memcpy(values, (const void*)at.of[l], sizeof values);
        for (unsigned i = 0; i < N; ++i) y[i][l] = R(values[i]);
        // Or the compiler would gather, which is slower on most processors.
        asm("");
    };
    if (warp.mask == EVERY_LANE)
        for (unsigned l = 0; l < LANES; ++l) one(l);
    else for_lanes(warp.mask, one);
}

template <Space S, class T, unsigned N> void store_lanes(Warp& warp, const Op& op, void*) {
    const auto at = addresses_of<S>(warp, op.from[0], op.value, N * sizeof(T), Access::Write, op.line);
    const T* x[N];
    if constexpr (N == 1) x[0] = warp.lanes<T>(op.from[1]);
    else
        for (unsigned i = 0; i < N; ++i) x[i] = warp.lanes<T>(op.more->from[i]);
    if constexpr (N == 1) {
        if (warp.mask == EVERY_LANE && at.are_consecutive(sizeof(T))) {
            memcpy((void*)at.of[0], x[0], LANES * sizeof(T));
            return;
        }
    }
    if constexpr (N == 4 && std::is_same_v<T, uint32_t>) {
        if (warp.mask == EVERY_LANE) return store_quads(at.of, x);
    }
    // Lanes that write to one place do so in the order of their numbers.
    auto one = [&](unsigned l) {
        T values[N];
        for (unsigned i = 0; i < N; ++i) values[i] = x[i][l];
        memcpy((void*)at.of[l], values, sizeof values);
    };
    if (warp.mask == EVERY_LANE)
        for (unsigned l = 0; l < LANES; ++l) one(l);
    else for_lanes(warp.mask, one);
}

template <class T, class R, unsigned N> Handler loading(Space space) {
    switch (space) {
    case Space::Shared: return load_lanes<Space::Shared, T, R, N>;
    case Space::Global: return load_lanes<Space::Global, T, R, N>;
    case Space::Local: return load_lanes<Space::Local, T, R, N>;
    case Space::Any: break;
    }
    return load_lanes<Space::Any, T, R, N>;
}

template <class T, unsigned N> Handler storing(Space space) {
    switch (space) {
    case Space::Shared: return store_lanes<Space::Shared, T, N>;
    case Space::Global: return store_lanes<Space::Global, T, N>;
    case Space::Local: return store_lanes<Space::Local, T, N>;
    case Space::Any: break;
    }
    return store_lanes<Space::Any, T, N>;
}

Type bits_of(uint32_t bytes) {
    return bytes == 1 ? Type::B8 : bytes == 2 ? Type::B16 : bytes == 4 ? Type::B32 : Type::B64;
}

// A register may be wider than what is loaded, which is then extended with its sign, if it has one. Floats are moved as
// bits.
Handler load_handler(Type type, uint32_t register_bytes, size_t count, Space space) {
    const bool widens = register_bytes > bytes_of(type);
    if (widens && (is_float(type) || is_half(type))) throw Unsupported("so wide a register");
    return for_integer(widens ? type : bits_of(bytes_of(type)), [&](auto in_memory) {
        return for_bits(bits_of(register_bytes), [&](auto in_register) -> Handler {
            using T = decltype(in_memory);
            using R = decltype(in_register);
            if constexpr (sizeof(R) > sizeof(T) || std::is_same_v<R, T>) {
                if (count == 1) return loading<T, R, 1>(space);
                if (count == 2) return loading<T, R, 2>(space);
                if (count == 4) return loading<T, R, 4>(space);
            }
            throw Unsupported("so many values");
        });
    });
}

// Registers that are wider have been narrowed before.
Handler store_handler(Type type, size_t count, Space space) {
    return for_bits(type, [&](auto zero) -> Handler {
        using T = decltype(zero);
        if (count == 1) return storing<T, 1>(space);
        if (count == 2) return storing<T, 2>(space);
        if (count == 4) return storing<T, 4>(space);
        throw Unsupported("so many values");
    });
}

Space space_of(const Instruction& each) {
    if (each.has("global") || each.has("const")) return Space::Global;
    return each.has("shared") ? Space::Shared : each.has("local") ? Space::Local : Space::Any;
}

std::vector<Operand> values_of(const Operand& operand) {
    return operand.kind == Operand::Kind::List ? operand.list : std::vector<Operand>{operand};
}

}  // namespace

// The register that an operation writes by itself, in the lanes that execute.
uint32_t Decoder::destination(const Operand& to, Type type) {
    if (to.word != "_") return own(to.word);
    const uint32_t bytes = std::max(2u, bytes_of(type)), at = temporary(bytes);
    of_instruction_.push_back({at, bytes});
    return at;
}

void Decoder::load(const Instruction& each) {
    if (each.has("param")) return load_parameter(each);
    const Type type = each.type();
    const auto targets = values_of(each.operands.at(0));
    const Operand& from = each.operands.at(1);
    const uint32_t at = address(from);
    Registers& more = list();
    uint32_t register_bytes = 0;
    for (const auto& target : targets) {
        more.to.push_back(destination(target, type));
        if (target.word != "_") register_bytes = register_bytes_of(target);
    }
    Op& op = emit_plain(load_handler(type, register_bytes, targets.size(), space_of(each)), {at});
    op.value = from.offset;
    op.to = more.to[0];
    op.more = &more;
}

void Decoder::store(const Instruction& each) {
    const Type type = each.type();
    const Operand& to = each.operands.at(0);
    const uint32_t at = address(to);
    Registers& more = list();
    for (const auto& value : values_of(each.operands.at(1))) more.from.push_back(read(value, type));
    Op& op = emit_plain(store_handler(type, more.from.size(), space_of(each)), {at, more.from[0]});
    op.value = to.offset;
    op.more = &more;
}

// A kernel's parameter is the same in all lanes.
void Decoder::load_parameter(const Instruction& each) {
    const Type type = each.type();
    const auto targets = values_of(each.operands.at(0));
    const Operand& from = each.operands.at(1);
    const auto parameter = parameter_offsets_.find(from.word);
    if (parameter == parameter_offsets_.end()) throw Unsupported("the parameter " + from.word);
    const Handler handler = for_bits(type, [](auto zero) -> Handler {
        using T = decltype(zero);
        return [](Warp& warp, const Op& op, void* to) {
            T value;
            memcpy(&value, warp.parameters + op.value, sizeof value);
            for (unsigned l = 0; l < LANES; ++l) ((T*)to)[l] = value;
        };
    });
    for (size_t i = 0; i < targets.size(); ++i) {
        const int64_t at = parameter->second + from.offset + int64_t(i * bytes_of(type));
        emit(handler, targets[i], type, {}).value = at;
    }
}

}  // namespace gpu
