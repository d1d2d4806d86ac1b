// Tiles that conv.cu might have instead of its own: they are no part of the program. scripts/gpu-check measures them beside those of
// conv.cu on a GPU. One that wins moves there.
//
// 16 × 8 sums a thread cost a step 6 loads from shared memory for 128 multiply-adds, 8 × 8 sums 4 loads for 64. But they take some 200
// registers, so that a multiprocessor has half as many threads to hide latency by.

#include "tiles.cuh"

//                   warps  threads  chunks       rows × columns
using Huge    = Tile<4, 2,      4,     4, 2>; //   256 × 128
using Double  = Tile<2, 2,      4,     4, 2>; //   128 × 128
using Single  = Tile<2, 1,      4,     4, 2>; //   128 ×  64

MAPS(conv_forward_256x128, Huge, 1, FORWARD, 4)
MAPS(conv_forward_128x128_tall, Double, 2, FORWARD, 4)
MAPS(conv_forward_128x64_tall, Single, 4, FORWARD, 4)
MAPS(conv_data_256x128, Huge, 1, BACK, 4)
MAPS(conv_data_128x128_tall, Double, 2, BACK, 4)
MAPS(conv_data_128x64_tall, Single, 4, BACK, 4)
WEIGHTS(conv_weights_256x128, Huge, 1, 4)
WEIGHTS(conv_weights_128x128_tall, Double, 2, 4)
WEIGHTS(conv_weights_128x64_tall, Single, 4, 4)

// conv.cu's tiles with room for more blocks on a multiprocessor, and so fewer registers a thread.
MAPS(conv_forward_128x64_by4, Half, 4, FORWARD, 4)
MAPS(conv_forward_128x96_by3, Wide, 3, FORWARD, 4)
MAPS(conv_data_128x128_by2, Large, 2, BACK, 4)
WEIGHTS(conv_weights_128x128_by2, Large, 2, 4)
WEIGHTS(conv_weights_96x128_by3, Tall, 3, 4)
WEIGHTS(conv_weights_128x64_by4, Half, 4, 4)
