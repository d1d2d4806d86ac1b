// Tensor cores and asynchronous copies, which need sm_80: one warp multiplies 16×8 tiles.

// C (M×N) = A (M×K) · B (K×N), rows first, in TF32.
extern "C" __global__ void tf32_product(const float* a, const float* b, float* c, int n, int k) {
    int lane = threadIdx.x, g = lane >> 2, t = lane & 3, row = blockIdx.y * 16 + g, column = blockIdx.x * 8 + g;
    float d[4] = {0.f, 0.f, 0.f, 0.f};
    for (int at = 0; at < k; at += 8) {
        unsigned x[4], y[2];
        for (int r = 0; r < 4; ++r) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(x[r]) : "f"(a[(row + 8 * (r & 1)) * k + at + t + 4 * (r >> 1)]));
        for (int r = 0; r < 2; ++r) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y[r]) : "f"(b[(at + t + 4 * r) * n + column]));
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
    }
    for (int r = 0; r < 4; ++r) c[(row + 8 * (r >> 1)) * n + blockIdx.x * 8 + 2 * t + (r & 1)] = d[r];
}

// The same in BF16, with A and the transposed B brought by cp.async in two stages and read by ldmatrix. The last wait is left to
// `pending`: with 1 the kernel reads a stage that has not come.
extern "C" __global__ void bf16_product(const unsigned short* a, const unsigned short* b, float* c, int n, int k, int pending) {
    __shared__ __align__(16) unsigned short left[2][16][16], right[2][8][16];
    int lane = threadIdx.x, g = lane >> 2, t = lane & 3, row = blockIdx.y * 16, column = blockIdx.x * 8;
    auto copy = [&](void* to, const void* from) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(to)), "l"(from));
    };
    auto bring = [&](int stage, int at) {
        copy(&left[stage][lane >> 1][(lane & 1) * 8], a + (row + (lane >> 1)) * k + at + (lane & 1) * 8);
        if (lane < 16) copy(&right[stage][lane >> 1][(lane & 1) * 8], b + (column + (lane >> 1)) * k + at + (lane & 1) * 8);
        asm volatile("cp.async.commit_group;");
    };
    float d[4] = {0.f, 0.f, 0.f, 0.f};
    bring(0, 0);
    for (int at = 0, stage = 0; at < k; at += 16, stage ^= 1) {
        if (at + 16 < k) {
            bring(stage ^ 1, at + 16);
            asm volatile("cp.async.wait_group 1;" ::: "memory");
        } else if (pending) {
            asm volatile("cp.async.wait_group 1;" ::: "memory");
        } else {
            asm volatile("cp.async.wait_group 0;" ::: "memory");
        }
        __syncwarp();
        unsigned x[4], y[2];
        unsigned of_left = (unsigned)__cvta_generic_to_shared(&left[stage][lane & 15][(lane >> 4) * 8]);
        unsigned of_right = (unsigned)__cvta_generic_to_shared(&right[stage][lane & 7][(lane >> 3 & 1) * 8]);
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3]) : "r"(of_left));
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(y[0]), "=r"(y[1]) : "r"(of_right));
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
        __syncwarp();
    }
    for (int r = 0; r < 4; ++r) c[(row + g + 8 * (r >> 1)) * n + column + 2 * t + (r & 1)] = d[r];
}

// ldmatrix.trans: 8×8 elements, rows for columns.
extern "C" __global__ void transpose(const unsigned short* x, unsigned short* y) {
    __shared__ __align__(16) unsigned short held[8][8];
    int lane = threadIdx.x;
    if (lane < 8) *(uint4*)held[lane] = *(const uint4*)(x + 8 * lane);
    __syncwarp();
    unsigned two, at = (unsigned)__cvta_generic_to_shared(held[lane & 7]);
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(two) : "r"(at));
    *(unsigned*)(y + 8 * (lane >> 2) + 2 * (lane & 3)) = two;
}
