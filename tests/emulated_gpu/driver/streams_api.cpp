// Functions of streams.
#include "api.h"
#include "graph.h"
#include <algorithm>

using namespace gpu;

API int cuStreamCreateWithPriority(Stream** handle, unsigned flags, int priority) {
    CURRENT_CONTEXT
    enum { NON_BLOCKING = 1 };
    auto lock = Scheduler::get().lock();
    const auto stream = Scheduler::get().open(*context, !(flags & NON_BLOCKING));
    context->streams.push_back(stream);
    *handle = stream.get();
    LOG_CALL("gpu=%d stream=%d flags=%u priority=%d", context->device, stream->id, flags, priority);
    return SUCCESS;
}

API int cuStreamCreate(Stream** handle, unsigned flags) { return cuStreamCreateWithPriority(handle, flags, 0); }

// A call that waits or asks is forbidden while a stream is captured, and makes the capture useless.
static bool spoils_capture(Stream& stream) {
    if (stream.capture) stream.capture->invalid = true;
    return stream.capture != nullptr;
}

API int cuStreamDestroy_v2(void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream || stream == context->default_stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    Scheduler::get().close(stream);
    if (stream->idle()) std::erase(context->streams, stream);
    return SUCCESS;
}

API int cuStreamSynchronize(void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    if (spoils_capture(*stream)) return STREAM_CAPTURE_UNSUPPORTED;
    Scheduler::get().wait(lock, *stream);
    return context->error;
}

API int cuStreamQuery(void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    if (spoils_capture(*stream)) return STREAM_CAPTURE_UNSUPPORTED;
    const auto last = Scheduler::get().last_of(*stream);
    Scheduler::get().approach(lock, last);
    return last->done ? context->error : NOT_READY;
}

API int cuStreamGetPriority(void*, int* priority) {
    *priority = 0;
    return SUCCESS;
}

API int cuLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    return submit(lock, *stream, {"host function", [=] {
                                      function(argument);
                                      return 0;
                                  }});
}
