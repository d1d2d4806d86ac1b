// What the files have in common that define functions of the CUDA driver API.
//
// The functions have the names and arguments that NVIDIA's documentation gives them. A result is an int, a device
// pointer an unsigned 64-bit number, and handles are pointers to our own classes.
#pragma once
#include "call_log.h"
#include "context.h"
#include "errors.h"
#include "scheduler.h"

#define API extern "C" __attribute__((visibility("default")))

// The first line of a function that needs a context: `context` is the one of this thread.
#define CURRENT_CONTEXT                                                     \
    Context* const context = Context::current();                            \
    if (!context) return initialized() ? INVALID_CONTEXT : NOT_INITIALIZED; \
    if (context->error) return context->error;
