// Max pooling, overlapping where the stride is less than the window:
//
//   y[n][q][r][c] = max over i, j < z of x[n][q·s + i][r·s + j][c],   inside the map
//   dx at the first maximum (in row-major order) of each window receives its dy
//
// Layout   x, dx: [N][H][W][chunks][LANES]; y, dy: [N][H'][W'][chunks][LANES]; the argmax of each window, i·z + j, as a byte in the
//          places of y. Added lanes are zero: the maximum of zeros is zero, and so is its gradient. z ≤ 16, and windows begin
//          inside the map.
// Launch   block 256, no shared memory, a thread per chunk. forward: grid (⌈W' · chunks / 256⌉, H', N);
//          backward: grid (⌈W · chunks / 256⌉, H, N).
//          pool_forward_3_2, pool_backward_3_2: the same for z = 3, s = 2; size and stride do not count then.
// Cost     forward 4 bytes an element of x and 5 of y; backward 5 of y and 4 of dx. z² comparisons an output forward, ⌈z/s⌉² an
//          input backward.
// Limit    Memory. Elements in several windows are read again from the first- or second-level cache: 2.25 times for z = 3, s = 2.
// Why so   Backward is a gather: each input adds up, row by row, the gradients of the windows that cover it and have their maximum
//          there. So each dx is written once, without zeroing and without atomics, and the sums run in the CPU's order: its bits.
//          Windows over the edge read the last row or column again, which changes neither the maximum nor its first place.
//          With constants for z and s the loops are unrolled, and loads do not wait for comparisons.

#include "chunk.cuh"

struct alignas(LANES) Places {
    unsigned char lane[LANES];
};

struct Pooling {
    int height, width;               // H, W
    int output_height, output_width; // H', W'
    int chunks;
    int size, stride; // z, s
};

template <int SIZE, int STRIDE> __device__ void forward(Chunk *y, Places *argmax, const Chunk *x, const Pooling &g) {
    const int size = SIZE ? SIZE : g.size, stride = STRIDE ? STRIDE : g.stride;
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= g.output_width * g.chunks) return;
    const int r = i / g.chunks, chunk = i - r * g.chunks, q = blockIdx.y;
    x += static_cast<long long>(blockIdx.z) * g.height * g.width * g.chunks + chunk;

    Chunk best = x[(q * stride * g.width + r * stride) * g.chunks];
    Places places = {};
#pragma unroll
    for (int i = 0; i < size; i++) {
        const int row = min(q * stride + i, g.height - 1) * g.width;
#pragma unroll
        for (int j = 0; j < size; j++) {
            const Chunk value = x[(row + min(r * stride + j, g.width - 1)) * g.chunks];
            for (int k = 0; k < LANES; k++) {
                // NaN is larger than every number.
                const bool larger = !(value.lane[k] <= best.lane[k]) && best.lane[k] == best.lane[k];
                if (larger) best.lane[k] = value.lane[k];
                if (larger) places.lane[k] = i * size + j;
            }
        }
    }
    const long long output = static_cast<long long>(blockIdx.z * g.output_height + q) * g.output_width * g.chunks + i;
    y[output] = best;
    argmax[output] = places;
}

template <int SIZE, int STRIDE> __device__ void backward(Chunk *dx, const Chunk *dy, const Places *argmax, const Pooling &g) {
    const int size = SIZE ? SIZE : g.size, stride = STRIDE ? STRIDE : g.stride;
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= g.width * g.chunks) return;
    const int column = i / g.chunks, chunk = i - column * g.chunks, row = blockIdx.y;
    const long long image = static_cast<long long>(blockIdx.z) * g.output_height * g.output_width * g.chunks + chunk;
    dy += image;
    argmax += image;

    // At most this many windows cover an element along a side; the last one begins at or before it.
    const int covering = (size + stride - 1) / stride;
    Chunk sum = {};
#pragma unroll
    for (int back = covering - 1; back >= 0; back--) {
        const int q = row / stride - back;
#pragma unroll
        for (int left = covering - 1; left >= 0; left--) {
            const int r = column / stride - left;
            const int down = row - q * stride, right = column - r * stride;
            const bool covers = 0 <= q && q < g.output_height && 0 <= r && r < g.output_width && down < size && right < size;
            if (!covers) continue;
            const int window = (q * g.output_width + r) * g.chunks;
            const Places places = argmax[window];
            const Chunk gradient = dy[window];
            for (int k = 0; k < LANES; k++) sum.lane[k] += places.lane[k] == down * size + right ? gradient.lane[k] : 0.0f;
        }
    }
    dx[static_cast<long long>(blockIdx.z * g.height + row) * g.width * g.chunks + i] = sum;
}

extern "C" __global__ void __launch_bounds__(256) pool_forward(Chunk *y, Places *argmax, const Chunk *x, const Pooling g) {
    forward<0, 0>(y, argmax, x, g);
}

extern "C" __global__ void __launch_bounds__(256) pool_forward_3_2(Chunk *y, Places *argmax, const Chunk *x, const Pooling g) {
    forward<3, 2>(y, argmax, x, g);
}

extern "C" __global__ void __launch_bounds__(256) pool_backward(Chunk *dx, const Chunk *dy, const Places *argmax, const Pooling g) {
    backward<0, 0>(dx, dy, argmax, g);
}

extern "C" __global__ void __launch_bounds__(256) pool_backward_3_2(Chunk *dx, const Chunk *dy, const Places *argmax, const Pooling g) {
    backward<3, 2>(dx, dy, argmax, g);
}
