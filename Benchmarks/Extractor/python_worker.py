"""MFCC of a minute of sound in memory by a Python library, on one thread: answers requests of `features.py`."""

import pathlib
import sys
import time

import numpy as np

minute = np.random.default_rng(1).normal(0, 0.1, 16000 * 60).astype(np.float32)


def torchaudio():
    import torch

    # Its compiled part wants CUDA, and nothing here needs it: torchaudio goes without a library it does not find.
    glob = pathlib.Path.glob
    pathlib.Path.glob = lambda path, pattern: [] if "torchaudio" in pattern else glob(path, pattern)
    import torchaudio

    torch.set_num_threads(1)
    transform = torchaudio.transforms.MFCC(
        16000, n_mfcc=13, melkwargs=dict(n_fft=512, win_length=400, hop_length=160, n_mels=40))
    samples = torch.from_numpy(minute)

    def frames():
        with torch.inference_mode():
            return transform(samples).shape[-1]

    return f"torchaudio {torchaudio.__version__}", frames


def librosa():
    import librosa

    settings = dict(sr=16000, n_mfcc=13, n_fft=512, win_length=400, hop_length=160, n_mels=40)
    return f"librosa {librosa.__version__}", lambda: librosa.feature.mfcc(y=minute, **settings).shape[1]


def python_speech_features():
    import python_speech_features as tool

    return "python_speech_features 0.6", lambda: len(tool.mfcc(minute, 16000, numcep=13, nfilt=40, nfft=512))


name, frames = globals()[sys.argv[1]]()
print(name, flush=True)
for line in sys.stdin:
    frames()
    best, end = float("inf"), time.perf_counter() + float(line)
    while True:
        start = time.perf_counter_ns()
        count = frames()
        best = min(best, (time.perf_counter_ns() - start) / 1000 / count)
        if time.perf_counter() > end:
            break
    print(best, flush=True)
