// Where operands are: registers of several blocks, temporaries, numbers and addresses.
#include "decoder.h"
#include "flatten.h"
#include <algorithm>
#include <cstring>

namespace gpu {

using namespace ptx;

namespace {

// A predicate has one mask, and not a value for each lane.
constexpr uint32_t MASK_BYTES = 1;

uint32_t lane_bytes(Type type) { return type == Type::Pred ? MASK_BYTES : std::max(2u, bytes_of(type)); }

bool is_number(const std::string& word) {
    const size_t start = word.starts_with('-') ? 1 : 0;
    return word.size() > start && isdigit((unsigned char)word[start]);
}

}  // namespace

uint32_t Decoder::register_bytes_of(const Operand& operand) const {
    const Type* registered = register_type(function_, operand.word);
    if (!registered || *registered == Type::Pred) throw Unsupported("the register " + operand.word);
    return bytes_of(*registered);
}

uint32_t Decoder::place(uint32_t bytes) {
    const uint32_t at = program_.register_bytes;
    // Masks too begin on lines of their own: there are few of them.
    program_.register_bytes += std::max(64u, bytes == MASK_BYTES ? 0 : bytes * LANES);
    return at;
}

uint32_t Decoder::temporary(uint32_t bytes) {
    auto& free = free_[bytes];
    if (free.empty()) return place(bytes);
    const uint32_t at = free.back();
    free.pop_back();
    return at;
}

// After an instruction: what nobody reads any longer is free.
void Decoder::release() {
    for (const auto& each : of_instruction_) free_[each.bytes].push_back(each.offset);
    of_instruction_.clear();
    for (auto each = here_.begin(); each != here_.end();) {
        if (last_use_.at(each->first) > at_) {
            ++each;
            continue;
        }
        free_[each->second.bytes].push_back(each->second.offset);
        each = here_.erase(each);
    }
}

uint32_t Decoder::own(const std::string& word) {
    const Type* type = register_type(function_, word);
    if (!type) throw Unsupported("the register " + word);
    const uint32_t bytes = lane_bytes(*type);
    if (!confined_.contains(word)) {
        const auto [found, is_new] = places_.emplace(word, 0);
        if (is_new) found->second = place(bytes);
        return found->second;
    }
    const auto [found, is_new] = here_.emplace(word, Temporary{0, bytes});
    if (is_new) found->second.offset = temporary(bytes);
    return found->second.offset;
}

uint32_t Decoder::constant(uint64_t value, uint32_t bytes) {
    const auto [found, is_new] = constant_places_.emplace(std::pair(value, bytes), 0);
    if (is_new) {
        found->second = place(bytes);
        program_.constants.push_back({found->second, bytes, value});
    }
    return found->second;
}

std::optional<uint64_t> Decoder::number(const Operand& operand, Type type) const {
    const auto known = constants_.find(operand.word);
    const std::string& word = known == constants_.end() ? operand.word : known->second;
    if (word == "WARP_SZ") return LANES;
    if (!is_number(word)) return std::nullopt;
    if (word.size() > 2 && word[0] == '0' && strchr("fFdD", word[1])) {
        const bool single = word[1] == 'f' || word[1] == 'F';
        if (single != (bytes_of(type) == 4)) throw Unsupported("the number " + word + " as another type");
        return strtoull(word.c_str() + 2, nullptr, 16);
    }
    const uint64_t value =
        word[0] == '-' ? 0 - strtoull(word.c_str() + 1, nullptr, 0) : strtoull(word.c_str(), nullptr, 0);
    return bytes_of(type) == 8 ? value : value & ((uint64_t(1) << 8 * bytes_of(type)) - 1);
}

uint32_t Decoder::special(const std::string& name) {
    static const std::set<std::string> known = {"%tid.x",
                                                "%tid.y",
                                                "%tid.z",
                                                "%ntid.x",
                                                "%ntid.y",
                                                "%ntid.z",
                                                "%ctaid.x",
                                                "%ctaid.y",
                                                "%ctaid.z",
                                                "%nctaid.x",
                                                "%nctaid.y",
                                                "%nctaid.z",
                                                "%laneid",
                                                "%warpid",
                                                "%nwarpid",
                                                "%smid",
                                                "%dynamic_smem_size",
                                                "%lanemask_eq",
                                                "%lanemask_lt",
                                                "%lanemask_le",
                                                "%lanemask_ge",
                                                "%lanemask_gt"};
    if (!known.contains(name)) throw Unsupported("the register " + name);
    const auto [found, is_new] = special_places_.emplace(name, 0);
    if (is_new) {
        found->second = place(4);
        program_.specials.push_back({found->second, name, 0, 0});
    }
    return found->second;
}

// As lanes of a type of another size: a register may be wider than what an instruction takes of it, or than what it
// writes.
uint32_t Decoder::cast(uint32_t from, Type source, Type target) {
    static const auto to_integer = [](Type type, auto f) -> Handler {
        switch (bytes_of(type)) {
        case 1: return is_signed(type) ? f(int8_t()) : f(uint8_t());
        case 2: return is_signed(type) ? f(int16_t()) : f(uint16_t());
        case 4: return is_signed(type) ? f(int32_t()) : f(uint32_t());
        default: return is_signed(type) ? f(int64_t()) : f(uint64_t());
        }
    };
    const Handler handler = to_integer(source, [&](auto s) {
        using S = decltype(s);
        return to_integer(target, [](auto d) {
            using D = decltype(d);
            return lanewise<D, S>([](S x) { return D(x); });
        });
    });
    return emit_temporary(handler, target, {from});
}

uint32_t Decoder::read(const Operand& operand, Type type) {
    if (type == Type::Pred) return read_predicate(operand);
    if (operand.kind != Operand::Kind::Word || operand.negated) throw Unsupported("such an operand");
    // Bytes have two to a lane, as registers do.
    if (const auto value = number(operand, type)) return constant(*value, bytes_of(type));
    if (const Type* registered = register_type(function_, operand.word)) {
        const uint32_t from = own(operand.word);
        if (*registered == Type::Pred) throw Unsupported(operand.word + " is a predicate");
        if (bytes_of(*registered) == bytes_of(type)) return from;
        if (bytes_of(*registered) < bytes_of(type) || is_float(*registered))
            throw Unsupported(operand.word + " as another type");
        return cast(from,
                    bytes_of(*registered) == 8   ? Type::U64
                    : bytes_of(*registered) == 4 ? Type::U32
                                                 : Type::U16,
                    type);
    }
    if (operand.word.starts_with('%')) {
        const uint32_t from = special(operand.word);
        return bytes_of(type) == 4 ? from : cast(from, Type::U32, type);
    }
    const uint32_t from = address(operand);
    return bytes_of(type) == 8 ? from : cast(from, Type::U64, type);
}

uint32_t Decoder::read_predicate(const Operand& operand) {
    const auto known = constants_.find(operand.word);
    const std::string& word = known == constants_.end() ? operand.word : known->second;
    if (is_number(word))
        return constant((strtoll(word.c_str(), nullptr, 0) != 0) != operand.negated ? EVERY_LANE : 0, 4);
    const Type* registered = register_type(function_, word);
    if (!registered || *registered != Type::Pred) throw Unsupported(word + " is no predicate");
    const uint32_t from = own(word);
    return operand.negated ? emit_temporary(of_masks<1>([](Mask x) { return ~x; }), Type::Pred, {from}) : from;
}

// Of a variable, or in a register; without the offset, which the operation adds.
uint32_t Decoder::address(const Operand& operand) {
    if (const Type* registered = register_type(function_, operand.word)) {
        const uint32_t from = own(operand.word);
        return bytes_of(*registered) == 8 ? from : cast(from, Type::U32, Type::U64);
    }
    const uint64_t offset = operand.kind == Operand::Kind::Word ? uint64_t(operand.offset) : 0;
    if (const auto value = number(operand, Type::U64)) return constant(*value, 8);
    if (const auto found = symbols_.find(operand.word); found != symbols_.end())
        return constant(found->second + offset, 8);
    for (const auto& variable : function_.variables) {
        if (variable.space != "local" || variable.name != operand.word || offset) continue;
        const auto [found, is_new] = special_places_.emplace(variable.name, 0);
        if (is_new) {
            found->second = place(8);
            const uint32_t bytes = (variable.bytes() + 15) / 16 * 16;
            program_.specials.push_back({found->second, "", program_.local_bytes, bytes});
            program_.local_bytes += bytes * LANES;
        }
        return found->second;
    }
    throw Unsupported("the operand " + operand.word);
}

Op& Decoder::emit_plain(Handler handler, std::initializer_list<uint32_t> from) {
    Op& op = current_->ops.emplace_back();
    op.run = handler;
    op.line = line_;
    std::copy(from.begin(), from.end(), op.from);
    return op;
}

uint32_t Decoder::emit_temporary(Handler handler, Type type, std::initializer_list<uint32_t> from) {
    const uint32_t bytes = lane_bytes(type), to = temporary(bytes);
    of_instruction_.push_back({to, bytes});
    emit_plain(handler, from).to = to;
    return to;
}

Op& Decoder::emit(Handler handler, const Operand& to, Type type, std::initializer_list<uint32_t> from) {
    const Type* registered = register_type(function_, to.word);
    const bool same = registered && (type == Type::Pred) == (*registered == Type::Pred) &&
                      lane_bytes(*registered) == lane_bytes(type) && bytes_of(type) > 1;
    if (!same) {
        const uint32_t result = emit_temporary(handler, type, from);
        const size_t at = current_->ops.size() - 1;
        if (to.word != "_") write(to, type, result);
        return current_->ops[at];
    }
    const uint32_t at = own(to.word);
    Op& op = emit_plain(handler, from);
    op.to = at;
    op.kept_bytes = confined_.contains(to.word) && !guarded_ ? 0 : uint8_t(lane_bytes(*registered));
    return op;
}

// To a register that is wider, as a number: with its sign if it has one.
void Decoder::write(const Operand& to, Type type, uint32_t from) {
    const Type* registered = register_type(function_, to.word);
    if (!registered || is_float(*registered) || *registered == Type::Pred || type == Type::Pred)
        throw Unsupported("a result in " + to.word);
    const Type target = bytes_of(*registered) == 8 ? Type::U64 : bytes_of(*registered) == 4 ? Type::U32 : Type::U16;
    const uint32_t widened = cast(from, type, target);
    const Handler copy = target == Type::U64 ? lanewise<uint64_t, uint64_t>([](uint64_t x) { return x; })
                       : target == Type::U32 ? lanewise<uint32_t, uint32_t>([](uint32_t x) { return x; })
                                             : lanewise<uint16_t, uint16_t>([](uint16_t x) { return x; });
    emit(copy, to, target, {widened});
}

}  // namespace gpu
