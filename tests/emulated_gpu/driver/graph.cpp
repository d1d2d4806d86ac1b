#include "graph.h"
#include "call_log.h"
#include "errors.h"
#include <algorithm>
#include <set>

namespace gpu {

int Graph::run(uint64_t seed) const {
    std::mt19937_64 random(seed);
    std::vector<bool> done(nodes.size());
    for (size_t count = 0; count < nodes.size(); ++count) {
        std::vector<size_t> ready;
        for (size_t i = 0; i < nodes.size(); ++i)
            if (!done[i] && std::ranges::all_of(nodes[i].after, [&](size_t before) { return done[before]; }))
                ready.push_back(i);
        size_t next = ready.front();
        // As late as is allowed what was recorded early: a dependency that is missing shows.
        if (settings().schedule == Schedule::Lazy) next = ready.back();
        if (settings().schedule == Schedule::Random) next = ready[random() % ready.size()];
        const Operation& operation = nodes[next].operation;
        log_line("run %s node=%zu", operation.what.c_str(), next);
        if (operation.run)
            if (int error = operation.run()) return error;
        done[next] = true;
    }
    return SUCCESS;
}

void Capture::add(Stream& stream, Operation operation) {
    graph.nodes.push_back({std::move(operation), tails_[&stream]});
    tails_[&stream] = {graph.nodes.size() - 1};
}

void Capture::join(Stream& stream, const std::vector<size_t>& tail) {
    auto& own = tails_[&stream];
    std::set<size_t> both(own.begin(), own.end());
    both.insert(tail.begin(), tail.end());
    own.assign(both.begin(), both.end());
}

bool Capture::is_joined() const {
    // Every node must lie before the last ones of the stream that the capture began in.
    std::vector<size_t> open = tails_.contains(origin_) ? tails_.at(origin_) : std::vector<size_t>();
    std::set<size_t> reached(open.begin(), open.end());
    while (!open.empty()) {
        const size_t node = open.back();
        open.pop_back();
        for (size_t before : graph.nodes[node].after)
            if (reached.insert(before).second) open.push_back(before);
    }
    return reached.size() == graph.nodes.size();
}

std::vector<Stream*> Capture::streams() const {
    std::vector<Stream*> found = {origin_};
    for (auto& [stream, tail] : tails_)
        if (stream != origin_) found.push_back(stream);
    return found;
}

int submit(Lock& lock, Stream& stream, Operation operation) {
    if (stream.capture) stream.capture->add(stream, std::move(operation));
    else Scheduler::get().enqueue(lock, stream, std::move(operation));
    return SUCCESS;
}

}  // namespace gpu
