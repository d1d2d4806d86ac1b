// Accesses to memory that is not there, in kernels that are not checked.
#pragma once

namespace gpu {

// From now on such an access ends the launch, and not the process.
void catch_bad_addresses();

}  // namespace gpu
