// The project's convolutions: answers requests of `convolution.py` on standard input, "channels filters bins sequences
// frames pass seconds", with the nanoseconds of the fastest of the calls that fit in `seconds`. The filters are 3 x 3 and
// the sequences equally long. A pass is "forward", "input" or "filters", or one of these after "winograd-".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t padded(size_t count) { return (count + AURICLE_COLUMN_UNIT - 1) / AURICLE_COLUMN_UNIT * AURICLE_COLUMN_UNIT; }

// Numbers in -1 ..< 1.
static float *random_numbers(size_t count) {
  float *numbers = aligned_alloc(64, padded(count) * sizeof(float));
  uint32_t state = 1;
  for (size_t i = 0; i < count; i++) numbers[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1;
  return numbers;
}

int main(void) {
  const auricle_kernels *kernels = auricle_kernels_f32();
  enum { TAPS = 3 };
  printf("Auricle (%s)\n", kernels->isa);
  fflush(stdout);
  size_t channels, filters, bins, sequences, frames;
  char pass[32];
  double limit;
  while (scanf("%zu %zu %zu %zu %zu %31s %lf", &channels, &filters, &bins, &sequences, &frames, pass, &limit) == 7) {
    const size_t rows = sequences * frames, x_bin = channels == 1 ? 1 : padded(channels), x_row = padded(bins * x_bin);
    const size_t y_bin = padded(filters), y_row = bins * y_bin, depth = TAPS * TAPS * channels;
    float *x = random_numbers(rows * x_row), *y = random_numbers(rows * y_row), *stored = random_numbers(depth * filters);
    float *packed = random_numbers(depth * y_bin), *backward = random_numbers(TAPS * TAPS * filters * padded(channels));
    float *gradient = random_numbers(depth * y_bin), *sums = random_numbers(y_bin);
    const void **x_taps = malloc(rows * TAPS * sizeof *x_taps), **y_taps = malloc(rows * TAPS * sizeof *y_taps);
    // Rows are step after step, as the network has them.
    for (size_t row = 0; row < rows; row++) {
      for (size_t tap = 0; tap < TAPS; tap++) {
        const size_t step = row / sequences + tap, at = (step - 1) * sequences + row % sequences;
        const bool present = step >= 1 && step <= frames;
        x_taps[row * TAPS + tap] = present ? x + at * x_row : NULL;
        y_taps[row * TAPS + tap] = present ? y + at * y_row : NULL;
      }
    }
    auricle_convolution forward = {
        .rows = rows, .taps = TAPS, .x = x_taps, .bins_in = bins, .bins_out = bins, .x_bin = x_bin, .channels = channels,
        .bin_taps = TAPS, .bin_stride = 1, .bin_dilation = 1, .bin_padding = 1, .bin_spread = 1, .packed = packed,
        .bias = sums, .filters = filters, .y = y, .y_row = y_row, .y_bin = y_bin, .relu = true, .scratch = x};
    auricle_convolution to_input = forward;
    to_input.x = y_taps;
    to_input.x_bin = y_bin;
    to_input.channels = filters;
    to_input.packed = backward;
    to_input.bias = NULL;
    to_input.filters = channels;
    to_input.y = x;
    to_input.y_row = x_row;
    to_input.y_bin = x_bin;
    to_input.relu = false;
    auricle_convolution_gradient to_filters = {
        .rows = rows, .taps = TAPS, .x = x_taps, .bins_in = bins, .bins_out = bins, .x_bin = x_bin, .channels = channels,
        .bin_taps = TAPS, .bin_stride = 1, .bin_dilation = 1, .bin_padding = 1, .filters = filters, .dy = y,
        .dy_row = y_row, .dy_bin = y_bin, .gradient = gradient, .sums = sums, .scratch = x};
    const bool winograd = strstr(pass, "winograd") && auricle_winograd_applies(TAPS, 1, 1, channels, filters);
    forward.winograd = to_input.winograd = to_filters.winograd = winograd;
    const size_t size = auricle_winograd_size(TAPS, channels, filters);
    float *transformed = random_numbers(2 * size);
    kernels->pack_winograd(TAPS, channels, filters, stored, transformed);
    kernels->pack_winograd_backward(TAPS, channels, filters, stored, transformed + size);
    if (winograd) {
      forward.packed = transformed;
      to_input.packed = transformed + size;
    }
    kernels->pack_filters(depth, filters, stored, packed);
    kernels->pack_filters_backward(TAPS, TAPS, channels, filters, stored, backward);
    size_t room = kernels->convolution_scratch(&forward);
    const size_t others[] = {kernels->convolution_scratch(&to_input), kernels->convolution_gradient_scratch(&to_filters)};
    for (int i = 0; i < 2; i++) room = others[i] > room ? others[i] : room;
    float *scratch = random_numbers(room);
    forward.scratch = to_input.scratch = to_filters.scratch = scratch;

    double best = 1e30;
    const double end = seconds() + limit;
    for (double start; (start = seconds()) < end;) {
      if (strstr(pass, "forward")) kernels->convolution(&forward);
      if (strstr(pass, "input")) kernels->convolution(&to_input);
      if (strstr(pass, "filters")) kernels->convolution_gradient(&to_filters);
      const double elapsed = seconds() - start;
      if (elapsed < best) best = elapsed;
    }
    printf("%.0f\n", best * 1e9);
    fflush(stdout);
    void *all[] = {x, y, stored, packed, backward, transformed, gradient, sums, x_taps, y_taps, scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  }
}
