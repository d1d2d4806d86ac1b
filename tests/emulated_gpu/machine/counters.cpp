#include "counters.h"
#include "settings.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace gpu {
namespace {

constexpr uint32_t BANKS = 32, BANK_BYTES = 4, SECTOR_BYTES = 32;

struct Report {
    std::mutex mutex;
    std::map<std::string, Counters::Costs> kernels;
};

Report& report() {
    static Report& only = *new Report;
    return only;
}

// One line for a kernel, then one for each of its lines that could do better.
void write_report() {
    FILE* file = fopen(settings().counters.c_str(), "w");
    if (!file) {
        perror(settings().counters.c_str());
        return;
    }
    std::lock_guard<std::mutex> lock(report().mutex);
    for (const auto& [kernel, costs] : report().kernels) {
        Cost shared, global;
        for (const auto& [line, cost] : costs) {
            Cost& sum = line.shared ? shared : global;
            sum.accesses += cost.accesses;
            sum.ideal += cost.ideal;
            sum.actual += cost.actual;
        }
        fprintf(file,
                "kernel=%s shared_accesses=%lu wavefronts=%lu bank_conflicts=%lu global_accesses=%lu sectors=%lu "
                "excess_sectors=%lu\n",
                kernel.c_str(), shared.accesses, shared.actual, shared.actual - shared.ideal, global.accesses,
                global.actual, global.actual - global.ideal);
        for (const auto& [line, cost] : costs)
            if (cost.actual > cost.ideal)
                fprintf(file, "kernel=%s line=%u accesses=%lu %s=%lu\n", kernel.c_str(), line.line, cost.accesses,
                        line.shared ? "bank_conflicts" : "excess_sectors", cost.actual - cost.ideal);
    }
    fclose(file);
}

}  // namespace

// 128 bytes are served at once: all lanes with 4 bytes each, half of them with 8, a quarter with 16. Lanes that want
// different words of one bank are served one after the other.
void Counters::count_shared(const MemoryAccess& access) {
    const auto [addresses, lanes, bytes, kind, line] = access;
    Cost& cost = costs_[{line, true}];
    ++cost.accesses;
    const uint32_t lanes_at_once = LANES * BANK_BYTES / std::max(bytes, BANK_BYTES);
    for (uint32_t first = 0; first < LANES; first += lanes_at_once) {
        uint64_t words[LANES];
        uint32_t count = 0;
        for (uint32_t lane = first; lane < first + lanes_at_once; ++lane)
            for (uint32_t byte = 0; lanes >> lane & 1 && byte < bytes; byte += BANK_BYTES)
                words[count++] = (addresses[lane] + byte) / BANK_BYTES;
        if (count == 0) continue;
        std::sort(words, words + count);
        count = uint32_t(std::unique(words, words + count) - words);
        uint32_t of_bank[BANKS] = {}, most = 0;
        for (uint32_t i = 0; i < count; ++i) most = std::max(most, ++of_bank[words[i] % BANKS]);
        cost.ideal += 1;
        cost.actual += most;
    }
}

void Counters::count_global(const MemoryAccess& access) {
    const auto [addresses, lanes, bytes, kind, line] = access;
    Cost& cost = costs_[{line, false}];
    ++cost.accesses;
    uint64_t sectors[LANES];
    uint32_t count = 0;
    for (Mask left = lanes; left; left &= left - 1) sectors[count++] = addresses[__builtin_ctz(left)] / SECTOR_BYTES;
    const uint32_t ideal = (count * bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
    std::sort(sectors, sectors + count);
    count = uint32_t(std::unique(sectors, sectors + count) - sectors);
    // Lanes that share their data need less than the ideal of lanes that do not.
    cost.ideal += std::min(ideal, count);
    cost.actual += count;
}

void Counters::hand_in(const std::string& kernel) {
    static const int registered = atexit(write_report);
    (void)registered;
    std::lock_guard<std::mutex> lock(report().mutex);
    for (const auto& [line, cost] : costs_) {
        Cost& sum = report().kernels[kernel][line];
        sum.accesses += cost.accesses;
        sum.ideal += cost.ideal;
        sum.actual += cost.actual;
    }
    costs_.clear();
}

}  // namespace gpu
