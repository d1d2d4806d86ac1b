// Everything that a translated module needs.
//
// It is optimised as far as g++ can, whatever the options are: kernels are long, and compiled with few optimisations, but most of
// their time is spent in functions from here.
#pragma once
#pragma GCC push_options
#pragma GCC optimize("O3")
#include "arithmetic.h"
#include "async_copy.h"
#include "atomics.h"
#include "bits.h"
#include "calls.h"
#include "convert.h"
#include "flow.h"
#include "memory.h"
#include "tensor.h"
#include "warp_ops.h"
#pragma GCC pop_options
