// kaldi-native-fbank from its own C++: the MFCC of a minute of sound in memory, accepted in one piece.
#include "kaldi-native-fbank/csrc/online-feature.h"

#include "worker.h"

int main() {
  std::vector<float> samples = minute();
  for (float& sample : samples) sample *= 32768;
  knf::MfccOptions options;
  options.frame_opts.samp_freq = 16000;
  options.frame_opts.dither = 0;
  options.mel_opts.num_bins = 40;
  options.num_ceps = 13;
  volatile float kept;
  serve("kaldi-native-fbank " KALDI_NATIVE_FBANK_VERSION ", C++", [&] {
    knf::OnlineMfcc mfcc(options);
    mfcc.AcceptWaveform(16000, samples.data(), static_cast<int32_t>(samples.size()));
    mfcc.InputFinished();
    kept = *mfcc.GetFrame(mfcc.NumFramesReady() - 1);
    return mfcc.NumFramesReady();
  });
}
