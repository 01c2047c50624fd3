"""Imports what PyTorch and Keras write with `auricle import` and compares the answers with the library's own.

    pip install -r Tests/Interoperability/requirements-import.txt torch      # or jax
    python Tests/Interoperability/import_check.py .build/release/auricle

Networks of all modules that are taken, with random weights and statistics, answer to sequences of several lengths, each
alone: logits by the library, probabilities by Auricle, to 1e-5. State dictionaries of PyTorch and the ONNX files of its
two exporters are tried where PyTorch is there, weights of Keras where it is (with any backend), its ONNX files where it is
with TensorFlow and tf2onnx. The last line says what was tried.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy

from layers import CLASSES, WIDTH

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
LENGTHS = [4, 5, 8, 13, 30, 61]
LABELS = ["one", "two", "three"]
random = numpy.random.default_rng(1)
worst, tried = 0.0, {}


def has(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def auricle(*arguments, code=0):
    run = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == code, f"auricle {' '.join(map(str, arguments))}: {run.stderr or run.stdout}"
    return run.stdout if code == 0 else run.stderr + run.stdout


def compare(kind, name, folder, model, answer):
    """`answer` gives the library's logits (or probabilities) for one sequence, `frames x WIDTH`."""
    global worst
    sequences = [random.normal(size=(length, WIDTH)).astype("float32") for length in LENGTHS]
    path = folder / f"{name}.npz"
    numpy.savez(path, **{f"s{index:02}": sequence for index, sequence in enumerate(sequences)})
    lines = [json.loads(line) for line in auricle("classify", "--json", "--model", model, path).splitlines()]
    assert len(lines) == len(sequences)
    for line, sequence in zip(lines, sequences):
        wanted = numpy.asarray(answer(sequence), "float64")
        if wanted.min() < 0 or abs(wanted.sum() - 1) > 1e-4:
            wanted = numpy.exp(wanted - wanted.max())
            wanted /= wanted.sum()
        found = numpy.array([line["probabilities"][label] for label in LABELS])
        worst = max(worst, abs(found - wanted).max())
        assert worst < 1e-5, f"{name}: differs by {worst}"
    tried[kind] = tried.get(kind, 0) + 1


def imported(name, folder, weights, network=None, *options):
    model = folder / f"{name}.model.safetensors"
    if network:
        (folder / f"{name}.json").write_text(json.dumps(network))
        options = ["--network", folder / f"{name}.json", *options]
    auricle("import", weights, "-o", model, "--labels", ",".join(LABELS), *options)
    return model


def refused(folder, weights, word, *options):
    """One line, with the reason."""
    text = auricle("import", weights, "-o", folder / "refused.safetensors", "--labels", ",".join(LABELS), *options, code=1)
    assert word in text and len(text.strip().splitlines()) == 1, text


# PyTorch.

def check_torch(folder):
    import torch
    from safetensors.torch import save_file
    from torch_networks import state_networks, with_statistics
    torch.manual_seed(1)
    for name, module, network, options in state_networks():
        module = with_statistics(module)
        weights = folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in module.state_dict().items()}, weights)
        if name == "ambiguous":
            (folder / "refused.json").write_text(json.dumps(network))
            refused(folder, weights, "several orders", "--network", folder / "refused.json")
        model = imported(name, folder, weights, network, *options)
        with torch.no_grad():
            compare("PyTorch's state dictionaries", name, folder, model,
                    lambda x: module(torch.from_numpy(x)[None])[0].numpy())

    torch.save({"fc.weight": torch.zeros(3, 3)}, folder / "pickle.pt")
    refused(folder, folder / "pickle.pt", "pickle")
    for name, module, word in [
        ("projection", torch.nn.LSTM(4, 8, proj_size=3), "proj_size"),
        ("transformer", torch.nn.MultiheadAttention(4, 2), "no weight of"),
        ("no-dense", torch.nn.GRU(4, 8), "recognised"),
    ]:
        save_file({key: value.contiguous() for key, value in module.state_dict().items()}, folder / f"{name}.safetensors")
        refused(folder, folder / f"{name}.safetensors", word)
    save_file({"rnn.weight_ih_l0": torch.zeros(24, 4), "rnn.weight_hh_l0": torch.zeros(24, 8),
               "fc.weight": torch.zeros(5, 8)}, folder / "classes.safetensors")
    refused(folder, folder / "classes.safetensors", "5 x 8", "--pooling", "last")


def check_torch_onnx(folder):
    """Lengths that vary, and one only; by the old exporter and, where it can run, the new one."""
    import torch
    from torch_networks import Network, more_networks, state_networks, with_statistics
    torch.manual_seed(2)
    warnings.simplefilter("ignore")
    x = torch.randn(2, 24, WIDTH)
    fresh = {"planes", "gru-final", "residual", "causal"}
    for name, module, *_ in [*state_networks(), *more_networks()]:
        module = with_statistics(module)

        def check(path):
            with torch.no_grad():
                compare("ONNX files of PyTorch", name, folder, imported(name, folder, path),
                        lambda x: module(torch.from_numpy(x)[None])[0].numpy())
        path = folder / f"{name}.onnx"
        axes = {"x": {0: "batch", 1: "frames"}}
        torch.onnx.export(module, (x,), path, dynamo=False, input_names=["x"], dynamic_axes=axes)
        check(path)
        torch.onnx.export(module, (x[:1],), path, dynamo=False, opset_version=13, input_names=["x"],
                          dynamic_axes={"x": {1: "frames"}})
        check(path)
        if has("onnxscript") and name in fresh:
            any_size = torch.export.Dim.DYNAMIC
            # Its weights lie in a file beside it.
            torch.onnx.export(module, (x,), folder / "new.onnx", dynamo=True, dynamic_shapes=({0: any_size, 1: any_size},),
                              external_data=True, verbose=False)
            check(folder / "new.onnx")
            tried["of them by the new exporter"] = tried.get("of them by the new exporter", 0) + 1

    nn = torch.nn
    for name, word, module in [
        ("both-last", "last frame of both directions", Network(
            lambda m, x: m.fc(m.rnn(x)[0][:, -1]), rnn=nn.GRU(WIDTH, 4, bidirectional=True, batch_first=True), fc=nn.Linear(8, 3))),
        ("shorter", "pads frames by 0 and 0", Network(
            lambda m, x: m.fc(m.conv(x.transpose(1, 2)).mean(2)), conv=nn.Conv1d(WIDTH, 4, 3), fc=nn.Linear(4, 3))),
        ("gelu", "Gelu", Network(lambda m, x: m.fc(nn.functional.gelu(x).mean(1)), fc=nn.Linear(WIDTH, 3))),
        ("windows", "ceil_mode", Network(
            lambda m, x: m.fc(nn.functional.max_pool1d(x.transpose(1, 2), 2).mean(2)), fc=nn.Linear(WIDTH, 3))),
    ]:
        torch.onnx.export(module.eval(), (x,), folder / f"{name}.onnx", dynamo=False, input_names=["x"], dynamic_axes=axes)
        refused(folder, folder / f"{name}.onnx", word)
    data = (folder / "gru-last.onnx").read_bytes()
    (folder / "cut.onnx").write_bytes(data[:len(data) // 2])
    refused(folder, folder / "cut.onnx", "damaged")


# Keras.

def check_keras(folder):
    if "KERAS_BACKEND" not in os.environ:
        os.environ["KERAS_BACKEND"] = next(
            backend for backend, module in [("torch", "torch"), ("tensorflow", "tensorflow"), ("jax", "jax")]
            if has(module))
    import keras
    from keras_networks import built, networks
    from keras_to_safetensors import convert
    for name, layers, network, options in networks():
        model = built(layers)

        def answer(x):
            return keras.ops.convert_to_numpy(model(x[None], training=False))[0]
        weights = folder / f"{name}.safetensors"
        # The configuration beside the weights says all; then without it.
        convert(model, weights)
        compare("Keras's weights with their configuration", name, folder, imported(name, folder, weights), answer)
        compare("Keras's weights alone", name, folder, imported(name, folder, weights, network, *options), answer)
        if has("tensorflow", "tf2onnx") and keras.backend.backend() == "tensorflow":
            model.predict(numpy.zeros((1, 8, WIDTH), "float32"), verbose=0)
            model.export(folder / f"{name}.onnx", format="onnx", verbose=False)
            compare("ONNX files of Keras", name, folder, imported(name, folder, folder / f"{name}.onnx"), answer)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    if has("torch"):
        check_torch(folder)
        if has("onnx"):
            check_torch_onnx(folder)
    if has("keras"):
        check_keras(folder)
assert tried, "neither torch nor keras is there"
print(f"import: answers agree to {worst:.1e}: " + ", ".join(f"{count} {kind}" for kind, count in tried.items()))
