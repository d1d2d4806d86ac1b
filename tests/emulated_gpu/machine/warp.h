// One warp: its registers, where its lanes are, and the loop that executes its program.
#pragma once
#include "async_copies.h"
#include "groups.h"
#include "program.h"
#include <stdexcept>

namespace gpu {

class Block;
struct Launch;

// What ends a launch: a CUDA error, and what has happened.
struct KernelFault {
    int error;
    std::string message;
};

struct Warp {
    enum class State { Ready, AtBarrier, Ended };

    // Makes it ready for a block of a launch.
    void begin(Block&, const Launch&, uint32_t number);
    // Executes until it ends or comes to a barrier. Throws KernelFault.
    void run();

    template <class T> T* lanes(uint32_t offset) { return (T*)(registers + offset); }
    Mask& mask_at(uint32_t offset) { return *(Mask*)(registers + offset); }
    [[noreturn]] void fail(int error, const std::string& what, uint32_t line) const;

    // What operations see.
    uint8_t* registers = nullptr;
    Mask mask = 0;                  // the lanes that execute
    Block* block = nullptr;
    uint8_t* shared = nullptr;
    uint32_t shared_bytes = 0;
    const uint8_t* parameters = nullptr;
    std::vector<uint8_t> local;     // .local variables
    AsyncCopies copies;
    uint32_t syncs = 0;             // how often its lanes have synchronised, for the detector of races

    State state = State::Ended;
    Mask live = 0;                  // the lanes that there are and that have not exited
    uint32_t number = 0;            // of the warp in its block
    uint32_t barrier = 0, barrier_threads = 0, barrier_line = 0;
    uint32_t thread[3][LANES] = {}; // the place of each lane's thread in the block

private:
    void bind(const Program&);
    void set_specials(const Launch&);
    void execute(const BasicBlock&);
    // Whether lanes may enter a block now. If not, they are parked.
    bool gather(uint32_t block, Mask& lanes);
    // Goes where the end of a block says.
    void end(const BasicBlock&);
    void leave(Mask lanes);
    [[noreturn]] void report_stuck() const;

    const Program* program_ = nullptr;
    uint64_t serial_ = 0;  // of the program that the registers are laid out for
    std::unique_ptr<uint8_t[]> memory_;
    Groups groups_;
    uint32_t next_ = 0;             // the block that the lanes of `mask` enter
    uint32_t turn_ = 0;             // 0, or a seed by which groups take turns
};

}  // namespace gpu
