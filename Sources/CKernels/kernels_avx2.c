#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "CKernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define REAL float
#define REAL_IS_FLOAT
#define LANES 8
#define ACCUMULATORS 12
#define ISA "avx2"
#define NAME auricle_f32_avx2
#include "kernels.inc"
#pragma clang attribute pop
#endif
