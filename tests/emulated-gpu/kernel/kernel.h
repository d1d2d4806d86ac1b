// Everything that a translated module needs.
#pragma once
#include "arithmetic.h"
#include "async_copy.h"
#include "atomics.h"
#include "bits.h"
#include "convert.h"
#include "flow.h"
#include "memory.h"
#include "tensor.h"
#include "warp_ops.h"
#include "calls.h"
