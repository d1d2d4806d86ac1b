// Convolution with groups: forward, data gradient, weight gradient; and, as 1×1 convolution, the fully connected layer.
//
//   forward   y[n][q][r][o]  = act(b[o] + Σ over i, j, c of w[o][i][j][c] · x[n][q·s + i − p][r·s + j − p][c])
//   data     dx[n][u][v][c]  = Σ over i, j, o of w[o][i][j][c] · dy[n][(u + p − i) / s][(v + p − j) / s][o]
//   weights  dw[o][i][j][c]  = Σ over n, q, r of dy[n][q][r][o] · x[n][q·s + i − p][r·s + j − p][c]
//
// Places outside a map are zero, and so are fractions of a place. That is all there is to padding and partial windows.
//
// Layouts: maps [N][H][W][lanes], where lanes are the channels rounded up to a chunk of 4, and the added ones are zero. Weights
// [O][K][K][L]; without groups L is x's lanes, with groups it is C/G. Inputs and outputs of a group must be whole chunks; for other
// groups there are the `_scalar` kernels, which load single floats. Biases [lanes of y].
//
// A fully connected layer of N rows is a 1×1 convolution of one image of 1 × N places: all three sums are the same, and their loops
// have nothing in them that a matrix product would not have. So it has no kernels of its own.
//
// Each is a matrix product whose left side (forward, data) or right side (weights) is gathered while it is loaded, never stored:
//
//            rows                     columns              depth
//   forward  places of y              channels o           taps × chunks of c
//   data     places of x              channels c           taps × chunks of o
//   weights  channels o               taps × chunks of c   places of y of some images
//
// A block makes one tile of the result (tile.cuh). What limits it on an H100 is the rate at which instructions are issued, of which 85
// to 90 of 100 are multiply-adds. Bytes do not limit it: a tile of 128 × 128 needs 8 bytes of the L2 cache a cycle.
//
// Each sum runs over the depth in one order, whatever the tile: bits do not depend on it. Where tiles are fewer than an H100's 132
// multiprocessors need, the depth is cut into `parts`, each a sum of its own in a workspace [parts][result], and conv_sum adds them
// in order. So `parts` does decide bits, and is chosen by shape alone.
//
// Launch: block (threads of the tile), grid (x, y, z):
//   forward, data   x = ⌈places / tile's rows⌉               y = ⌈channels of a group / tile's columns⌉   z = groups · parts
//   weights         x = ⌈K · K · chunks of c · 4 / columns⌉  y = ⌈outputs of a group / rows⌉              z = groups · parts
// All are below 2³¹ elements in an image, and in the weights; a workspace may have more.

#include "tiles.cuh"

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
