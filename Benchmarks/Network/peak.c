// What one core can do: independent fused multiply-adds in registers, nothing else. Prints GFLOP/s.
//
// Built with -march=native; the vectors are as wide as the machine's.
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX2__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { CHAINS = 12, STEPS = 1 << 20 };
typedef float vec __attribute__((vector_size(4 * LANES)));

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void) {
  volatile float source = 0.999f;
  const vec a = source - (vec){0}, b = 1e-3f - (vec){0};
  double best = 1e30;
  vec acc[CHAINS] = {0};
  for (int round = 0; round < 100; round++) {
    const double start = seconds();
    for (int i = 0; i < STEPS; i++) {
#pragma GCC unroll 12
      for (int j = 0; j < CHAINS; j++) acc[j] = acc[j] * a + b;
    }
    const double elapsed = seconds() - start;
    if (elapsed < best) best = elapsed;
  }
  vec sum = acc[0];
  for (int j = 1; j < CHAINS; j++) sum += acc[j];
  if (sum[0] == 0) return 1;  // keeps the loop
  printf("%.1f\n", 2.0 * LANES * CHAINS * STEPS / best * 1e-9);
}
