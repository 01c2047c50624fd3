#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { PANEL = AURICLE_INT8_PANEL, GROUP = AURICLE_INT8_GROUP };

void auricle_int8_pack(size_t outputs, size_t columns, const int8_t *weights, int8_t *packed, int32_t *sums) {
  const size_t panels = (outputs + PANEL - 1) / PANEL, groups = (columns + GROUP - 1) / GROUP;
  memset(packed, 0, panels * groups * PANEL * GROUP);
  memset(sums, 0, panels * PANEL * sizeof *sums);
  for (size_t output = 0; output < outputs; output++) {
    for (size_t column = 0; column < columns; column++) {
      const int8_t weight = weights[output * columns + column];
      const size_t group = (output / PANEL) * groups + column / GROUP;
      packed[(group * PANEL + output % PANEL) * GROUP + column % GROUP] = weight;
      sums[output] += weight;
    }
  }
}

// MARK: Steps

void auricle_int8_add(size_t count, const float *a, float *b) {
  for (size_t i = 0; i < count; i++) b[i] += a[i];
}

void auricle_int8_gate(size_t count, const float *r, const float *a, float *n) {
  for (size_t i = 0; i < count; i++) n[i] = a[i] + r[i] * n[i];
}

void auricle_int8_blend(size_t count, const float *z, const float *n, float *h) {
  for (size_t i = 0; i < count; i++) h[i] = n[i] + z[i] * (h[i] - n[i]);
}

void auricle_int8_cell(size_t count, const float *gates, float *c) {
  for (size_t i = 0; i < count; i++) c[i] = gates[count + i] * c[i] + gates[i] * gates[2 * count + i];
}

void auricle_int8_multiply(size_t count, const float *a, const float *b, float *y) {
  for (size_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

// MARK: Whatever every processor has

/// What x is multiplied by, and the scale that undoes it.
static float scale_of(float greatest, float *inverse) {
  // 0, next to 0, or not finite: then the scale says so.
  *inverse = greatest > 1e-30f && greatest < INFINITY ? 127 / greatest : 0;
  return *inverse > 0 ? greatest / 127 : greatest > 1e-30f || greatest != greatest ? greatest : 0;
}

static float quantize_baseline(size_t count, size_t columns, const float *x, uint8_t *q) {
  float greatest = 0, inverse;
  for (size_t i = 0; i < count; i++) {
    const float size = fabsf(x[i]);
    if (size > greatest || size != size) greatest = size;
  }
  const float scale = scale_of(greatest, &inverse);
  for (size_t i = 0; i < count; i++) q[i] = inverse > 0 ? (uint8_t)(128 + lrintf(x[i] * inverse)) : 128;
  memset(q + count, 128, columns - count);
  return scale;
}

/// One panel of one row's outputs.
static inline void finish(const auricle_int8_product *p, size_t row, size_t panel, const int32_t *dots) {
  for (size_t i = 0; i < PANEL; i++) {
    const size_t output = panel * PANEL + i;
    const float dot = (float)(dots[i] - 128 * p->sums[output]);
    p->y[row * p->outputs + output] = p->initial[output] + p->scale[output] * p->x_scale[row] * dot;
  }
}

static inline int32_t four_of(const uint8_t *x) {
  int32_t four;
  memcpy(&four, x, sizeof four);
  return four;
}

static void product_baseline(const auricle_int8_product *p) {
  const size_t groups = p->columns / GROUP;
  for (size_t panel = 0; panel < p->outputs / PANEL; panel++) {
    const int8_t *weights = p->weights + panel * groups * PANEL * GROUP;
    for (size_t row = 0; row < p->count; row++) {
      const uint8_t *x = p->x + row * p->columns;
      int32_t dots[PANEL] = {0};
#if defined(__aarch64__)
      // Whole numbers of x with their signs: (x - 128) w = x w - 128 w, so the sums are added again.
      int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
      for (size_t group = 0; group < groups; group++) {
        const uint32_t four = (uint32_t)four_of(x + group * GROUP) ^ 0x80808080u;
        const int8x16_t q = vreinterpretq_s8_u32(vdupq_n_u32(four));
        for (size_t i = 0; i < 4; i++) {
          const int8x16_t w = vld1q_s8(weights + (group * PANEL + 4 * i) * GROUP);
          const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(q)), high = vmull_high_s8(w, q);
          sums[i] = vaddq_s32(sums[i], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
        }
      }
      for (size_t i = 0; i < 4; i++) vst1q_s32(dots + 4 * i, sums[i]);
      for (size_t i = 0; i < PANEL; i++) dots[i] += 128 * p->sums[panel * PANEL + i];
#elif defined(__x86_64__)
      // Sign-extended to 16 bits; each row of weights has two sums.
      __m128i sums[8];
      for (size_t i = 0; i < 8; i++) sums[i] = _mm_setzero_si128();
      for (size_t group = 0; group < groups; group++) {
        const __m128i q = _mm_unpacklo_epi8(_mm_set1_epi32(four_of(x + group * GROUP)), _mm_setzero_si128());
        for (size_t i = 0; i < 4; i++) {
          const __m128i w = _mm_loadu_si128((const __m128i *)(weights + (group * PANEL + 4 * i) * GROUP));
          const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(w, w), 8), high = _mm_srai_epi16(_mm_unpackhi_epi8(w, w), 8);
          sums[2 * i] = _mm_add_epi32(sums[2 * i], _mm_madd_epi16(low, q));
          sums[2 * i + 1] = _mm_add_epi32(sums[2 * i + 1], _mm_madd_epi16(high, q));
        }
      }
      for (size_t i = 0; i < 8; i++) {
        int32_t halves[4];
        _mm_storeu_si128((__m128i *)halves, sums[i]);
        dots[2 * i] = halves[0] + halves[1];
        dots[2 * i + 1] = halves[2] + halves[3];
      }
#else
      for (size_t group = 0; group < groups; group++) {
        const int8_t *w = weights + group * PANEL * GROUP;
        const uint8_t *q = x + group * GROUP;
        for (size_t i = 0; i < PANEL; i++) {
          dots[i] += w[4 * i] * q[0] + w[4 * i + 1] * q[1] + w[4 * i + 2] * q[2] + w[4 * i + 3] * q[3];
        }
      }
#endif
      finish(p, row, panel, dots);
    }
  }
}

static const auricle_int8_kernels baseline = {"baseline", quantize_baseline, product_baseline};

// MARK: x86

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))

AVX2 static float quantize_avx2(size_t count, size_t columns, const float *x, uint8_t *q) {
  const size_t whole = count / 8 * 8;
  const __m256 absolute = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  // The greatest by whole numbers, whose order is that of sizes, and NaN above all.
  __m256i most = _mm256_setzero_si256();
  for (size_t i = 0; i < whole; i += 8) {
    most = _mm256_max_epi32(most, _mm256_castps_si256(_mm256_and_ps(_mm256_loadu_ps(x + i), absolute)));
  }
  float lanes[8], greatest = 0, inverse;
  _mm256_storeu_ps(lanes, _mm256_castsi256_ps(most));
  for (size_t i = 0; i < 8; i++) if (lanes[i] > greatest || lanes[i] != lanes[i]) greatest = lanes[i];
  for (size_t i = whole; i < count; i++) {
    const float size = fabsf(x[i]);
    if (size > greatest || size != size) greatest = size;
  }
  const float scale = scale_of(greatest, &inverse);
  if (!(inverse > 0)) {
    memset(q, 128, columns);
    return scale;
  }
  const __m256 factor = _mm256_set1_ps(inverse);
  const __m256i middle = _mm256_set1_epi32(128);
  for (size_t i = 0; i < whole; i += 8) {
    const __m256i y = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), factor)), middle);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
    _mm_storel_epi64((__m128i *)(q + i), _mm_packus_epi16(words, words));
  }
  for (size_t i = whole; i < count; i++) q[i] = (uint8_t)(128 + lrintf(x[i] * inverse));
  memset(q + count, 128, columns - count);
  return scale;
}

/// Four products of each of eight outputs: |x| times w with the sign of x, whose pairs fit 16 bits.
AVX2 static inline __m256i dot_avx2(__m256i sum, __m256i size, __m256i sign, const int8_t *weights) {
  const __m256i w = _mm256_sign_epi8(_mm256_loadu_si256((const __m256i *)weights), sign);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(size, w), _mm256_set1_epi16(1)));
}

AVX2 static inline void finish_avx2(const auricle_int8_product *p, size_t row, size_t at, __m256i dots) {
  const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(p->scale + at), _mm256_set1_ps(p->x_scale[row]));
  const __m256 product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dots));
  _mm256_storeu_ps(p->y + row * p->outputs + at, _mm256_add_ps(_mm256_loadu_ps(p->initial + at), product));
}

AVX2 static void product_avx2(const auricle_int8_product *p) {
  const size_t groups = p->columns / GROUP, panels = p->outputs / PANEL, size = groups * PANEL * GROUP;
  for (size_t row = 0; row < p->count; row++) {
    const uint8_t *x = p->x + row * p->columns;
    for (size_t panel = 0; panel < panels; panel += 2) {
      const int8_t *w = p->weights + panel * size;
      // Of an odd number the last panel goes twice.
      const size_t second = panel + 1 < panels ? size : 0;
      __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
      for (size_t group = 0; group < groups; group++) {
        const __m256i q = _mm256_set1_epi32((int32_t)((uint32_t)four_of(x + group * GROUP) ^ 0x80808080u));
        const __m256i magnitude = _mm256_abs_epi8(q);
        const int8_t *at = w + group * PANEL * GROUP;
        a = dot_avx2(a, magnitude, q, at);
        b = dot_avx2(b, magnitude, q, at + 32);
        c = dot_avx2(c, magnitude, q, at + second);
        d = dot_avx2(d, magnitude, q, at + second + 32);
      }
      finish_avx2(p, row, panel * PANEL, a);
      finish_avx2(p, row, panel * PANEL + 8, b);
      if (second == 0) continue;
      finish_avx2(p, row, panel * PANEL + 16, c);
      finish_avx2(p, row, panel * PANEL + 24, d);
    }
  }
}

static const auricle_int8_kernels avx2 = {"avx2", quantize_avx2, product_avx2};

VNNI static float quantize_vnni(size_t count, size_t columns, const float *x, uint8_t *q) {
  __m512i most = _mm512_setzero_si512();
  const __m512i absolute = _mm512_set1_epi32(0x7fffffff);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i >= 16 ? 0xffff : (__mmask16)((1u << (count - i)) - 1);
    most = _mm512_max_epi32(most, _mm512_and_si512(_mm512_maskz_loadu_epi32(mask, x + i), absolute));
  }
  const int32_t bits = _mm512_reduce_max_epi32(most);
  float greatest, inverse;
  memcpy(&greatest, &bits, sizeof greatest);
  const float scale = scale_of(greatest, &inverse);
  if (!(inverse > 0)) {
    memset(q, 128, columns);
    return scale;
  }
  const __m512 factor = _mm512_set1_ps(inverse);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i >= 16 ? 0xffff : (__mmask16)((1u << (count - i)) - 1);
    const __m512i y = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor));
    _mm_mask_storeu_epi8(q + i, mask, _mm512_cvtepi32_epi8(_mm512_add_epi32(y, _mm512_set1_epi32(128))));
  }
  memset(q + count, 128, columns - count);
  return scale;
}

VNNI static inline void finish_vnni(const auricle_int8_product *p, size_t row, size_t panel, __m512i dots) {
  const size_t at = panel * PANEL;
  const __m512i middle = _mm512_slli_epi32(_mm512_loadu_si512(p->sums + at), 7);
  const __m512 dot = _mm512_cvtepi32_ps(_mm512_sub_epi32(dots, middle));
  const __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(p->scale + at), _mm512_set1_ps(p->x_scale[row]));
  _mm512_storeu_ps(p->y + row * p->outputs + at, _mm512_add_ps(_mm512_loadu_ps(p->initial + at), _mm512_mul_ps(scale, dot)));
}

/// Four panels of one row at once, or one panel of four rows, so that sums do not wait for each other.
VNNI static void product_vnni(const auricle_int8_product *p) {
  const size_t groups = p->columns / GROUP, panels = p->outputs / PANEL, size = groups * PANEL * GROUP;
  size_t row = 0;
  for (; row + 4 <= p->count; row += 4) {
    const uint8_t *x = p->x + row * p->columns;
    for (size_t panel = 0; panel < panels; panel++) {
      const int8_t *w = p->weights + panel * size;
      __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
      for (size_t group = 0; group < groups; group++) {
        const __m512i weights = _mm512_loadu_si512(w + group * PANEL * GROUP);
        const uint8_t *q = x + group * GROUP;
        a = _mm512_dpbusd_epi32(a, _mm512_set1_epi32(four_of(q)), weights);
        b = _mm512_dpbusd_epi32(b, _mm512_set1_epi32(four_of(q + p->columns)), weights);
        c = _mm512_dpbusd_epi32(c, _mm512_set1_epi32(four_of(q + 2 * p->columns)), weights);
        d = _mm512_dpbusd_epi32(d, _mm512_set1_epi32(four_of(q + 3 * p->columns)), weights);
      }
      finish_vnni(p, row, panel, a);
      finish_vnni(p, row + 1, panel, b);
      finish_vnni(p, row + 2, panel, c);
      finish_vnni(p, row + 3, panel, d);
    }
  }
  for (; row < p->count; row++) {
    const uint8_t *x = p->x + row * p->columns;
    size_t panel = 0;
    for (; panel + 4 <= panels; panel += 4) {
      const int8_t *w = p->weights + panel * size;
      __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
      for (size_t group = 0; group < groups; group++) {
        const __m512i q = _mm512_set1_epi32(four_of(x + group * GROUP));
        const int8_t *at = w + group * PANEL * GROUP;
        a = _mm512_dpbusd_epi32(a, q, _mm512_loadu_si512(at));
        b = _mm512_dpbusd_epi32(b, q, _mm512_loadu_si512(at + size));
        c = _mm512_dpbusd_epi32(c, q, _mm512_loadu_si512(at + 2 * size));
        d = _mm512_dpbusd_epi32(d, q, _mm512_loadu_si512(at + 3 * size));
      }
      finish_vnni(p, row, panel, a);
      finish_vnni(p, row, panel + 1, b);
      finish_vnni(p, row, panel + 2, c);
      finish_vnni(p, row, panel + 3, d);
    }
    for (; panel < panels; panel++) {
      const int8_t *w = p->weights + panel * size;
      __m512i a = _mm512_setzero_si512();
      for (size_t group = 0; group < groups; group++) {
        a = _mm512_dpbusd_epi32(
            a, _mm512_set1_epi32(four_of(x + group * GROUP)), _mm512_loadu_si512(w + group * PANEL * GROUP));
      }
      finish_vnni(p, row, panel, a);
    }
  }
}

static const auricle_int8_kernels vnni = {"vnni", quantize_vnni, product_vnni};
#endif

// MARK: Choice

const auricle_int8_kernels *auricle_int8_named(const char *isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (strcmp(isa, "vnni") == 0) return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                                               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                                           ? &vnni
                                           : NULL;
  if (strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
#endif
  return strcmp(isa, baseline.isa) == 0 ? &baseline : NULL;
}

const auricle_int8_kernels *auricle_int8(void) {
  static _Atomic(const auricle_int8_kernels *) chosen;
  const auricle_int8_kernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!kernels) {
    // AURICLE_ISA chooses the kernels of real numbers, and these with them.
    const char *wanted = getenv("AURICLE_ISA");
    if (wanted && (strcmp(wanted, "baseline") == 0 || strcmp(wanted, "avx2") == 0)) kernels = auricle_int8_named(wanted);
    if (!kernels) kernels = auricle_int8_named("vnni");
    if (!kernels) kernels = auricle_int8_named("avx2");
    if (!kernels) kernels = &baseline;
    atomic_store_explicit(&chosen, kernels, memory_order_release);
  }
  return kernels;
}
