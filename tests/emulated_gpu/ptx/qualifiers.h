// The qualifiers of each instruction that are known.
#pragma once
#include "ptx.h"

namespace gpu::ptx {

// Throws Unsupported where an instruction or one of its qualifiers is not known: it might change a result.
void check_qualifiers(const Instruction&);

}  // namespace gpu::ptx
