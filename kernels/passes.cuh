// The three passes of a convolution (conv.cu), for tiles of any shape; and macros that make kernels of them.

#include "sides.cuh"

// A share of `all` things: where it begins and how many it has.
struct Share {
    int first, count;

    __device__ Share(int all, int parts, int part) {
        const int most = ceil_div(all, parts);
        first = min(part * most, all);
        count = min(most, all - first);
    }
};

// Forward and, BACK, the data gradient. With several parts there must be no bias and no ReLU.
template <class T, Way WAY, int WIDTH>
__device__ void maps(float *out, const float *from, const float *w, const float *bias, const Conv &s) {
    constexpr bool BACK = WAY != FORWARD;
    const int group = blockIdx.z / s.parts, part = blockIdx.z % s.parts;
    const Map &to = BACK ? s.x : s.y;
    const int first_place = blockIdx.x * T::rows, first_column = blockIdx.y * T::columns;
    const Share share(ceil_div(s.window * s.window * (BACK ? s.y.depth : s.x.depth), DEPTH), s.parts, part);

    T tile;
    Places<T, WAY, WIDTH> left(s, group, first_place, share.first * DEPTH);
    if constexpr (BACK) {
        Inputs<T, WIDTH> right(s, group, first_column, left.walk);
        product(tile, left, from, right, w, share.count);
    } else {
        Outputs<T, WIDTH> right(s, group, first_column, left.walk);
        product(tile, left, from, right, w, share.count);
    }

    // The last group writes the zeros of the added lanes too.
    const int places = s.images * to.height * to.width, first_channel = group * to.channels;
    const int lanes = group == s.groups - 1 ? to.lanes - first_channel : to.channels;
    out += (long long)part * places * to.lanes + first_channel;
#pragma unroll
    for (int chunk = 0; chunk < T::width / LANES; ++chunk) {
        const int column = first_column + tile.column_of(chunk);
        float b[LANES];
#pragma unroll
        for (int e = 0; e < LANES; ++e)
            b[e] = bias && column + e < to.channels ? bias[first_channel + column + e] : 0;
#pragma unroll
        for (int i = 0; i < T::height; ++i) {
            const int place = first_place + tile.row_of(i);
            float v[LANES];
#pragma unroll
            for (int e = 0; e < LANES; ++e) {
                v[e] = tile.sum[i][chunk * LANES + e] + b[e];
                if (column + e >= to.channels || (s.relu && v[e] < 0)) // NaN stays
                    v[e] = 0;
            }
            if (place < places)
                store<WIDTH>(out + (long long)place * to.lanes + column, v, lanes - column);
        }
    }
}

// The weight gradient: [parts][O][K][K][L], each part of its share of the images.
template <class T, int WIDTH> __device__ void weights(float *dw, const float *x, const float *dy, const Conv &s) {
    const int group = blockIdx.z / s.parts, part = blockIdx.z % s.parts;
    const int first_row = blockIdx.y * T::rows, first_column = blockIdx.x * T::columns;
    const Share share(s.images, s.parts, part);

    T tile;
    Gradients<T, WIDTH> left(s, group, first_row, share.first, share.count);
    Patches<T, WIDTH> right(s, group, first_column, share.first, left.left);
    product(tile, left, dy, right, x, ceil_div(left.left, DEPTH));

    const int taps = s.window * s.window, inputs = s.x.channels, outputs = s.y.channels;
    dw += ((long long)part * s.groups + group) * outputs * taps * inputs;
#pragma unroll
    for (int chunk = 0; chunk < T::width / LANES; ++chunk) {
        const int column = first_column + tile.column_of(chunk), tap = column / s.x.depth, c = column % s.x.depth;
#pragma unroll
        for (int i = 0; i < T::height; ++i) {
            const int o = first_row + tile.row_of(i);
            if (o < outputs && tap < taps)
                store<WIDTH>(dw + (o * taps + tap) * inputs + c, &tile.sum[i][chunk * LANES], inputs - c);
        }
    }
}

// The second of the launch bounds, blocks of a multiprocessor, lets a thread have as many registers as its sums need and no more.
#define MAPS(NAME, TILE, BLOCKS, WAY, WIDTH)                                                                                      \
    extern "C" __global__ void __launch_bounds__(TILE::threads, BLOCKS)                                                             \
        NAME(float *out, const float *from, const float *w, const float *bias, const Conv shape) {                                  \
        maps<TILE, WAY, WIDTH>(out, from, w, bias, shape);                                                                        \
    }
#define WEIGHTS(NAME, TILE, BLOCKS, WIDTH)                                                                                         \
    extern "C" __global__ void __launch_bounds__(TILE::threads, BLOCKS)                                                             \
        NAME(float *dw, const float *x, const float *dy, const Conv shape) {                                                        \
        weights<TILE, WIDTH>(dw, x, dy, shape);                                                                                    \
    }
