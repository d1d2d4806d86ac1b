// A kernel for each family of instructions. Each takes n numbers and writes n. test_instructions.py says what.
#define KERNEL extern "C" __global__ void
#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)

__constant__ float table[8] = {0.5f, -1.f, 2.f, 3.25f, 4.f, -5.5f, 6.f, 7.f};
__device__ int counter;

KERNEL arithmetic(const float* x, float* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    float a = x[i], b = x[(i + 1) % n], v = 0.f;
    switch (i % 16) {
    case 0: v = __fadd_rn(a, b); break;
    case 1: v = __fsub_rn(a, b); break;
    case 2: v = __fmul_rn(a, b); break;
    case 3: v = fmaf(a, b, a); break;
    case 4: v = __fdiv_rn(a, b); break;
    case 5: v = __fsqrt_rn(fabsf(a)); break;
    case 6: v = fminf(a, b); break;
    case 7: v = fmaxf(a, b); break;
    case 8: v = -a; break;
    case 9: v = __frcp_rn(a); break;
    case 10: v = __saturatef(a); break;
    case 11: v = copysignf(a, b); break;
    case 12: v = __fadd_rd(a, b); break;
    case 13: v = __fadd_ru(a, b); break;
    case 14: v = __fmul_rz(a, b); break;
    case 15: v = __fmaf_rz(a, b, a); break;
    }
    y[i] = v;
}

KERNEL not_numbers(const float* x, float* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    float a = x[i], nan = __int_as_float(0x7fc00000);
    float v = fmaxf(a, nan) + fminf(nan, a);        // 2a: the other one
    v += (a < nan) + 2 * (a >= nan) + 4 * (a != nan) + 8 * !(a > nan);   // 12
    v += 16 * isnan(nan) + 32 * isfinite(a) + 64 * isinf(__int_as_float(0x7f800000));   // 112
    y[i] = v;
}

KERNEL integers(const int* x, int* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    int a = x[i], b = (i % 17) + 1;
    unsigned u = (unsigned)a;
    long long wide = (long long)a * 1234567891LL;
    int v = 0;
    switch (i % 20) {
    case 0: v = a / b; break;
    case 1: v = a % b; break;
    case 2: v = u / (unsigned)b; break;
    case 3: v = u % (unsigned)b; break;
    case 4: v = a >> (b & 31); break;
    case 5: v = u >> (b & 31); break;
    case 6: v = a << (b & 31); break;
    case 7: v = __mulhi(a, 1234567891); break;
    case 8: v = __umulhi(u, 3456789012u); break;
    case 9: v = min(a, b) ^ max(a, -b); break;
    case 10: v = __clz(a); break;
    case 11: v = __popc(a); break;
    case 12: v = __brev(a); break;
    case 13: v = __ffs(a); break;
    case 14: v = __byte_perm(a, b, 0x5140); break;
    case 15: v = __funnelshift_l(a, b, 7); break;
    case 16: v = (int)(wide / 997); break;
    case 17: v = (int)(wide >> 13); break;
    case 18: v = (int)((unsigned long long)wide % 1009u); break;
    case 19: v = (u >> 5 & 0x1ff) | abs(a) << 9; break;
    }
    y[i] = v;
}

KERNEL conversions(const float* x, int* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    float a = x[i] * 1000.f;
    int v = 0;
    switch (i % 14) {
    case 0: v = (int)a; break;
    case 1: v = __float2int_rn(a); break;
    case 2: v = __float2int_rd(a); break;
    case 3: v = __float2int_ru(a); break;
    case 4: v = (int)(a * 1e9f); break;                        // does not fit
    case 5: v = (int)__int_as_float(0x7fc00000); break;        // NaN
    case 6: v = __float_as_int(floorf(a)); break;
    case 7: v = __float_as_int(rintf(a)); break;
    case 8: v = __float_as_int((float)(i * 123456789)); break;
    case 9: v = (signed char)(int)a; break;
    case 10: v = (unsigned char)(int)a; break;
    case 11: v = __float_as_int((float)((double)a / 3.0)); break;
    case 12: v = (short)(int)(a * 100.f); break;
    case 13: v = __float_as_int(__int2float_rz(i * 123456789)); break;
    }
    y[i] = v;
}

// 16-bit floats, in PTX: the headers that name them are no part of this.
KERNEL halves(const float* x, float* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    unsigned short h;
    float back;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x[i]));
    asm("cvt.f32.f16 %0, %1;" : "=f"(back) : "h"(h));
    y[i] = back;
}

// Ways that lanes go apart and come together again: loops of different lengths, early returns, a switch in a loop.
KERNEL branches(const int* x, int* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    int a = x[i] & 0xff, steps = 0;
    if (a == 7) {
        y[i] = -7;
        return;
    }
    while (a != 1 && steps < 60) {
        if (a == 0) break;
        switch (a & 3) {
        case 0: a >>= 2; break;
        case 1: a = a * 3 + 1; break;
        case 2: a >>= 1; break;
        default: for (int k = 0; k < (a & 7); ++k) steps += k & 1; a = a + 1;
        }
        ++steps;
    }
    y[i] = steps * 1000 + a;
}

KERNEL local_arrays(const float* x, float* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    float a[12];
    for (int j = 0; j < 12; ++j) a[j] = x[(i + j * 7) % n];
    for (int j = 0; j < 11; ++j)
        for (int k = 0; k < 11 - j; ++k)
            if (a[k] > a[k + 1]) {
                float t = a[k];
                a[k] = a[k + 1];
                a[k + 1] = t;
            }
    y[i] = a[(i * 5) % 12];
}

static __device__ __noinline__ float polynomial(float x, int terms) {
    float sum = 0.f;
    for (int k = 0; k < terms; ++k) sum = sum * x + table[k & 7];
    return sum;
}
KERNEL calls(const float* x, float* y, int n) {
    int i = INDEX;
    if (i < n) y[i] = polynomial(x[i], 5 + (i & 3));
}

KERNEL vectors(const float* x, float* y, int n) {
    int i = INDEX;
    if (i * 4 + 3 >= n) return;
    float4 v = *(const float4*)(x + 4 * i);
    float2 w = *(const float2*)(x + 4 * i + 2);
    v.x += w.y;
    v.y *= 2.f;
    v.z -= v.w;
    *(float4*)(y + 4 * i) = v;
}

KERNEL small_types(const unsigned char* x, unsigned char* y, int n) {
    int i = INDEX;
    if (i * 4 + 3 >= n) return;
    uchar4 v = *(const uchar4*)(x + 4 * i);
    short s = (short)((signed char)v.x * 3);
    y[4 * i] = v.y;
    y[4 * i + 1] = (unsigned char)(s >> 8);
    y[4 * i + 2] = (unsigned char)s;
    y[4 * i + 3] = (unsigned char)(v.z + v.w);
}

KERNEL shuffles(const int* x, int* y, int n) {
    int i = INDEX, lane = threadIdx.x & 31;
    int a = i < n ? x[i] : 0, v = 0;
    int up = __shfl_up_sync(0xffffffffu, a, 3), down = __shfl_down_sync(0xffffffffu, a, 5, 16);
    int across = __shfl_xor_sync(0xffffffffu, a, 9), from = __shfl_sync(0xffffffffu, a, (lane * 7) & 31);
    unsigned odd = __ballot_sync(0xffffffffu, a & 1);
    switch (i % 7) {
    case 0: v = up; break;
    case 1: v = down; break;
    case 2: v = across; break;
    case 3: v = from; break;
    case 4: v = odd; break;
    case 5: v = __popc(odd); break;
    case 6: v = lane; break;
    }
    // Half of a warp on its own.
    if (lane < 16) v += __shfl_xor_sync(0x0000ffffu, v, 1) & 0xff;
    else v += __any_sync(0xffff0000u, a == -1) + 2 * __all_sync(0xffff0000u, a >= 0);
    if (i < n) y[i] = v;
}

KERNEL matches(const int* x, int* y, int n) {
    int i = INDEX;
    unsigned same = __match_any_sync(0xffffffffu, (i < n ? x[i] : 0) & 3);
    if (i < n) y[i] = (int)same;
}

// A sum over each block, with shuffles, shared memory and barriers.
KERNEL block_sums(const float* x, float* y, int n) {
    __shared__ float part[32];
    int i = INDEX, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float v = i < n ? x[i] : 0.f;
    for (int o = 16; o; o >>= 1) v += __shfl_down_sync(0xffffffffu, v, o);
    if (lane == 0) part[warp] = v;
    __syncthreads();
    if (warp == 0) {
        v = lane < (blockDim.x + 31) / 32 ? part[lane] : 0.f;
        for (int o = 16; o; o >>= 1) v += __shfl_down_sync(0xffffffffu, v, o);
        if (lane == 0) part[0] = v;
    }
    __syncthreads();
    if (i < n) y[i] = part[0];
}

// Dynamic shared memory: the block's numbers in reverse.
KERNEL reversal(const float* x, float* y, int n) {
    extern __shared__ float held[];
    int i = INDEX;
    held[threadIdx.x] = i < n ? x[i] : 0.f;
    __syncthreads();
    if (i < n) y[i] = held[blockDim.x - 1 - threadIdx.x];
}

KERNEL atomics(const int* x, int* y, int n) {
    __shared__ int histogram[16];
    if (threadIdx.x < 16) histogram[threadIdx.x] = 0;
    __syncthreads();
    int i = INDEX;
    if (i < n) {
        atomicAdd(&histogram[x[i] & 15], 1);
        atomicMax(&y[16], x[i]);
        atomicMin(&y[17], x[i]);
        atomicXor(&y[18], x[i]);
        atomicAdd((float*)&y[19], 0.25f);
        atomicAdd(&counter, 1);
        int old = y[20], seen;
        do {
            seen = old;
            old = atomicCAS(&y[20], seen, seen + 2);
        } while (old != seen);
    }
    __syncthreads();
    if (threadIdx.x < 16) atomicAdd(&y[threadIdx.x], histogram[threadIdx.x]);
}
KERNEL read_counter(const int*, int* y, int) { y[0] = counter; }

KERNEL functions(const float* x, float* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    float a = x[i], v = 0.f;
    switch (i % 10) {
    case 0: v = expf(a); break;
    case 1: v = logf(fabsf(a) + 1.f); break;
    case 2: v = tanhf(a); break;
    case 3: v = powf(2.f + a * a, -0.75f); break;
    case 4: v = sqrtf(fabsf(a)); break;
    case 5: v = rsqrtf(fabsf(a) + 1.f); break;
    case 6: v = __expf(a); break;
    case 7: v = sinf(a); break;
    case 8: v = 1.f / (1.f + expf(-a)); break;
    case 9: v = (float)(sqrt((double)a * a + 1.0) + exp((double)a)); break;
    }
    y[i] = v;
}

// Philox with ten rounds, as dropout draws.
KERNEL philox(const int* x, int* y, int n) {
    int i = INDEX;
    if (i >= n) return;
    unsigned k0 = 1234u, k1 = 5678u, c0 = i, c1 = x[i], c2 = 0u, c3 = 0u;
    for (int r = 0; r < 10; ++r) {
        unsigned h0 = __umulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0, h1 = __umulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
        c0 = h1 ^ c1 ^ k0;
        c1 = l1;
        c2 = h0 ^ c3 ^ k1;
        c3 = l0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    y[i] = (int)c0;
}

// Where a thread is, in three dimensions.
KERNEL places(const int*, int* y, int n) {
    int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    int i = block * blockDim.x * blockDim.y * blockDim.z + thread, lane, below;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    asm("mov.u32 %0, %%lanemask_lt;" : "=r"(below));
    if (i < n) y[i] = threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z + 1000 * blockIdx.x + 10000 * blockIdx.y + 100000 * blockIdx.z
                      + 1000000 * (__popc(below) == lane);
}
