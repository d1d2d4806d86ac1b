#include "block.h"
#include "context.h"
#include "errors.h"
#include <algorithm>
#include <cstring>
#include <random>

namespace gpu {
namespace {

thread_local Block* of_this_thread = nullptr;
constexpr size_t SHARED_ALIGNMENT = 128;

}  // namespace

Block* Block::current() { return of_this_thread; }

void Block::prepare(const Launch& launch, uint64_t index) {
    launch_ = &launch;
    error_ = 0;
    const Kernel& kernel = *launch.kernel;
    const uint32_t static_bytes = (kernel.static_shared_bytes + 15) / 16 * 16, bytes = static_bytes + launch.dynamic_bytes;
    shared_.assign(bytes + SHARED_ALIGNMENT, 0xff);
    auto* shared = (uint8_t*)((uint64_t(shared_.data()) + SHARED_ALIGNMENT - 1) & ~uint64_t(SHARED_ALIGNMENT - 1));
    if (settings().checked) races_.begin(bytes, kernel.shared_granule);
    std::fill(std::begin(known_), std::end(known_), Range());
    const uint32_t threads = launch.threads();
    warp_count_ = (threads + LANES - 1) / LANES;
    while (warps_.size() < warp_count_) warps_.push_back(std::make_unique<Thread>());
    for (uint32_t number = 0; number < warp_count_; ++number) {
        Thread& thread = *warps_[number];
        Warp& warp = thread.warp;
        for (uint32_t lane = 0; lane < LANES; ++lane) {
            const uint32_t at = number * LANES + lane;
            warp.thread[0][lane] = at % launch.block[0];
            warp.thread[1][lane] = at / launch.block[0] % launch.block[1];
            warp.thread[2][lane] = at / launch.block[0] / launch.block[1];
        }
        std::copy_n(launch.block, 3, warp.block_size);
        std::copy_n(launch.grid, 3, warp.grid);
        warp.block[0] = uint32_t(index % launch.grid[0]);
        warp.block[1] = uint32_t(index / launch.grid[0] % launch.grid[1]);
        warp.block[2] = uint32_t(index / launch.grid[0] / launch.grid[1]);
        warp.index = number;
        const uint32_t lanes = std::min(threads - number * LANES, LANES);
        warp.live = lanes == LANES ? EVERY_LANE : (1u << lanes) - 1;
        warp.order = settings().order < 2 ? 0 : settings().order + number;
        warp.shared = shared;
        warp.static_bytes = static_bytes;
        warp.shared_bytes = bytes;
        warp.local_low = thread.fiber.low();
        warp.local_high = thread.fiber.high();
        warp.syncs = 0;
        warp.owner = &thread;
        thread.block = this;
        thread.state = State::Ready;
        thread.fiber.start([](void* own) {
            auto& self = *(Thread*)own;
            const Launch& launched = *self.block->launch_;
            launched.kernel->run(self.warp, self.warp.live, launched.parameters->data());
            self.state = State::Ended;
        }, &thread);
    }
}

int Block::run(const Launch& launch, uint64_t index) {
    prepare(launch, index);
    std::vector<uint32_t> order(warp_count_);
    for (uint32_t i = 0; i < warp_count_; ++i) order[i] = settings().order == 1 ? warp_count_ - 1 - i : i;
    if (settings().order > 1) std::shuffle(order.begin(), order.end(), std::mt19937_64(settings().order * 7919 + index));
    of_this_thread = this;
    do {
        for (uint32_t number : order)
            if (!error_ && warps_[number]->state == State::Ready) execute(*warps_[number]);
    } while (!error_ && release_barriers());
    of_this_thread = nullptr;
    if (!error_) report_hang();
    return error_;
}

void Block::execute(Thread& thread) {
    executing_ = &thread;
    thread.fiber.resume();
    executing_ = nullptr;
}

void Block::wait_at_barrier(Warp& warp, uint32_t barrier, uint32_t threads, uint32_t line) {
    auto& thread = *(Thread*)warp.owner;
    thread.state = State::AtBarrier;
    thread.barrier = barrier;
    thread.threads = threads;
    thread.line = line;
    thread.fiber.pause();
}

// A barrier opens when the threads have come that it counts; without a number, all that have not exited. Returns whether any has.
bool Block::release_barriers() {
    bool opened = false;
    for (uint32_t barrier = 0; barrier < 16; ++barrier) {
        uint32_t arrived = 0, expected = 0, living = 0;
        Thread* first = nullptr;
        for (uint32_t i = 0; i < warp_count_; ++i) {
            Thread& thread = *warps_[i];
            const auto threads = uint32_t(__builtin_popcount(thread.warp.live));
            if (thread.state != State::Ended) living += threads;
            if (thread.state != State::AtBarrier || thread.barrier != barrier) continue;
            if (settings().checked && first && first->line != thread.line) {
                char text[160];
                snprintf(text, sizeof text, "a divergent barrier: warp %u waits in PTX line %u, warp %u in line %u",
                         first->warp.index, first->line, i, thread.line);
                message_ = text;
                error_ = LAUNCH_FAILED;
                return false;
            }
            if (!first) first = &thread;
            arrived += thread.threads ? LANES : threads;
            expected = thread.threads;
        }
        if (!first || arrived < (expected ? expected : living)) continue;
        for (uint32_t i = 0; i < warp_count_; ++i)
            if (warps_[i]->state == State::AtBarrier && warps_[i]->barrier == barrier) warps_[i]->state = State::Ready;
        races_.synchronize();
        opened = true;
    }
    return opened;
}

void Block::report_hang() {
    uint32_t waiting = 0, ended = 0, line = 0;
    for (uint32_t i = 0; i < warp_count_; ++i) {
        ended += warps_[i]->state == State::Ended;
        if (warps_[i]->state != State::AtBarrier) continue;
        ++waiting;
        line = warps_[i]->line;
    }
    if (!waiting) return;
    char text[160];
    snprintf(text, sizeof text, "it hangs: %u warps wait at a barrier (PTX line %u), %u have ended", waiting, line, ended);
    message_ = text;
    error_ = LAUNCH_FAILED;
}

std::string Block::thread_name(const Warp& warp, unsigned lane) const {
    char text[96];
    snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u)", warp.thread[0][lane], warp.thread[1][lane],
             warp.thread[2][lane], warp.block[0], warp.block[1], warp.block[2]);
    return text;
}

void Block::fail(Warp& warp, int error, const char* message, uint32_t line) {
    error_ = error;
    message_ = std::string(message) + " (PTX line " + std::to_string(line) + ", warp " + std::to_string(warp.index) + " of block (" +
               std::to_string(warp.block[0]) + "," + std::to_string(warp.block[1]) + "," + std::to_string(warp.block[2]) + "))";
    ((Thread*)warp.owner)->fiber.pause();
    abort();
}

void Block::fail_at(uint64_t address) {
    char text[96];
    snprintf(text, sizeof text, "an illegal address, %#lx (the checked mode says more)", address);
    error_ = ILLEGAL_ADDRESS;
    message_ = std::string(text) + ", " + thread_name(executing_->warp, 0) + " or another of its warp";
    executing_->fiber.pause();
    abort();
}

}  // namespace gpu
