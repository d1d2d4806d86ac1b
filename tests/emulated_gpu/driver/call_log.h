// The log of driver calls, which tests read: EMULATED_GPU_LOG names its file.
//
// A line a call, `call NAME key=value …`, in the order of the calls; a line for each operation when a device begins
// it, `run WHAT gpu=0 stream=1 …`; and `complaint …` for what the driver has found wrong.
#pragma once
#include <string>

namespace gpu {

[[gnu::format(printf, 1, 2)]] void log_line(const char* format, ...);

}  // namespace gpu

#define LOG_CALL(FORMAT, ...) log_line("call %s " FORMAT, __func__ __VA_OPT__(, ) __VA_ARGS__)
