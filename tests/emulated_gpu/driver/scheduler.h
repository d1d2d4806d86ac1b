// Streams, and when their operations are executed.
//
// A stream is a queue. Its first operation may be executed once the completion has come that it waits for. Which of the
// streams that could go on does so, and when, is the schedule's choice.
#pragma once
#include "settings.h"
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>

namespace gpu {

struct Context;
struct Stream;
class Capture;
using Lock = std::unique_lock<std::mutex>;

// A point in a stream. An event that is recorded there, and whoever waits for it, share it.
struct Completion {
    Stream* stream = nullptr;
    uint64_t number = 0;  // of the operation after which it comes
    bool done = false;
    std::chrono::steady_clock::time_point at;
};

struct Operation {
    std::string what;  // for the log
    std::function<int()> run = {};  // returns a CUDA error; may be empty
    std::shared_ptr<Completion> after = {};  // waits for it
    std::shared_ptr<Completion> completes = {};  // is done then
    uint64_t number = 0;
};

struct Stream {
    Context& context;
    const int id;  // 0 for a context's default stream
    const bool blocking;  // ordered with the default stream
    std::deque<Operation> queue = {};
    uint64_t enqueued = 0, finished = 0;  // operations, ever
    uint64_t wanted = 0;  // the number up to which somebody waits: only these are executed lazily
    bool busy = false, closed = false;
    std::shared_ptr<Capture> capture = nullptr;

    bool idle() const { return finished == enqueued; }
    bool can_go_on() const;
};

class Scheduler {
public:
    // Never destroyed: threads of streams may outlive main.
    static Scheduler& get();

    Lock lock() { return Lock(mutex_); }
    std::shared_ptr<Stream> open(Context&, bool blocking);
    void close(const std::shared_ptr<Stream>&);

    // Puts an operation into a stream's queue. Returns what is done after it.
    std::shared_ptr<Completion> enqueue(Lock&, Stream&, Operation);
    // What is done after all that is in the queue now.
    std::shared_ptr<Completion> last_of(Stream&);

    void wait(Lock&, const std::shared_ptr<Completion>&);
    void wait(Lock& lock, Stream& stream) { wait(lock, last_of(stream)); }
    // Somebody asks whether this has come. Under a schedule that executes nothing by itself, a step towards it is made.
    void approach(Lock&, const std::shared_ptr<Completion>&);

private:
    friend struct Stream;
    void serve(std::shared_ptr<Stream>);
    void execute(Lock&, const std::shared_ptr<Stream>&);
    void want(Stream&, uint64_t number);
    void order_with_default_stream(Stream&);
    void report_hang();
    std::shared_ptr<Stream> choose(bool only_wanted);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Stream>> streams_;
    std::mt19937_64 random_{settings().seed};
    int next_id_ = 0;
};

}  // namespace gpu
