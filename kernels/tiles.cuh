// The tiles of conv.cu, by name.

#include "passes.cuh"

//                 warps  threads  chunks       rows × columns
using Large = Tile<4, 2,      4,     2, 2>; //   128 × 128
using Wide  = Tile<4, 1,      4,     2, 3>; //   128 ×  96
using Tall  = Tile<2, 2,      4,     3, 2>; //    96 × 128
using Half  = Tile<4, 1,      4,     2, 2>; //   128 ×  64
using Third = Tile<2, 1,      8,     2, 3>; //   128 ×  48
using Slim  = Tile<2, 1,      8,     2, 2>; //   128 ×  32
using Small = Tile<2, 1,      4,     2, 2>; //    64 ×  64
