// Launches of kernels.
#include "../machine/block.h"
#include "api.h"
#include "faults.h"
#include "graph.h"
#include "memory.h"
#include "module.h"
#include <atomic>
#include <cstring>
#include <numeric>
#include <thread>

namespace gpu {
namespace {

// Blocks are executed in any order on a GPU. A step that has no divisor in common with their number reaches all of
// them.
class BlockOrder {
public:
    explicit BlockOrder(uint64_t blocks) : blocks_(blocks) {
        if (settings().order < 2 || blocks < 3) return;
        start_ = settings().order * 2654435761u % blocks;
        for (step_ = blocks * 5 / 8 + 1; std::gcd(step_, blocks) != 1; ++step_) {}
    }
    uint64_t operator[](uint64_t i) const {
        return settings().order == 1 ? blocks_ - 1 - i : uint64_t((__uint128_t(i) * step_ + start_) % blocks_);
    }

private:
    uint64_t blocks_, start_ = 0, step_ = 1;
};

// A host thread keeps its block, with the registers of its warps, from one launch to the next.
Block& block_of_this_thread() {
    static thread_local std::unique_ptr<Block> only = std::make_unique<Block>();
    return *only;
}

int execute(const Launch& launch) {
    const char* name = launch.program->name.c_str();
    if (int error = launch_fails(name, launch.context->device)) return error;
    const uint64_t blocks = launch.blocks();
    const BlockOrder order(blocks);
    std::atomic<uint64_t> next{0};
    std::atomic<int> error{0};
    auto work = [&] {
        Block& block = block_of_this_thread();
        for (uint64_t i = next++; i < blocks && !error; i = next++) {
            try {
                block.run(launch, order[i]);
            } catch (const KernelFault& fault) {
                int none = 0;
                if (error.compare_exchange_strong(none, fault.error))
                    complain("kernel %s on gpu %d failed (CUDA error %d): %s", name, launch.context->device,
                             fault.error, fault.message.c_str());
            }
        }
        if (!settings().counters.empty()) block.counters().hand_in(name);
    };
    std::vector<std::thread> others;
    for (uint64_t i = 1; i < std::min<uint64_t>(settings().workers, blocks); ++i) others.emplace_back(work);
    work();
    for (auto& other : others) other.join();
    return error;
}

// The sizes that a real driver refuses. Says why.
int check_sizes(const Function& function, const Launch& launch) {
    const char* name = launch.program->name.c_str();
    const uint64_t threads = uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
    if (!launch.blocks() || !threads || threads > 1024 || launch.block[2] > 64 || launch.grid[1] > 65535 ||
        launch.grid[2] > 65535) {
        complain("kernel %s: a grid of %u,%u,%u blocks of %u,%u,%u threads is not allowed", name, launch.grid[0],
                 launch.grid[1], launch.grid[2], launch.block[0], launch.block[1], launch.block[2]);
        return INVALID_VALUE;
    }
    if (launch.program->max_threads && threads > launch.program->max_threads) {
        complain("kernel %s: %lu threads, but __launch_bounds__ says %u", name, threads, launch.program->max_threads);
        return INVALID_VALUE;
    }
    if (launch.dynamic_bytes > function.most_dynamic_bytes()) {
        complain("kernel %s: %u bytes of dynamic shared memory, but no more than %u are allowed", name,
                 launch.dynamic_bytes, function.most_dynamic_bytes());
        return INVALID_VALUE;
    }
    return SUCCESS;
}

// Copied before the call returns. Eight bytes that are an address of another device's memory are a mistake, whatever
// they are for.
std::shared_ptr<const std::vector<uint8_t>> copy_parameters(const Program& program, void** arguments,
                                                            const Context& context, int& error) {
    auto copy = std::make_shared<std::vector<uint8_t>>(program.parameter_bytes + 16);
    for (size_t i = 0; i < program.parameters.size(); ++i) {
        const Parameter& parameter = program.parameters[i];
        memcpy(copy->data() + parameter.offset, arguments[i], parameter.bytes);
        for (uint32_t at = 0; at + 8 <= parameter.bytes; at += 8) {
            uint64_t value;
            memcpy(&value, copy->data() + parameter.offset + at, 8);
            const auto found = allocation_of(value, 1);
            if (found && found->kind == Allocation::Kind::Device && found->device != context.device &&
                !context.peers.contains(found->device)) {
                complain("kernel %s on gpu %d: argument %zu is memory of gpu %d, to which it has no access",
                         program.name.c_str(), context.device, i, found->device);
                error = ILLEGAL_ADDRESS;
            }
            if (!found && value && parameter.is_pointer && !ends_an_allocation(value)) {
                complain("kernel %s on gpu %d: argument %zu, %#lx, is no address of memory", program.name.c_str(),
                         context.device, i, value);
                error = ILLEGAL_ADDRESS;
            }
        }
    }
    return copy;
}

}  // namespace
}  // namespace gpu

using namespace gpu;

API int cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                       unsigned block_y, unsigned block_z, unsigned dynamic_bytes, void* handle, void** arguments,
                       void** extra) {
    CURRENT_CONTEXT
    if (!function || extra) return INVALID_HANDLE;
    Launch launch = {function->program,           context,       {grid_x, grid_y, grid_z},
                     {block_x, block_y, block_z}, dynamic_bytes, {}};
    const char* name = launch.program->name.c_str();
    if (function->module->context != context) {
        complain("kernel %s: its module was loaded for gpu %d, this is gpu %d", name, function->module->context->device,
                 context->device);
        return INVALID_HANDLE;
    }
    if (int error = check_sizes(*function, launch)) return error;
    int bad_argument = 0;
    launch.parameters = copy_parameters(*launch.program, arguments, *context, bad_argument);
    auto lock = Scheduler::get().lock();
    const auto stream = context->stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    LOG_CALL("kernel=%s gpu=%d stream=%d grid=%u,%u,%u block=%u,%u,%u shared=%u", name, context->device, stream->id,
             grid_x, grid_y, grid_z, block_x, block_y, block_z, dynamic_bytes);
    if (int error = launch_is_refused()) return error;
    return submit(lock, *stream,
                  {std::string("kernel=") + name, [=] { return bad_argument ? bad_argument : execute(launch); }});
}

API int cuLaunchCooperativeKernel(Function*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                                  void*, void**) {
    return NOT_SUPPORTED;
}
