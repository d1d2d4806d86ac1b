#include "block.h"
#include "bad_address.h"
#include "errors.h"
#include "settings.h"
#include <algorithm>
#include <random>

namespace gpu {
namespace {

constexpr size_t SHARED_ALIGNMENT = 128;
constexpr uint32_t BARRIERS = 16;

}  // namespace

void Block::run(const Launch& launch, uint64_t index) {
    launch_ = &launch;
    place_[0] = uint32_t(index % launch.grid[0]);
    place_[1] = uint32_t(index / launch.grid[0] % launch.grid[1]);
    place_[2] = uint32_t(index / launch.grid[0] / launch.grid[1]);
    shared_bytes_ = launch.program->static_shared_bytes + launch.dynamic_bytes;
    memory_.assign(shared_bytes_ + SHARED_ALIGNMENT, 0xff);
    shared_ = (uint8_t*)((uint64_t(memory_.data()) + SHARED_ALIGNMENT - 1) & ~uint64_t(SHARED_ALIGNMENT - 1));
    is_watched_ = settings().checked || !settings().counters.empty();
    if (settings().checked) races_.begin(shared_bytes_, launch.program->shared_granule);
    std::fill(std::begin(known_), std::end(known_), Range());
    warp_count_ = (launch.threads() + LANES - 1) / LANES;
    if (warps_.size() < warp_count_) warps_.resize(warp_count_);
    for (uint32_t i = 0; i < warp_count_; ++i) warps_[i].begin(*this, launch, i);
    const uint64_t bad_address = guard_against_bad_addresses([&] { run_warps(index); });
    if (!bad_address) return;
    char text[160];
    snprintf(text, sizeof text, "an illegal address, %#lx, in block (%u,%u,%u); the checked mode says more",
             bad_address, place_[0], place_[1], place_[2]);
    throw KernelFault{ILLEGAL_ADDRESS, text};
}

void Block::run_warps(uint64_t index) {
    std::vector<uint32_t> order(warp_count_);
    for (uint32_t i = 0; i < warp_count_; ++i) order[i] = settings().order == 1 ? warp_count_ - 1 - i : i;
    if (settings().order > 1)
        std::shuffle(order.begin(), order.end(), std::mt19937_64(settings().order * 7919 + index));
    do {
        for (uint32_t number : order)
            if (warps_[number].state == Warp::State::Ready) warps_[number].run();
    } while (open_barriers());
    report_hang();
}

// A barrier opens when the threads have come that it counts; without a number, all that have not exited. Returns
// whether any has.
bool Block::open_barriers() {
    bool opened = false;
    for (uint32_t barrier = 0; barrier < BARRIERS; ++barrier) {
        uint32_t arrived = 0, living = 0;
        const Warp* first = nullptr;
        for (uint32_t i = 0; i < warp_count_; ++i) {
            const Warp& warp = warps_[i];
            const auto threads = uint32_t(__builtin_popcount(warp.live));
            if (warp.state != Warp::State::Ended) living += threads;
            if (warp.state != Warp::State::AtBarrier || warp.barrier != barrier) continue;
            arrived += warp.barrier_threads ? LANES : threads;
            if (!first) first = &warp;
            if (settings().checked && first->barrier_line != warp.barrier_line)
                warp.fail(LAUNCH_FAILED,
                          "a divergent barrier: warp " + std::to_string(first->number) + " waits in PTX line " +
                              std::to_string(first->barrier_line),
                          warp.barrier_line);
        }
        if (!first || arrived < (first->barrier_threads ? first->barrier_threads : living)) continue;
        for (uint32_t i = 0; i < warp_count_; ++i)
            if (warps_[i].state == Warp::State::AtBarrier && warps_[i].barrier == barrier)
                warps_[i].state = Warp::State::Ready;
        races_.synchronize();
        opened = true;
    }
    return opened;
}

void Block::report_hang() const {
    uint32_t waiting = 0, ended = 0;
    const Warp* one = nullptr;
    for (uint32_t i = 0; i < warp_count_; ++i) {
        ended += warps_[i].state == Warp::State::Ended;
        if (warps_[i].state != Warp::State::AtBarrier) continue;
        ++waiting;
        one = &warps_[i];
    }
    if (!one) return;
    one->fail(
        LAUNCH_FAILED,
        "it hangs: " + std::to_string(waiting) + " warps wait at a barrier, " + std::to_string(ended) + " have ended",
        one->barrier_line);
}

void Block::notice(Warp& warp, Space space, const MemoryAccess& access) {
    // Addresses that may point anywhere are told apart lane by lane.
    MemoryAccess in_shared = access, in_global = access;
    if (space != Space::Shared) in_shared.lanes = 0;
    if (space != Space::Global) in_global.lanes = 0;
    if (space == Space::Any) {
        for_lanes(access.lanes, [&](unsigned l) {
            const uint64_t at = access.addresses[l];
            if (at - uint64_t(shared_) < shared_bytes_) in_shared.lanes |= 1u << l;
            else if (at - uint64_t(warp.local.data()) >= warp.local.size()) in_global.lanes |= 1u << l;
        });
    }
    if (settings().checked && in_shared.lanes) check_shared(warp, in_shared);
    if (settings().checked && in_global.lanes) check_global(warp, in_global);
    if (settings().counters.empty()) return;
    if (in_shared.lanes) counters_.count_shared(in_shared);
    if (in_global.lanes) counters_.count_global(in_global);
}

std::string Block::thread_name(const Warp& warp, unsigned lane) const {
    char text[96];
    snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u)", warp.thread[0][lane], warp.thread[1][lane],
             warp.thread[2][lane], place_[0], place_[1], place_[2]);
    return text;
}

}  // namespace gpu
