// A stack of its own for each warp, so that a kernel can stop at a barrier in the middle of a function.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gpu {

class Fiber {
public:
    // Kernels with thousands of registers have them here, 128 bytes each. Pages that are not touched cost nothing.
    static constexpr size_t STACK_BYTES = 4 << 20;

    Fiber();
    ~Fiber();
    Fiber(const Fiber&) = delete;

    // The next resume() calls it. What the fiber did before is abandoned.
    void start(void (*function)(void*), void* argument);
    // Goes on in the fiber until it pauses or its function returns.
    void resume();
    // In the fiber: goes back to whoever has resumed it.
    void pause();

    uint8_t* low() const { return stack_; }
    uint8_t* high() const { return stack_ + STACK_BYTES; }

private:
    static void enter();

    uint8_t* stack_;
    void *own_ = nullptr, *resumer_ = nullptr;
    void (*function_)(void*) = nullptr;
    void* argument_ = nullptr;
};

}  // namespace gpu
