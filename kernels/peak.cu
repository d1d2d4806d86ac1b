// The most that a GPU can compute: multiply-adds that use nothing but registers.
//
//   a[i] ← a[i] · x + y, for 16 chains a thread, 8 times a round; out[block] = Σ over i of a[i], of the block's first thread
//
// Layout   out: a float for each block.
// Launch   any grid, block 256, no shared memory.
// Cost     256 operations a thread and round: 128 multiply-adds.
// Limit    The rate at which multiply-adds are issued. That is what it measures: `pipeline bench compute` gives the other kernels'
//          rates as shares of it.
// Why so   A multiply-add takes four cycles, and a group of 32 threads issues one a cycle: 16 independent chains wait for nothing. The
//          sum is stored, so that the compiler cannot leave anything out.

extern "C" __global__ void __launch_bounds__(256) peak_multiply_adds(float *out, int rounds, float x, float y) {
    float a[16];
#pragma unroll
    for (int i = 0; i < 16; i++) a[i] = static_cast<float>(threadIdx.x + i);
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int again = 0; again < 8; again++)
#pragma unroll
            for (int i = 0; i < 16; i++) a[i] = fmaf(a[i], x, y);
    }
    float sum = 0.0f;
    for (int i = 0; i < 16; i++) sum += a[i];
    // Each thread's sum is needed: none of them is NaN.
    if (threadIdx.x == 0 || sum != sum) out[blockIdx.x] = sum;
}
