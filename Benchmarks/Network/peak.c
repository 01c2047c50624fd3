// What one core can do: independent fused multiply-adds in registers, nothing else. Prints GFLOP/s.
//
// Built with -O2 -march=native, by GCC or clang; the vectors are as wide as the machine's.
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__AVX512F__)
enum { LANES = 16, CHAINS = 24 };
typedef __m512 vec;
#define SPLAT(x) _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#elif defined(__FMA__)
enum { LANES = 8, CHAINS = 12 };
typedef __m256 vec;
#define SPLAT(x) _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#else
enum { LANES = 4, CHAINS = 12 };
typedef __m128 vec;
#define SPLAT(x) _mm_set1_ps(x)
#define FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
enum { LANES = 4, CHAINS = 24 };
typedef float32x4_t vec;
#define SPLAT(x) vdupq_n_f32(x)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#endif
enum { STEPS = 1 << 18 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Each chain is a variable of its own, which no compiler moves to memory, as it may an array.
#define EACH_12(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define EACH_24(DO) EACH_12(DO) DO(12) DO(13) DO(14) DO(15) DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) DO(23)
#if (defined(__x86_64__) && defined(__AVX512F__)) || defined(__aarch64__)
#define EACH EACH_24
#else
#define EACH EACH_12
#endif

int main(void) {
  volatile float source = 0.999f;
  const vec a = SPLAT(source), b = SPLAT(1e-3f);
#define DECLARE(j) vec sum##j = SPLAT(source * j);
  EACH(DECLARE)
  double best = 1e30;
  for (int round = 0; round < 200; round++) {
    const double start = seconds();
    for (int i = 0; i < STEPS; i++) {
#define STEP(j) sum##j = FMA(sum##j, a, b);
      EACH(STEP)
    }
    const double elapsed = seconds() - start;
    if (elapsed < best) best = elapsed;
  }
  volatile vec sink;  // keeps the loop
#define KEEP(j) sink = sum##j;
  EACH(KEEP)
  (void)sink;
  printf("%.1f\n", 2.0 * LANES * CHAINS * STEPS / best * 1e-9);
}
