// The first layer's input from rows of bytes: what the CPU's row writer (src/devices/cpu/row.rs) does to a pixel, and the layout.
//
//   mixed = M · (R, G, B, 1) within 0..255, or the pixel as it is
//   value = (mixed − mean + colour) · scale, reflected if wanted; 0 inside the hole
//
// Layout   rows: for each image a Header of 112 bytes, then side × side pixels R, G, B; `pitch` bytes from one to the next, a multiple
//          of 16. mean: planes R, G, B of frame × frame floats (Header::mean_at ≥ 0), or not used.
//          x: [N][height][width][chunks][LANES], space to depth by s: the element of pixel (u, v) and channel c is in the place
//          ((u + p) / s, (v + p) / s), lane ((u + p) mod s · s + (v + p) mod s) · 3 + c. The p pixels of padding, what lies beyond the
//          image, and the lanes from 3s² on are zero. s = 1, p = 0: the plain layout with 3 of 4 lanes.
//          A convolution K × K of stride s then is one of ⌈K/s⌉ × ⌈K/s⌉ of stride 1 without padding: height = H' − 1 + ⌈K/s⌉.
// Launch   grid (height, N), block (chunks, columns): a thread takes one chunk of every `columns`-th place of a row of places;
//          columns = min(width, ⌊256 / chunks⌋). No shared memory but the header's copy. chunks ≤ 256, so s ≤ 18.
// Cost     AlexNet, 128 rows: 19 MB read, 80 MB written; about 25 operations an element.
// Limit    Memory, which takes 33 µs at 3 TB/s. The image comes from the first-level cache, where each byte is read once, or three
//          times where colours are mixed.
// Why so   PCIe carries bytes, a quarter of floats, and the CPU only copies. The values are the CPU's bit for bit: each operation is
//          rounded, in its order; no fused multiply-add. A thread keeps its lanes, so what depends on the channel is read once.

#include "chunk.cuh"

struct Input {
    int side;  // of the image
    int pitch; // bytes of a row of the batch
    int frame; // side of the mean image
    int stride, padding;
    int height, width; // places of x
};

// In front of the pixels of each row.
struct alignas(16) Header {
    float mix[3][4];
    float mean[3]; // if mean_at < 0
    float colour[3];
    float scale[3];
    int mean_at; // where the crop's top left pixel is in a plane of the mean image, or −1
    int hole_x, hole_y, hole_width, hole_height;
    unsigned flags;
    unsigned reserved;
};

enum : unsigned { PRESENT = 1, FLIP = 2, MIX = 4 };

// One lane of a chunk, of the pixels that a thread meets in its row of places. They are in one row of the image, as all places are.
struct Lane {
    bool exists; // whether there is such a row, and a channel
    int right;   // column in a place
    int channel;
    int line;      // where the row begins in the image
    int mean_line; // and in the mean image
    int hole;      // columns of the hole in this row
    float shift;   // what is added: the colour, less the mean if that is one number
    float scale;
};

__device__ Lane lane_of(const Input &g, const Header &header, int lane) {
    const int pixel = lane / 3, channel = lane % 3, down = pixel / g.stride;
    const int u = static_cast<int>(blockIdx.x) * g.stride - g.padding + down;
    const bool in_hole = header.hole_y <= u && u < header.hole_y + header.hole_height;
    const float colour = header.colour[channel];
    return {
        down < g.stride && 0 <= u && u < g.side && header.flags & PRESENT,
        pixel - down * g.stride,
        channel,
        u * g.side * 3,
        channel * g.frame * g.frame + header.mean_at + u * g.frame,
        in_hole ? header.hole_width : 0,
        header.mean_at < 0 ? __fsub_rn(colour, header.mean[channel]) : colour,
        header.scale[channel],
    };
}

// A channel of a pixel.
__device__ float mixed(const Header &header, const unsigned char *pixel, int channel) {
    if (!(header.flags & MIX)) return pixel[channel];
    const float *m = header.mix[channel];
    const float red = __fmul_rn(m[0], pixel[0]), green = __fmul_rn(m[1], pixel[1]), blue = __fmul_rn(m[2], pixel[2]);
    const float sum = __fadd_rn(__fadd_rn(__fadd_rn(red, green), blue), m[3]);
    return sum < 0.0f ? 0.0f : sum > 255.0f ? 255.0f : sum;
}

// The network's input in column v.
__device__ float value(const Input &g, const Header &header, const unsigned char *pixels, const float *mean, const Lane &lane, int v) {
    const bool blank = header.hole_x <= v && v < header.hole_x + lane.hole;
    if (!lane.exists || v < 0 || v >= g.side || blank) return 0.0f;
    // The mean belongs to the image before its reflection.
    const int column = header.flags & FLIP ? g.side - 1 - v : v;
    float value = mixed(header, pixels + lane.line + column * 3, lane.channel);
    if (header.mean_at >= 0) value = __fsub_rn(value, mean[lane.mean_line + column]);
    return __fmul_rn(__fadd_rn(value, lane.shift), lane.scale);
}

extern "C" __global__ void __launch_bounds__(256)
    input_rows(Chunk *x, const unsigned char *rows, const float *mean, const Input g) {
    __shared__ Header header;
    const unsigned char *row = rows + static_cast<long long>(blockIdx.y) * g.pitch;
    for (unsigned i = threadIdx.y * blockDim.x + threadIdx.x; i < sizeof(Header) / 4; i += blockDim.x * blockDim.y)
        reinterpret_cast<unsigned *>(&header)[i] = reinterpret_cast<const unsigned *>(row)[i];
    __syncthreads();

    Lane lanes[LANES];
    for (int k = 0; k < LANES; k++) lanes[k] = lane_of(g, header, threadIdx.x * LANES + k);
    const unsigned char *pixels = row + sizeof(Header);
    x += (static_cast<long long>(blockIdx.y) * g.height + blockIdx.x) * g.width * blockDim.x + threadIdx.x;
    for (int place = threadIdx.y; place < g.width; place += blockDim.y) {
        const int left = place * g.stride - g.padding;
        Chunk values;
        for (int k = 0; k < LANES; k++) values.lane[k] = value(g, header, pixels, mean, lanes[k], left + lanes[k].right);
        x[place * blockDim.x] = values;
    }
}
