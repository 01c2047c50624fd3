"""Runs what `auricle export --to onnx` writes in ONNX Runtime and compares with Auricle's own answers.

    pip install -r Tests/Interoperability/requirements.txt
    python Tests/Interoperability/onnx_check.py .build/release/auricle

Networks of every kind of layer, every cell and every named architecture are trained for an epoch and their weights
shaken, so that no part of them stands at its beginning. Each is given 26 sounds of other lengths and rates, alone and in
one batch, whose padding is NaN: probabilities agree to 1e-5 with features in, to 1e-4 with samples in.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import wave

import numpy
import onnx
import onnxruntime
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
worst = {"features": 0.0, "samples": 0.0, "computed": 0.0}


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


# The comparison.

def answers(model, paths):
    """Of the sounds that the model takes, by their number: some are too short."""
    run = subprocess.run([PROGRAM, "classify", "--json", "--model", model, *paths], capture_output=True, text=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    found = {int(pathlib.Path(row["path"]).stem): list(row["probabilities"].values()) for row in rows
             if row.get("probabilities")}
    labels = list(next(row["probabilities"] for row in rows if row.get("probabilities")))
    assert len(found) >= 20, f"{model.stem}: {run.stderr}"
    return labels, found


def padded(parts):
    batch = numpy.full((len(parts), max(map(len, parts)), *parts[0].shape[1:]), numpy.nan, "float32")
    for row, part in zip(batch, parts):
        row[:len(part)] = part
    return batch, numpy.array([len(part) for part in parts])


def check(model, form, paths, inputs, tolerance):
    target = model.with_suffix(f".{form}.onnx")
    auricle("export", model, "--to", "onnx", "--input", form, "-o", target)
    exported = onnx.load(target)
    onnx.checker.check_model(exported, full_check=True)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    labels, wanted = answers(model, paths)
    assert json.loads({entry.key: entry.value for entry in exported.metadata_props}["auricle.labels"]) == labels

    def run(parts):
        batch, lengths = padded(parts)
        return session.run(["probabilities"], {form: batch, "lengths": lengths})[0]

    together = run([inputs[number] for number in wanted])
    difference = 0.0
    for number, row in zip(wanted, together):
        alone = run([inputs[number]])[0]
        difference = max(difference, *abs(row - wanted[number]), *abs(alone - wanted[number]))
    for number in set(range(len(paths))) - set(wanted) if form == "samples" else ():
        assert numpy.isnan(run([inputs[number]])).all(), f"{model.stem}: an answer to {len(inputs[number])} samples"
    worst[form] = max(worst[form], difference)
    assert difference < tolerance, f"{model.stem}, {form} in: probabilities differ by {difference}"


def features(model, paths):
    folder = model.with_suffix("")
    subprocess.run([PROGRAM, "features", "--overwrite", "--model", model, "-o", folder, *paths], capture_output=True)
    return {int(path.stem): numpy.load(path) for path in folder.glob("*.npy")}


def check_features(model, paths):
    check(model, "features", paths, features(model, paths), 1e-5)


def check_computed(model, paths, sounds):
    """The features that the graph computes of the sounds, in one batch, in terms of their deviation over all."""
    exported = onnx.load(model.with_suffix(".samples.onnx"))
    inside = next(name for node in exported.graph.node if not node.name.startswith(("features/", "lengths/"))
                  for name in node.input if name.startswith("features/"))
    exported.graph.output.append(onnx.helper.make_tensor_value_info(inside, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = features(model, paths)
    batch, lengths = padded(sounds)
    found = session.run([inside], {"samples": batch, "lengths": lengths})[0]
    scale = numpy.concatenate(list(wanted.values())).std()
    difference = max(abs(found[number, :len(rows)] - rows).max() for number, rows in wanted.items()) / scale
    worst["computed"] = max(worst["computed"], difference)
    assert difference < 2e-3, f"{model.stem}: features differ by {difference} deviations"


def networks(folder):
    """Names, and how `auricle train` is told of the networks."""
    for case in json.loads((ROOT / "Tests/SequenceModelTests/Goldens/layers.json").read_text()):
        path = folder / f"{case['name']}.json"
        path.write_text(json.dumps(case["layers"]))
        yield case["name"], ["--network", path]
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


started = time.monotonic()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    paths, _ = write_sounds(folder / "sounds", RATES)
    own, sounds = write_sounds(folder / "own", [RATE])
    for name, network in networks(folder):
        check_features(shake(train(folder / f"{name}.safetensors", *network)), paths)
    several = train(folder / "several.safetensors", "--architecture", "gru-small", "--architecture", "conv-gru")
    check_features(shake(several), paths)
    check_features(shake(several, **{"auricle.output": "sigmoid"}), paths)
    for configuration in configurations(folder):
        model = random_model(folder / f"{configuration.stem}.safetensors", configuration)
        check(model, "samples", own, dict(enumerate(sounds)), 1e-4)
        check_computed(model, own, sounds)
    check(several, "samples", own, dict(enumerate(sounds)), 1e-4)
print(f"onnx: features in agree to {worst['features']:.1e}, samples in to {worst['samples']:.1e} "
      f"(the features to {worst['computed']:.1e} of their deviation), "
      f"in {time.monotonic() - started:.0f} s")
