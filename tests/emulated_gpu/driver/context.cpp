#include "context.h"
#include "api.h"
#include <algorithm>

namespace gpu {
namespace {

bool is_initialized = false;
thread_local Context* of_this_thread = nullptr;

}  // namespace

bool initialized() { return is_initialized; }
int device_count() { return settings().devices; }

Context::Context(int number) : device(number) {
    default_stream = Scheduler::get().open(*this, false);
    thread_stream = Scheduler::get().open(*this, true);
    streams = {default_stream, thread_stream};
}

Context* Context::current() { return of_this_thread; }

Context& Context::primary(int device) {
    static std::map<int, Context*>& all = *new std::map<int, Context*>;
    auto& found = all[device];
    if (!found) found = new Context(device);
    return *found;
}

std::shared_ptr<Stream> Context::stream_of(void* handle) {
    if (handle == nullptr || handle == (void*)1) return default_stream;
    if (handle == (void*)2) return thread_stream;
    for (auto& stream : streams)
        if (stream.get() == handle && !stream->closed) return stream;
    return nullptr;
}

void finish(Lock& lock, Context& context) {
    const auto streams = context.streams;
    for (auto& stream : streams) Scheduler::get().wait(lock, *stream);
}

}  // namespace gpu

using namespace gpu;

API int cuInit(unsigned) {
    LOG_CALL("");
    if (device_count() <= 0) return NO_DEVICE;
    is_initialized = true;
    return SUCCESS;
}

API int cuDevicePrimaryCtxRetain(Context** context, int device) {
    LOG_CALL("gpu=%d", device);
    if (!initialized()) return NOT_INITIALIZED;
    if (device < 0 || device >= device_count()) return INVALID_DEVICE;
    auto lock = Scheduler::get().lock();
    *context = &Context::primary(device);
    ++(*context)->users;
    return SUCCESS;
}

API int cuDevicePrimaryCtxRelease_v2(int device) {
    LOG_CALL("gpu=%d", device);
    auto lock = Scheduler::get().lock();
    Context& context = Context::primary(device);
    if (context.users == 0) return INVALID_CONTEXT;
    if (--context.users > 0) return SUCCESS;
    finish(lock, context);
    context.error = 0;
    return SUCCESS;
}

API int cuDevicePrimaryCtxReset_v2(int device) {
    LOG_CALL("gpu=%d", device);
    auto lock = Scheduler::get().lock();
    finish(lock, Context::primary(device));
    Context::primary(device).error = 0;
    return SUCCESS;
}

API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
    LOG_CALL("gpu=%d flags=%u", device, flags);
    auto lock = Scheduler::get().lock();
    Context::primary(device).flags = flags;
    return SUCCESS;
}

API int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
    LOG_CALL("gpu=%d", device);
    auto lock = Scheduler::get().lock();
    *flags = Context::primary(device).flags;
    *active = Context::primary(device).users > 0;
    return SUCCESS;
}

API int cuCtxCreate_v2(Context** context, unsigned flags, int device) {
    LOG_CALL("gpu=%d", device);
    if (device < 0 || device >= device_count()) return INVALID_DEVICE;
    auto lock = Scheduler::get().lock();
    *context = of_this_thread = new Context(device);
    (*context)->flags = flags;
    return SUCCESS;
}

API int cuCtxCreate_v4(Context** context, void*, unsigned flags, int device) {
    return cuCtxCreate_v2(context, flags, device);
}

API int cuCtxDestroy_v2(Context* context) {
    LOG_CALL("");
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    if (of_this_thread == context) of_this_thread = nullptr;
    return SUCCESS;
}

API int cuCtxGetCurrent(Context** context) {
    *context = of_this_thread;
    return SUCCESS;
}

API int cuCtxSetCurrent(Context* context) {
    of_this_thread = context;
    return SUCCESS;
}

API int cuCtxPushCurrent_v2(Context* context) { return cuCtxSetCurrent(context); }

API int cuCtxPopCurrent_v2(Context** context) {
    if (context) *context = of_this_thread;
    of_this_thread = nullptr;
    return SUCCESS;
}

API int cuCtxGetDevice(int* device) {
    CURRENT_CONTEXT
    *device = context->device;
    return SUCCESS;
}

API int cuCtxSetFlags(unsigned flags) {
    LOG_CALL("flags=%u", flags);
    CURRENT_CONTEXT
    context->flags = flags;
    return SUCCESS;
}

API int cuCtxGetFlags(unsigned* flags) {
    CURRENT_CONTEXT
    *flags = context->flags;
    return SUCCESS;
}

API int cuCtxGetLimit(size_t* value, int limit) {
    CURRENT_CONTEXT
    const auto found = context->limits.find(limit);
    *value = found == context->limits.end() ? 1024 : found->second;
    return SUCCESS;
}

API int cuCtxSetLimit(int limit, size_t value) {
    LOG_CALL("limit=%d value=%zu", limit, value);
    CURRENT_CONTEXT
    context->limits[limit] = value;
    return SUCCESS;
}

API int cuCtxGetCacheConfig(int* value) {
    *value = 0;
    return SUCCESS;
}

API int cuCtxSetCacheConfig(int) { return SUCCESS; }

API int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return SUCCESS;
}

API int cuCtxSynchronize() {
    LOG_CALL("");
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    finish(lock, *context);
    return context->error;
}

API int cuCtxEnablePeerAccess(Context* peer, unsigned) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d peer=%d", context->device, peer->device);
    if (!settings().peer_access) return PEER_ACCESS_UNSUPPORTED;
    auto lock = Scheduler::get().lock();
    return context->peers.insert(peer->device).second ? SUCCESS : PEER_ACCESS_ALREADY_ENABLED;
}

API int cuCtxDisablePeerAccess(Context* peer) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    return context->peers.erase(peer->device) ? SUCCESS : PEER_ACCESS_NOT_ENABLED;
}
