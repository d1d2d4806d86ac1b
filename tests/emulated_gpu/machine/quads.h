// Values of 32 bits, one a lane or four side by side: from lane by lane in memory to value by value in registers, and
// back. Tiles of matrix products consist of these, so that they are worth instructions of their own.
#pragma once
#include "lanes.h"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace gpu {

#if defined(__AVX2__)

// Rows and columns of 4×4 values, in both halves of the registers.
inline void transpose(__m256 (&rows)[4]) {
    const __m256 a = _mm256_unpacklo_ps(rows[0], rows[1]), b = _mm256_unpackhi_ps(rows[0], rows[1]);
    const __m256 c = _mm256_unpacklo_ps(rows[2], rows[3]), d = _mm256_unpackhi_ps(rows[2], rows[3]);
    rows[0] = _mm256_shuffle_ps(a, c, 0x44);
    rows[1] = _mm256_shuffle_ps(a, c, 0xee);
    rows[2] = _mm256_shuffle_ps(b, d, 0x44);
    rows[3] = _mm256_shuffle_ps(b, d, 0xee);
}

// One 32-bit value a lane, from anywhere. Whoever reads the result as vectors must not wait for 32 small stores, and the
// processors' own instruction for this is slow on many.
inline void load_words(const uint64_t* addresses, uint32_t* y) {
    for (unsigned lane = 0; lane < LANES; lane += 8) {
        auto at = [&](unsigned i) __attribute__((always_inline)) { return *(const float*)addresses[lane + i]; };
        _mm256_storeu_ps((float*)y + lane, _mm256_set_ps(at(7), at(6), at(5), at(4), at(3), at(2), at(1), at(0)));
    }
}

inline void load_quads(const uint64_t* addresses, uint32_t* const* y) {
    for (unsigned lane = 0; lane < LANES; lane += 8) {
        __m256 rows[4];
        for (unsigned i = 0; i < 4; ++i) {
            const __m128 low = _mm_loadu_ps((const float*)addresses[lane + i]),
                         high = _mm_loadu_ps((const float*)addresses[lane + i + 4]);
            rows[i] = _mm256_set_m128(high, low);
        }
        transpose(rows);
        for (unsigned i = 0; i < 4; ++i) _mm256_storeu_ps((float*)y[i] + lane, rows[i]);
    }
}

inline void store_quads(const uint64_t* addresses, const uint32_t* const* x) {
    for (unsigned lane = 0; lane < LANES; lane += 8) {
        __m256 rows[4];
        for (unsigned i = 0; i < 4; ++i) rows[i] = _mm256_loadu_ps((const float*)x[i] + lane);
        transpose(rows);
        for (unsigned i = 0; i < 4; ++i) {
            _mm_storeu_ps((float*)addresses[lane + i], _mm256_castps256_ps128(rows[i]));
            _mm_storeu_ps((float*)addresses[lane + i + 4], _mm256_extractf128_ps(rows[i], 1));
        }
    }
}

#else

inline void load_words(const uint64_t* addresses, uint32_t* y) {
    for (unsigned lane = 0; lane < LANES; ++lane) y[lane] = *(const uint32_t*)addresses[lane];
}

inline void load_quads(const uint64_t* addresses, uint32_t* const* y) {
    for (unsigned lane = 0; lane < LANES; ++lane)
        for (unsigned i = 0; i < 4; ++i) y[i][lane] = ((const uint32_t*)addresses[lane])[i];
}

inline void store_quads(const uint64_t* addresses, const uint32_t* const* x) {
    for (unsigned lane = 0; lane < LANES; ++lane)
        for (unsigned i = 0; i < 4; ++i) ((uint32_t*)addresses[lane])[i] = x[i][lane];
}

#endif

}  // namespace gpu
