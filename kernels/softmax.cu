// Softmax and cross-entropy:
//
//   p[n][k] = exp(z[n][k]) / Σ over j of exp(z[n][j])
//   loss[n] = −ln p[n][label[n]]
//   dz[n][k] = weight[n] · (p[n][k] − [k = label[n]]) / present
//
// Rows of weight 0 do not count: their dz is zero. `present` is of the run's whole batch, of which this may be a share.
//
// Layout   z, p, dz: [N][padded], padded = K rounded up to whole chunks; the added lanes of p and dz are written as zero. Losses: one
//          record a row, then one of the batch.
// Launch   softmax_forward and softmax_backward: grid N, block 256: a block a row. softmax_loss: grid 1, block 256. Shared memory is
//          static: 7 kB at most.
// Cost     12 bytes an element, and one exponential in 64 bits. 1.5 MB for 128 rows of 1000 classes.
// Limit    Starting, and the latency of three reductions: some microseconds.
// Why so   Sums in f64, as on the CPU: the loss and p then depend on their order only in bits that are rounded away. Each reduction
//          is a tree over neighbours, the same on every run; that of the loss adds halves of the batch, then halves of halves, so that
//          two devices with half a batch each come to the same sum. Backward computes p again, so that a training step has no
//          other kernel for it. The gradient, the loss and the count of correct rows never meet the host in between.

#include "step.cuh"

constexpr int THREADS = 256;

struct Softmax {
    int rows;    // N
    int classes; // K
    int padded;  // floats of a row
};

// The loss of a row, or of all rows here.
struct Loss {
    double sum; // in nats
    unsigned present;
    unsigned correct; // rows whose label has the largest probability: the first one, if several are equal
};

// The largest probability of some classes, and its first class.
struct Best {
    float value;
    int at;
};

__device__ float join(float a, float b) {
    return fmaxf(a, b);
}

__device__ double join(double a, double b) {
    return a + b;
}

__device__ double2 join(double2 a, double2 b) {
    return make_double2(a.x + b.x, a.y + b.y);
}

__device__ Best join(Best a, Best b) {
    return b.value > a.value || (b.value == a.value && b.at < a.at) ? b : a;
}

__device__ Loss join(Loss a, Loss b) {
    return {a.sum + b.sum, a.present + b.present, a.correct + b.correct};
}

// All threads' values joined, for all threads: neighbours first.
template <typename T> __device__ T reduce(T value) {
    __shared__ T values[THREADS];
    const int i = threadIdx.x;
    values[i] = value;
    for (int distance = 1; distance < THREADS; distance *= 2) {
        __syncthreads();
        if (i % (2 * distance) == 0) values[i] = join(values[i], values[i + distance]);
    }
    __syncthreads();
    const T all = values[0];
    __syncthreads();
    return all;
}

// What p and the loss of a row need.
struct Row {
    float largest; // of z
    float scale;   // 1 / Σ exp(z − largest), the summands rounded to f32
    double sum;    // the same sum of summands that are not rounded
};

// In loops that are not unrolled: of several in a row, the compiler for sm_90 spills.
__device__ double exponential(float z, float largest) {
    return exp(static_cast<double>(z - largest));
}

// 1 / x for x from 1 to K. So it needs none of a division's special cases, for which the compiler would make a call, and spill.
__device__ double inverse(double x) {
    double y = __fdividef(1.0f, static_cast<float>(x)); // 22 bits, then 44, then all
    y = fma(fma(-x, y, 1.0), y, y);
    return fma(fma(-x, y, 1.0), y, y);
}

__device__ Row row_of(const float *z, int classes) {
    float largest = __int_as_float(0xff800000); // −∞
    for (int k = threadIdx.x; k < classes; k += THREADS) largest = fmaxf(largest, z[k]);
    largest = reduce(largest);
    double2 sums = make_double2(0.0, 0.0);
#pragma unroll 1
    for (int k = threadIdx.x; k < classes; k += THREADS) {
        const double e = exponential(z[k], largest);
        sums = join(sums, make_double2(e, static_cast<float>(e)));
    }
    sums = reduce(sums);
    return {largest, static_cast<float>(inverse(sums.y)), sums.x};
}

__device__ float probability(const Row &row, float z) {
    return __fmul_rn(static_cast<float>(exponential(z, row.largest)), row.scale);
}

// p from z.
extern "C" __global__ void __launch_bounds__(THREADS) softmax_forward(float *p, const float *z, const Softmax s) {
    const long long start = static_cast<long long>(blockIdx.x) * s.padded;
    const Row row = row_of(z + start, s.classes);
#pragma unroll 1
    for (int k = threadIdx.x; k < s.padded; k += THREADS) p[start + k] = k < s.classes ? probability(row, z[start + k]) : 0.0f;
}

// dz and the rows' losses from z. Without dz, as in evaluation, only the losses.
extern "C" __global__ void __launch_bounds__(THREADS)
    softmax_backward(float *dz, Loss *losses, const float *z, const unsigned *labels, const float *weights, const Step *step,
                     const Softmax s) {
    z += static_cast<long long>(blockIdx.x) * s.padded;
    if (dz) dz += static_cast<long long>(blockIdx.x) * s.padded;
    if (weights[blockIdx.x] == 0.0f) {
        for (int k = threadIdx.x; dz && k < s.padded; k += THREADS) dz[k] = 0.0f;
        if (threadIdx.x == 0) losses[blockIdx.x] = {};
        return;
    }
    const int label = labels[blockIdx.x];
    const float scale = 1.0f / static_cast<float>(max(step->present, 1u));
    const Row row = row_of(z, s.classes);
    // No probability is NaN unless all are; then the first class counts as the largest.
    Best best = {-1.0f, 0};
#pragma unroll 1
    for (int k = threadIdx.x; k < s.padded; k += THREADS) {
        const float p = k < s.classes ? probability(row, z[k]) : 0.0f;
        if (k < s.classes && p > best.value) best = {p, k};
        if (dz) dz[k] = k < s.classes ? __fmul_rn(k == label ? p - 1.0f : p, scale) : 0.0f;
    }
    best = reduce(best);
    if (threadIdx.x == 0) losses[blockIdx.x] = {log(row.sum) + row.largest - z[label], 1, best.at == label};
}

// The loss of all rows.
extern "C" __global__ void __launch_bounds__(THREADS) softmax_loss(Loss *loss, const Loss *losses, const Softmax s) {
    const int each = (s.rows + THREADS - 1) / THREADS, first = threadIdx.x * each;
    Loss sum = {};
    for (int row = first; row < min(first + each, s.rows); row++) sum = join(sum, losses[row]);
    sum = reduce(sum);
    if (threadIdx.x == 0) *loss = sum;
}
