// Whatever every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
#define REAL float
#define REAL_IS_FLOAT
#define LANES 4
#if defined(__aarch64__)
#define ACCUMULATORS 24  // 32 registers
#define ISA "neon"
#else
#define ACCUMULATORS 12  // 16 registers
#define ISA "baseline"
#endif
#define NAME auricle_f32_baseline
#include "kernels.inc"
