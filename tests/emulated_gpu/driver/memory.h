// Memory that the driver knows of: of the devices, pinned, and of modules' variables.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gpu {

struct Allocation {
    enum class Kind { Device, Managed, Pinned, Registered, Variable } kind;
    uint64_t start;
    size_t bytes;
    int device;
    uint64_t map_start = 0;     // of the pages around it, for what has been mapped for it
    size_t map_bytes = 0;
};

// New memory holds NaN, ends at a page that cannot be read, and counts against the memory of its device. 0 where there
// is none left.
uint64_t allocate(Allocation::Kind, size_t bytes, int device);
// Returns a CUDA error.
int release(uint64_t start);
// What others have allocated: registered host memory, variables of modules.
int adopt(const Allocation&);
int disown(uint64_t start, Allocation::Kind);

// The allocation that has all of these bytes.
std::optional<Allocation> allocation_of(uint64_t address, size_t bytes);
// The allocation that ends right here: an empty piece of it has this address.
bool ends_an_allocation(uint64_t address);
// Whether copies with this host memory go on while the program does.
bool is_pinned(const void* host, size_t bytes);
size_t bytes_used(int device);

}  // namespace gpu
