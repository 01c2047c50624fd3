"""Writes librosa.safetensors: what librosa computes from three spoken digits and one synthetic signal.

Needs Python with librosa, safetensors and soundfile; the versions used are in the file's metadata.
    python Tests/AudioFeaturesTests/Goldens/make_goldens.py

SIGNAL is the name of a file of Fixtures/digits without ".wav", or `synthetic`, whose samples are in the file.
SETTING is `default` or `speech`, as in SETTINGS below. All tensors are float32; time runs along the first axis.

    waveform.synthetic             samples             16 kHz: a chirp from 100 Hz to 7 kHz, and noise
    SETTING.melspectrogram.SIGNAL  frames x mels       power
    SETTING.power_to_db.SIGNAL     frames x mels       dB (reference 1, at most 80 dB below the maximum)
    SETTING.mfcc.SIGNAL            frames x n_mfcc     orthonormal DCT-II of the above
    speech.delta1.MODE.SIGNAL      frames x n_mfcc     librosa.feature.delta of speech.mfcc, width 9, order 1
    speech.delta2.MODE.SIGNAL      frames x n_mfcc     the same with order 2; MODE is `interp` or `nearest`
    SETTING.filterbank.SCALE       non-zeros x 3       librosa.filters.mel as (mel, bin, weight); the rest is zero;
                                                       SCALE is `slaney` (librosa's default) or `htk` (htk=True)

librosa is given the samples (int16 / 32768) as float64, so that its own rounding is far below float32's.
"""

import json
import pathlib
import platform

import librosa
import numpy
import scipy
import soundfile
from safetensors.numpy import save_file

RATE = 16000
SIGNALS = ["7_en-us-f1_0", "3_flite-slt_1", "6_en-scotland-m3_0"]
SETTINGS = {
    "default": dict(n_mfcc=20, n_fft=2048, win_length=2048, hop_length=512, n_mels=128),
    "speech": dict(n_mfcc=13, n_fft=512, win_length=400, hop_length=160, n_mels=40),
}
SEED = 7

here = pathlib.Path(__file__).resolve().parent
digits = here.parents[2] / "Fixtures" / "digits"


def synthetic():
    chirp = librosa.chirp(fmin=100, fmax=7000, sr=RATE, duration=0.4)
    noise = numpy.random.default_rng(SEED).standard_normal(len(chirp))
    return (0.4 * chirp + 0.02 * noise).astype("float32")


signals = {name: soundfile.read(digits / f"{name}.wav")[0] for name in SIGNALS}
signals["synthetic"] = synthetic().astype("float64")
tensors = {"waveform.synthetic": signals["synthetic"]}

for setting, options in SETTINGS.items():
    mel_options = {key: value for key, value in options.items() if key != "n_mfcc"}
    for name, samples in signals.items():
        power = librosa.feature.melspectrogram(y=samples, sr=RATE, **mel_options)
        tensors[f"{setting}.melspectrogram.{name}"] = power.T
        tensors[f"{setting}.power_to_db.{name}"] = librosa.power_to_db(power).T
        mfcc = librosa.feature.mfcc(y=samples, sr=RATE, **options)
        tensors[f"{setting}.mfcc.{name}"] = mfcc.T
        if setting == "speech":
            for order in (1, 2):
                for mode in ("interp", "nearest"):
                    delta = librosa.feature.delta(mfcc, width=9, order=order, mode=mode)
                    tensors[f"speech.delta{order}.{mode}.{name}"] = delta.T
    for scale in ("slaney", "htk"):
        bank = librosa.filters.mel(sr=RATE, n_fft=options["n_fft"], n_mels=options["n_mels"], htk=scale == "htk")
        mel, bin = numpy.nonzero(bank)
        tensors[f"{setting}.filterbank.{scale}"] = numpy.stack([mel, bin, bank[mel, bin]], axis=1)

common = dict(
    sr=RATE, window="hann (periodic)", center=True, pad_mode="constant", power=2, fmin=0, fmax=RATE / 2,
    mel_scale="slaney", mel_norm="slaney", ref=1, amin=1e-10, top_db=80, dct_type=2, dct_norm="ortho", lifter=0)
about = {  # one entry: safetensors writes several in no fixed order
    "made_by": "Tests/AudioFeaturesTests/Goldens/make_goldens.py",
    "versions": dict(python=platform.python_version(), librosa=librosa.__version__, numpy=numpy.__version__,
                     scipy=scipy.__version__),
    "settings": {name: {**common, **options} for name, options in SETTINGS.items()},
    "seed": SEED,
}
tensors = {name: numpy.ascontiguousarray(value, dtype="float32") for name, value in tensors.items()}
save_file(tensors, here / "librosa.safetensors", {"about": json.dumps(about)})
