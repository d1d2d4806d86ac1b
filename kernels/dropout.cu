// Dropout: each unit is set to zero with probability p in training, and multiplied by 1 − p in evaluation. In place.
//
//   training:   y[n][u] = m[n][u] · x[n][u],   dx[n][u] = m[n][u] · dy[n][u],   m = 0 with probability p, else 1
//   evaluation: y[n][u] = (1 − p) · x[n][u]
//
// m is the CPU's (src/ops/dropout, src/rng.rs), bit for bit: unit u of row n has the number u mod 4 of the group n · ⌈U / 4⌉ + ⌊u / 4⌋
// of the Philox4x32-10 stream (seed, dropout, step, layer), and is kept if these 32 bits are at least p · 2³². Units are numbered
// as in the checkpoint, without added lanes: u = c · plane + place, where plane = H · W, or 1 for a vector.
//
// Layout   x: [N][plane][chunks][LANES]. Added lanes are zero: whatever is drawn for them, they stay zero.
// Launch   train: grid (⌈plane · chunks / 256⌉, N); evaluate: grid ⌈all chunks / 256⌉; block 256, no shared memory: one chunk a
//          thread.
// Cost     8 bytes an element, and a group of numbers, about 100 integer operations, for each chunk of a vector, for each element of
//          a map.
// Limit    Starting: 2 MB for fc6 at 128 rows take a microsecond.
// Why so   No mask is stored; the backward pass calls dropout_train on dy, which draws the same numbers. The step is read from
//          device memory, so that a captured graph can be replayed.

#include "chunk.cuh"
#include "step.cuh"

// `first` and `first_row` are not 0 where a device has only some channels, or some rows, of the layer.
struct Dropout {
    int plane;
    int chunks;
    int first;              // number of the first unit here, a multiple of plane
    int units;              // U: units of a row of the whole layer
    int first_row;          // number of the first row here
    unsigned seed_low;      // the run's seed
    unsigned seed_high;
    unsigned layer;         // counted among dropout layers
    unsigned long long threshold; // p · 2³²
};

__device__ uint4 philox(uint4 counter, uint2 key) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned high0 = __umulhi(0xD2511F53, counter.x), low0 = 0xD2511F53 * counter.x;
        const unsigned high1 = __umulhi(0xCD9E8D57, counter.z), low1 = 0xCD9E8D57 * counter.z;
        counter = make_uint4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key.x += 0x9E3779B9;
        key.y += 0xBB67AE85;
    }
    return counter;
}

// Sets the dropped units of x to zero: of the outputs in the forward pass, of their gradient in the backward pass.
extern "C" __global__ void __launch_bounds__(256) dropout_train(Chunk *x, const Step *step, const Dropout d) {
    constexpr unsigned DROPOUT = 5; // the purpose of these numbers
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= d.plane * d.chunks) return;
    const int place = i / d.chunks, channel = (i - place * d.chunks) * LANES;
    const unsigned row = d.first_row + blockIdx.y;
    const unsigned row_start = row * ((d.units + 3u) / 4u);
    const uint2 key = make_uint2(d.seed_low, d.seed_high);
    const unsigned number = step->number;

    x += static_cast<long long>(blockIdx.y) * d.plane * d.chunks + i;
    Chunk values = *x;
    uint4 numbers;
    unsigned drawn = ~0u;
    for (int k = 0; k < LANES; k++) {
        const unsigned unit = d.first + (channel + k) * d.plane + place;
        // All lanes of a vector are of one group, those of a map are not.
        if (unit / 4 != drawn) {
            drawn = unit / 4;
            numbers = philox(make_uint4(row_start + drawn, DROPOUT, number, d.layer), key);
        }
        const unsigned low = unit & 1 ? numbers.y : numbers.x, high = unit & 1 ? numbers.w : numbers.z;
        if ((unit & 2 ? high : low) < d.threshold) values.lane[k] = 0.0f;
    }
    *x = values;
}

// x = kept · x, where kept = 1 − p.
extern "C" __global__ void __launch_bounds__(256) dropout_evaluate(Chunk *x, float kept, unsigned chunks) {
    const unsigned i = blockIdx.x * 256 + threadIdx.x;
    if (i >= chunks) return;
    Chunk values = x[i];
    for (float &lane : values.lane) lane *= kept;
    x[i] = values;
}
