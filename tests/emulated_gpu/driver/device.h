// What the devices pretend to be.
#pragma once
#include <cstddef>

namespace gpu {

// Bytes of shared memory that a kernel may ask for, without and with cuFuncSetAttribute.
constexpr int SHARED_BYTES = 49152;
int shared_bytes_on_request();

}  // namespace gpu
