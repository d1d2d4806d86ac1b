// Events: points in streams, which streams and the program wait for.
#include "faults.h"
#include "api.h"
#include "graph.h"

namespace gpu {

struct Event {
    Context& context;
    unsigned flags;
    // Where it was recorded last. Whoever waits for it shares this: to record it again does not move what they wait
    // for.
    std::shared_ptr<Completion> recorded = {};
    // The same while its stream is captured: the nodes that it stands for.
    std::weak_ptr<Capture> capture = {};
    std::vector<size_t> nodes = {};
};

namespace {

enum { DISABLE_TIMING = 2 };

int milliseconds(float* result, const Event& start, const Event& end) {
    auto lock = Scheduler::get().lock();
    if ((start.flags | end.flags) & DISABLE_TIMING || !start.recorded || !end.recorded) return INVALID_HANDLE;
    if (!start.recorded->done || !end.recorded->done) return NOT_READY;
    *result = std::chrono::duration<float, std::milli>(end.recorded->at - start.recorded->at).count();
    return SUCCESS;
}

}  // namespace
}  // namespace gpu

using namespace gpu;

API int cuEventCreate(Event** event, unsigned flags) {
    CURRENT_CONTEXT
    LOG_CALL("gpu=%d flags=%u", context->device, flags);
    *event = new Event{*context, flags};
    return SUCCESS;
}

API int cuEventDestroy_v2(Event* event) {
    auto lock = Scheduler::get().lock();
    delete event;
    return SUCCESS;
}

API int cuEventRecord(Event* event, void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream || &event->context != context) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    event->capture = stream->capture;
    if (stream->capture) {
        event->nodes = stream->capture->tail_of(*stream);
        return SUCCESS;
    }
    // An operation of its own, so that its time is that of this place in the stream.
    event->recorded = std::make_shared<Completion>();
    Scheduler::get().enqueue(lock, *stream, {"event", {}, {}, event->recorded});
    return SUCCESS;
}

API int cuEventRecordWithFlags(Event* event, void* handle, unsigned) { return cuEventRecord(event, handle); }

API int cuStreamWaitEvent(void* handle, Event* event, unsigned) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    if (const auto capture = event->capture.lock()) {
        if (stream->capture && stream->capture != capture) return STREAM_CAPTURE_ISOLATION;
        stream->capture = capture;
        capture->join(*stream, event->nodes);
        return SUCCESS;
    }
    if (stream->capture) {
        stream->capture->invalid = true;
        return STREAM_CAPTURE_ISOLATION;
    }
    if (event->recorded && !stream_does_not_wait())
        Scheduler::get().enqueue(lock, *stream, {"wait for an event", {}, event->recorded});
    return SUCCESS;
}

API int cuEventQuery(Event* event) {
    LOG_CALL("gpu=%d", event->context.device);
    auto lock = Scheduler::get().lock();
    if (event->capture.lock()) return CAPTURED_EVENT;
    if (event->recorded) Scheduler::get().approach(lock, event->recorded);
    return !event->recorded || event->recorded->done ? event->context.error : NOT_READY;
}

API int cuEventSynchronize(Event* event) {
    LOG_CALL("gpu=%d", event->context.device);
    auto lock = Scheduler::get().lock();
    if (event->capture.lock()) return CAPTURED_EVENT;
    if (program_does_not_wait()) return SUCCESS;
    // Held here: it may be recorded again meanwhile.
    if (const auto recorded = event->recorded) Scheduler::get().wait(lock, recorded);
    return event->context.error;
}

API int cuEventElapsedTime(float* result, Event* start, Event* end) { return milliseconds(result, *start, *end); }
API int cuEventElapsedTime_v2(float* result, Event* start, Event* end) { return milliseconds(result, *start, *end); }
