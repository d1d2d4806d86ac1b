#include "fiber.h"
#include <cstdlib>
#include <new>
#include <sys/mman.h>

#if !defined(__x86_64__)
#error "the emulated GPU switches stacks on x86-64 only"
#endif

// Saves the registers that a function must preserve and the stack pointer, and takes up those of another stack.
asm(R"(
.text
.globl emulated_gpu_switch_stacks
.hidden emulated_gpu_switch_stacks
.type emulated_gpu_switch_stacks,@function
emulated_gpu_switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
extern "C" void emulated_gpu_switch_stacks(void** save, void* to);

namespace gpu {
namespace {

constexpr size_t GUARD = 4096;
constexpr int SAVED_REGISTERS = 6;
thread_local Fiber* entering = nullptr;

}  // namespace

Fiber::Fiber() {
    void* map = mmap(nullptr, STACK_BYTES + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    mprotect(map, GUARD, PROT_NONE);
    stack_ = (uint8_t*)map + GUARD;
}

Fiber::~Fiber() { munmap(stack_ - GUARD, STACK_BYTES + GUARD); }

void Fiber::start(void (*function)(void*), void* argument) {
    function_ = function;
    argument_ = argument;
    // As if enter() had just been called: its return address lies there, and below it the registers that are taken up.
    void** top = (void**)(high() - 64);
    *--top = nullptr;
    *--top = (void*)&Fiber::enter;
    for (int i = 0; i < SAVED_REGISTERS; ++i) *--top = nullptr;
    own_ = top;
}

void Fiber::enter() {
    Fiber* self = entering;
    self->function_(self->argument_);
    self->pause();
    abort();    // nobody resumes a fiber that has ended
}

void Fiber::resume() {
    entering = this;
    emulated_gpu_switch_stacks(&resumer_, own_);
}

void Fiber::pause() { emulated_gpu_switch_stacks(&own_, resumer_); }

}  // namespace gpu
