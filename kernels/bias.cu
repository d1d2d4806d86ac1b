// Bias gradients: db[o] = Σ over rows of dy[row][o], where a row is a place of a map or an image's vector.
//
// Layouts: dy [rows][lanes], where lanes are the channels rounded up to a chunk of 4, the added ones zero; db [lanes], likewise.
//
// Two ordered passes of this one kernel: first each strip of rows is added up, [strips][lanes], then the strips. With few rows one
// strip is enough, and one pass. Within a strip, 8 threads a chunk each add every eighth row, and the 8 sums are added in order. So
// `strip` decides the bits, and is chosen by shape alone; the same with one GPU or another.
//
// Launch: block (32, 8), grid (⌈lanes / 4 / 32⌉, ⌈rows / strip⌉). All of dy is read once, 149 MB for conv1 of 128 images: what
// limits it is the memory, about 50 µs on an H100. So reads are 16 bytes, four of them under way in a thread, and strips should be
// enough for some blocks on each of its 132 multiprocessors.

#include "chunk.cuh"

struct Bias {
    int rows, lanes;
    int strip; // rows of a block
};

constexpr int ACROSS = 32, DOWN = 8;

extern "C" __global__ void __launch_bounds__(ACROSS *DOWN) bias_sum(float *out, const float *dy, const Bias s) {
    __shared__ float4 sums[DOWN][ACROSS];
    const int across = threadIdx.x, down = threadIdx.y, lane = (blockIdx.x * ACROSS + across) * LANES;
    const int first = blockIdx.y * s.strip, end = min(first + s.strip, s.rows);

    float4 sum = {0, 0, 0, 0};
    if (lane < s.lanes) {
        const float *at = dy + (long long)(first + down) * s.lanes + lane;
#pragma unroll 4
        for (int row = first + down; row < end; row += DOWN, at += DOWN * s.lanes) {
            const float4 v = *(const float4 *)at;
            sum.x += v.x;
            sum.y += v.y;
            sum.z += v.z;
            sum.w += v.w;
        }
    }
    sums[down][across] = sum;
    __syncthreads();
    if (down == 0 && lane < s.lanes) {
        for (int i = 1; i < DOWN; ++i) {
            const float4 v = sums[i][across];
            sum.x += v.x;
            sum.y += v.y;
            sum.z += v.z;
            sum.w += v.w;
        }
        *(float4 *)(out + (long long)blockIdx.y * s.lanes + lane) = sum;
    }
}
