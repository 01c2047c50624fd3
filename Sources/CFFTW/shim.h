#include <fftw3.h>

/// An array of unknown length is nothing that Swift imports.
static inline const char *auricle_fftw_version(void) { return fftwf_version; }
