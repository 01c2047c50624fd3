#pragma once
#include <stddef.h>
#include <stdint.h>

// Products of weights of 8 bits, whole numbers with a scale for each row (an output), and of rows that are made so as they
// come. Sums are exact, in 32 bits, so every instruction set gives the same whole numbers.

#pragma clang assume_nonnull begin

/// Rows of weights lie in panels of so many, and in these groups of AURICLE_INT8_GROUP columns: panel, group, row, column.
#define AURICLE_INT8_PANEL 16
#define AURICLE_INT8_GROUP 4

typedef struct {
  /// Rows of x, outputs (a multiple of AURICLE_INT8_PANEL) and columns (a multiple of AURICLE_INT8_GROUP).
  size_t count, outputs, columns;
  /// `count x columns`: 128 + the whole numbers; and the scale of each row.
  const uint8_t *x;
  const float *x_scale;
  /// As `auricle_int8_pack` lays them out, with the sum and the scale of each output's weights.
  const int8_t *weights;
  const int32_t *sums;
  const float *scale;
  /// What the outputs of all rows start from.
  const float *initial;
  /// `count x outputs`.
  float *y;
} auricle_int8_product;

typedef struct {
  const char *isa;
  /// x[i] = scale * (q[i] - 128), and 0 after the `count` numbers up to `columns`; returns the scale, which is not finite
  /// where a number is not.
  float (*quantize)(size_t count, size_t columns, const float *x, uint8_t *q);
  /// y = initial + scale * x_scale * (weights x).
  void (*product)(const auricle_int8_product *product);
} auricle_int8_kernels;

/// The fastest that this processor runs: "vnni" (AVX-512 VNNI), "avx2", or "baseline" (NEON on arm64).
const auricle_int8_kernels *auricle_int8(void);
/// One of them by name; NULL where the processor does not run it.
const auricle_int8_kernels *_Nullable auricle_int8_named(const char *isa);

/// Packs `outputs x columns` whole numbers; there must be room for multiples of the panel and the group.
void auricle_int8_pack(size_t outputs, size_t columns, const int8_t *weights, int8_t *packed, int32_t *sums);

// Steps of recurrent cells, any count.

/// b += a.
void auricle_int8_add(size_t count, const float *a, float *b);
/// n = a + r n: the reset gate on the candidate's recurrent product.
void auricle_int8_gate(size_t count, const float *r, const float *a, float *n);
/// h = n + z (h - n).
void auricle_int8_blend(size_t count, const float *z, const float *n, float *h);
/// c = f c + i g, of gates i, f, g, o side by side.
void auricle_int8_cell(size_t count, const float *gates, float *c);
/// y = a b.
void auricle_int8_multiply(size_t count, const float *a, const float *b, float *y);

#pragma clang assume_nonnull end
