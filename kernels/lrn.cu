// Local response normalisation across channels, window n, h = ⌊n/2⌋:
//
//   s[i] = k + α Σ over j of a[j]²,   j from max(0, i − h) to min(C − 1, i + h)
//   b[i] = a[i] · s[i]^(−β)
//   da[i] = db[i] · s[i]^(−β) − 2αβ · a[i] · Σ over the same j of db[j] · a[j] · s[j]^(−β−1)
//
// Layout   a, b, db, da: [positions][chunks][LANES]; positions = N · H · W, chunks = ⌈C / LANES⌉. Added lanes are zero: they add
//          nothing to a sum, and stay zero.
// Launch   block (chunks, P): a thread per chunk of P positions; P = max(1, ⌊256 / chunks⌋). grid ⌈positions / P⌉.
//          Shared bytes: forward 16 · P · (chunks + 2m), backward twice that, with m = ⌈h / LANES⌉ chunks of zeros on each side of
//          a position. chunks ≤ 1024.
//          lrn_forward_5, lrn_backward_5: the same for n = 5; h does not count then.
// Cost     8 bytes an element forward, 12 backward. Operations an element, n = 5: about 15 forward, 30 backward, and two of the
//          special unit.
// Limit    Memory: at 3 TB/s, an H100 has time for 75 operations an element forward and 110 backward.
// Why so   The backward pass computes s again: to keep it would cost 8 bytes an element, and it costs no time. Neighbours come
//          from shared memory, because a position's chunks are seldom a multiple of a warp; a thread reads whole chunks, which has
//          no bank conflicts. A block's positions follow each other in memory, so loads and stores are contiguous. Sums run in the
//          order of the channels, as on the CPU. s^(−3/4) is s^(−1/2) · s^(−1/2) · s^(1/4) by two approximate roots: 4 ulps from
//          the CPU's, and a third of the instructions of correctly rounded ones.

#include "chunk.cuh"

struct Normalisation {
    int positions;
    int half_window;
    float alpha; // as the factor of the plain sum
    float beta;
    float k;
};

// s^(−β) and s^(−1).
struct Powers {
    float whole, inverse;
};

__device__ Powers powers(float s, float beta) {
    if (beta == 0.75f) {
        const float root = rsqrtf(s), inverse = root * root;
        return {inverse * rsqrtf(root), inverse};
    }
    return {powf(s, -beta), 1.0f / s};
}

// Where this thread's chunk is.
struct Place {
    long long chunk;  // in memory
    bool exists;      // the last block may have fewer positions
    int margin, line; // chunks of zeros on each side of a position in shared memory, and chunks of a position with both
    int at;           // the chunk in shared memory
};

__device__ Place place(int positions, int half) {
    const int chunks = blockDim.x, margin = (half + LANES - 1) / LANES, line = chunks + 2 * margin;
    const int position = blockIdx.x * blockDim.y + threadIdx.y;
    return {static_cast<long long>(position) * chunks + threadIdx.x, position < positions, margin, line,
            static_cast<int>(threadIdx.y) * line + margin + static_cast<int>(threadIdx.x)};
}

__device__ void clear_margins(const Place &p, Chunk *shared) {
    Chunk *line = shared + threadIdx.y * p.line;
    for (int i = threadIdx.x; i < p.margin; i += blockDim.x) {
        line[i] = {};
        line[p.line - 1 - i] = {};
    }
}

// For each lane of the chunk at `at`, the sum over the channels at most `half` away.
template <int HALF> __device__ Chunk window_sums(const Chunk *at, int margin, int half) {
    Chunk sums = {};
#pragma unroll
    for (int next = -margin; next <= margin; next++) {
        const Chunk values = at[next];
#pragma unroll
        for (int k = 0; k < LANES; k++) {
#pragma unroll
            for (int j = 0; j < LANES; j++) {
                const int away = next * LANES + j - k;
                if (-half <= away && away <= half) sums.lane[k] += values.lane[j];
            }
        }
    }
    return sums;
}

__device__ Chunk squares(const Chunk &a) {
    Chunk squares;
    for (int k = 0; k < LANES; k++) squares.lane[k] = __fmul_rn(a.lane[k], a.lane[k]);
    return squares;
}

extern __shared__ Chunk shared[];

template <int HALF> __device__ void forward(Chunk *b, const Chunk *a, const Normalisation &n) {
    const int half = HALF > 0 ? HALF : n.half_window;
    const Place p = place(n.positions, half);
    const Chunk input = p.exists ? a[p.chunk] : Chunk{};
    clear_margins(p, shared);
    shared[p.at] = squares(input);
    __syncthreads();
    if (!p.exists) return;
    const Chunk sums = window_sums<HALF>(shared + p.at, HALF > 0 ? (HALF + LANES - 1) / LANES : p.margin, half);
    Chunk output;
    for (int k = 0; k < LANES; k++) {
        const float s = fmaf(n.alpha, sums.lane[k], n.k);
        output.lane[k] = input.lane[k] * powers(s, n.beta).whole;
    }
    b[p.chunk] = output;
}

template <int HALF> __device__ void backward(Chunk *da, const Chunk *a, const Chunk *db, const Normalisation &n) {
    const int half = HALF > 0 ? HALF : n.half_window;
    const Place p = place(n.positions, half);
    const int margin = HALF > 0 ? (HALF + LANES - 1) / LANES : p.margin;
    const Chunk input = p.exists ? a[p.chunk] : Chunk{};
    const Chunk above = p.exists ? db[p.chunk] : Chunk{};
    // Behind the squares, the summands db · a · s^(−β−1).
    Chunk *summands = shared + blockDim.y * p.line;
    clear_margins(p, shared);
    clear_margins(p, summands);
    shared[p.at] = squares(input);
    __syncthreads();
    const Chunk sums = window_sums<HALF>(shared + p.at, margin, half);
    Chunk direct, summand;
    for (int k = 0; k < LANES; k++) {
        const Powers power = powers(fmaf(n.alpha, sums.lane[k], n.k), n.beta);
        direct.lane[k] = above.lane[k] * power.whole;
        summand.lane[k] = direct.lane[k] * input.lane[k] * power.inverse;
    }
    summands[p.at] = summand;
    __syncthreads();
    if (!p.exists) return;
    const Chunk others = window_sums<HALF>(summands + p.at, margin, half);
    const float minus = -2.0f * n.alpha * n.beta;
    for (int k = 0; k < LANES; k++) direct.lane[k] = fmaf(minus * input.lane[k], others.lane[k], direct.lane[k]);
    da[p.chunk] = direct;
}

extern "C" __global__ void __launch_bounds__(1024) lrn_forward(Chunk *b, const Chunk *a, const Normalisation n) {
    forward<0>(b, a, n);
}

extern "C" __global__ void __launch_bounds__(1024) lrn_forward_5(Chunk *b, const Chunk *a, const Normalisation n) {
    forward<2>(b, a, n);
}

extern "C" __global__ void __launch_bounds__(1024) lrn_backward(Chunk *da, const Chunk *a, const Chunk *db, const Normalisation n) {
    backward<0>(da, a, db, n);
}

extern "C" __global__ void __launch_bounds__(1024)
    lrn_backward_5(Chunk *da, const Chunk *a, const Chunk *db, const Normalisation n) {
    backward<2>(da, a, db, n);
}
