#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "int8.h"

// The inner loops of Auricle. One source (`kernels.inc` and the files it includes) is compiled for several instruction sets and one of them is
// chosen when the process starts; see `auricle_kernels_f32`.
//
// Conventions, for every function here:
// - A "real" is `float` in the f32 table and `double` in the f64 table, which exists so that gradient checks can run
//   the very same source in double precision. Pointers to reals are `void *`, so that both tables have one type.
// - Matrices are row-major; `ld` is the distance between rows, in elements.
// - Every count of columns is a multiple of AURICLE_COLUMN_UNIT. Callers pad with zeros, the kernels have no tails,
//   and zero weights keep padding at zero (gates of a padded unit: z = r = 1/2, candidate = 0, state = 0).
// - A sum runs over its index in order, one fused multiply-add at a time (but for `winograd`), whatever the number of
//   rows: one sequence alone gives the same bits as the same sequence in a batch.
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

/// A convolution over frames and bins, cross-correlation as everywhere:
///
///     y[row][b][f] = bias[f] + sum over taps t, bin taps k, channels c of
///                    filter[t][k][c][f] * x(row, t)[b * bin_stride + k * bin_dilation - bin_padding][c]
///
/// summed in that order, beginning with the bias. A row is one frame of one sequence: `bins_in` bins, `x_bin` elements
/// apart, of `channels` that count. Which frame a tap sees is the caller's choice, so strides, dilation, and the ends of
/// ragged sequences in time are all in the pointers; bins outside of `bins_in` count as zeros.
typedef struct {
  size_t rows, taps;
  /// rows x taps pointers to the frames that the filters see. NULL counts as zeros.
  const void *_Nullable const *_Nonnull x;
  size_t bins_in, bins_out, x_bin, channels;
  size_t bin_taps, bin_stride, bin_dilation;
  /// Zeros before the first bin; negative where the first bins are not seen.
  ptrdiff_t bin_padding;
  /// Bins of x lie this far apart, zeros between them (1: none): the gradient of a convolution with that stride.
  size_t bin_spread;
  /// Packed by `pack_filters` or `pack_filters_backward`, and a row of padded filters.
  const void *packed;
  const void *_Nullable bias;
  /// Filters that count.
  size_t filters;
  /// A distance between bins below the padded filters (such as 1 for 1 filter) is dense: then padding is not written.
  void *y;
  size_t y_row, y_bin;
  /// y = max(y, 0).
  bool relu;
  /// Filters were packed by `pack_winograd` or `pack_winograd_backward`, for which `auricle_winograd_applies`: about 1.6
  /// times as fast, with other sums, whose rounding errors are thrice as large (5e-7 of y's root mean square). Padding of
  /// x must be zero.
  bool winograd;
  /// Room for `convolution_scratch` elements.
  void *scratch;
} auricle_convolution;

/// The gradient of a convolution's filters, and of its bias.
typedef struct {
  size_t rows, taps;
  /// As in the forward pass.
  const void *_Nullable const *_Nonnull x;
  size_t bins_in, bins_out, x_bin, channels;
  size_t bin_taps, bin_stride, bin_dilation;
  ptrdiff_t bin_padding;
  size_t filters;
  /// rows x bins_out x padded filters; `dy_bin` is at least the padded filters.
  const void *dy;
  size_t dy_row, dy_bin;
  /// (taps * bin_taps * channels) x padded filters, added to.
  void *gradient;
  /// Padded filters, added to: the gradient of the bias.
  void *_Nullable sums;
  /// As in `auricle_convolution`.
  bool winograd;
  /// Room for `convolution_gradient_scratch` elements.
  void *scratch;
} auricle_convolution_gradient;

/// A depthwise convolution over frames: y[row][s][c] = bias[c] + sum over taps of weights[tap][c] * x(row, tap)[s][c].
/// A row is `segments` times `columns`, side by side. Its gradient is the same with dy and the taps turned round.
typedef struct {
  size_t rows, taps, segments, columns;
  /// rows x taps pointers. NULL counts as zeros.
  const void *_Nullable const *_Nonnull x;
  /// taps x columns.
  const void *weights;
  const void *_Nullable bias;
  void *y;
  size_t y_row;
} auricle_depthwise;

/// Pooling over a window of frames (`taps`) and bins. A row is `bins_in` bins of `columns`, side by side. Frames that are
/// NULL and bins beyond the edges are not there: the mean is over the others. A window of nothing gives zeros.
typedef struct {
  size_t rows, taps;
  /// rows x taps pointers.
  const void *_Nullable const *_Nonnull x;
  size_t bins_in, bins_out, columns;
  size_t bin_taps, bin_stride;
  ptrdiff_t bin_padding;
  void *y;
  size_t y_row;
  /// Where each maximum was found, tap * bin_taps + bin tap (the first of equal ones; 65535 for nowhere): rows x bins_out x
  /// columns. A window has at most 65535 elements.
  uint16_t *_Nullable positions;
} auricle_pooling;

/// The gradient of pooling, added to rows of dx. Those that `forward` had as NULL are NULL.
typedef struct {
  size_t rows, taps;
  void *_Nullable const *_Nonnull dx;
  size_t bins_in, bins_out, columns;
  size_t bin_taps, bin_stride;
  ptrdiff_t bin_padding;
  const void *dy;
  size_t dy_row;
  const uint16_t *_Nullable positions;
} auricle_pooling_backward;

/// Batch normalisation backward. Rows are `segments` times `columns`, side by side; what follows the matrices is one
/// element per column. Where `shift` is given, a ReLU came after it: dy counts only where scale * x + shift > 0.
typedef struct {
  size_t rows, segments, columns;
  const void *x;
  size_t ldx;
  const void *dy;
  size_t lddy;
  /// Mean and 1 / sqrt(variance + epsilon), which normalise x; scale = gamma * inverse, shift = beta - mean * scale.
  const void *mean, *inverse, *scale;
  const void *_Nullable shift;
  /// For `batch_normalization_backward`: the means over all rows and segments of dy and of dy * normalised x. Zeros for
  /// statistics that do not depend on x.
  const void *_Nullable mean_dy, *_Nullable mean_product;
  /// May be dy.
  void *_Nullable dx;
  size_t lddx;
} auricle_batch_normalization;

/// Layer normalisation of each row: over `segments` times `count` elements, each segment padded to `columns`.
typedef struct {
  size_t rows, segments, columns, count;
  const void *x;
  size_t ldx;
  double epsilon;
  /// segments x columns, zero where there is padding.
  const void *gamma;
  const void *_Nullable beta;
  /// Forward: set. Backward: read. One element per row.
  void *mean, *inverse;
  /// Forward.
  void *_Nullable y;
  size_t ldy;
  /// Backward: dx (may be dy) is set, the gradients of gamma and beta (segments x columns) are added to.
  const void *_Nullable dy;
  size_t lddy;
  void *_Nullable dx;
  size_t lddx;
  double *_Nullable dgamma, *_Nullable dbeta;
} auricle_layer_normalization;

typedef enum {
  auricle_relu,     // max(x, 0)
  auricle_tanh,     // tanh x
  auricle_sigmoid,  // 1 / (1 + e^-x)
  auricle_silu,     // x sigmoid(x)
} auricle_activation;

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

  // MARK: Convolutions

  /// Packs stored filters (depth x filters, where depth is taps * bin_taps * channels) for `convolution`. `packed` has
  /// room for `auricle_packed_size(depth, padded filters)`.
  void (*pack_filters)(size_t depth, size_t filters, const void *stored, void *packed);
  /// Packs stored filters (taps x bin_taps x channels x filters) for the gradient of what was convolved, itself a
  /// convolution of dy, whose channels are the filters: both kinds of taps are turned round, so x(row, t) is the output
  /// frame that saw this input frame with its tap `taps - 1 - t`; bin_stride is 1, bin_spread the stride, and
  /// bin_padding is bin_dilation * (bin_taps - 1) - bin_padding. Room for taps * bin_taps * filters * padded channels.
  void (*pack_filters_backward)(size_t taps, size_t bin_taps, size_t channels, size_t filters, const void *stored,
                                void *packed);
  /// The same two for `winograd`. Room for `auricle_winograd_size`, with channels and filters changed about for the second.
  void (*pack_winograd)(size_t taps, size_t channels, size_t filters, const void *stored, void *packed);
  void (*pack_winograd_backward)(size_t taps, size_t channels, size_t filters, const void *stored, void *packed);
  /// Elements of scratch that `convolution` needs, whatever the number of rows.
  size_t (*convolution_scratch)(const auricle_convolution *convolution);
  void (*convolution)(const auricle_convolution *convolution);
  /// Likewise.
  size_t (*convolution_gradient_scratch)(const auricle_convolution_gradient *convolution);
  void (*convolution_gradient)(const auricle_convolution_gradient *convolution);
  /// Adds the gradient of filters (depth x padded filters) to the stored one (depth x filters).
  void (*add_filters)(size_t depth, size_t filters, const void *gradient, void *stored);
  void (*depthwise)(const auricle_depthwise *convolution);
  /// weights (taps x columns) += the sum over rows and segments of x * dy, and sums (columns) += that of dy. `weights`
  /// and `bias` of the convolution are not used, its y is dy.
  void (*depthwise_gradient)(const auricle_depthwise *convolution, void *weights, void *_Nullable sums);
  void (*maximum_pooling)(const auricle_pooling *pooling);
  void (*maximum_pooling_backward)(const auricle_pooling_backward *pooling);
  void (*mean_pooling)(const auricle_pooling *pooling);
  void (*mean_pooling_backward)(const auricle_pooling_backward *pooling);

  // MARK: Normalisation

  /// y = scale * x + shift, then max(y, 0) if `relu`. Rows are `segments` times `columns`, side by side, and scale and
  /// shift one per column. y may be x.
  void (*scale_and_shift)(size_t rows, size_t segments, size_t columns, const void *x, size_t ldx, const void *scale,
                          const void *shift, bool relu, void *y, size_t ldy);
  /// For each column, over rows and segments in order: sums += x - origin, squares += (x - origin)^2, where given. An
  /// origin near the mean (one of the rows, a moving mean, or the mean itself in a second pass) keeps the digits.
  void (*column_moments)(size_t rows, size_t segments, size_t columns, const void *x, size_t ldx, const double *origin,
                         double *sums, double *_Nullable squares);
  /// For each column: sums += dy, products += dy * normalised x; they are the gradients of beta and gamma.
  void (*batch_normalization_sums)(const auricle_batch_normalization *normalization, double *sums, double *products);
  /// dx = scale * (dy - mean_dy - normalised x * mean_product).
  void (*batch_normalization_backward)(const auricle_batch_normalization *normalization);
  /// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.
  void (*layer_normalization)(const auricle_layer_normalization *normalization);
  void (*layer_normalization_backward)(const auricle_layer_normalization *normalization);

  // MARK: Rows

  /// y = f(x); y may be x. Any count.
  void (*activate)(auricle_activation f, size_t count, const void *x, void *y);
  /// dx = f'(x) dy, from `saved`: x for SiLU, y = f(x) for the others. dx may be dy. Any count.
  void (*activate_backward)(auricle_activation f, size_t count, const void *saved, const void *dy, void *dx);
  /// y = a + b; y may be either. Any count.
  void (*add)(size_t count, const void *a, const void *b, void *y);
  /// y[row][segment] = x[row][segment] * mask[row], of so many columns. y may be x.
  void (*mask_columns)(size_t rows, size_t segments, size_t columns, const void *x, size_t ldx,
                       const void *mask, size_t ldm, void *y, size_t ldy);
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

/// Sets memory to zero.
static inline void auricle_clear(void *memory, size_t bytes) { __builtin_memset(memory, 0, bytes); }

/// Elements needed to pack a matrix of k rows and n columns (n a multiple of AURICLE_COLUMN_UNIT).
static inline size_t auricle_packed_size(size_t k, size_t n) { return k * n; }

/// Whether a convolution may be `winograd`, forward, backward and for the gradient of its filters.
static inline bool auricle_winograd_applies(size_t bin_taps, size_t bin_stride, size_t bin_dilation, size_t channels,
                                            size_t filters) {
  return bin_taps == 3 && bin_stride == 1 && bin_dilation == 1 && channels >= AURICLE_COLUMN_UNIT &&
         filters >= AURICLE_COLUMN_UNIT;
}

/// Elements needed to pack filters by `pack_winograd`.
static inline size_t auricle_winograd_size(size_t taps, size_t channels, size_t filters) {
  const size_t unit = AURICLE_COLUMN_UNIT;
  return 6 * taps * ((channels + unit - 1) / unit * unit) * ((filters + unit - 1) / unit * unit);
}

/// Packs B (k x n, element (i, j) at b[i * row_step + j * column_step]) for `gemm`: panels of AURICLE_COLUMN_UNIT columns.
void auricle_pack_f32(size_t k, size_t n, const float *b, size_t row_step, size_t column_step, float *packed);
void auricle_pack_f64(size_t k, size_t n, const double *b, size_t row_step, size_t column_step, double *packed);

#pragma clang assume_nonnull end
