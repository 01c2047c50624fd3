#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The inner loops of Auricle. One source (`kernels.inc` and the files it includes) is compiled for several instruction sets and one of them is
// chosen when the process starts; see `auricle_kernels_f32`.
//
// Conventions, for every function here:
// - A "real" is `float` in the f32 table and `double` in the f64 table, which exists so that gradient checks can run
//   the very same source in double precision. Pointers to reals are `void *`, so that both tables have one type.
// - Matrices are row-major; `ld` is the distance between rows, in elements.
// - Every count of columns is a multiple of AURICLE_COLUMN_UNIT. Callers pad with zeros, the kernels have no tails,
//   and zero weights keep padding at zero (gates of a padded unit: z = r = 1/2, candidate = 0, state = 0).
// - A sum runs over its index in order, one fused multiply-add at a time, whatever the number of rows: one sequence
//   alone gives the same bits as the same sequence in a batch.
// - Nothing allocates and nothing keeps state, so any number of threads may call.

#pragma clang assume_nonnull begin

/// Columns of every matrix are padded to a multiple of this many elements.
#define AURICLE_COLUMN_UNIT 16

/// Band of a sparse row: weights[offset ..< offset + count] apply to inputs first ..< first + count.
typedef struct {
  uint32_t first, count, offset;
} auricle_band;

/// C = initial + A B. A is `rows` rows, its inner index in `blocks` blocks of `depth` elements; B is packed in panels of
/// `vectors` vectors (times `lanes` columns), C lies in such panels too, or has them side by side.
typedef struct {
  size_t rows, panels, vectors, blocks, depth;
  const void *a;
  size_t a_row, a_block;
  const void *b;
  size_t b_panel;
  /// What sums start from; NULL for zero. A row distance of 0 is one row for all, such as a bias.
  const void *_Nullable initial;
  size_t initial_row, initial_panel;
  void *c;
  size_t c_row, c_panel;
} auricle_product;

/// C += A^T B, the gradient of weights: A is depth x rows, B depth x panels; `sums` (panels) += the sum of B's rows, the
/// gradient of a bias.
typedef struct {
  size_t rows, panels, vectors, depth;
  const void *a;
  size_t a_row;
  const void *b;
  size_t b_row, b_panel;
  void *c;
  size_t c_row, c_panel;
  void *_Nullable sums;
} auricle_gradient_product;

/// One time step of a recurrent cell forward, for `rows` sequences. Matrices without a distance are rows x units.
typedef struct {
  /// `units` is `hidden` padded.
  size_t rows, units, hidden;
  /// Columns of x, or 0 when `gates` already holds the input product with its bias.
  size_t inputs;
  const void *x;
  size_t ldx;
  /// Packed by `pack_gates`: for all gates, but those of a GRU with reset before the product for z and r.
  const void *kernel, *bias, *recurrent;
  /// What belongs to the candidate of a GRU alone. Reset after: the recurrent bias. Reset before: all four, packed.
  const void *_Nullable candidate_kernel, *_Nullable candidate_bias, *_Nullable candidate;
  /// The state as the recurrent weights see it, and as it is carried on; the same without recurrent dropout.
  const void *operand, *state;
  void *next_state;
  /// Receives the state before the step, where given; the LSTM's cell state likewise.
  void *_Nullable previous;
  void *_Nullable cell, *_Nullable previous_cell;
  /// r * h, of a GRU with reset before.
  void *_Nullable reset_state;
  /// Groups of `lanes` units, `group_stride` elements apart: rows x slots x lanes. See `cells.inc` for the slots.
  void *gates;
  size_t group_stride;
  /// Leaves the activations in `gates`, and fills `previous_cell`, for the backward pass.
  bool tape;
  /// Receives the new state.
  void *y;
  size_t ldy;
} auricle_step;

/// One time step backward. `gates` arrives holding the activations and leaves holding the gradients of their arguments.
/// `dstate` arrives holding the gradient of the state from the next step and leaves holding the part of the previous
/// step's gradient that does not pass through the recurrent weights; `dcell` is carried likewise.
typedef struct {
  size_t rows, units;
  void *gates;
  size_t group_stride;
  const void *previous;
  const void *_Nullable previous_cell;
  /// Gradient of this step's output.
  const void *dy;
  size_t lddy;
  void *dstate;
  void *_Nullable dcell;
  /// GRU, reset before: the gradient of r * h, and where that of h, as the weights see it, is added.
  const void *_Nullable dreset_state;
  void *_Nullable doperand;
} auricle_backward_step;

typedef struct auricle_kernels {
  /// "avx512", "avx2", "baseline", "neon" or "double".
  const char *isa;
  /// Elements of a vector; packed gates and the gates of a step lie in groups of so many units.
  size_t lanes;

  // MARK: Matrix products

  void (*product)(const auricle_product *product);
  void (*gradient_product)(const auricle_gradient_product *product);
  /// C (m x n) = initial + A (m x k) B (k x n), with B packed by `auricle_pack`.
  /// `initial` is C itself when `accumulate`, else the row `bias` (n), else zero.
  void (*gemm)(size_t m, size_t n, size_t k, const void *a, size_t lda, const void *packed_b, const void *_Nullable bias,
               bool accumulate, void *c, size_t ldc);
  /// C (m x n) += A^T B, where A is k x m and B is k x n, neither packed: the gradient of a weight matrix.
  void (*gemm_transposed)(size_t m, size_t n, size_t k, const void *a, size_t lda, const void *b, size_t ldb, void *c,
                          size_t ldc);
  /// sums (n) += the sum of the rows of A (m x n): the gradient of a bias.
  void (*add_column_sums)(size_t m, size_t n, const void *a, size_t lda, void *sums);

  // MARK: Packing

  /// Packs stored weights of gates, (segments * size) x (gates * hidden): for each group of `lanes` units, row after row,
  /// that group's columns of each gate. Each segment is padded to `padded` rows with zeros, units to groups.
  void (*pack_gates)(size_t segments, size_t size, size_t padded, size_t gates, size_t hidden, const void *b, size_t ldb,
                     void *packed);
  /// Packs the transpose for the gradient of what was multiplied: its inner index runs over groups, gates (beginning with
  /// `first_gate`, going round) and lanes, its columns over the padded segments, in panels of AURICLE_COLUMN_UNIT.
  void (*pack_gates_transposed)(size_t segments, size_t size, size_t padded, size_t gates, size_t first_gate,
                                size_t hidden, const void *b, size_t ldb, void *packed);
  /// Adds a gradient in the layout of `pack_gates` (with gates as in `pack_gates_transposed`) to the stored one.
  void (*add_gates)(size_t segments, size_t size, size_t padded, size_t gates, size_t first_gate, size_t hidden,
                    const void *packed, void *sums, size_t ld);

  // MARK: Recurrent cells, one time step

  /// GRU, reset gate after the product:
  ///   z = sigmoid(gate z), r = sigmoid(gate r), n = tanh(gate n + r (h U_n + b)), h = n + z (h' - n)
  void (*gru_after_forward)(const auricle_step *step);
  void (*gru_after_backward)(const auricle_backward_step *step);
  /// GRU, reset gate before the product: the same with n = tanh(gate n + (r * h) U_n).
  void (*gru_before_forward)(const auricle_step *step);
  /// First half of the backward step: gradients of gates z and n; r stays an activation.
  void (*gru_before_backward_state)(const auricle_backward_step *step);
  /// Second half, when the gradient of r * h is known.
  void (*gru_before_backward_gates)(const auricle_backward_step *step);
  /// LSTM: c = f * c' + i * g, h = o * tanh(c)
  void (*lstm_forward)(const auricle_step *step);
  void (*lstm_backward)(const auricle_backward_step *step);
  /// SimpleRNN, h = tanh(gate) or max(gate, 0).
  void (*rnn_forward)(const auricle_step *step, bool relu);
  void (*rnn_backward)(const auricle_backward_step *step, bool relu);

  // MARK: Rows

  /// y[row] += scale[row * scale_step] * x[row]; a step of 0 uses one scale, ldx of 0 one row x for all.
  void (*add_scaled_rows)(size_t rows, size_t columns, const void *scale, size_t scale_step, const void *x, size_t ldx,
                          void *y, size_t ldy);
  /// out[row * out_step] = the dot product of x[row] and y[row].
  void (*dot_rows)(size_t rows, size_t columns, const void *x, size_t ldx, const void *y, size_t ldy, void *out,
                   size_t out_step);
  /// Where x[row] exceeds maximum[row], takes its value and records `position`.
  void (*maximum_rows)(size_t rows, size_t columns, const void *x, size_t ldx, int32_t position, void *maximum,
                       int32_t *positions);
  /// Multiplies each element by 0 (with probability `rate`) or 1 / (1 - rate), drawn from a hash of `seed`, row and
  /// column: the backward pass calls it again with the same seed.
  void (*dropout)(size_t rows, size_t columns, double rate, uint64_t seed, void *x, size_t ldx);

  // MARK: Optimisation

  /// The sum of squares, added in double precision in a fixed order.
  double (*sum_of_squares)(size_t count, const void *x);
  /// One step of Adam (Kingma and Ba, 2015) as in Keras: m, v are the moments, `rate` is the learning rate with both
  /// bias corrections folded in, gradients are first multiplied by `scale`. Any count; no padding needed.
  void (*adam)(size_t count, double rate, double beta1, double beta2, double epsilon, double scale, const void *gradient,
               void *m, void *v, void *weights);

  // MARK: Elementwise functions, for tests of their accuracy

  void (*sigmoid)(size_t count, const void *x, void *y);
  void (*tanh)(size_t count, const void *x, void *y);

  // MARK: Features
  //
  // AURICLE_COLUMN_UNIT frames, a group, go through the spectrum together, each in a column of its own: one to a lane
  // of a vector, so that no frame's numbers depend on its neighbours.

  /// One frame of `length` samples at x, ready for the transform: out is `padded` long, zero from `length` on. The
  /// frame's mean is subtracted if `remove_offset`; then its sum of squares goes to `energy`, where given; then
  /// pre-emphasis, x[i] - pre_emphasis * x[i - 1], with x[-1] at `before`, or zero; then the window.
  void (*prepare_frame)(size_t length, size_t padded, const void *x, const void *_Nullable before, const void *window,
                        bool remove_offset, double pre_emphasis, double *_Nullable energy, void *out);
  /// power (length / 2 + 1 x group), or its square root for `magnitude`: that of twice the frames which were
  /// transformed. Row t of `spectra` holds frame t's complex numbers (re, im, re, ...): with `twiddles` (re, im of
  /// e^(2 pi i k / length), k up to length / 4), the length / 2 numbers of the transform of its even samples plus i times
  /// its odd ones; without, the length / 2 + 1 numbers of its spectrum. `scratch` has room for 16 * (length + 2).
  void (*power_spectra)(size_t length, const void *_Nullable twiddles, bool magnitude, const void *spectra, size_t ld,
                        void *scratch, void *power);
  /// out (bands x group): the sum of each band's weights times the rows of x it applies to.
  void (*banded_product)(size_t bands, const auricle_band *band, const void *weights, const void *x, void *out);
  /// y = scale * ln(max(x + offset, floor)); at most 2 ulp from the logarithm of the same argument.
  void (*logarithm)(size_t count, double offset, double floor, double scale, const void *x, void *y);
  /// Subtracts from each column of x (rows x group) its mean, which goes to `means`.
  void (*center_columns)(size_t rows, void *x, void *means);
  /// The greatest of x; count is a multiple of AURICLE_COLUMN_UNIT, as below.
  double (*greatest)(size_t count, const void *x);
  /// x = max(x, least) - shift.
  void (*raise_and_shift)(size_t count, double least, double shift, void *x);
  /// y (columns x rows) = x (rows x columns) transposed; any counts.
  void (*transpose)(size_t rows, size_t columns, const void *x, size_t ldx, void *y, size_t ldy);
} auricle_kernels;

/// The table in use for single precision: the best this processor runs, or the one named by the environment variable
/// AURICLE_ISA ("avx512", "avx2", "baseline"), if the processor has it. Chosen once, on the first call.
const auricle_kernels *auricle_kernels_f32(void);

/// The table for double precision (baseline instructions only).
const auricle_kernels *auricle_kernels_f64(void);

/// The single-precision table for a named instruction set, or NULL if this processor has not got it.
const auricle_kernels *_Nullable auricle_kernels_named(const char *isa);

/// Elements needed to pack a matrix of k rows and n columns (n a multiple of AURICLE_COLUMN_UNIT).
static inline size_t auricle_packed_size(size_t k, size_t n) { return k * n; }

/// Packs B (k x n, element (i, j) at b[i * row_step + j * column_step]) for `gemm`: panels of AURICLE_COLUMN_UNIT columns.
void auricle_pack_f32(size_t k, size_t n, const float *b, size_t row_step, size_t column_step, float *packed);
void auricle_pack_f64(size_t k, size_t n, const double *b, size_t row_step, size_t column_step, double *packed);

#pragma clang assume_nonnull end
