"""Lets the Python tools that own the formats read what Auricle writes, and compares the numbers.

    pip install -r Tests/Interoperability/requirements.txt
    python Tests/Interoperability/check.py .build/release/auricle
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from safetensors import safe_open
from sklearn import metrics
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"
VOICES = {"flite-rms": "training", "flite-awb": "training", "en-us-f1": "training", "flite-slt": "validation"}


def auricle(*arguments):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, f"auricle {arguments[0]}: {run.stderr}"
    return run.stdout


def check_features(folder):
    """numpy.load reads .npy; CSV holds the same numbers."""
    auricle("features", FIXTURES / "seven.wav", "-o", folder)
    array = numpy.load(folder / "seven.npy")
    assert array.dtype == numpy.float32 and array.shape[1] == 39
    rows = list(csv.reader(auricle("features", FIXTURES / "seven.wav", "--format", "csv").splitlines()))
    assert rows[0][0] == "c0" and numpy.array_equal(numpy.array(rows[1:], dtype="float32"), array)
    return array


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def gru(frames, kernel, recurrent_kernel, bias):
    """The GRU of Keras (reset_after=True), in its layout: what the README says the tensors are."""
    state, outputs = numpy.zeros(len(recurrent_kernel)), []
    for frame in frames:
        x_z, x_r, x_h = numpy.split(frame @ kernel + bias[0], 3)
        h_z, h_r, h_h = numpy.split(state @ recurrent_kernel + bias[1], 3)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        state = z * state + (1 - z) * numpy.tanh(x_h + r * h_h)
        outputs.append(state)
    return numpy.array(outputs)


def softmax_of(frames, tensors, configuration):
    """Probabilities of a bidirectional GRU with attention, in double precision."""
    for index, layer in enumerate(configuration["layers"]):
        def tensor(role):
            return tensors[f"layers.{index}.{role}"]

        def run(direction, step):
            parts = (tensor(f"{direction}.{part}") for part in ("kernel", "recurrent_kernel", "bias"))
            return gru(frames[::step], *parts)[::step]

        if layer["type"] == "recurrent":
            frames = numpy.concatenate([run("forward", 1), run("backward", -1)], axis=1)
        elif layer["type"] == "pooling":
            weights = numpy.exp(frames @ tensor("query")[0])
            pooled = weights @ frames / weights.sum()
        elif layer["type"] == "dense":
            logits = pooled @ tensor("kernel") + tensor("bias")
        else:
            assert layer["type"] == "dropout", layer
    exponentials = numpy.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def check_answer(model, members):
    """numpy gets the probabilities of `classify` out of the model file; names of several networks have a prefix."""
    with safe_open(model, "numpy") as file:
        tensors = {name: file.get_tensor(name).astype("float64") for name in file.keys()}
        metadata = file.metadata()
    assert json.loads(metadata["auricle.labels"]) == [str(digit) for digit in range(10)]
    assert metadata.get("auricle.members") == (str(members) if members > 1 else None)
    folder = model.with_suffix("")
    auricle("features", FIXTURES / "seven.wav", "--model", model, "-o", folder)
    frames = numpy.load(folder / "seven.npy")
    frames = (frames - tensors["normalization.mean"]) * tensors["normalization.scale"]
    answers = []
    for prefix in [f"member.{index}/" for index in range(members)] if members > 1 else [""]:
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        answers.append(softmax_of(frames, own, json.loads(metadata[prefix + "auricle.model"])))
    wanted = numpy.mean(answers, axis=0)
    result = json.loads(auricle("classify", "--json", "--model", model, FIXTURES / "seven.wav"))
    found = [result["probabilities"][str(digit)] for digit in range(10)]
    assert numpy.abs(found - wanted).max() < 1e-5, (found, wanted)


def check_model(folder):
    """safetensors reads the model, and twenty lines of numpy get its probabilities out of it."""
    manifest, model, several = folder / "digits.csv", folder / "digits.safetensors", folder / "several.safetensors"
    rows = [f"{FIXTURES}/digits/{digit}_{voice}_{take}.wav,{digit},{split}"
            for digit in range(10) for voice, split in VOICES.items() for take in (0, 1)]
    manifest.write_text("\n".join(["path,label,split", *rows]) + "\n")
    small = ["--hidden", 24, "--batch-size", 8, "--sample-rate", 16000]
    auricle("train", manifest, "-o", model, *small, "--epochs", 10, "--log-dir", folder / "log",
            "--report", folder / "training.json")
    check_answer(model, members=1)
    auricle("train", manifest, "-o", several, *small, "--epochs", 2, "--members", 3)
    check_answer(several, members=3)
    return manifest, model


def check_log(folder):
    """TensorBoard's own reader, the CSV file and the record have the same numbers of every epoch."""
    epochs = json.loads((folder / "training.json").read_text())["epochs"]
    with open(folder / "log" / "training.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    events = EventAccumulator(str(folder / "log")).Reload()
    columns = {"learning_rate": ("learning_rate", "learningRate")} | {
        f"{measure}/{part}": (f"{part}_{measure}", f"{part}{measure.title()}")
        for measure in ("loss", "accuracy") for part in ("training", "validation")}
    assert sorted(events.Tags()["scalars"]) == sorted(columns) and len(rows) == len(epochs) == 10
    for tag, (column, key) in columns.items():
        wanted = [epoch[key] for epoch in epochs]
        assert [float(row[column]) for row in rows] == wanted, tag
        scalars = events.Scalars(tag)
        assert [scalar.step for scalar in scalars] == [int(row["epoch"]) for row in rows] == list(range(1, 11)), tag
        assert [scalar.value for scalar in scalars] == [float(numpy.float32(value)) for value in wanted], tag


def check_evaluation(folder, manifest, model):
    """scikit-learn gets the report's numbers out of the predictions."""
    predictions, report = folder / "predictions.jsonl", folder / "report.json"
    auricle("evaluate", "--model", model, manifest, "--predictions", predictions, "--report", report)
    rows = [json.loads(line) for line in predictions.read_text().splitlines()]
    report = json.loads(report.read_text())
    truth, predicted = [row["truth"] for row in rows], [row["label"] for row in rows]
    assert len(rows) == 80 and abs(report["accuracy"] - metrics.accuracy_score(truth, predicted)) < 1e-12


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    check_features(folder)
    manifest, model = check_model(folder)
    check_log(folder)
    check_evaluation(folder, manifest, model)
print("interoperability: features, model, training log and evaluation agree")
