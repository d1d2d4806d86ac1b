#include "memory.h"
#include "errors.h"
#include "settings.h"
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <sys/mman.h>

namespace gpu {
namespace {

constexpr size_t PAGE = 4096;

struct Table {
    std::shared_mutex mutex;
    std::map<uint64_t, Allocation> by_start;
    std::map<int, size_t> used;

    // The last one that begins at or before an address.
    const Allocation* before(uint64_t address) const {
        auto next = by_start.upper_bound(address);
        return next == by_start.begin() ? nullptr : &std::prev(next)->second;
    }
};

// Never destroyed: threads of streams may outlive main.
Table& table() {
    static Table& only = *new Table;
    return only;
}

size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// What a device gives away, in pieces of 256 bytes.
size_t bytes_taken(size_t bytes) { return round_up(bytes ? bytes : 1, 256); }

bool counts(Allocation::Kind kind) { return kind == Allocation::Kind::Device || kind == Allocation::Kind::Managed; }

}  // namespace

uint64_t allocate(Allocation::Kind kind, size_t bytes, int device) {
    std::unique_lock lock(table().mutex);
    size_t& used = table().used[device];
    if (counts(kind) && used + bytes_taken(bytes) > settings().memory) return 0;
    const size_t body = round_up(bytes ? bytes : 1, PAGE), all = body + 2 * PAGE;
    void* map = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return 0;
    if (mprotect((char*)map + PAGE, body, PROT_READ | PROT_WRITE)) {
        munmap(map, all);
        return 0;
    }
    // As near to the page behind it as the alignment allows that CUDA promises.
    const uint64_t start = (uint64_t(map) + PAGE + body - bytes) & ~uint64_t(255);
    memset((void*)start, 0xff, bytes);
    table().by_start[start] = {kind, start, bytes, device, uint64_t(map), all};
    if (counts(kind)) used += bytes_taken(bytes);
    return start;
}

int release(uint64_t start) {
    std::unique_lock lock(table().mutex);
    const auto found = table().by_start.find(start);
    if (found == table().by_start.end() || !found->second.map_bytes) return INVALID_VALUE;
    const Allocation allocation = found->second;
    table().by_start.erase(found);
    if (counts(allocation.kind)) table().used[allocation.device] -= bytes_taken(allocation.bytes);
    munmap((void*)allocation.map_start, allocation.map_bytes);
    return SUCCESS;
}

int adopt(const Allocation& allocation) {
    std::unique_lock lock(table().mutex);
    const Allocation* before = table().before(allocation.start + allocation.bytes - 1);
    if (before && before->start + before->bytes > allocation.start) return HOST_MEMORY_ALREADY_REGISTERED;
    table().by_start[allocation.start] = allocation;
    return SUCCESS;
}

int disown(uint64_t start, Allocation::Kind kind) {
    std::unique_lock lock(table().mutex);
    const auto found = table().by_start.find(start);
    if (found == table().by_start.end() || found->second.kind != kind) return HOST_MEMORY_NOT_REGISTERED;
    table().by_start.erase(found);
    return SUCCESS;
}

std::optional<Allocation> allocation_of(uint64_t address, size_t bytes) {
    std::shared_lock lock(table().mutex);
    const Allocation* found = table().before(address);
    if (!found || address + bytes > found->start + found->bytes || address + bytes < address) return std::nullopt;
    if (bytes == 0 && address == found->start + found->bytes) return std::nullopt;
    return *found;
}

bool ends_an_allocation(uint64_t address) {
    std::shared_lock lock(table().mutex);
    const Allocation* found = table().before(address);
    return found && address == found->start + found->bytes;
}

bool is_pinned(const void* host, size_t bytes) {
    const auto found = allocation_of(uint64_t(host), bytes);
    return found && (found->kind == Allocation::Kind::Pinned || found->kind == Allocation::Kind::Registered ||
                     found->kind == Allocation::Kind::Managed);
}

size_t bytes_used(int device) {
    std::shared_lock lock(table().mutex);
    return table().used[device];
}

}  // namespace gpu
