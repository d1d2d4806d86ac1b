// Hyperbolic tangent: y = tanh(x), dx = dy · (1 − y²). In place.
//
//   |x| ≤ 5/8:  x + x·s·q(s), s = x²
//   beyond:     1 − 2 / (e^(2|x|) + 1), with the sign of x;   e^u = 2ⁿ·p(u − n·ln 2), n = ⌊u / ln 2⌋
//
// Layout   x, y, dy: any array of whole chunks of 16 bytes. Added lanes are zero, and tanh(0) = 0.
// Launch   grid ⌈chunks / 256⌉, block 256, no shared memory: one chunk a thread.
// Cost     8 bytes an element forward, 12 backward; about 45 operations an element forward, 3 backward.
// Limit    Memory: at 3 TB/s, an H100 has time for about 70 operations an element.
// Why so   The polynomials, their order and their roundings are the CPU's (src/ops/tanh/cpu.rs), so that the bits are those of a
//          processor with fused multiply-add. tanhf() would be no faster where memory is the limit.

#include "chunk.cuh"

// e^u for u from 0 to 20; NaN if u is.
__device__ float exponential(float u) {
    const float n = floorf(__fmul_rn(u, 1.44269504f));
    float r = __fmaf_rn(n, -0.69311523f, u);
    r = __fmaf_rn(n, -3.1946183e-5f, r);
    float sum = 0.0018770873f;
    sum = __fmaf_rn(sum, r, 0.00793247f);
    sum = __fmaf_rn(sum, r, 0.041814245f);
    sum = __fmaf_rn(sum, r, 0.16664238f);
    sum = __fmaf_rn(sum, r, 0.50000143f);
    sum = __fmaf_rn(sum, r, 1.0f);
    sum = __fmaf_rn(sum, r, 1.0f);
    return __fmul_rn(sum, __int_as_float((static_cast<int>(n) + 127) << 23));
}

__device__ float hyperbolic_tangent(float x) {
    const float magnitude = fabsf(x);
    // tanh(9.02) is 1 in 24 bits. NaN passes the comparison.
    const float size = 10.0f < magnitude ? 10.0f : magnitude;
    const float square = __fmul_rn(size, size);
    float sum = 0.0022927448f;
    sum = __fmaf_rn(sum, square, -0.008343945f);
    sum = __fmaf_rn(sum, square, 0.021768918f);
    sum = __fmaf_rn(sum, square, -0.05395926f);
    sum = __fmaf_rn(sum, square, 0.13333304f);
    sum = __fmaf_rn(sum, square, -0.33333334f);
    const float near = __fmaf_rn(__fmul_rn(size, square), sum, size);
    const float past = __fdiv_rn(2.0f, __fadd_rn(exponential(__fadd_rn(size, size)), 1.0f));
    const float y = size <= 0.625f ? near : __fsub_rn(1.0f, past);
    return copysignf(y, x);
}

// x = tanh(x).
extern "C" __global__ void __launch_bounds__(256) tanh_forward(Chunk *x, unsigned chunks) {
    const unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i >= chunks) return;
    Chunk value = x[i];
    for (float &lane : value.lane) lane = hyperbolic_tangent(lane);
    x[i] = value;
}

// dx from dy, in place, given y.
extern "C" __global__ void __launch_bounds__(256) tanh_backward(Chunk *dy, const Chunk *y, unsigned chunks) {
    const unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i >= chunks) return;
    const Chunk output = y[i];
    Chunk gradient = dy[i];
    for (int k = 0; k < LANES; k++) {
        const float slope = __fsub_rn(1.0f, __fmul_rn(output.lane[k], output.lane[k]));
        gradient.lane[k] = __fmul_rn(gradient.lane[k], slope);
    }
    dy[i] = gradient;
}
