// Tensor cores: mma.sync and ldmatrix, with the layouts of the PTX manual, so that a wrong index of a fragment gives a wrong
// result. Products are summed in order in f32; the hardware's order and rounding inside of one instruction are not known.
#pragma once
#include "convert.h"
#include "memory.h"

namespace gpu {

// The hardware reads the upper 19 bits of a TF32 operand.
struct tf32 {
    static INLINE float widen(uint32_t bits_of_x) { return bits<float>(bits_of_x & 0xffffe000); }
};

// D = A (16×K) · B (K×8) + C. Lane 4g + t holds rows g and g + 8 of A, column g of B, and columns 2t and 2t + 1 of C.
template <class F, unsigned K> OUTLINE void multiply(
    const Array<uint32_t>* a, const Array<uint32_t>* b, const Array<float>* c, Array<float>* d) {
    constexpr bool WORDS = std::is_same_v<F, tf32>;     // one element a register, else two
    float left[16][K], right[K][8];
    auto element = [](uint32_t word, unsigned half) { return WORDS ? F::widen(word) : F::widen(uint16_t(word >> (16 * half))); };
    for (unsigned lane = 0; lane < LANES; ++lane) {
        const unsigned g = lane / 4, t = lane % 4;
        for (unsigned half = 0; half < (WORDS ? 1 : 2); ++half) {
            const unsigned k = WORDS ? t : 2 * t + half, step = WORDS ? 4 : 8;
            for (unsigned r = 0; r < 2 * K / step; ++r) left[g + 8 * (r % 2)][k + step * (r / 2)] = element(a[r][lane], half);
            for (unsigned r = 0; r < K / step; ++r) right[k + step * r][g] = element(b[r][lane], half);
        }
    }
    for (unsigned lane = 0; lane < LANES; ++lane) {
        for (unsigned r = 0; r < 4; ++r) {
            const unsigned row = lane / 4 + 8 * (r / 2), column = 2 * (lane % 4) + r % 2;
            float sum = 0;
            for (unsigned k = 0; k < K; ++k) sum += left[row][k] * right[k][column];
            d[r][lane] = c[r][lane] + sum;
        }
    }
}

// COUNT matrices of 8×8 16-bit elements. Lanes 8i … 8i + 7 give the addresses of the rows of matrix i.
template <unsigned COUNT, bool TRANSPOSED> OUTLINE void load_matrices(
    Warp& w, Lanes<uint64_t> address, int64_t offset, Array<uint32_t>* y, uint32_t line) {
    const auto at = host_addresses<Space::Shared>(w, address, offset);
    for (unsigned matrix = 0; matrix < COUNT; ++matrix) {
        notice<Space::Shared>(w, 0xffu << (8 * matrix), at, 16, Access::Read, line);
        for (unsigned row = 0; row < 8; ++row) {
            uint16_t elements[8];
            memcpy(elements, (const void*)at[8 * matrix + row], sizeof elements);
            for (unsigned column = 0; column < 8; ++column) {
                const unsigned r = TRANSPOSED ? column : row, c = TRANSPOSED ? row : column;
                uint32_t& word = y[matrix][4 * r + c / 2];
                word = c % 2 ? (word & 0xffff) | uint32_t(elements[column]) << 16 : (word & 0xffff0000) | elements[column];
            }
        }
    }
}

}  // namespace gpu
