// The sides of the matrix products that are a convolution's three passes: how each finds its chunks in maps and weights (conv.cu).

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

// A place in the depth of forward and of the data gradient: a tap (i, j) and a chunk of its channels.
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

// Left side of forward and, BACK, of the data gradient: rows are places of the result, chunks are channels at the walk's tap.
template <class T, Way WAY, int WIDTH> struct Places : Side<T::rows, T::threads, true> {
    using Base = Side<T::rows, T::threads, true>;
    static constexpr bool BACK = WAY != FORWARD;
    const Conv &s;
    const Map &from, &to;
    Walk walk;                        // of all of a thread's chunks, as they are an even number of chunks apart
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
                Base::chunk[i] = load<WIDTH>(map, offset, at[i] >= 0 && (!BACK || present > 0), present);
            }
    }

    __device__ void next() {
        if (walk.next(from.depth, s.window))
            find();
    }
};

// Right side of forward: columns are outputs, chunks are inputs at the walk's tap.
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
                Base::chunk[i] = load<WIDTH>(w, output[i] + at, walk.i < s.window, s.x.channels - walk.channel);
    }

    __device__ void next() {}
};

// Right side of the data gradient: columns are inputs, chunks lie along them. A step of the depth is an output at a tap; as outputs
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
                Base::chunk[i] = load<WIDTH>(w, units<WIDTH>(row * s.x.channels + c), is_there, s.x.channels - c);
            }
    }

    __device__ void next() {}
};

// Left side of the weight gradient: rows are outputs, chunks lie along them. A step of the depth is a place of y.
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
                Base::chunk[i] = load<WIDTH>(dy, at[i], Base::step(i) < left, s.y.channels - first_row - Base::line(i));
    }

    __device__ void next() {
        left -= DEPTH;
#pragma unroll
        for (int i = 0; i < Base::held; ++i)
            at[i] += units<WIDTH>(DEPTH * s.y.lanes);
    }
};

// Right side of the weight gradient: columns are taps and their channels, chunks lie along them: of one tap for a thread.
template <class T, int WIDTH> struct Patches : Side<T::columns, T::threads, false> {
    using Base = Side<T::columns, T::threads, false>;
    static_assert(T::threads % (T::columns / LANES) == 0, "a thread's chunks must be of one column");
    const Conv &s;
    const int &left;   // the left side's
    int i, j, present; // the tap, less the padding; its channels from the chunk's first on
    int q[Base::held], r[Base::held];
    unsigned image[Base::held];

    __device__ Patches(const Conv &s, int group, int first_column, int first_image, const int &left) : s(s), left(left) {
        const int column = inside<LANES>(first_column + Base::line(0), s.window * s.window * s.x.depth);
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
                Base::chunk[h] = load<WIDTH>(x, offset, is_there && Base::step(h) < left, present);
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
