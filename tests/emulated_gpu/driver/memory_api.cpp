// Functions that allocate and release memory, and that ask about it.
#include "api.h"
#include "faults.h"
#include "graph.h"
#include "memory.h"

namespace gpu {
namespace {

// 0 where a device has no more, or is to behave so.
int device_memory(Context& context, Allocation::Kind kind, uint64_t* address, size_t bytes) {
    *address = allocation_fails() ? 0 : allocate(kind, bytes, context.device);
    return *address ? SUCCESS : OUT_OF_MEMORY;
}

int pinned_memory(Context& context, void** address, size_t bytes) {
    *address = allocation_fails() ? nullptr : (void*)allocate(Allocation::Kind::Pinned, bytes, context.device);
    return *address ? SUCCESS : OUT_OF_MEMORY;
}

}  // namespace
}  // namespace gpu

using namespace gpu;

API int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d bytes=%zu", context->device, bytes);
    if (bytes == 0) return INVALID_VALUE;
    return device_memory(*context, Allocation::Kind::Device, address, bytes);
}

API int cuMemAllocManaged(uint64_t* address, size_t bytes, unsigned) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d bytes=%zu", context->device, bytes);
    return device_memory(*context, Allocation::Kind::Managed, address, bytes);
}

API int cuMemFree_v2(uint64_t address) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d", context->device);
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    return address ? release(address) : SUCCESS;
}

API int cuMemAllocAsync(uint64_t* address, size_t bytes, void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d bytes=%zu", context->device, stream->id, bytes);
    if (stream->capture) return NOT_SUPPORTED;
    *address = 0;
    return bytes ? device_memory(*context, Allocation::Kind::Device, address, bytes) : SUCCESS;
}

API int cuMemFreeAsync(uint64_t address, void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    if (!address) return SUCCESS;
    return submit(lock, *stream, {"free", [=] { return release(address); }});
}

API int cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
    CURRENT_CONTEXT
    LOG_CALL("bytes=%zu flags=%u", bytes, flags);
    return pinned_memory(*context, address, bytes);
}

API int cuMemAllocHost_v2(void** address, size_t bytes) {
    CURRENT_CONTEXT
    LOG_CALL("bytes=%zu", bytes);
    return pinned_memory(*context, address, bytes);
}

API int cuMemFreeHost(void* address) {
    CURRENT_CONTEXT
    LOG_CALL("");
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    return release(uint64_t(address));
}

API int cuMemHostRegister_v2(void* address, size_t bytes, unsigned flags) {
    CURRENT_CONTEXT
    LOG_CALL("bytes=%zu flags=%u", bytes, flags);
    if (!address || !bytes) return INVALID_VALUE;
    return adopt({Allocation::Kind::Registered, uint64_t(address), bytes, context->device});
}

API int cuMemHostUnregister(void* address) {
    CURRENT_CONTEXT
    LOG_CALL("");
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    return disown(uint64_t(address), Allocation::Kind::Registered);
}

API int cuMemHostGetDevicePointer_v2(uint64_t* device, void* host, unsigned) {
    *device = uint64_t(host);
    return SUCCESS;
}

API int cuMemHostGetFlags(unsigned* flags, void* host) {
    *flags = 0;
    return allocation_of(uint64_t(host), 1) ? SUCCESS : INVALID_VALUE;
}

API int cuMemGetInfo_v2(size_t* free, size_t* total) {
    CURRENT_CONTEXT
    *total = settings().memory;
    *free = *total - bytes_used(context->device);
    return SUCCESS;
}

API int cuPointerGetAttribute(void* value, int attribute, uint64_t address) {
    const auto found = allocation_of(address, 1);
    if (!found) return INVALID_VALUE;
    enum { MEMORY_TYPE = 2, DEVICE_ORDINAL = 9 };
    const bool on_host = found->kind == Allocation::Kind::Pinned || found->kind == Allocation::Kind::Registered;
    if (attribute == MEMORY_TYPE) *(unsigned*)value = on_host ? 1 : 2;
    else if (attribute == DEVICE_ORDINAL) *(int*)value = found->device;
    else return NOT_SUPPORTED;
    return SUCCESS;
}

// Advice about managed memory changes nothing here.
API int cuMemAdvise(uint64_t, size_t, int, int) { return SUCCESS; }
API int cuMemPrefetchAsync(uint64_t, size_t, int, void*) { return SUCCESS; }
API int cuStreamAttachMemAsync(void*, uint64_t, size_t, unsigned) { return SUCCESS; }
