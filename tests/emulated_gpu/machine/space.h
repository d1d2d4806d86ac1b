// Kinds of memory, and of accesses to it.
#pragma once
#include "lanes.h"

namespace gpu {

enum class Space { Global, Shared, Local, Any };
enum class Access { Read, Write, Atomic };

// What a warp does at once.
struct MemoryAccess {
    const uint64_t* addresses;      // of the host, for each lane
    Mask lanes;
    uint32_t bytes;                 // of each lane
    Access access;
    uint32_t line;
};

}  // namespace gpu
