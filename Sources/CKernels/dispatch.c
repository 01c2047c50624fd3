#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

extern const auricle_kernels auricle_f32_baseline, auricle_f64;
#if defined(__x86_64__)
extern const auricle_kernels auricle_f32_avx2, auricle_f32_avx512;
#endif

const auricle_kernels *auricle_kernels_named(const char *isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512 && strcmp(isa, "avx512") == 0) return &auricle_f32_avx512;
  if (avx2 && strcmp(isa, "avx2") == 0) return &auricle_f32_avx2;
#endif
  return strcmp(isa, auricle_f32_baseline.isa) == 0 ? &auricle_f32_baseline : NULL;
}

static const auricle_kernels *choose(void) {
  static const char *const best_first[] = {"avx512", "avx2"};
  const char *wanted = getenv("AURICLE_ISA");
  const auricle_kernels *found = wanted ? auricle_kernels_named(wanted) : NULL;
  for (size_t i = 0; i < 2 && !found; i++) found = auricle_kernels_named(best_first[i]);
  return found ? found : &auricle_f32_baseline;
}

const auricle_kernels *auricle_kernels_f32(void) {
  static _Atomic(const auricle_kernels *) chosen;
  const auricle_kernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!kernels) {
    kernels = choose();
    atomic_store_explicit(&chosen, kernels, memory_order_release);
  }
  return kernels;
}

const auricle_kernels *auricle_kernels_f64(void) { return &auricle_f64; }

#define PACK(type, name)                                                                            \
  void name(size_t k, size_t n, const type *b, size_t row_step, size_t column_step, type *packed) { \
    for (size_t panel = 0; panel < n; panel += AURICLE_COLUMN_UNIT) {                               \
      for (size_t i = 0; i < k; i++) {                                                              \
        const type *from = b + i * row_step + panel * column_step;                                  \
        for (size_t j = 0; j < AURICLE_COLUMN_UNIT; j++) *packed++ = from[j * column_step];         \
      }                                                                                             \
    }                                                                                               \
  }
PACK(float, auricle_pack_f32)
PACK(double, auricle_pack_f64)
