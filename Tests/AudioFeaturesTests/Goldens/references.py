"""What other tools compute: `features(tool, kind, samples, rate)` gives frames x coefficients, or None where the tool has
nothing of that kind or refuses the sound. `samples` are 16-bit integers; `kind` is mfcc, logmel, mel or spectrogram.

Every tool runs with its own defaults, and on samples scaled as it expects them.

    pip install librosa==0.11.0 torch==2.13.0 torchaudio==2.11.0 kaldi-native-fbank==1.23.0 opensmile==2.6.0 \\
        python_speech_features==0.6 tensorflow-cpu==2.21.0 soundfile safetensors

HTK is not to be had as a package: `htk` is the HTK book (version 3.4, sections 5.2 to 5.9) in float64.
"""

import functools
import os
import pathlib
import tempfile

import numpy

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def milliseconds(time, rate):
    return int(rate * 0.001 * time)


def power_of_two(n):
    return 1 << (n - 1).bit_length()


def librosa(kind, samples, rate):
    import librosa
    y = samples / 32768  # float64, so that librosa's own rounding is far below float32's
    if kind == "spectrogram":
        return numpy.abs(librosa.stft(y)).T ** 2
    mel = librosa.feature.melspectrogram(y=y, sr=rate)
    return {"mel": mel, "logmel": librosa.power_to_db(mel), "mfcc": librosa.feature.mfcc(y=y, sr=rate)}[kind].T


@functools.cache
def import_torchaudio():
    import torch
    torch.set_num_threads(1)
    # Its compiled part wants CUDA, and nothing here needs it: torchaudio goes without a library it does not find.
    glob = pathlib.Path.glob
    pathlib.Path.glob = lambda path, pattern: [] if "torchaudio" in pattern else glob(path, pattern)
    import torchaudio
    import torchaudio.compliance.kaldi
    pathlib.Path.glob = glob
    return torch, torchaudio


def torchaudio(kind, samples, rate):
    torch, torchaudio = import_torchaudio()
    if len(samples) <= 200:
        return None  # it cannot mirror more than there is
    x = torch.tensor(samples / 32768, dtype=torch.float64)
    T = torchaudio.transforms
    mel = torch.nn.Sequential(T.MelSpectrogram(rate))
    made = {
        "spectrogram": T.Spectrogram(), "mel": mel, "mfcc": T.MFCC(rate),
        "logmel": torch.nn.Sequential(T.MelSpectrogram(rate), T.AmplitudeToDB("power", 80)),
    }[kind].double()
    return made(x).T.numpy()


def kaldi(kind, samples, rate):
    import kaldi_native_fbank
    if kind == "spectrogram":
        return None
    options = kaldi_native_fbank.MfccOptions() if kind == "mfcc" else kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = rate
    if kind == "mel":
        options.use_log_fbank = False
    computer = (kaldi_native_fbank.OnlineMfcc if kind == "mfcc" else kaldi_native_fbank.OnlineFbank)(options)
    computer.accept_waveform(rate, samples.astype(numpy.float32).tolist())
    computer.input_finished()
    if not computer.num_frames_ready:
        return None
    return numpy.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])


def torchaudio_kaldi(kind, samples, rate):
    """The same by `torchaudio.compliance.kaldi`."""
    torch, torchaudio = import_torchaudio()
    x = torch.tensor(samples.astype("float32"))[None]
    options = dict(sample_frequency=rate, dither=0.0, energy_floor=0.0)
    K = torchaudio.compliance.kaldi
    if kind == "spectrogram" or len(samples) < milliseconds(25, rate):
        return None
    return (K.mfcc(x, **options) if kind == "mfcc" else K.fbank(x, use_log_fbank=kind == "logmel", **options)).numpy()


def deltas(x, half_width=2):
    """HTK's regression, the outermost frames repeated."""
    padded = numpy.pad(x, ((half_width, half_width), (0, 0)), mode="edge")
    n = len(x)
    total = sum(t * (padded[half_width + t:half_width + t + n] - padded[half_width - t:half_width - t + n])
                for t in range(1, half_width + 1))
    return total / (2 * sum(t * t for t in range(1, half_width + 1)))


def htk(kind, samples, rate, uses_power=False):
    """MFCC_0_D_A (or FBANK, MELSPEC) with the book's settings: USEHAMMING, PREEMCOEF 0.97, NUMCHANS 26, NUMCEPS 12,
    CEPLIFTER 22, 25 ms windows every 10 ms, USEPOWER as given (F by default)."""
    size, shift = milliseconds(25, rate), milliseconds(10, rate)
    if kind == "spectrogram" or len(samples) < size:
        return None
    x = samples.astype("float64")
    frames = numpy.stack([x[s:s + size] for s in range(0, len(x) - size + 1, shift)])
    frames = numpy.concatenate([frames[:, :1] * (1 - 0.97), frames[:, 1:] - 0.97 * frames[:, :-1]], axis=1)
    frames *= 0.54 - 0.46 * numpy.cos(2 * numpy.pi * numpy.arange(size) / (size - 1))
    n_fft = power_of_two(size)
    spectrum = numpy.abs(numpy.fft.rfft(frames, n_fft))
    if uses_power:
        spectrum = spectrum ** 2
    channels, ceps, lifter = 26, 12, 22
    mel = lambda f: 1127 * numpy.log(1 + f / 700)
    centres = mel(rate / 2) * numpy.arange(channels + 2) / (channels + 1)
    energies = numpy.zeros((len(frames), channels))
    for k in range(1, n_fft // 2):  # as HTK does it: each bin is shared between the channels on either side
        m = mel(k * rate / n_fft)
        lower = numpy.searchsorted(centres, m, side="right") - 1
        share = (centres[lower + 1] - m) / (centres[lower + 1] - centres[lower])
        if lower > 0:
            energies[:, lower - 1] += share * spectrum[:, k]
        if lower < channels:
            energies[:, lower] += (1 - share) * spectrum[:, k]
    if kind == "mel":
        return energies
    logs = numpy.log(numpy.maximum(energies, 1))
    if kind == "logmel":
        return logs
    j = numpy.arange(channels) + 0.5
    c = [numpy.sqrt(2 / channels) * (logs * numpy.cos(numpy.pi * n / channels * j)).sum(axis=1)
         * (1 + lifter / 2 * numpy.sin(numpy.pi * n / lifter)) for n in [*range(1, ceps + 1), 0]]
    c = numpy.stack(c, axis=1)
    return numpy.concatenate([c, deltas(c), deltas(deltas(c))], axis=1)


# The chain of openSMILE's config/mfcc/MFCC12_0_D_A.conf, which the Python package leaves out, up to the level wanted.
OPENSMILE = r"""
[componentInstances:cComponentManager]
instance[dataMemory].type=cDataMemory
\{{{package}/shared/standard_external_wave_input.conf.inc}}
[componentInstances:cComponentManager]
instance[frame].type=cFramer
instance[pe].type=cVectorPreemphasis
instance[win].type=cWindower
instance[fft].type=cTransformFFT
instance[mag].type=cFFTmagphase
instance[melspec].type=cMelspec
instance[mfcc].type=cMfcc
instance[delta].type=cDeltaRegression
instance[accel].type=cDeltaRegression
instance[all].type=cVectorConcat
instance[sink].type=cExternalSink
[frame:cFramer]
reader.dmLevel=wave
writer.dmLevel=frames
noPostEOIprocessing=1
frameSize=0.025
frameStep=0.010
frameMode=fixed
frameCenterSpecial=left
[pe:cVectorPreemphasis]
reader.dmLevel=frames
writer.dmLevel=pe
k=0.97
de=0
[win:cWindower]
reader.dmLevel=pe
writer.dmLevel=win
winFunc=ham
gain=1.0
offset=0
[fft:cTransformFFT]
reader.dmLevel=win
writer.dmLevel=fft
zeroPadSymmetric=0
[mag:cFFTmagphase]
reader.dmLevel=fft
writer.dmLevel=mag
magnitude=1
phase=0
[melspec:cMelspec]
reader.dmLevel=mag
writer.dmLevel=melspec
htkcompatible=1
nBands=26
usePower=1
lofreq=0
hifreq=8000
specScale=mel
[mfcc:cMfcc]
reader.dmLevel=melspec
writer.dmLevel=mfcc
firstMfcc=0
lastMfcc=12
cepLifter=22.0
htkcompatible=1
[delta:cDeltaRegression]
reader.dmLevel=mfcc
writer.dmLevel=delta
noPostEOIprocessing=0
deltawin=2
blocksize=1
[accel:cDeltaRegression]
reader.dmLevel=delta
writer.dmLevel=accel
noPostEOIprocessing=0
deltawin=2
blocksize=1
[all:cVectorConcat]
reader.dmLevel={level}
writer.dmLevel=all
includeSingleElementFields=1
[sink:cExternalSink]
reader.dmLevel=all
"""


def opensmile(kind, samples, rate):
    import opensmile
    level = {"mfcc": "mfcc;delta;accel", "mel": "melspec"}.get(kind)
    if level is None or len(samples) < milliseconds(25, rate):
        return None
    package = pathlib.Path(opensmile.__file__).parent / "core" / "config"
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(OPENSMILE.format(package=package, level=level))
        file.flush()
        from opensmile.core.lib import OpenSMILE
        engine = OpenSMILE()
        rows = []
        engine.initialize(file.name, {"sampleRate": rate, "nBits": 16, "channels": 1}, loglevel=0)
        engine.external_sink_set_callback("sink", lambda row: rows.append(numpy.array(row)))
        engine.external_audio_source_write_data("extsource", samples.astype("<i2").tobytes())
        engine.external_audio_source_set_eoi("extsource")
        engine.run()
        engine.free()
    return numpy.stack(rows) if rows else None


def python_speech_features(kind, samples, rate):
    import logging
    import python_speech_features as tool
    logging.disable(logging.WARNING)
    if kind == "spectrogram":
        frames = tool.sigproc.framesig(tool.sigproc.preemphasis(samples, 0.97), 0.025 * rate, 0.01 * rate)
        return tool.sigproc.powspec(frames, 512)
    if kind == "mel":
        return tool.fbank(samples, rate)[0]
    return (tool.mfcc if kind == "mfcc" else tool.logfbank)(samples, rate)


def tensorflow(kind, samples, rate):
    """The recipe in the documentation of `tf.signal.mfccs_from_log_mel_spectrograms`; the upper edge is held to half the
    sample rate, above which TensorFlow refuses it."""
    import tensorflow as tf
    if len(samples) < 1024:
        return None
    spectrogram = tf.abs(tf.signal.stft(tf.constant(samples / 32768, tf.float32), 1024, 256, 1024))
    if kind == "spectrogram":
        return spectrogram.numpy()
    matrix = tf.signal.linear_to_mel_weight_matrix(80, spectrogram.shape[-1], rate, 80.0, min(7600.0, rate / 2))
    mel = tf.tensordot(spectrogram, matrix, 1)
    if kind == "mel":
        return mel.numpy()
    log = tf.math.log(mel + 1e-6)
    return (log if kind == "logmel" else tf.signal.mfccs_from_log_mel_spectrograms(log)[..., :13]).numpy()


TOOLS = {
    "librosa": librosa, "torchaudio": torchaudio, "kaldi": kaldi, "htk": htk, "opensmile": opensmile,
    "python-speech-features": python_speech_features, "tensorflow": tensorflow,
}
KINDS = ["mfcc", "logmel", "mel", "spectrogram"]


def features(tool, kind, samples, rate):
    return TOOLS[tool](kind, numpy.asarray(samples, "int16"), rate)


def versions():
    from importlib.metadata import version
    names = ["librosa", "torch", "torchaudio", "kaldi-native-fbank", "opensmile", "python_speech_features",
             "tensorflow-cpu", "numpy", "scipy"]
    return {name: version(name) for name in names}
