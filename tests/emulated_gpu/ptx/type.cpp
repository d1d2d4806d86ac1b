#include "type.h"
#include <iterator>

namespace gpu::ptx {
namespace {

struct Entry {
    std::string_view name;
    uint32_t bytes;
};

// In the order of the enumeration. A predicate is a mask of lanes.
constexpr Entry ENTRIES[] = {
    {"pred", 4}, {"b8", 1},  {"u8", 1},   {"s8", 1},    {"b16", 2},    {"u16", 2},  {"s16", 2},
    {"b32", 4},  {"u32", 4}, {"s32", 4},  {"b64", 8},   {"u64", 8},    {"s64", 8},  {"f32", 4},
    {"f64", 8},  {"f16", 2}, {"bf16", 2}, {"f16x2", 4}, {"bf16x2", 4}, {"tf32", 4},
};

}  // namespace

std::optional<Type> type_of(std::string_view name) {
    for (size_t i = 0; i < std::size(ENTRIES); ++i)
        if (ENTRIES[i].name == name) return Type(i);
    return std::nullopt;
}

uint32_t bytes_of(Type type) { return ENTRIES[size_t(type)].bytes; }

}  // namespace gpu::ptx
