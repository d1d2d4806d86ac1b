// Graphs: the operations of streams, recorded once and launched often.
//
// While a stream is captured, its operations become nodes. A node depends on the one before it in its stream, and on
// those that an event has handed over from another stream. A launch is one operation of a stream, which executes the
// nodes in an order that their dependencies allow: the schedule chooses which.
#pragma once
#include "scheduler.h"
#include <map>

namespace gpu {

struct Node {
    Operation operation;
    std::vector<size_t> after;      // the numbers of the nodes that it depends on
};

struct Graph {
    std::vector<Node> nodes;
    // Executes all nodes. Returns the first error.
    int run(uint64_t seed) const;
};

// A capture that goes on. Streams that have waited for an event of it take part.
class Capture {
public:
    explicit Capture(Stream& origin) : origin_(&origin) {}

    void add(Stream&, Operation);
    // The last nodes of a stream, which an event stands for.
    std::vector<size_t> tail_of(Stream& stream) { return tails_[&stream]; }
    void join(Stream&, const std::vector<size_t>& tail);
    bool began_in(Stream& stream) const { return &stream == origin_; }
    // Whether all streams that take part have come back to where the capture began.
    bool is_joined() const;
    std::vector<Stream*> streams() const;

    Graph graph;
    bool invalid = false;

private:
    Stream* origin_;
    std::map<Stream*, std::vector<size_t>> tails_;
};

// Puts an operation into a stream, or into the graph that the stream is captured to. Returns a CUDA error.
int submit(Lock&, Stream&, Operation);

}  // namespace gpu
