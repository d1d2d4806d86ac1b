#include "scheduler.h"
#include "call_log.h"
#include "context.h"
#include "errors.h"
#include <algorithm>
#include <cstdlib>
#include <thread>
#include <unistd.h>

namespace gpu {

bool Stream::can_go_on() const {
    return !busy && !queue.empty() && (!queue.front().after || queue.front().after->done);
}

Scheduler& Scheduler::get() {
    static Scheduler& only = *new Scheduler;
    return only;
}

std::shared_ptr<Stream> Scheduler::open(Context& context, bool blocking) {
    auto stream = std::make_shared<Stream>(Stream{context, context.default_stream ? ++next_id_ : 0, blocking});
    streams_.push_back(stream);
    if (settings().schedule == Schedule::Threads) std::thread(&Scheduler::serve, this, stream).detach();
    return stream;
}

// What is in its queue is still executed.
void Scheduler::close(const std::shared_ptr<Stream>& stream) {
    stream->closed = true;
    if (stream->idle()) std::erase(streams_, stream);
    changed_.notify_all();
}

std::shared_ptr<Completion> Scheduler::last_of(Stream& stream) {
    if (!stream.idle() && stream.queue.back().completes) return stream.queue.back().completes;
    auto completion = std::make_shared<Completion>(Completion{&stream, stream.enqueued, stream.idle(), {}});
    if (!stream.idle()) stream.queue.back().completes = completion;
    return completion;
}

// The default stream waits for all blocking streams of its context, and they for it.
void Scheduler::order_with_default_stream(Stream& stream) {
    auto wait_for = [&](Stream& other) {
        if (other.idle()) return;
        stream.queue.push_back({"wait for the default stream's order", {}, last_of(other), {}, ++stream.enqueued});
    };
    Stream& default_stream = *stream.context.default_stream;
    if (&stream == &default_stream) {
        for (auto& other : stream.context.streams)
            if (other->blocking && other.get() != &stream) wait_for(*other);
    } else if (stream.blocking) {
        wait_for(default_stream);
    }
}

std::shared_ptr<Completion> Scheduler::enqueue(Lock& lock, Stream& stream, Operation operation) {
    order_with_default_stream(stream);
    operation.number = ++stream.enqueued;
    if (operation.completes) {
        operation.completes->stream = &stream;
        operation.completes->number = operation.number;
    }
    stream.queue.push_back(std::move(operation));
    auto completion = last_of(stream);
    changed_.notify_all();
    if (settings().schedule == Schedule::Eager)
        while (auto next = choose(false)) execute(lock, next);
    if (settings().schedule == Schedule::Random && random_() % 4 == 0)
        for (uint64_t steps = 1 + random_() % 3; steps > 0; --steps)
            if (auto next = choose(false)) execute(lock, next);
    return completion;
}

void Scheduler::execute(Lock& lock, const std::shared_ptr<Stream>& stream) {
    stream->busy = true;
    // Copied: the queue may move while the lock is not held.
    const auto run = stream->queue.front().run;
    const auto what = stream->queue.front().what;
    Context& context = stream->context;
    const auto delay = settings().jitter_us ? random_() % settings().jitter_us : 0;
    if (run && !context.error) {
        log_line("run %s gpu=%d stream=%d", what.c_str(), context.device, stream->id);
        lock.unlock();
        if (delay) usleep(useconds_t(delay));
        const int error = run();
        lock.lock();
        if (error && !context.error) context.error = error;
    }
    Operation& done = stream->queue.front();
    stream->finished = done.number;
    if (done.completes) {
        done.completes->done = true;
        done.completes->at = std::chrono::steady_clock::now();
    }
    stream->queue.pop_front();
    stream->busy = false;
    if (stream->closed && stream->idle()) std::erase(streams_, stream);
    changed_.notify_all();
}

// The thread of one stream.
void Scheduler::serve(std::shared_ptr<Stream> stream) {
    Lock held = lock();
    for (;;) {
        changed_.wait(held, [&] { return stream->can_go_on() || (stream->closed && stream->idle()); });
        if (stream->idle()) return;
        execute(held, stream);
    }
}

// All up to an operation is wanted, and what that waits for in other streams.
void Scheduler::want(Stream& stream, uint64_t number) {
    if (number <= stream.wanted) return;
    stream.wanted = number;
    for (auto& operation : stream.queue) {
        if (operation.number > number) break;
        if (operation.after && !operation.after->done) want(*operation.after->stream, operation.after->number);
    }
}

std::shared_ptr<Stream> Scheduler::choose(bool only_wanted) {
    std::vector<std::shared_ptr<Stream>> able;
    for (auto& stream : streams_)
        if (stream->can_go_on() && (!only_wanted || stream->finished < stream->wanted)) able.push_back(stream);
    if (able.empty()) return nullptr;
    if (settings().schedule != Schedule::Random) return able.front();
    // Streams keep ranks that the seed gives them, with rare exceptions: one that is always late shows more than one
    // that is late now and then.
    if (random_() % 8 == 0) return able[random_() % able.size()];
    auto rank = [&](const auto& stream) { return std::mt19937_64(settings().seed * 1000003 + uint64_t(stream->id))(); };
    return *std::max_element(able.begin(), able.end(), [&](auto& a, auto& b) { return rank(a) < rank(b); });
}

void Scheduler::wait(Lock& lock, const std::shared_ptr<Completion>& completion) {
    const bool lazy = settings().schedule == Schedule::Lazy;
    auto progress = std::chrono::steady_clock::now();
    while (!completion->done) {
        if (settings().schedule != Schedule::Threads) {
            want(*completion->stream, completion->number);
            if (auto next = choose(lazy)) {
                execute(lock, next);
                progress = std::chrono::steady_clock::now();
                continue;
            }
        }
        changed_.wait_for(lock, std::chrono::milliseconds(20));
        const bool moves = std::ranges::any_of(streams_, [&](auto& stream) {
            return stream->busy || (stream->can_go_on() && (!lazy || stream->finished < stream->wanted));
        });
        if (moves) progress = std::chrono::steady_clock::now();
        if (std::chrono::steady_clock::now() - progress > std::chrono::seconds(settings().hang_seconds)) report_hang();
    }
}

void Scheduler::approach(Lock& lock, const std::shared_ptr<Completion>& completion) {
    if (completion->done || settings().schedule == Schedule::Threads) return;
    want(*completion->stream, completion->number);
    if (auto next = choose(settings().schedule == Schedule::Lazy)) execute(lock, next);
}

void Scheduler::report_hang() {
    complain("the program waits for what can never come. The streams with work:");
    for (auto& stream : streams_)
        if (!stream->idle())
            complain("  gpu=%d stream=%d: %zu operations, first: %s%s", stream->context.device, stream->id,
                     stream->queue.size(), stream->queue.front().what.c_str(), stream->can_go_on() ? "" : " (waits)");
    abort();
}

}  // namespace gpu
