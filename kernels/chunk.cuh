// A chunk is what a thread loads or stores at once: 16 bytes. The channels of a map, and the units of a vector, are rounded up to whole
// chunks. The added lanes are zero, and every kernel keeps them so. Narrower numbers will have more lanes: kernels say LANES, not 4.

constexpr int LANES = 4;

struct alignas(16) Chunk {
    float lane[LANES];
};
