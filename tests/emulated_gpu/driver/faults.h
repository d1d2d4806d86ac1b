// What goes wrong on purpose: EMULATED_GPU_FAULTS.
#pragma once
#include <string>

namespace gpu {

// Each counts what it is asked about.
bool allocation_fails();
// What a launch comes to at once: 0, or the error that cuLaunchKernel returns.
int launch_is_refused();
// What a launch comes to when it is executed: 0, or an error.
int launch_fails(const std::string& kernel, int device);

}  // namespace gpu
