"""Imports weights of PyTorch and of Keras with `auricle import` and compares the answers with the library's own.

    pip install keras torch numpy safetensors
    python Tests/Interoperability/import_check.py .build/release/auricle

Networks of all modules that are taken, with random weights and statistics, answer to sequences of several lengths, each
alone: logits by the library, probabilities by Auricle, to 1e-5.
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
import torch
from safetensors.torch import save_file

from keras_to_safetensors import convert

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
WIDTH, CLASSES, LENGTHS = 10, 3, [4, 5, 8, 13, 30, 61]
LABELS = ["one", "two", "three"]
random = numpy.random.default_rng(1)
torch.manual_seed(1)
worst = 0.0


def auricle(*arguments, code=0):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == code, f"auricle {' '.join(map(str, arguments))}: {run.stderr or run.stdout}"
    return run.stdout if code == 0 else run.stderr + run.stdout


def compare(name, folder, model, answer):
    """`answer` gives the library's logits for one sequence, `frames x WIDTH`."""
    global worst
    sequences = [random.normal(size=(length, WIDTH)).astype("float32") for length in LENGTHS]
    path = folder / f"{name}.npz"
    numpy.savez(path, **{f"s{index:02}": sequence for index, sequence in enumerate(sequences)})
    lines = [json.loads(line) for line in auricle("classify", "--json", "--model", model, path).splitlines()]
    assert len(lines) == len(sequences)
    for line, sequence in zip(lines, sequences):
        logits = numpy.asarray(answer(sequence), "float64")
        wanted = numpy.exp(logits - logits.max())
        wanted /= wanted.sum()
        found = numpy.array([line["probabilities"][label] for label in LABELS])
        worst = max(worst, abs(found - wanted).max())
        assert worst < 1e-5, f"{name}: differs by {worst}"


def imported(name, folder, weights, network=None, *options):
    model = folder / f"{name}.model.safetensors"
    if network:
        (folder / f"{name}.json").write_text(json.dumps(network))
        options = ["--network", folder / f"{name}.json", *options]
    auricle("import", weights, "-o", model, "--labels", ",".join(LABELS), *options)
    return model


# PyTorch.

class Torch(torch.nn.Module):
    """Modules by name, and a function from `1 x frames x WIDTH` to logits."""

    def __init__(self, run, **modules):
        super().__init__()
        self.run = run
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.run(self, x)


def with_statistics(module):
    """Parameters and statistics of batch normalisation as training might leave them."""
    for part in module.modules():
        if isinstance(part, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            part.running_mean.normal_(0, 0.5)
            part.running_var.uniform_(0.5, 2)
        if isinstance(part, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.LayerNorm)) and part.bias is not None:
            torch.nn.init.normal_(part.weight, 1, 0.3)
            torch.nn.init.normal_(part.bias, 0, 0.3)
    return module.eval()


def last(y):
    """The state after the last frame, and of a backward direction after the first."""
    half = y.shape[2] // 2
    return torch.cat([y[:, -1, :half], y[:, 0, half:]], 1)


def recurrent(kind, units, directions):
    return {"type": "recurrent", "cell": kind, "units": units, "directions": directions}


def pooling(kind, **fields):
    return {"type": "pooling", "kind": kind} | fields


def dense(units, **fields):
    return {"type": "dense", "units": units} | fields


def torch_networks():
    """Name, module, network in JSON (none: recognised), options."""
    nn = torch.nn
    for kind, cell in [("gru", nn.GRU), ("lstm", nn.LSTM), ("simple-rnn", nn.RNN)]:
        for layers, bidirectional, bias in [(1, False, True), (2, True, True), (2, False, False)]:
            module = Torch(lambda m, x: m.fc(m.rnn(x)[0].mean(1)),
                           rnn=cell(WIDTH, 8, layers, bidirectional=bidirectional, bias=bias, batch_first=True),
                           fc=nn.Linear(16 if bidirectional else 8, CLASSES, bias=bias))
            yield f"{kind}-{layers}-{bidirectional}-{bias}", module, None, ["--pooling", "mean"]
        module = Torch(lambda m, x: m.fc(last(m.rnn(x)[0])),
                       rnn=cell(WIDTH, 8, bidirectional=True, batch_first=True), fc=nn.Linear(16, CLASSES))
        yield f"{kind}-last", module, None, ["--pooling", "last"]
    module = Torch(lambda m, x: m.fc(m.rnn(x)[0].amax(1)), rnn=nn.RNN(WIDTH, 8, nonlinearity="relu", batch_first=True),
                   fc=nn.Linear(8, CLASSES))
    yield "rnn-relu", module, [recurrent("simple-rnn-relu", 8, 1), pooling("max"), dense(CLASSES)], []

    def convolutional(m, x):
        y = torch.relu(m.bn1(m.conv1(x.transpose(1, 2))))
        y = torch.relu(m.bn2(m.conv2(y))).transpose(1, 2)
        return m.fc2(torch.tanh(m.fc1(m.norm(m.gru(y)[0]).mean(1))))
    module = Torch(convolutional, conv1=nn.Conv1d(WIDTH, 12, 5, padding=2), bn1=nn.BatchNorm1d(12),
                   conv2=nn.Conv1d(12, 14, 3, stride=2, padding=1), bn2=nn.BatchNorm1d(14, affine=False),
                   gru=nn.GRU(14, 9, batch_first=True), norm=nn.LayerNorm(9), fc1=nn.Linear(9, 11),
                   fc2=nn.Linear(11, CLASSES))
    yield "convolutional", module, {"layers": [
        {"type": "convolution", "filters": 12, "frames": 5}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"},
        {"type": "convolution", "filters": 14, "frames": 3, "frameStride": 2}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"}, recurrent("gru", 9, 1), {"type": "layer-normalization"},
        pooling("mean"), dense(11, activation="tanh"), dense(CLASSES)]}, []

    def planes(m, x):
        y = torch.relu(m.bn(m.conv(x[:, None])))
        y = torch.nn.functional.max_pool2d(y, (1, 2), ceil_mode=True)
        y = torch.relu(m.conv2(y)).transpose(1, 2).flatten(2)
        return m.fc(last(m.lstm(y)[0]))
    network = [{"type": "convolution", "filters": 4, "frames": 3, "bins": 5}, {"type": "batch-normalization"},
               {"type": "activation", "function": "relu"}, {"type": "window-pooling", "kind": "max", "bins": 2},
               {"type": "convolution", "filters": 6, "frames": 3, "bins": 3, "activation": "relu"},
               recurrent("lstm", 7, 2), pooling("last"), dense(CLASSES)]
    module = Torch(planes, conv=nn.Conv2d(1, 4, (3, 5), padding=(1, 2)), bn=nn.BatchNorm2d(4),
                   conv2=nn.Conv2d(4, 6, 3, padding=1), lstm=nn.LSTM(30, 7, batch_first=True, bidirectional=True),
                   fc=nn.Linear(14, CLASSES))
    yield "planes", module, network, ["--sequence", WIDTH]

    def bins_first(m, x):
        y = torch.relu(m.conv(x.transpose(1, 2)[:, None]))
        return m.fc(y.mean(3).flatten(1))
    module = Torch(bins_first, conv=nn.Conv2d(1, 4, (5, 3), padding=(2, 1)), fc=nn.Linear(40, CLASSES))
    yield "bins-first", module, [
        {"type": "convolution", "filters": 4, "frames": 3, "bins": 5, "activation": "relu"}, pooling("mean"),
        dense(CLASSES)], ["--bins-first", "--sequence", WIDTH]

    def separable(m, x):
        y = torch.nn.functional.silu(m.pointwise(m.depthwise(x.transpose(1, 2)))).transpose(1, 2)
        share = torch.softmax(m.query(y), 1)
        return m.fc((share.transpose(1, 2) @ y).flatten(1))
    module = Torch(separable, depthwise=nn.Conv1d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH),
                   pointwise=nn.Conv1d(WIDTH, 12, 1), query=nn.Linear(12, 2, bias=False), fc=nn.Linear(24, CLASSES))
    yield "separable", module, [
        {"type": "depthwise-convolution", "frames": 5}, {"type": "convolution", "filters": 12, "frames": 1},
        {"type": "activation", "function": "silu"}, pooling("attention", heads=2), dense(CLASSES)], ["--sequence", WIDTH]
    ambiguous = Torch(lambda m, x: m.out(torch.relu(m.second(torch.relu(m.first(x)))).mean(1)),
                      first=nn.Linear(WIDTH, WIDTH), second=nn.Linear(WIDTH, WIDTH), out=nn.Linear(WIDTH, CLASSES))
    layers = [dense(WIDTH, activation="relu"), dense(WIDTH, activation="relu"), pooling("mean"), dense(CLASSES)]
    yield "ambiguous", ambiguous, layers, ["--modules", "first,second,out"]


def check_torch(folder):
    for name, module, network, options in torch_networks():
        module = with_statistics(module)
        weights = folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in module.state_dict().items()}, weights)
        if name == "ambiguous":
            (folder / "refused.json").write_text(json.dumps(network))
            text = auricle("import", weights, "-o", folder / "refused.safetensors", "--labels", ",".join(LABELS),
                           "--network", folder / "refused.json", code=1)
            assert "several orders" in text, text
        model = imported(name, folder, weights, network, *options)
        with torch.no_grad():
            compare(name, folder, model, lambda x: module(torch.from_numpy(x)[None])[0].numpy())


def check_refusals(folder):
    """One line, with the reason."""
    def refused(weights, word, *options):
        text = auricle("import", weights, "-o", folder / "refused.safetensors", "--labels", ",".join(LABELS), *options, code=1)
        assert word in text and len(text.strip().splitlines()) == 1, text
    torch.save({"fc.weight": torch.zeros(3, 3)}, folder / "pickle.pt")
    refused(folder / "pickle.pt", "pickle")
    for name, module, word in [
        ("projection", torch.nn.LSTM(4, 8, proj_size=3), "proj_size"),
        ("transformer", torch.nn.MultiheadAttention(4, 2), "no weight of"),
        ("no-dense", torch.nn.GRU(4, 8), "recognised"),
    ]:
        save_file({key: value.contiguous() for key, value in module.state_dict().items()}, folder / f"{name}.safetensors")
        refused(folder / f"{name}.safetensors", word)
    save_file({"rnn.weight_ih_l0": torch.zeros(24, 4), "rnn.weight_hh_l0": torch.zeros(24, 8),
               "fc.weight": torch.zeros(5, 8)}, folder / "classes.safetensors")
    refused(folder / "classes.safetensors", "5 x 8", "--pooling", "last")


# Keras.

def keras_networks():
    layers = keras.layers
    for kind, make in [("gru", lambda n, **k: layers.GRU(n, **k)), ("lstm", lambda n, **k: layers.LSTM(n, **k)),
                       ("gru-reset-before", lambda n, **k: layers.GRU(n, reset_after=False, **k)),
                       ("simple-rnn", lambda n, **k: layers.SimpleRNN(n, **k))]:
        yield f"keras-{kind}", [make(8), layers.Dense(CLASSES)], None, ["--pooling", "last"]
        yield f"keras-{kind}-both", [
            layers.Bidirectional(make(8, return_sequences=True)), layers.Bidirectional(make(6)), layers.Dense(CLASSES),
        ], None, ["--pooling", "last"]
    yield "keras-without-bias", [
        layers.GRU(8, use_bias=False), layers.Dense(CLASSES, use_bias=False),
    ], [recurrent("gru", 8, 1), pooling("last"), dense(CLASSES)], []
    yield "keras-convolutional", [
        layers.BatchNormalization(), layers.Conv1D(12, 5, padding="same", activation="relu"), layers.LayerNormalization(),
        layers.DepthwiseConv1D(3, padding="same"), layers.GRU(8, return_sequences=True),
        layers.GlobalAveragePooling1D(), layers.Dense(CLASSES),
    ], [{"type": "batch-normalization"}, {"type": "convolution", "filters": 12, "frames": 5, "activation": "relu"},
        {"type": "layer-normalization"}, {"type": "depthwise-convolution", "frames": 3}, recurrent("gru", 8, 1),
        pooling("mean"), dense(CLASSES)], ["--sequence", WIDTH]
    yield "keras-planes", [
        layers.Reshape((-1, WIDTH, 1)), layers.Conv2D(4, (3, 5), padding="same"), layers.BatchNormalization(),
        layers.Activation("relu"), layers.Reshape((-1, WIDTH * 4)), layers.LSTM(8), layers.Dense(CLASSES),
    ], [{"type": "convolution", "filters": 4, "frames": 3, "bins": 5}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"}, recurrent("lstm", 8, 1), pooling("last"), dense(CLASSES)], [
            "--sequence", WIDTH]


def check_keras(folder):
    for name, layers, network, options in keras_networks():
        model = keras.Sequential([keras.layers.Input((None, WIDTH)), *layers])
        for weight in model.weights:
            shaken = weight.numpy() + random.normal(0, 0.2, weight.shape).astype("float32")
            if "seed" not in weight.name:
                weight.assign(abs(shaken) if "variance" in weight.name else shaken)
        convert(model, folder / f"{name}.safetensors")
        own = imported(name, folder, folder / f"{name}.safetensors", network, *options)
        compare(name, folder, own, lambda x: keras.ops.convert_to_numpy(model(x[None], training=False))[0])


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    check_torch(folder)
    check_refusals(folder)
    check_keras(folder)
print(f"import: PyTorch's and Keras's answers agree to {worst:.1e}")
