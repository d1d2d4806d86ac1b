// Rectified linear units: y = max(0, x), dx = dy where y > 0, else 0. In place. NaN is passed on.
//
// Layout   x, y, dy: any array of whole chunks of 16 bytes. Added lanes are zero, and zero stays zero.
// Launch   grid ⌈chunks / 256⌉, block 256, no shared memory: one chunk a thread.
// Cost     8 bytes an element forward, 12 backward; one comparison.
// Limit    Memory. A multiprocessor of an H100 needs about 18 kB of loads in flight; 2048 threads with one chunk each have 32.
// Why so   Same result as the CPU's, bit for bit: a select, no maximum, which would drop a NaN.

#include "chunk.cuh"

// x = max(0, x).
extern "C" __global__ void __launch_bounds__(256) relu_forward(Chunk *x, unsigned chunks) {
    const unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i >= chunks) return;
    Chunk value = x[i];
    for (float &lane : value.lane) lane = lane < 0.0f ? 0.0f : lane;
    x[i] = value;
}

// dx from dy, in place, given y.
extern "C" __global__ void __launch_bounds__(256) relu_backward(Chunk *dy, const Chunk *y, unsigned chunks) {
    const unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i >= chunks) return;
    const Chunk output = y[i];
    Chunk gradient = dy[i];
    for (int k = 0; k < LANES; k++) gradient.lane[k] = output.lane[k] > 0.0f ? gradient.lane[k] : 0.0f;
    dy[i] = gradient;
}
