#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The inner loops of Auricle. One source (`kernels.inc`) is compiled for several instruction sets and one of them is
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

/// A packed matrix is cut into panels of this many columns (the last may be narrower).
#define AURICLE_PANEL_COLUMNS 64

/// Band of a sparse row: weights[offset ..< offset + count] apply to inputs first ..< first + count.
typedef struct {
  uint32_t first, count, offset;
} auricle_band;

typedef struct auricle_kernels {
  /// "avx512", "avx2", "baseline" or "neon".
  const char *isa;

  // MARK: Matrix products

  /// C (m x n) = initial + A (m x k) B (k x n), with B packed by `auricle_pack`.
  /// `initial` is C itself when `accumulate`, else the row `bias` (n), else zero.
  void (*gemm)(size_t m, size_t n, size_t k, const void *a, size_t lda, const void *packed_b, const void *_Nullable bias,
               bool accumulate, void *c, size_t ldc);
  /// C (m x n) += A^T B, where A is k x m and B is k x n, neither packed: the gradient of a weight matrix.
  void (*gemm_transposed)(size_t m, size_t n, size_t k, const void *a, size_t lda, const void *b, size_t ldb, void *c,
                          size_t ldc);
  /// sums (n) += the sum of the rows of A (m x n): the gradient of a bias.
  void (*add_column_sums)(size_t m, size_t n, const void *a, size_t lda, void *sums);

  // MARK: Recurrent cells, one time step of `rows` sequences and `hidden` units
  //
  // `gates` is rows x (gate count * hidden). It arrives holding the pre-activations and, in training (`tape`), leaves
  // holding the activations, which the backward pass turns into the gradients of the pre-activations, in place.
  // `state` is rows x hidden, the hidden state, updated in place. `previous`, where given, receives the state before
  // the step. `y` receives the new state, with row distance ldy.
  // Backward: `dstate` arrives holding the gradient from the next step and leaves holding the part of the previous
  // step's gradient that does not pass through the recurrent weights; `dy` is the gradient of this step's output.

  /// GRU, reset gate after the product. Gates z, r, n; `candidate` (rows x hidden) holds U_n h + b.
  ///   z = sigmoid(gate z), r = sigmoid(gate r), n = tanh(gate n + r * candidate), h = n + z (h' - n)
  void (*gru_after_forward)(size_t rows, size_t hidden, bool tape, void *gates, const void *candidate, void *state,
                            void *_Nullable previous, void *y, size_t ldy);
  /// Leaves the gradient of U_n h + b in `candidate`.
  void (*gru_after_backward)(size_t rows, size_t hidden, void *gates, void *candidate, const void *previous,
                             const void *dy, size_t lddy, void *dstate);
  /// GRU, reset gate before the product, first half: z and r are activated, `reset_state` = r * h.
  void (*gru_before_forward_gates)(size_t rows, size_t hidden, void *gates, const void *state, void *reset_state);
  /// Second half: n = tanh(gate n), h = n + z (h' - n).
  void (*gru_before_forward_state)(size_t rows, size_t hidden, bool tape, void *gates, void *state,
                                   void *_Nullable previous, void *y, size_t ldy);
  /// First half of the backward step: gradients of gates z and n; r stays an activation.
  void (*gru_before_backward_state)(size_t rows, size_t hidden, void *gates, const void *previous, const void *dy,
                                    size_t lddy, void *dstate);
  /// Second half: `dreset_state` is the gradient of r * h; the gradient of gate r, and dstate += dreset_state * r.
  void (*gru_before_backward_gates)(size_t rows, size_t hidden, void *gates, const void *previous,
                                    const void *dreset_state, void *dstate);
  /// LSTM. Gates i, f, g, o; `cell` is rows x hidden, updated in place.
  ///   c = f * c' + i * g, h = o * tanh(c)
  void (*lstm_forward)(size_t rows, size_t hidden, bool tape, void *gates, void *cell, void *_Nullable previous_cell,
                       void *state, void *_Nullable previous, void *y, size_t ldy);
  /// `dcell` is carried from step to step like `dstate`, which leaves as zero (all of it passes through the weights).
  void (*lstm_backward)(size_t rows, size_t hidden, void *gates, const void *previous_cell, const void *dy, size_t lddy,
                        void *dstate, void *dcell);
  /// SimpleRNN, h = tanh(gate) or max(gate, 0).
  void (*rnn_forward)(size_t rows, size_t hidden, bool relu, bool tape, void *gates, void *state,
                      void *_Nullable previous, void *y, size_t ldy);
  void (*rnn_backward)(size_t rows, size_t hidden, bool relu, void *gates, const void *dy, size_t lddy, void *dstate);

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

/// Packs B (k x n, element (i, j) at b[i * row_step + j * column_step]) into panels for `gemm`.
void auricle_pack_f32(size_t k, size_t n, const float *b, size_t row_step, size_t column_step, float *packed);
void auricle_pack_f64(size_t k, size_t n, const double *b, size_t row_step, size_t column_step, double *packed);

#pragma clang assume_nonnull end
