// Double precision, for gradient checks.
#define REAL double
#define LANES 2
#define TILE 2
#define ISA "double"
#define NAME auricle_f64
#include "kernels.inc"
