// Functions that copy and fill memory.
//
// A copy with pinned memory goes on while the program does: its bytes are read or written when the stream comes to it.
// From pageable memory bytes are taken before the call returns, and to pageable memory the call waits, as CUDA says.
#include "api.h"
#include "graph.h"
#include "memory.h"
#include <cstring>

namespace gpu {
namespace {

struct Copy {
    const char* what;
    uint64_t to, from;
    size_t bytes;
    bool to_device, from_device;
};

// Whether a piece of device memory lies in one allocation that this context may use.
bool is_on_device(const char* what, uint64_t address, size_t bytes) {
    if (allocation_of(address, bytes)) return true;
    complain("%s: %zu bytes at %#lx do not lie in one allocation", what, bytes, address);
    return false;
}

int enqueue(Context& context, void* handle, const Copy& copy, bool waits) {
    if (copy.bytes == 0) return SUCCESS;
    if (copy.to_device && !is_on_device(copy.what, copy.to, copy.bytes)) return INVALID_VALUE;
    if (copy.from_device && !is_on_device(copy.what, copy.from, copy.bytes)) return INVALID_VALUE;
    auto lock = Scheduler::get().lock();
    const auto stream = context.stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    const bool from_pageable = !copy.from_device && !is_pinned((void*)copy.from, copy.bytes);
    const bool to_pageable = !copy.to_device && !is_pinned((void*)copy.to, copy.bytes);
    log_line("call %s gpu=%d stream=%d bytes=%zu host=%s", copy.what, context.device, stream->id, copy.bytes,
             copy.from_device && copy.to_device ? "none"
             : from_pageable || to_pageable     ? "pageable"
                                                : "pinned");
    if (stream->capture && waits) {
        stream->capture->invalid = true;
        return STREAM_CAPTURE_UNSUPPORTED;
    }
    std::shared_ptr<std::vector<char>> staged;
    if (from_pageable && !stream->capture) {
        const auto* bytes = (const char*)copy.from;
        staged = std::make_shared<std::vector<char>>(bytes, bytes + copy.bytes);
    }
    char what[96];
    snprintf(what, sizeof what, "%s bytes=%zu", copy.what, copy.bytes);
    auto run = [=] {
        memmove((void*)copy.to, staged ? staged->data() : (const void*)copy.from, copy.bytes);
        return 0;
    };
    submit(lock, *stream, {what, run});
    if (!stream->capture && (waits || to_pageable)) {
        Scheduler::get().wait(lock, *stream);
        return context.error;
    }
    return SUCCESS;
}

int fill(Context& context, void* handle, const char* what, uint64_t to, size_t bytes, std::function<void()> write,
         bool waits) {
    if (bytes == 0) return SUCCESS;
    if (!is_on_device(what, to, bytes)) return INVALID_VALUE;
    auto lock = Scheduler::get().lock();
    const auto stream = context.stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    log_line("call %s gpu=%d stream=%d bytes=%zu", what, context.device, stream->id, bytes);
    submit(lock, *stream, {std::string(what) + " bytes=" + std::to_string(bytes), [=] {
                               write();
                               return 0;
                           }});
    if (waits && !stream->capture) Scheduler::get().wait(lock, *stream);
    return context.error;
}

template <class T> std::function<void()> writer(uint64_t to, T value, size_t count) {
    return [=] { std::fill_n((T*)to, count, value); };
}

}  // namespace
}  // namespace gpu

using namespace gpu;

API int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    CURRENT_CONTEXT
    return enqueue(*context, stream, {__func__, to, uint64_t(from), bytes, true, false}, false);
}

API int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    CURRENT_CONTEXT
    return enqueue(*context, stream, {__func__, uint64_t(to), from, bytes, false, true}, false);
}

API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    CURRENT_CONTEXT
    return enqueue(*context, stream, {__func__, to, from, bytes, true, true}, false);
}

API int cuMemcpyPeerAsync(uint64_t to, Context*, uint64_t from, Context*, size_t bytes, void* stream) {
    CURRENT_CONTEXT
    return enqueue(*context, stream, {__func__, to, from, bytes, true, true}, false);
}

API int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    CURRENT_CONTEXT
    return enqueue(*context, stream,
                   {__func__, to, from, bytes, bool(allocation_of(to, bytes)), bool(allocation_of(from, bytes))},
                   false);
}

API int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    CURRENT_CONTEXT
    return enqueue(*context, nullptr, {__func__, to, uint64_t(from), bytes, true, false}, true);
}

API int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    CURRENT_CONTEXT
    return enqueue(*context, nullptr, {__func__, uint64_t(to), from, bytes, false, true}, true);
}

API int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
    CURRENT_CONTEXT
    return enqueue(*context, nullptr, {__func__, to, from, bytes, true, true}, false);
}

API int cuMemsetD8Async(uint64_t to, uint8_t value, size_t count, void* stream) {
    CURRENT_CONTEXT
    return fill(*context, stream, __func__, to, count, writer(to, value, count), false);
}

API int cuMemsetD16Async(uint64_t to, uint16_t value, size_t count, void* stream) {
    CURRENT_CONTEXT
    return fill(*context, stream, __func__, to, 2 * count, writer(to, value, count), false);
}

API int cuMemsetD32Async(uint64_t to, uint32_t value, size_t count, void* stream) {
    CURRENT_CONTEXT
    return fill(*context, stream, __func__, to, 4 * count, writer(to, value, count), false);
}

API int cuMemsetD8_v2(uint64_t to, uint8_t value, size_t count) {
    CURRENT_CONTEXT
    return fill(*context, nullptr, __func__, to, count, writer(to, value, count), true);
}

API int cuMemsetD32_v2(uint64_t to, uint32_t value, size_t count) {
    CURRENT_CONTEXT
    return fill(*context, nullptr, __func__, to, 4 * count, writer(to, value, count), true);
}
