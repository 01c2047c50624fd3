// Double precision, for gradient checks.
#define REAL double
#define LANES 2
#define ACCUMULATORS 12
#define ISA "double"
#define NAME auricle_f64
#include "kernels.inc"
