// Accesses to memory that is not there, in kernels that are not checked.
#pragma once
#include <cstdint>
#include <functional>

namespace gpu {

// Calls f. If it touches memory that is not there, returns the address, and else 0. What f has built up is not taken
// down then.
uint64_t guard_against_bad_addresses(const std::function<void()>& f);

}  // namespace gpu
