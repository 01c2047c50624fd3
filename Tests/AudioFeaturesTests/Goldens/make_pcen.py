"""Writes pcen.json: librosa's PCEN of its mel energies of the first 3,000 samples of Fixtures/audio/word-8k.wav.

    python Tests/AudioFeaturesTests/Goldens/make_pcen.py      # needs librosa, soundfile

Samples are on the scale of 16 bits. 20 Slaney mels, transforms of 256 points every 80 samples. `runs` holds settings and
frames x mels, row by row.
"""

import json
import pathlib

import librosa
import soundfile

here = pathlib.Path(__file__).resolve().parent
samples = soundfile.read(here.parents[2] / "Fixtures/audio/word-8k.wav", dtype="int16")[0][:3000].astype("float32")
mel = librosa.feature.melspectrogram(y=samples, sr=8000, n_fft=256, hop_length=80, n_mels=20)
runs = []
for settings in [
    dict(), dict(gain=0.8, bias=10, power=0.25, time_constant=0.06, eps=1e-3), dict(power=0),
]:
    values = librosa.pcen(mel, sr=8000, hop_length=80, **settings).T
    runs.append(dict(settings=settings, frames=len(values), values=[float(f"{x:.7g}") for x in values.ravel()]))
golden = dict(versions=dict(librosa=librosa.__version__), runs=runs)
(here / "pcen.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
