"""Writes tools.safetensors: what seven tools compute, with their defaults, from real and synthetic sounds.

    python Tests/AudioFeaturesTests/Goldens/make_goldens.py      # needs what references.py names

    samples.SIGNAL.RATE            int16    the sound
    TOOL.KIND.SIGNAL               float32  frames x coefficients; KIND is mfcc, logmel, mel or spectrogram
    delta.librosa.ORDER, delta.torchaudio.1, delta.input        slopes of one matrix
"""

import json
import pathlib

import numpy
import soundfile
from safetensors.numpy import save_file

import references

here = pathlib.Path(__file__).resolve().parent
fixtures = here.parents[2] / "Fixtures"
random = numpy.random.default_rng(7)


def int16(x):
    return numpy.clip(numpy.round(x * 32767), -32768, 32767).astype("int16")


def synthetic(rate, seconds):
    """A chirp, noise and a pause of faint noise."""
    t = numpy.arange(int(rate * seconds)) / rate
    x = 0.3 * numpy.sin(2 * numpy.pi * (100 * t + 0.4 * rate / seconds / 2 * t * t))
    x += 0.02 * random.standard_normal(len(t))
    x[len(x) // 2:len(x) * 2 // 3] *= 0.01
    return int16(x)


def read(name, start, count):
    return soundfile.read(fixtures / name, dtype="int16")[0][start:start + count]


signals = {
    "word.8000": read("audio/word-8k.wav", 0, 3000),
    "digit.16000": read("digits/7_en-us-f1_0.wav", 2000, 5000),
    "voice.16000": read("digits/3_flite-slt_1.wav", 1000, 4800),
    "chirp.11025": synthetic(11025, 0.3),
    "chirp.22050": synthetic(22050, 0.2),
    "chirp.44100": synthetic(44100, 0.11),
    "chirp.48000": synthetic(48000, 0.1),
    "short.16000": synthetic(16000, 0.3)[:150],
    "frame.16000": synthetic(16000, 0.3)[:400],
    "silence.16000": numpy.zeros(1600, "int16"),
    "clipped.16000": int16(numpy.clip(5 * random.standard_normal(2400), -1, 1)),
    "pause.16000": numpy.concatenate([synthetic(16000, 0.1), numpy.zeros(1000, "int16"), synthetic(16000, 0.05)]),
}
tensors = {}
for signal, samples in signals.items():
    name, rate = signal.split(".")
    tensors[f"samples.{signal}"] = samples
    for tool in references.TOOLS:
        for kind in references.KINDS:
            if kind in ("mel", "spectrogram") and name not in ("word", "chirp", "silence"):
                continue  # these only lead to the others
            if kind == "spectrogram" and rate != "8000":
                continue
            result = references.features(tool, kind, samples, int(rate))
            if result is not None:
                tensors[f"{tool}.{kind}.{name}.{rate}"] = numpy.asarray(result, "float32")

import librosa  # noqa: E402

torch, torchaudio = references.import_torchaudio()
matrix = tensors["librosa.mfcc.word.8000"].T[:5]
matrix = numpy.concatenate([matrix, tensors["librosa.mfcc.digit.16000"].T[:5]], axis=1)
tensors["delta.input"] = matrix.T
for order in (1, 2):
    tensors[f"delta.librosa.{order}"] = librosa.feature.delta(matrix, width=9, order=order).T
tensors["delta.torchaudio.1"] = torchaudio.functional.compute_deltas(torch.tensor(matrix), 5).numpy().T

about = {"made_by": "make_goldens.py", "versions": references.versions()}
tensors = {name: numpy.ascontiguousarray(value) for name, value in tensors.items()}
for name, value in tensors.items():
    if value.dtype == numpy.float64:
        tensors[name] = value.astype("float32")
save_file(tensors, here / "tools.safetensors", {"about": json.dumps(about)})
