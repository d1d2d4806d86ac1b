// The types of PTX.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace gpu::ptx {

enum class Type : uint8_t {
    Pred,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    B32,
    U32,
    S32,
    B64,
    U64,
    S64,
    F32,
    F64,
    // Numbers that the host has no type for: it holds their bits.
    F16,
    BF16,
    F16x2,
    BF16x2,
    TF32,
};

std::optional<Type> type_of(std::string_view name);
uint32_t bytes_of(Type);
// Whether the host computes in this type.
inline bool is_float(Type type) { return type == Type::F32 || type == Type::F64; }
inline bool is_half(Type type) { return type >= Type::F16 && type <= Type::BF16x2; }
inline bool is_signed(Type type) {
    return type == Type::S8 || type == Type::S16 || type == Type::S32 || type == Type::S64;
}

}  // namespace gpu::ptx
