// Stochastic gradient descent with momentum and weight decay, all parameters in one launch:
//
//   v ← μ v − λ ε w − ε g
//   w ← w + v
//
// Layout   w, v, g: all parameters one after the other, each from a multiple of LANES on and padded with zeros, which stay zero. A
//          record for each parameter, in device memory.
// Launch   grid: the sum over parameters of ⌈chunks / 1024⌉; block 256, no shared memory: 1024 chunks a block, four a thread.
//          Parameter::first_block is the running sum.
// Cost     20 bytes a parameter: w, v read and written, g read. 6 operations.
// Limit    Memory. AlexNet's 61 million parameters are 1.22 GB, 0.4 ms at 3 TB/s: a third of a fast step. To do better, the update
//          must be part of the kernel that makes g.
// Why so   No fused multiply-add, and the CPU's order, so that equal gradients give equal bits. Rate and records are read from
//          device memory: the learning rate changes at each step, the rest when a layer is frozen. A launch per parameter would
//          cost AlexNet 16 starts for 20 bytes of work each at the biases. A warp finds its record by one load for 32 of them.

#include "chunk.cuh"
#include "step.cuh"

constexpr int CHUNKS = 4; // of a thread

struct Parameter {
    unsigned long long first_chunk; // in w, v and g
    unsigned chunks;
    unsigned first_block;
    float factor;    // of the learning rate
    float decay;     // λ
    float momentum;  // μ
    unsigned frozen; // not 0: w and v stay as they are
};

// The last parameter that begins at or before this block.
__device__ int find(const Parameter *parameters, int count) {
    const int lane = threadIdx.x % 32;
    int begun = 0;
    for (int first = 0; first < count; first += 32) {
        const int i = first + lane;
        begun += __popc(__ballot_sync(~0u, i < count && parameters[i].first_block <= blockIdx.x));
    }
    return begun - 1;
}

extern "C" __global__ void __launch_bounds__(256)
    sgd_update(Chunk *w, Chunk *v, const Chunk *g, const Parameter *parameters, const Step *step, int count) {
    const Parameter p = parameters[find(parameters, count)];
    if (p.frozen) return;
    const float rate = __fmul_rn(step->rate, p.factor), decay = __fmul_rn(p.decay, rate);
    const unsigned first = (blockIdx.x - p.first_block) * (256 * CHUNKS) + threadIdx.x;
#pragma unroll
    for (int i = 0; i < CHUNKS; i++) {
        const unsigned at = first + 256 * i;
        if (at >= p.chunks) return;
        const unsigned long long chunk = p.first_chunk + at;
        Chunk weights = w[chunk], momentum = v[chunk];
        const Chunk gradient = g[chunk];
        for (int k = 0; k < LANES; k++) {
            const float kept = __fmul_rn(p.momentum, momentum.lane[k]);
            const float decayed = __fsub_rn(kept, __fmul_rn(decay, weights.lane[k]));
            momentum.lane[k] = __fsub_rn(decayed, __fmul_rn(rate, gradient.lane[k]));
            weights.lane[k] = __fadd_rn(weights.lane[k], momentum.lane[k]);
        }
        v[chunk] = momentum;
        w[chunk] = weights;
    }
}
