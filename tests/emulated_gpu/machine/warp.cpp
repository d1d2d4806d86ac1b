#include "warp.h"
#include "block.h"
#include "errors.h"
#include "settings.h"
#include <algorithm>

namespace gpu {
namespace {

constexpr size_t ALIGNMENT = 64;

// Writes a result in the lanes that execute.
template <class T> void merge_lanes(Mask mask, void* to, const void* from) {
    auto* y = (T*)to;
    const auto* x = (const T*)from;
    for (unsigned l = 0; l < LANES; ++l) y[l] = mask >> l & 1 ? x[l] : y[l];
}

void merge(const Op& op, Mask mask, void* to, const void* from) {
    constexpr uint8_t IS_MASK = 1;
    switch (op.kept_bytes) {
    case IS_MASK: *(Mask*)to = (*(Mask*)to & ~mask) | (*(const Mask*)from & mask); break;
    case 2: merge_lanes<uint16_t>(mask, to, from); break;
    case 4: merge_lanes<uint32_t>(mask, to, from); break;
    default: merge_lanes<uint64_t>(mask, to, from);
    }
}

}  // namespace

void Warp::bind(const Program& program) {
    program_ = &program;
    if (serial_ == program.serial) return;
    serial_ = program.serial;
    memory_ = std::make_unique<uint8_t[]>(program.register_bytes + ALIGNMENT);
    registers = (uint8_t*)((uint64_t(memory_.get()) + ALIGNMENT - 1) & ~uint64_t(ALIGNMENT - 1));
    for (const auto& constant : program.constants) {
        if (constant.bytes == 1) std::fill_n(lanes<uint8_t>(constant.offset), LANES, uint8_t(constant.value));
        else if (constant.bytes == 2) std::fill_n(lanes<uint16_t>(constant.offset), LANES, uint16_t(constant.value));
        else if (constant.bytes == 4) std::fill_n(lanes<uint32_t>(constant.offset), LANES, uint32_t(constant.value));
        else std::fill_n(lanes<uint64_t>(constant.offset), LANES, constant.value);
    }
}

void Warp::begin(Block& in, const Launch& launch, uint32_t own_number) {
    bind(*launch.program);
    block = &in;
    number = own_number;
    for (uint32_t lane = 0; lane < LANES; ++lane) {
        const uint32_t at = number * LANES + lane;
        thread[0][lane] = at % launch.block[0];
        thread[1][lane] = at / launch.block[0] % launch.block[1];
        thread[2][lane] = at / launch.block[0] / launch.block[1];
    }
    const uint32_t count = std::min(launch.threads() - number * LANES, LANES);
    live = count == LANES ? EVERY_LANE : (1u << count) - 1;
    shared = in.shared();
    shared_bytes = in.shared_bytes();
    parameters = launch.parameters->data();
    local.assign(program_->local_bytes, 0xff);
    set_specials(launch);
    copies = AsyncCopies();
    groups_.clear();
    syncs = 0;
    turn_ = settings().order < 2 ? 0 : settings().order + number;
    mask = live;
    next_ = 0;
    state = State::Ready;
}

void Warp::set_specials(const Launch& launch) {
    for (const auto& special : program_->specials) {
        auto* values = lanes<uint32_t>(special.offset);
        const std::string& name = special.name;
        const auto axis = name.empty() ? 0 : unsigned(name.back() - 'x');
        for (uint32_t l = 0; l < LANES; ++l) {
            if (name.empty())
                lanes<uint64_t>(special.offset)[l] =
                    uint64_t(local.data()) + special.local_offset + l * special.local_bytes;
            else if (name.starts_with("%tid.")) values[l] = thread[axis][l];
            else if (name.starts_with("%ntid.")) values[l] = launch.block[axis];
            else if (name.starts_with("%ctaid.")) values[l] = block->place()[axis];
            else if (name.starts_with("%nctaid.")) values[l] = launch.grid[axis];
            else if (name == "%laneid") values[l] = l;
            else if (name == "%warpid") values[l] = number;
            else if (name == "%nwarpid") values[l] = (launch.threads() + LANES - 1) / LANES;
            else if (name == "%dynamic_smem_size") values[l] = launch.dynamic_bytes;
            else if (name == "%lanemask_eq") values[l] = 1u << l;
            else if (name == "%lanemask_lt") values[l] = (1u << l) - 1;
            else if (name == "%lanemask_le") values[l] = (2u << l) - 1;
            else if (name == "%lanemask_ge") values[l] = ~((1u << l) - 1);
            else if (name == "%lanemask_gt") values[l] = ~((2u << l) - 1);
            else values[l] = 0;     // %smid
        }
    }
}

void Warp::run() {
    state = State::Ready;
    while (state == State::Ready) {
        // A jump is a jump while all lanes are together; else the groups decide who goes on.
        if (groups_.any() || !mask) {
            if (mask) groups_.park({next_, mask});
            Group group;
            if (turn_) turn_ = turn_ * 1664525 + 1013904223;
            if (!groups_.take(group, turn_ ? turn_ >> 8 | 1 : 0)) {
                if (groups_.any()) report_stuck();
                state = State::Ended;
                return;
            }
            next_ = group.block;
            mask = group.lanes;
        }
        const uint32_t current = next_;
        if (!gather(current, mask)) continue;
        const BasicBlock& executed = program_->blocks[current];
        execute(executed);
        next_ = current + 1;
        end(executed);
    }
}

void Warp::execute(const BasicBlock& executed) {
    if (mask == live && !groups_.any()) {
        for (const Op& op : executed.ops) op.run(*this, op, registers + op.to);
        return;
    }
    alignas(ALIGNMENT) uint8_t result[LANES * 8];
    for (const Op& op : executed.ops) {
        if (!op.kept_bytes) {
            op.run(*this, op, registers + op.to);
            continue;
        }
        op.run(*this, op, result);
        merge(op, mask, registers + op.to, result);
    }
}

// An operation under a guard, in the lanes where its predicate holds: from[0] is that, `value` whether it must not
// hold.
void run_guarded(Warp& warp, const Op& op, void*) {
    const Mask before = warp.mask, predicate = warp.mask_at(op.from[0]);
    warp.mask &= op.value ? ~predicate : predicate;
    if (warp.mask) {
        alignas(ALIGNMENT) uint8_t result[LANES * 8];
        const Op& inner = *op.inner;
        inner.run(warp, inner, inner.kept_bytes ? result : warp.registers + inner.to);
        if (inner.kept_bytes) merge(inner, warp.mask, warp.registers + inner.to, result);
    }
    warp.mask = before;
}

bool Warp::gather(uint32_t at, Mask& coming) {
    const BasicBlock& entered = program_->blocks[at];
    if (!entered.gathers) return true;
    Mask members = entered.members, missing = EVERY_LANE;
    Mask together = coming;
    // Each lane may name others. Those that name the same go together, as soon as they are all there.
    for (Mask left = coming; left && missing;) {
        if (entered.members_in_register) members = lanes<uint32_t>(entered.members)[first_of(left)];
        together = 0;
        for_lanes(left, [&](unsigned l) {
            if (!entered.members_in_register || lanes<uint32_t>(entered.members)[l] == members) together |= 1u << l;
        });
        left &= ~together;
        if (together & ~members)
            fail(LAUNCH_FAILED, "a lane calls an operation of the warp with a mask that lacks it", entered.line);
        missing = members & live & ~together;
    }
    if (missing) {
        groups_.park({at, coming, members, true});
        coming = 0;
        return false;
    }
    if (coming & ~together) groups_.park({at, coming & ~together});
    coming = together;
    return true;
}

void Warp::leave(Mask leaving) {
    live &= ~leaving;
    mask &= ~leaving;
    groups_.look_again();
}

void Warp::end(const BasicBlock& executed) {
    const End& how = executed.end;
    const Mask predicate = how.kind == End::Kind::Branch || how.conditional ? mask_at(how.predicate) : EVERY_LANE;
    const Mask taken = mask & (how.negated ? ~predicate : predicate);
    switch (how.kind) {
    case End::Kind::Next: break;
    case End::Kind::Jump: next_ = how.target; break;
    case End::Kind::Branch:
        if (taken == mask) {
            next_ = how.target;
        } else if (taken) {
            groups_.park({how.target, taken});
            mask &= ~taken;
        }
        break;
    case End::Kind::BranchByIndex:
        for_lanes(mask, [&](unsigned l) {
            const uint32_t index = lanes<uint32_t>(how.index)[l];
            if (index < how.targets.size()) groups_.park({how.targets[index], 1u << l});
        });
        mask = 0;
        break;
    case End::Kind::Leave: leave(taken); break;
    case End::Kind::Barrier:
        state = State::AtBarrier;
        barrier = how.barrier;
        barrier_threads = how.threads;
        barrier_line = how.line;
        break;
    }
}

void Warp::report_stuck() const {
    const Group& group = *groups_.begin();
    char text[200];
    snprintf(text, sizeof text,
             "lanes %08x wait for lanes %08x, which wait elsewhere: a divergent barrier or wrong masks", group.lanes,
             group.members & live & ~group.lanes);
    fail(LAUNCH_FAILED, text, program_->blocks[group.block].line);
}

void Warp::fail(int error, const std::string& what, uint32_t line) const {
    const uint32_t* place = block->place();
    char where[120];
    snprintf(where, sizeof where, " (PTX line %u, warp %u of block (%u,%u,%u))", line, number, place[0], place[1],
             place[2]);
    throw KernelFault{error, what + where};
}

}  // namespace gpu
