// A tile of a matrix product, summed by one block: what convolution's three passes have in common. How the two sides are found is their
// own affair: a side is a type that derives from Side and has
//
//     fetch(from)   loads the chunks of the next DEPTH steps into registers
//     next()        goes on by DEPTH steps
//
// The threads of a block load 8 steps of both sides into registers while they multiply the 8 before them out of shared memory, so the
// memory's latency is hidden and one barrier in 8 steps is enough. A thread has 8 × 8 sums or more, because a step then costs it 4
// loads of 16 bytes from shared memory for 64 multiply-adds. An H100 issues one instruction a cycle to each group of 32 threads, and a
// multiply-add takes that cycle: every other instruction is lost time. So nothing is computed in the loop that can be had before it.

#include "chunk.cuh"

constexpr int DEPTH = 8; // steps between two barriers
constexpr int CHUNKS = DEPTH / LANES;

__device__ int ceil_div(int a, int b) { return (a + b - 1) / b; }

// How a tile of sums is laid over threads. A warp's threads form a grid of DOWN × 32/DOWN; a thread has CHUNKS_DOWN × CHUNKS_ACROSS
// blocks of 4 × 4 sums, the next one a whole grid away, so that the threads of a grid read neighbouring chunks.
template <int WARPS_DOWN, int WARPS_ACROSS, int DOWN, int CHUNKS_DOWN, int CHUNKS_ACROSS> struct Tile {
    static constexpr int ACROSS = 32 / DOWN;
    static constexpr int height = LANES * CHUNKS_DOWN, width = LANES * CHUNKS_ACROSS; // of a thread
    static constexpr int warp_rows = DOWN * height, warp_columns = ACROSS * width;
    static constexpr int rows = WARPS_DOWN * warp_rows, columns = WARPS_ACROSS * warp_columns;
    static constexpr int threads = 32 * WARPS_DOWN * WARPS_ACROSS;

    float sum[height][width] = {};
    int row, column; // of the first sum

    __device__ Tile() {
        // A load of 16 bytes by a warp takes two cycles, not four, where pairs of threads (t, t ^ 1) or (t, t ^ 2) share their
        // address. So bit 0 of a thread is a step across and bit 1 a step down.
        const int thread = threadIdx.x % 32, warp = threadIdx.x / 32;
        const int across = (thread & 1) | (thread >> 1 & (ACROSS - 2));
        const int down = (thread >> 1 & 1) | (thread / ACROSS & (DOWN - 2));
        row = warp / WARPS_ACROSS * warp_rows + LANES * down;
        column = warp % WARPS_ACROSS * warp_columns + LANES * across;
    }

    // The row and column of a sum in the tile.
    __device__ int row_of(int i) const { return row + i / LANES * LANES * DOWN + i % LANES; }
    __device__ int column_of(int chunk) const { return column + chunk * LANES * ACROSS; }

    // Adds the products of DEPTH steps. Both sides begin at this thread's first row and column.
    template <int LEFT_PITCH, int RIGHT_PITCH> __device__ void multiply(const float *left, const float *right) {
#pragma unroll
        for (int k = 0; k < DEPTH; ++k) {
            float a[height], b[width];
#pragma unroll
            for (int chunk = 0; chunk < CHUNKS_DOWN; ++chunk)
                *(float4 *)&a[LANES * chunk] = *(const float4 *)&left[k * LEFT_PITCH + chunk * LANES * DOWN];
#pragma unroll
            for (int chunk = 0; chunk < CHUNKS_ACROSS; ++chunk)
                *(float4 *)&b[LANES * chunk] = *(const float4 *)&right[k * RIGHT_PITCH + chunk * LANES * ACROSS];
#pragma unroll
            for (int i = 0; i < height; ++i)
#pragma unroll
                for (int j = 0; j < width; ++j)
                    sum[i][j] += a[i] * b[j];
        }
    }
};

// One side of a tile's product. Shared memory has it as [DEPTH][pitch]; each thread brings some chunks of it. A side that is TURNED has
// its chunks along the depth in global memory. They are turned as they are written, and four more floats a step then let the 2 chunks
// of 16 rows, which a warp writes at once, fall on 32 banks.
template <int SIZE, int THREADS, bool TURNED> struct Side {
    static constexpr int pitch = SIZE + (TURNED ? 4 : 0), floats = DEPTH * pitch;
    static constexpr int chunks = DEPTH * SIZE / LANES, held = (chunks + THREADS - 1) / THREADS;

    float4 chunk[held];

    // Whether this thread has an i-th chunk; in which step it is, or begins; of which row or column it is, or from which on.
    __device__ static int number(int i) { return threadIdx.x + i * THREADS; }
    __device__ static bool has(int i) { return chunks % THREADS == 0 || number(i) < chunks; }
    __device__ static int step(int i) { return TURNED ? number(i) % CHUNKS * LANES : number(i) / (SIZE / LANES); }
    __device__ static int line(int i) { return TURNED ? number(i) / CHUNKS : number(i) % (SIZE / LANES) * LANES; }

    __device__ void store(float *side) const {
#pragma unroll
        for (int i = 0; i < held; ++i) {
            float *at = side + step(i) * pitch + line(i);
            if (!has(i))
                continue;
            if (TURNED) {
                at[0] = chunk[i].x;
                at[pitch] = chunk[i].y;
                at[2 * pitch] = chunk[i].z;
                at[3 * pitch] = chunk[i].w;
            } else {
                *(float4 *)at = chunk[i];
            }
        }
    }
};

template <int WIDTH> __device__ unsigned units(int floats) { return (unsigned)floats / WIDTH; }

// The chunk at an offset, or zeros. Kernels of WIDTH 4 load it at once, and count offsets in chunks, so that 32 bits reach 64 GB. Those
// of WIDTH 1 load the floats that are `present`, and count in floats.
template <int WIDTH> __device__ float4 load(const float *from, unsigned offset, bool is_there, int present) {
    float4 v = {0, 0, 0, 0};
    from += (unsigned long long)offset * WIDTH;
    if (WIDTH == LANES) {
        if (is_there)
            v = *(const float4 *)from;
    } else if (is_there) {
        v.x = from[0];
        v.y = present > 1 ? from[1] : 0;
        v.z = present > 2 ? from[2] : 0;
        v.w = present > 3 ? from[3] : 0;
    }
    return v;
}

template <int WIDTH> __device__ void store(float *to, const float *v, int present) {
    if (WIDTH == LANES) {
        if (present > 0)
            *(float4 *)to = float4{v[0], v[1], v[2], v[3]};
    } else {
#pragma unroll
        for (int i = 0; i < LANES; ++i)
            if (i < present)
                to[i] = v[i];
    }
}

// A chunk of channels, or of other things, that is there: the last one for those behind it. What is computed of it is not stored.
template <int WIDTH> __device__ int inside(int first, int channels) { return min(first, (channels - 1) / WIDTH * WIDTH); }

// A tile of the product of two sides, over `steps` blocks of DEPTH steps.
template <class T, class Left, class Right>
__device__ void product(T &tile, Left &left, const float *left_from, Right &right, const float *right_from, int steps) {
    constexpr int BUFFER = Left::floats + Right::floats;
    __shared__ __align__(16) float shared[2 * BUFFER];
    left.fetch(left_from);
    right.fetch(right_from);
    left.store(shared);
    right.store(shared + Left::floats);
    __syncthreads();
    // Places of this thread, moved to and fro between the two buffers: cheaper than to find them in each step.
    const float *a = shared + tile.row, *b = shared + Left::floats + tile.column;
    float *other = shared + BUFFER;
    for (int there = BUFFER;; there = -there) {
        const bool is_last = --steps <= 0;
        if (!is_last) {
            left.next();
            right.next();
            left.fetch(left_from);
            right.fetch(right_from);
        }
        tile.template multiply<Left::pitch, Right::pitch>(a, b);
        if (is_last)
            break;
        left.store(other);
        right.store(other + Left::floats);
        __syncthreads();
        a += there;
        b += there;
        other -= there;
    }
}
