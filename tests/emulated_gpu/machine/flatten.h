// Puts the functions that a kernel calls in the places of the calls.
#pragma once
#include "../ptx/ptx.h"

namespace gpu {

// The kernel with one body. Parameters of calls have become registers. Throws ptx::Unsupported, as for functions that
// call themselves.
ptx::Function flatten(const ptx::Module&, const ptx::Function& kernel);

// Whether a word names a register, and of what type: %f12 belongs to the family %f.
const ptx::Type* register_type(const ptx::Function&, const std::string& word);

}  // namespace gpu
