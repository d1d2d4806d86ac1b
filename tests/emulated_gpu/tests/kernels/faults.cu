// Kernels with mistakes, which the emulator must find.
#define KERNEL extern "C" __global__ void

KERNEL fill(float* y, float value, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = value;
}
KERNEL add_into(float* y, const float* x, float scale, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = fmaf(scale, x[i], y[i]);
}
// No barrier between the writes and the reads of other warps.
KERNEL missing_barrier(float* y) {
    __shared__ float held[256];
    held[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = held[255 - threadIdx.x];
}
// No __syncwarp between the writes and the reads of other lanes.
KERNEL missing_syncwarp(float* y) {
    __shared__ float held[32];
    held[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = held[31 - threadIdx.x];
}
KERNEL with_syncwarp(float* y) {
    __shared__ float held[32];
    held[threadIdx.x] = threadIdx.x;
    __syncwarp();
    y[threadIdx.x] = held[31 - threadIdx.x];
}
// A barrier that some lanes of a warp do not come to.
KERNEL divergent_barrier(float* y) {
    if (threadIdx.x < 100) {
        __syncthreads();
        y[threadIdx.x] = 1.f;
    } else {
        __syncwarp(0x80000000u >> (threadIdx.x & 0));
        y[threadIdx.x] = 2.f;
    }
}
// Two barriers, and each warp comes to one of them.
KERNEL two_barriers(float* y) {
    if (threadIdx.x < 32) {
        asm volatile("bar.sync 0;");
        y[threadIdx.x] = 1.f;
    } else {
        asm volatile("bar.sync 0;");
        y[threadIdx.x] = 2.f;
    }
}
KERNEL out_of_shared(float* y, int at) {
    extern __shared__ float held[];
    held[at + threadIdx.x] = 1.f;
    __syncthreads();
    y[threadIdx.x] = held[threadIdx.x];
}
KERNEL misaligned(float* y) { *(float2*)(y + 1) = make_float2(1.f, 2.f); }
KERNEL trap(float* y) {
    if (threadIdx.x == 5) asm volatile("trap;");
    y[threadIdx.x] = 1.f;
}
// Reads what nobody has written.
KERNEL unwritten_shared(float* y) {
    __shared__ float held[64];
    if (threadIdx.x > 40) held[threadIdx.x] = 1.f;
    __syncthreads();
    y[threadIdx.x] = held[threadIdx.x];
}
// Banks: a row of a matrix a lane, with and without a column to spare. Sectors: every eighth float.
KERNEL columns(float* y) {
    __shared__ float held[32 * 32];
    held[threadIdx.x * 32] = threadIdx.x;
    __syncthreads();
    y[threadIdx.x] = held[threadIdx.x * 32];
}
KERNEL padded_columns(float* y) {
    __shared__ float held[32 * 33];
    held[threadIdx.x * 33] = threadIdx.x;
    __syncthreads();
    y[threadIdx.x] = held[threadIdx.x * 33];
}
KERNEL strided(float* y) { y[threadIdx.x * 8] = threadIdx.x; }
