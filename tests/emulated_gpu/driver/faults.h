// What goes wrong on purpose: EMULATED_GPU_FAULTS.
#pragma once
#include <string>

namespace gpu {

// Each counts what it is asked about.
bool allocation_fails();
// Whether a wait is left out, as a program without it would: of a stream for an event, and of the program.
bool stream_does_not_wait();
bool program_does_not_wait();
// What a launch comes to at once: 0, or the error that cuLaunchKernel returns.
int launch_is_refused();
// What a launch comes to when it is executed: 0, or an error.
int launch_fails(const std::string& kernel, int device);

}  // namespace gpu
