// Contexts: what a program has on one device.
#pragma once
#include "scheduler.h"
#include <map>
#include <set>

namespace gpu {

struct Context {
    explicit Context(int device);

    // The one that this thread has made current; null if there is none.
    static Context* current();
    // A device's primary context, which all libraries of a process share.
    static Context& primary(int device);

    // Of a handle: null and 1 name the default stream, 2 the default stream of the thread, which has no order with the
    // others. Null if the handle is of no open stream of this context.
    std::shared_ptr<Stream> stream_of(void* handle);

    const int device;
    // The first error of a kernel. From then on every call returns it, as on a GPU.
    int error = 0;
    unsigned flags = 0;
    int users = 0;
    std::shared_ptr<Stream> default_stream, thread_stream;
    std::vector<std::shared_ptr<Stream>> streams;
    std::set<int> peers;
    std::map<int, size_t> limits;
};

bool initialized();
int device_count();
// Waits for everything in the streams of a context.
void finish(Lock&, Context&);

}  // namespace gpu
