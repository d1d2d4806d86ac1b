// From the types of PTX to those of C++. Each calls f with a value of the type, of which f takes only the type.
#pragma once
#include "../ptx/ptx.h"
#include "op.h"

namespace gpu {

// Bits count as unsigned.
template <class F> Handler for_integer(ptx::Type type, F f) {
    using ptx::Type;
    switch (type) {
    case Type::B8:
    case Type::U8: return f(uint8_t());
    case Type::S8: return f(int8_t());
    case Type::B16:
    case Type::U16: return f(uint16_t());
    case Type::S16: return f(int16_t());
    case Type::B32:
    case Type::U32: return f(uint32_t());
    case Type::S32: return f(int32_t());
    case Type::B64:
    case Type::U64: return f(uint64_t());
    case Type::S64: return f(int64_t());
    default: throw ptx::Unsupported("its type");
    }
}

template <class F> Handler for_float(ptx::Type type, F f) {
    if (type == ptx::Type::F32) return f(float());
    if (type == ptx::Type::F64) return f(double());
    throw ptx::Unsupported("its type");
}

template <class F> Handler for_number(ptx::Type type, F f) {
    return ptx::is_float(type) ? for_float(type, f) : for_integer(type, f);
}

// Of 32 or 64 bits only.
template <class F> Handler for_word(ptx::Type type, F f) {
    switch (ptx::bytes_of(type)) {
    case 4: return ptx::is_signed(type) ? f(int32_t()) : f(uint32_t());
    case 8: return ptx::is_signed(type) ? f(int64_t()) : f(uint64_t());
    default: throw ptx::Unsupported("its type");
    }
}

// By the size alone.
template <class F> Handler for_bits(ptx::Type type, F f) {
    switch (ptx::bytes_of(type)) {
    case 1: return f(uint8_t());
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    default: return f(uint64_t());
    }
}

}  // namespace gpu
