"""Models and sounds for the checks of what models become in other tools: networks of every kind of layer, cell and named
architecture, features of every kind, sounds of many lengths and rates. The first argument of the program that imports it
is the path of `auricle`.
"""

import json
import pathlib
import subprocess
import sys
import wave

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "Fixtures" / "digits"
RATE = 8000
LENGTHS = [1, 30, 90, 201, 640, 1000, 1601, 2000, 2048, 2500, 2999, 3200, 3201, 4000, 4444, 5000, 5120, 6000, 6400, 7000,
           7777, 8000, 9600, 10001, 12000, 12345]
RATES = [8000, 16000, 11025, 44100, 22050]
generator = numpy.random.default_rng(1)


def auricle(*arguments):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, f"auricle {' '.join(map(str, arguments))}: {run.stderr}"
    return run.stdout


# The sounds: pieces of all digits one after the other, with a header of any rate.

def samples_of(path):
    with wave.open(str(path)) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2")


def write_sounds(folder, rates):
    folder.mkdir()
    speech = numpy.concatenate([samples_of(path) for path in sorted(DIGITS.glob("*_0.wav"))[::5]])
    paths, sounds = [], []
    for index, length in enumerate(LENGTHS):
        start = int(generator.integers(len(speech) - length))
        sound = speech[start:start + length]
        paths.append(folder / f"{index:02}.wav")
        with wave.open(str(paths[-1]), "wb") as file:
            file.setparams((1, 2, rates[index % len(rates)], 0, "NONE", ""))
            file.writeframes(sound.tobytes())
        sounds.append(sound.astype("float32") / 32768)
    return paths, sounds


# The models.

def read(model):
    with safe_open(model, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def train(model, *network):
    manifest = model.parent / "digits.csv"
    if not manifest.exists():
        rows = [f"{path},{path.name[0]}" for path in sorted(DIGITS.glob("[0-3]_*_0.wav"))[::4]]
        manifest.write_text("\n".join(["path,label", *rows]) + "\n")
    auricle("train", manifest, "-o", model, "--epochs", 1, "--batch-size", 8, "--validation-split", 0,
            "--sample-rate", RATE, *network)
    return model


def shake(model, **metadata):
    tensors, kept = read(model)
    for name, tensor in tensors.items():
        if not name.startswith("normalization"):
            tensor = tensor + generator.normal(size=tensor.shape) * (0.3 * tensor.std() or 0.1)
            tensors[name] = (abs(tensor) if name.endswith("variance") else tensor).astype("float32")
    save_file(tensors, model, kept | metadata)
    return model


def random_model(model, configuration):
    """A GRU on features of any configuration."""
    width = int(json.loads(auricle("features", "--json", "-o", model.with_suffix(".npy"), "--overwrite", "--config",
                                   configuration, ROOT / "Fixtures" / "seven.wav"))["coefficients"])
    features = json.loads(configuration.read_text())
    shapes = {"0.forward.kernel": (width, 24), "0.forward.recurrent_kernel": (8, 24), "0.forward.bias": (2, 24),
              "2.kernel": (8, 3), "2.bias": (3,)}
    tensors = {f"layers.{name}": generator.normal(size=shape).astype("float32") * 0.5 for name, shape in shapes.items()}
    tensors["layers.0.forward.kernel"] *= 0.05
    network = {"input": width, "layers": [{"type": "recurrent", "cell": "gru", "units": 8},
                                          {"type": "pooling", "kind": "mean"}, {"type": "dense", "units": 3}]}
    if features["normalization"] == "global":
        tensors["normalization.mean"] = numpy.zeros(width, "float32")
        tensors["normalization.scale"] = numpy.full(width, 0.1, "float32")
    save_file(tensors, model, {
        "auricle.format": "3", "auricle.labels": json.dumps(["a", "b", "c"]), "auricle.features": json.dumps(features),
        "auricle.model": json.dumps(network)})
    return model


def answers(model, paths):
    """Of the sounds that the model takes, by their number: some are too short."""
    run = subprocess.run([PROGRAM, "classify", "--json", "--model", model, *paths], capture_output=True, text=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    found = {int(pathlib.Path(row["path"]).stem): list(row["probabilities"].values()) for row in rows
             if row.get("probabilities")}
    labels = list(next(row["probabilities"] for row in rows if row.get("probabilities")))
    assert len(found) >= 20, f"{model.stem}: {run.stderr}"
    return labels, found


def networks(folder):
    """Names, and how `auricle train` is told of the networks."""
    for case in json.loads((ROOT / "Tests/SequenceModelTests/Goldens/layers.json").read_text()):
        path = folder / f"{case['name']}.json"
        path.write_text(json.dumps(case["layers"]))
        yield case["name"], ["--network", path]
    path = folder / "causal-stream.json"
    path.write_text(json.dumps([
        {"type": "convolution", "filters": 4, "frames": 3, "bins": 3, "causal": True}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"}, {"type": "window-pooling", "kind": "mean", "bins": 2},
        {"type": "convolution", "filters": 12, "frames": 3, "frameDilation": 2, "causal": True, "activation": "silu"},
        {"type": "residual", "layers": [{"type": "depthwise-convolution", "frames": 4, "causal": True},
                                        {"type": "convolution", "filters": 12, "frames": 1}]},
        {"type": "layer-normalization"}, {"type": "recurrent", "cell": "lstm", "units": 8},
        {"type": "pooling", "kind": "attention", "heads": 2}, {"type": "dense", "units": 3}]))
    yield "causal-stream", ["--network", path]
    for name in ["gru-small", "gru", "bigru-attention", "conv-gru", "lstm", "simple-rnn", "crnn", "att-rnn", "tc-gru"]:
        yield name, ["--architecture", name]
    for cell in ["gru", "gru-reset-before", "lstm", "simple-rnn", "simple-rnn-relu"]:
        for directions in [[], ["--unidirectional"]]:
            for pooling in ["last", "max"]:
                yield (f"{cell}{''.join(directions)}-{pooling}",
                       ["--cell", cell, "--hidden", 7, "--pooling", pooling, *directions])


def configurations(folder):
    """Features whose samples go in: of every tool, and each field that a graph can compute."""
    def write(name, *options, **fields):
        path = folder / f"{name}.json"
        text = auricle("features", "--print-config", "--sample-rate", RATE, *options, ROOT / "Fixtures" / "seven.wav")
        path.write_text(json.dumps(json.loads(text) | fields))
        return path
    for preset in ["speech", "librosa", "torchaudio", "kaldi", "htk", "python-speech-features", "tensorflow"]:
        for kind in ["logmel", "mfcc"]:
            yield write(f"{preset}-{kind}", "--preset", preset, "--kind", kind)
    for framing in ["center-zero", "snip-edges", "pad-end", "kaldi-center"]:
        yield write(framing, "--framing", framing, "--normalize", "none")
    for energy in ["raw", "windowed", "spectrum"]:
        yield write(f"energy-{energy}", "--energy", energy, "--deltas", 1)
    for normalization in ["utterance-mean", "utterance-mean-variance"]:
        yield write(normalization, "--normalize", normalization)
    yield write("offset", removesOffset=True)
