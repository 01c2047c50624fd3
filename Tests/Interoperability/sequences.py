"""Trains the same recurrent network on sequences made here with Keras and with Auricle, and compares what they learn; then
runs Auricle's model in NumPy.

    pip install keras torch numpy safetensors
    python Tests/Interoperability/sequences.py .build/release/auricle
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy
from safetensors import safe_open

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
CLASSES, FRAMES, WIDTH, UNITS = 4, 25, 6, 100


def auricle(*arguments):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, f"auricle {arguments[0]}: {run.stderr}"
    return run.stdout


def sequences(count, random):
    """Waves of a frequency for each class, of any phase and place, in noise."""
    y = random.integers(0, CLASSES, count)
    time = numpy.arange(FRAMES)
    phase = random.uniform(0, 2 * numpy.pi, (count, 1, WIDTH))
    waves = numpy.sin(2 * numpy.pi * (y[:, None, None] + 1) * time[None, :, None] / FRAMES + phase)
    return (waves + random.normal(0, 0.5, waves.shape)).astype("float32"), y


def train_keras(arrays):
    """The accuracy that Keras reaches on the test data."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.layers.Input((FRAMES, WIDTH)), keras.layers.SimpleRNN(UNITS),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(arrays["X_train"], arrays["y_train"], batch_size=32, epochs=10, verbose=0)
    return model.evaluate(arrays["X_test"], arrays["y_test"], verbose=0)[1]


def train_auricle(folder):
    """The same network and training; returns the accuracy on the test data."""
    (folder / "network.json").write_text(json.dumps({"layers": [
        {"type": "recurrent", "cell": "simple-rnn", "units": UNITS}, {"type": "pooling", "kind": "last"},
    ]}))
    auricle(
        "train", folder / "data.npz", "-o", folder / "model.safetensors", "--network", folder / "network.json", "--epochs", 10,
        "--batch-size", 32, "--optimizer", "adam", "--learning-rate", 0.001, "--schedule", "constant", "--label-smoothing", 0,
        "--validation-split", 0)
    report = auricle(
        "evaluate", "--model", folder / "model.safetensors", folder / "data.npz", "--split", "testing", "--json")
    return json.loads(report)["accuracy"]


def check_probabilities(folder, arrays):
    """The model file in NumPy, in double precision, gives Auricle's probabilities."""
    with safe_open(folder / "model.safetensors", "numpy") as file:
        tensors = {name: file.get_tensor(name).astype("float64") for name in file.keys()}
        assert file.metadata()["auricle.sequence"] == str(WIDTH), file.metadata()
    kernel, recurrent, bias, dense, dense_bias = (
        next(value for name, value in tensors.items() if name.endswith(ending) and (".0." in name) == is_first)
        for ending, is_first in ((".kernel", True), (".recurrent_kernel", True), (".bias", True), (".kernel", False), (".bias", False)))
    X = arrays["X_test"].astype("float64")
    state = numpy.zeros((len(X), UNITS))
    for frame in range(FRAMES):
        state = numpy.tanh(X[:, frame] @ kernel + state @ recurrent + bias)
    logits = state @ dense + dense_bias
    expected = numpy.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)

    numpy.savez_compressed(folder / "X.npz", X=arrays["X_test"])
    lines = auricle("classify", "--model", folder / "model.safetensors", folder / "X.npz", "--json").splitlines()
    rows = [json.loads(line) for line in lines]
    found = numpy.array([[row["probabilities"][str(label)] for label in range(CLASSES)] for row in rows])
    difference = numpy.abs(found - expected).max()
    assert difference < 1e-5, f"probabilities differ by {difference}"
    return difference


def main():
    random = numpy.random.default_rng(1)
    arrays = {}
    for part, count in (("train", 1600), ("test", 800)):
        arrays[f"X_{part}"], arrays[f"y_{part}"] = sequences(count, random)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numpy.savez(folder / "data.npz", **arrays)
        theirs, ours = train_keras(arrays), train_auricle(folder)
        difference = check_probabilities(folder, arrays)
        assert min(theirs, ours) > 0.7, f"a network has not learned: Keras {theirs:.4f}, Auricle {ours:.4f}"
        assert abs(theirs - ours) < 0.05, f"Keras {theirs:.4f}, Auricle {ours:.4f}"
    print(f"sequences: Keras {theirs:.4f}, Auricle {ours:.4f}; probabilities agree to {difference:.1e}")


main()
