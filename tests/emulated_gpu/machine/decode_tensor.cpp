// Tensor cores: mma.sync and ldmatrix, with the layouts of the PTX manual, so that a wrong index of a fragment gives a
// wrong result. Products are summed in order in f32; the hardware's order and rounding inside of one instruction are
// not known.
#include "addresses.h"
#include "decoder.h"
#include "numbers.h"

namespace gpu {

using namespace ptx;

namespace {

// The hardware reads the upper 19 bits of a TF32 operand.
struct TensorFloat {
    static float widen(uint32_t x) { return bits<float>(x & 0xffffe000); }
};

// D = A (16×K) · B (K×8) + C. Lane 4g + t holds rows g and g + 8 of A, column g of B, and columns 2t and 2t + 1 of C.
template <class F, unsigned K> void multiply(Warp& warp, const Op& op, void*) {
    constexpr bool WORDS = std::is_same_v<F, TensorFloat>;      // one element a register, else two
    constexpr unsigned STEP = WORDS ? 4 : 8, OF_A = 2 * K / STEP, OF_B = K / STEP;
    float left[16][K], right[K][8], sums[LANES][4];
    auto element = [&](unsigned operand, unsigned lane, unsigned half) {
        const uint32_t word = warp.lanes<uint32_t>(op.more->from[operand])[lane];
        if constexpr (WORDS) return F::widen(word);
        else return F::widen(uint16_t(word >> (16 * half)));
    };
    for (unsigned lane = 0; lane < LANES; ++lane) {
        const unsigned g = lane / 4, t = lane % 4;
        for (unsigned half = 0; half < (WORDS ? 1 : 2); ++half) {
            const unsigned k = WORDS ? t : 2 * t + half;
            for (unsigned r = 0; r < OF_A; ++r) left[g + 8 * (r % 2)][k + STEP * (r / 2)] = element(r, lane, half);
            for (unsigned r = 0; r < OF_B; ++r) right[k + STEP * r][g] = element(OF_A + r, lane, half);
        }
    }
    for (unsigned lane = 0; lane < LANES; ++lane) {
        for (unsigned r = 0; r < 4; ++r) {
            const unsigned row = lane / 4 + 8 * (r / 2), column = 2 * (lane % 4) + r % 2;
            float sum = 0;
            for (unsigned k = 0; k < K; ++k) sum += left[row][k] * right[k][column];
            sums[lane][r] = warp.lanes<float>(op.more->from[OF_A + OF_B + r])[lane] + sum;
        }
    }
    for (unsigned r = 0; r < 4; ++r)
        for (unsigned lane = 0; lane < LANES; ++lane) warp.lanes<float>(op.more->to[r])[lane] = sums[lane][r];
}

Handler multiplying(const std::string& shape, const std::string& type) {
    if (type == "tf32")
        return shape == "m16n8k8" ? multiply<TensorFloat, 8> : shape == "m16n8k4" ? multiply<TensorFloat, 4> : nullptr;
    if (type == "bf16")
        return shape == "m16n8k16" ? multiply<BrainHalf, 16> : shape == "m16n8k8" ? multiply<BrainHalf, 8> : nullptr;
    if (type == "f16")
        return shape == "m16n8k16" ? multiply<Half, 16> : shape == "m16n8k8" ? multiply<Half, 8> : nullptr;
    return nullptr;
}

// Matrices of 8×8 16-bit elements. Lanes 8i … 8i + 7 give the addresses of the rows of matrix i.
template <bool TRANSPOSED> void load_rows(Warp& warp, const Op& op, void*) {
    const size_t count = op.more->to.size();
    const Mask all = warp.mask;
    warp.mask = count == 4 ? EVERY_LANE : (1u << (8 * count)) - 1;
    const auto at = addresses_of<Space::Shared>(warp, op.from[0], op.value, 16, Access::Read, op.line);
    warp.mask = all;
    for (size_t matrix = 0; matrix < count; ++matrix) {
        auto* y = warp.lanes<uint16_t>(op.more->to[matrix]);
        for (unsigned row = 0; row < 8; ++row) {
            uint16_t elements[8];
            memcpy(elements, (const void*)at.of[8 * matrix + row], sizeof elements);
            for (unsigned column = 0; column < 8; ++column) {
                const unsigned r = TRANSPOSED ? column : row, c = TRANSPOSED ? row : column;
                y[2 * (4 * r + c / 2) + c % 2] = elements[column];
            }
        }
    }
}

}  // namespace

void Decoder::multiply_matrices(const Instruction& each) {
    const auto& words = each.qualifiers;    // sync aligned m16n8k8 row col f32 tf32 tf32 f32
    const bool known = words.size() == 9 && words[3] == "row" && words[4] == "col" && words[5] == "f32" &&
                       words[6] == words[7] && words[8] == "f32";
    const Handler handler = known ? multiplying(words[2], words[6]) : nullptr;
    if (!handler) throw Unsupported("its shape");
    Registers& more = list();
    for (const auto& to : each.operands.at(0).list) more.to.push_back(destination(to, Type::F32));
    for (size_t i = 1; i < 4; ++i)
        for (const auto& from : each.operands.at(i).list)
            more.from.push_back(read(from, i < 3 ? Type::B32 : Type::F32));
    emit_plain(handler).more = &more;
}

void Decoder::load_matrices(const Instruction& each) {
    if (!each.has("m8n8") || !each.has("b16") || !each.has("shared")) throw Unsupported("its shape");
    Registers& more = list();
    const Operand& to = each.operands.at(0);
    for (const auto& target : to.kind == Operand::Kind::List ? to.list : std::vector<Operand>{to})
        more.to.push_back(destination(target, Type::B32));
    Op& op = emit_plain(each.has("trans") ? load_rows<true> : load_rows<false>, {address(each.operands.at(1))});
    op.value = each.operands[1].offset;
    op.more = &more;
}

}  // namespace gpu
