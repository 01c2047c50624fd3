#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "CKernels.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define REAL float
#define REAL_IS_FLOAT
#define LANES 16
#define ACCUMULATORS 24
#define ISA "avx512"
#define NAME auricle_f32_avx512
#include "kernels.inc"
#pragma clang attribute pop
#endif
