// The floor: as many real transforms of 512 points as a minute has frames, by the best plan FFTW finds, always on the
// same buffers.
#include <fftw3.h>

#include "worker.h"

int main() {
  const std::vector<float> samples = minute();
  float* input = fftwf_alloc_real(512);
  fftwf_complex* output = fftwf_alloc_complex(257);
  fftwf_plan plan = fftwf_plan_dft_r2c_1d(512, input, output, FFTW_MEASURE);
  std::copy_n(samples.begin(), 512, input);
  serve("FFTs alone (FFTW, single precision, 512 points)", [&] {
    const int frames = 5998;
    for (int i = 0; i < frames; i++) fftwf_execute(plan);
    return frames;
  });
}
