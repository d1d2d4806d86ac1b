// Functions that capture streams and launch graphs.
#include "api.h"
#include "graph.h"

using namespace gpu;

API int cuStreamBeginCapture_v2(void* handle, int mode) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d mode=%d", context->device, stream->id, mode);
    if (stream == context->default_stream) return STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture) return INVALID_VALUE;
    stream->capture = std::make_shared<Capture>(*stream);
    return SUCCESS;
}

API int cuStreamEndCapture(void* handle, Graph** graph) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    *graph = nullptr;
    if (!stream || !stream->capture) return INVALID_VALUE;
    LOG_CALL("gpu=%d stream=%d", context->device, stream->id);
    const auto capture = stream->capture;
    if (!capture->began_in(*stream)) return STREAM_CAPTURE_UNMATCHED;
    for (Stream* taking_part : capture->streams()) taking_part->capture.reset();
    if (capture->invalid) return STREAM_CAPTURE_INVALIDATED;
    if (!capture->is_joined()) return STREAM_CAPTURE_UNJOINED;
    *graph = new Graph(capture->graph);
    return SUCCESS;
}

API int cuStreamIsCapturing(void* handle, int* status) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    *status = !stream->capture ? 0 : stream->capture->invalid ? 2 : 1;
    return SUCCESS;
}

API int cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    if (nodes)
        for (size_t i = 0; i < *count && i < graph->nodes.size(); ++i) nodes[i] = &graph->nodes[i];
    *count = graph->nodes.size();
    return SUCCESS;
}

// An executable graph is a copy.
API int cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) {
    LOG_CALL("nodes=%zu", graph->nodes.size());
    *executable = new Graph(*graph);
    return SUCCESS;
}

API int cuGraphInstantiate_v2(Graph** executable, Graph* graph, void**, char*, size_t) {
    return cuGraphInstantiateWithFlags(executable, graph, 0);
}

API int cuGraphUpload(Graph*, void*) { return SUCCESS; }

API int cuGraphLaunch(Graph* executable, void* handle) {
    CURRENT_CONTEXT
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("gpu=%d stream=%d nodes=%zu", context->device, stream->id, executable->nodes.size());
    static uint64_t launches;
    const uint64_t seed = settings().seed + ++launches;
    // A copy: the executable graph may be destroyed while it runs.
    return submit(lock, *stream, {"graph", [graph = *executable, seed] { return graph.run(seed); }});
}

API int cuGraphDestroy(Graph* graph) {
    delete graph;
    return SUCCESS;
}

API int cuGraphExecDestroy(Graph* executable) {
    LOG_CALL("");
    delete executable;
    return SUCCESS;
}
