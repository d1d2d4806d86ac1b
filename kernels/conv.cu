// Convolution with groups: forward, data gradient, weight gradient; and, as 1×1 convolution, the fully connected layer.
//
//   forward   y[n][q][r][o]  = act(b[o] + Σ over i, j, c of w[o][i][j][c] · x[n][q·s + i − p][r·s + j − p][c])
//   data     dx[n][u][v][c]  = Σ over i, j, o of w[o][i][j][c] · dy[n][(u + p − i) / s][(v + p − j) / s][o]
//   weights  dw[o][i][j][c]  = Σ over n, q, r of dy[n][q][r][o] · x[n][q·s + i − p][r·s + j − p][c]
//
// Places outside a map are zero, and so are fractions of a place. That is all there is to padding and partial windows.
//
// Layouts: maps [N][H][W][lanes], where lanes are the channels rounded up to a quad of 4, and the added ones are zero. Weights
// [O][K][K][L]; without groups L is x's lanes, with groups it is C/G. Inputs and outputs of a group must be whole quads; for other
// groups there are the `_scalar` kernels, which load single floats. Biases [lanes of y].
//
// A fully connected layer of N rows is a 1×1 convolution of one image of 1 × N places: all three sums are the same, and their loops
// have nothing in them that a matrix product would not have. So it has no kernels of its own.
//
// Each is a matrix product whose left side (forward, data) or right side (weights) is gathered while it is loaded, never stored:
//
//            rows                     columns              depth
//   forward  places of y              channels o           taps × quads of c
//   data     places of x              channels c           taps × quads of o
//   weights  channels o               taps × quads of c    places of y of some images
//
// A block makes one tile of the result (tile.cuh). What limits it on an H100 is the rate at which instructions are issued, of which 85
// to 90 of 100 are multiply-adds. Bytes do not limit it: a tile of 128 × 128 needs 8 bytes of the L2 cache a cycle.
//
// Each sum runs over the depth in one order, whatever the tile: bits do not depend on it. Where tiles are fewer than an H100's 132
// multiprocessors need, the depth is cut into `parts`, each a sum of its own in a workspace [parts][result], and conv_sum adds them
// in order. So `parts` does decide bits, and is chosen by shape alone.
//
// Launch: block (threads of the tile), grid (x, y, z):
//   forward, data   x = ⌈places / tile's rows⌉            y = ⌈channels of a group / tile's columns⌉   z = groups · parts
//   weights         x = ⌈K · K · quads of c · 4 / columns⌉  y = ⌈outputs of a group / rows⌉            z = groups · parts
// All are below 2³¹ elements in an image, and in the weights; a workspace may have more.

#include "tile.cuh"

// As Rust passes it. The channels of x are L, as weights have them.
struct Map {
    int height, width;
    int lanes;    // floats of a place
    int channels; // of a group
    int depth;    // channels of a group, rounded up: in x to 4, in y to 8
};
struct Conv {
    int images;
    Map x, y;
    int window, stride, padding; // K, s, p
    int groups;                  // G
    int parts;                   // into which the depth is cut
    int relu;                    // whether forward ends with max(0, ·)
};

enum Way { FORWARD, BACK, STRIDED_BACK };

// A place in the depth of forward and of the data gradient: a tap (i, j) and a quad of its channels.
struct Walk {
    int i, j, channel;

    __device__ Walk(int step, int channels, int window)
        : i(step / channels / window), j(step / channels % window), channel(step % channels) {}

    // On by DEPTH steps. Whether the tap is another one then.
    __device__ bool next(int channels, int window) {
        channel += DEPTH;
        const bool leaves = channel >= channels;
        for (; channel >= channels; channel -= channels)
            if (++j == window) {
                j = 0;
                ++i;
            }
        return leaves;
    }
};

// Left side of forward and, BACK, of the data gradient: rows are places of the result, quads are channels at the walk's tap.
template <class T, Way WAY, int WIDTH> struct Places : Side<T::rows, T::threads, true> {
    using Base = Side<T::rows, T::threads, true>;
    static constexpr bool BACK = WAY != FORWARD;
    const Conv &s;
    const Map &from, &to;
    Walk walk;                        // of all of a thread's quads, as they are an even number of quads apart
    unsigned image[Base::held];       // where it begins
    int y[Base::held], x[Base::held]; // where the tap (0, 0) falls; times the stride if BACK
    int at[Base::held];               // where the walk's tap is in the image, or -1 for a zero

    __device__ Places(const Conv &s, int group, int first_place, int first_step)
        : s(s), from(BACK ? s.y : s.x), to(BACK ? s.x : s.y),
          walk(first_step + Base::step(0), from.depth, s.window) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i) {
            const int plane = to.height * to.width, place = min(first_place + Base::line(i), s.images * plane - 1);
            const int row = place % plane / to.width, column = place % to.width;
            image[i] = (unsigned)(place / plane) * units<WIDTH>(from.height * from.width * from.lanes) + units<WIDTH>(group * from.channels);
            y[i] = BACK ? row + s.padding : row * s.stride - s.padding;
            x[i] = BACK ? column + s.padding : column * s.stride - s.padding;
        }
        find();
    }

    __device__ void find() {
#pragma unroll
        for (int i = 0; i < Base::held; ++i) {
            bool is_there = walk.i < s.window;
            int row = BACK ? y[i] - walk.i : y[i] + walk.i, column = BACK ? x[i] - walk.j : x[i] + walk.j;
            if (WAY == STRIDED_BACK) {
                is_there &= row % s.stride == 0 && column % s.stride == 0;
                row /= s.stride;
                column /= s.stride;
            }
            is_there &= (unsigned)row < (unsigned)from.height && (unsigned)column < (unsigned)from.width;
            at[i] = is_there ? (int)units<WIDTH>((row * from.width + column) * from.lanes) : -1;
        }
    }

    __device__ void fetch(const float *map) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            if (Base::has(i)) {
                const unsigned offset = image[i] + at[i] + units<WIDTH>(walk.channel);
                const int present = from.channels - walk.channel;
                Base::quad[i] = load<WIDTH>(map, offset, at[i] >= 0 && (!BACK || present > 0), present);
            }
    }

    __device__ void next() {
        if (walk.next(from.depth, s.window))
            find();
    }
};

// Right side of forward: columns are outputs, quads are inputs at the walk's tap.
template <class T, int WIDTH> struct Outputs : Side<T::columns, T::threads, true> {
    using Base = Side<T::columns, T::threads, true>;
    const Conv &s;
    const Walk &walk; // the left side's
    unsigned output[Base::held];

    __device__ Outputs(const Conv &s, int group, int first_column, const Walk &walk) : s(s), walk(walk) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i) {
            const int o = group * s.y.channels + inside<1>(first_column + Base::line(i), s.y.channels);
            output[i] = units<WIDTH>(o * s.window * s.window * s.x.channels);
        }
    }

    __device__ void fetch(const float *w) {
        const unsigned at = units<WIDTH>((walk.i * s.window + walk.j) * s.x.channels + walk.channel);
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            if (Base::has(i))
                Base::quad[i] = load<WIDTH>(w, output[i] + at, walk.i < s.window, s.x.channels - walk.channel);
    }

    __device__ void next() {}
};

// Right side of the data gradient: columns are inputs, quads lie along them. A step of the depth is an output at a tap; as outputs
// are rounded up to 8, that tap is the walk's for all steps between two barriers.
template <class T, int WIDTH> struct Inputs : Side<T::columns, T::threads, false> {
    using Base = Side<T::columns, T::threads, false>;
    const Conv &s;
    const Walk &walk; // the left side's
    const int group, first_column, taps;

    __device__ Inputs(const Conv &s, int group, int first_column, const Walk &walk)
        : s(s), walk(walk), group(group), first_column(first_column), taps(s.window * s.window) {}

    __device__ void fetch(const float *w) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            if (Base::has(i)) {
                const int o = (walk.channel & -DEPTH) + Base::step(i);
                const int c = inside<WIDTH>(first_column + Base::line(i), s.x.channels);
                const int row = ((group * s.y.channels + o) * s.window + walk.i) * s.window + walk.j;
                const bool is_there = o < s.y.channels && walk.i < s.window;
                Base::quad[i] = load<WIDTH>(w, units<WIDTH>(row * s.x.channels + c), is_there, s.x.channels - c);
            }
    }

    __device__ void next() {}
};

// Left side of the weight gradient: rows are outputs, quads lie along them. A step of the depth is a place of y.
template <class T, int WIDTH> struct Gradients : Side<T::rows, T::threads, false> {
    using Base = Side<T::rows, T::threads, false>;
    const Conv &s;
    const int first_row;
    int left; // places
    unsigned at[Base::held];

    __device__ Gradients(const Conv &s, int group, int first_row, int first_image, int images)
        : s(s), first_row(first_row), left(images * s.y.height * s.y.width) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i) {
            const unsigned place = (unsigned)first_image * (s.y.height * s.y.width) + Base::step(i);
            const int o = group * s.y.channels + inside<WIDTH>(first_row + Base::line(i), s.y.channels);
            at[i] = place * units<WIDTH>(s.y.lanes) + units<WIDTH>(o);
        }
    }

    __device__ void fetch(const float *dy) {
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            if (Base::has(i))
                Base::quad[i] = load<WIDTH>(dy, at[i], Base::step(i) < left, s.y.channels - first_row - Base::line(i));
    }

    __device__ void next() {
        left -= DEPTH;
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            at[i] += units<WIDTH>(DEPTH * s.y.lanes);
    }
};

// Right side of the weight gradient: columns are taps and their channels, quads lie along them: of one tap for a thread.
template <class T, int WIDTH> struct Patches : Side<T::columns, T::threads, false> {
    using Base = Side<T::columns, T::threads, false>;
    static_assert(T::threads % (T::columns / QUAD) == 0, "a thread's quads must be of one column");
    const Conv &s;
    const int &left;   // the left side's
    int i, j, present; // the tap, less the padding; its channels from the quad's first on
    int q[Base::held], r[Base::held];
    unsigned image[Base::held];

    __device__ Patches(const Conv &s, int group, int first_column, int first_image, const int &left) : s(s), left(left) {
        const int column = inside<QUAD>(first_column + Base::line(0), s.window * s.window * s.x.depth);
        const int tap = column / s.x.depth, c = column % s.x.depth;
        i = tap / s.window - s.padding;
        j = tap % s.window - s.padding;
        present = s.x.channels - c;
#pragma unroll
        for (int h = 0; h < Base::held; ++h) {
            const int plane = s.y.height * s.y.width, step = Base::step(h);
            q[h] = step % plane / s.y.width;
            r[h] = step % s.y.width;
            image[h] = (unsigned)(first_image + step / plane) * units<WIDTH>(s.x.height * s.x.width * s.x.lanes) +
                       units<WIDTH>(group * s.x.channels + c);
        }
    }

    __device__ void fetch(const float *x) {
#pragma unroll
        for (int h = 0; h < Base::held; ++h)
            if (Base::has(h)) {
                const int row = q[h] * s.stride + i, column = r[h] * s.stride + j;
                const bool is_there = (unsigned)row < (unsigned)s.x.height && (unsigned)column < (unsigned)s.x.width;
                const unsigned offset = image[h] + units<WIDTH>((row * s.x.width + column) * s.x.lanes);
                Base::quad[h] = load<WIDTH>(x, offset, is_there && Base::step(h) < left, present);
            }
    }

    __device__ void next() {
#pragma unroll
        for (int h = 0; h < Base::held; ++h)
            for (r[h] += DEPTH; r[h] >= s.y.width; r[h] -= s.y.width)
                if (++q[h] == s.y.height) {
                    q[h] = 0;
                    image[h] += units<WIDTH>(s.x.height * s.x.width * s.x.lanes);
                }
    }
};

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
    for (int quad = 0; quad < T::width / QUAD; ++quad) {
        const int column = first_column + tile.column_of(quad);
        float b[QUAD];
#pragma unroll
        for (int e = 0; e < QUAD; ++e)
            b[e] = bias && column + e < to.channels ? bias[first_channel + column + e] : 0;
#pragma unroll
        for (int i = 0; i < T::height; ++i) {
            const int place = first_place + tile.row_of(i);
            float v[QUAD];
#pragma unroll
            for (int e = 0; e < QUAD; ++e) {
                v[e] = tile.sum[i][quad * QUAD + e] + b[e];
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
    for (int quad = 0; quad < T::width / QUAD; ++quad) {
        const int column = first_column + tile.column_of(quad), tap = column / s.x.depth, c = column % s.x.depth;
#pragma unroll
        for (int i = 0; i < T::height; ++i) {
            const int o = first_row + tile.row_of(i);
            if (o < outputs && tap < taps)
                store<WIDTH>(dw + (o * taps + tap) * inputs + c, &tile.sum[i][quad * QUAD], inputs - c);
        }
    }
}

//                 warps      lanes  quads       rows × columns
using Large = Tile<4, 2,      4,     2, 2>; //   128 × 128
using Wide  = Tile<4, 1,      4,     2, 3>; //   128 ×  96
using Tall  = Tile<2, 2,      4,     3, 2>; //    96 × 128
using Half  = Tile<4, 1,      4,     2, 2>; //   128 ×  64
using Third = Tile<2, 1,      8,     2, 3>; //   128 ×  48
using Slim  = Tile<2, 1,      8,     2, 2>; //   128 ×  32
using Small = Tile<2, 1,      4,     2, 2>; //    64 ×  64

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

MAPS(conv_forward_128x128, Large, 2, FORWARD, 4)
MAPS(conv_forward_128x96, Wide, 2, FORWARD, 4)
MAPS(conv_forward_128x64, Half, 3, FORWARD, 4)
MAPS(conv_forward_128x32, Slim, 6, FORWARD, 4)
MAPS(conv_forward_64x64, Small, 6, FORWARD, 4)
MAPS(conv_forward_64x64_scalar, Small, 6, FORWARD, 1)
MAPS(conv_data_128x128, Large, 1, BACK, 4)
MAPS(conv_data_128x96, Wide, 2, BACK, 4)
MAPS(conv_data_128x64, Half, 4, BACK, 4)
MAPS(conv_data_128x48, Third, 4, BACK, 4)
MAPS(conv_data_128x32, Slim, 6, BACK, 4)
MAPS(conv_data_64x64, Small, 6, BACK, 4)
MAPS(conv_data_64x64_strided, Small, 6, STRIDED_BACK, 4)
MAPS(conv_data_64x64_scalar, Small, 6, STRIDED_BACK, 1)
WEIGHTS(conv_weights_128x128, Large, 1, 4)
WEIGHTS(conv_weights_96x128, Tall, 2, 4)
WEIGHTS(conv_weights_128x64, Half, 3, 4)
WEIGHTS(conv_weights_64x64, Small, 6, 4)
WEIGHTS(conv_weights_64x64_scalar, Small, 6, 1)

// The parts of a workspace, each `size` floats, added in their order; then what ends a forward pass (bias [columns] or null, ReLU), or
// a weight gradient (mask [columns] or null: zero where a tap of space-to-depth is no tap of the layer). A thread has one element:
// reads are whole lines, and 8 of them are under way at once. The workspace is read once: 20 to 60 MB, mostly from the L2 cache.
// Launch: block 256, grid ⌈size / 256⌉.
struct Sum {
    int parts;
    long long size;
    int columns; // of bias and mask
    int relu;
};
extern "C" __global__ void __launch_bounds__(256)
    conv_sum(float *out, const float *parts, const float *bias, const unsigned char *mask, const Sum s) {
    const long long i = blockIdx.x * 256ll + threadIdx.x;
    if (i >= s.size)
        return;
    const int column = i % s.columns;
    float sum = parts[i];
#pragma unroll 8
    for (int part = 1; part < s.parts; ++part)
        sum += parts[part * s.size + i];
    if (bias)
        sum += bias[column];
    if (s.relu)
        sum = sum < 0 ? 0 : sum;
    if (mask && !mask[column])
        sum = 0;
    out[i] = sum;
}
