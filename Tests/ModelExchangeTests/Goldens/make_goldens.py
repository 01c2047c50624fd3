"""ONNX files and state dictionaries of other libraries, and what these answer, for `OwnersFilesTests`.

    pip install torch onnx onnxscript safetensors onnxruntime        # PyTorch's (made with PyTorch 2.15, opsets 13 and 20)
    python Tests/ModelExchangeTests/Goldens/make_goldens.py torch
    pip install tensorflow-cpu tf2onnx onnxruntime                   # Keras's (made with Keras 3.15, tf2onnx 1.17)
    python Tests/ModelExchangeTests/Goldens/make_goldens.py keras

Networks are those of `Tests/Interoperability/torch_networks.py` and `keras_networks.py`. Each answers to two sequences of
5 and 12 frames: their numbers and the probabilities are in torch.json and keras.json. ONNX files answer in ONNX Runtime,
state dictionaries in PyTorch.
"""

import json
import pathlib
import sys
import warnings

import numpy
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Interoperability"))

from layers import WIDTH  # noqa: E402

generator = numpy.random.default_rng(1)
sequences = [generator.normal(size=(length, WIDTH)).astype("float32").round(3) for length in (5, 12)]


def probabilities(y):
    y = numpy.asarray(y, "float64")
    if y.min() < 0 or abs(y.sum() - 1) > 1e-4:
        y = numpy.exp(y - y.max())
        y /= y.sum()
    return [float(f"{value:.8g}") for value in y]


def answers(path):
    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    return [probabilities(session.run(None, {name: x[None]})[0][0]) for x in sequences]


def write(name, cases):
    (HERE / f"{name}.json").write_text(json.dumps(
        {"sequences": [x.astype("float64").round(3).ravel().tolist() for x in sequences], "width": WIDTH, "cases": cases},
        indent=1) + "\n")


def without_traces(path):
    """Without the names of source files that the new exporter writes beside each node."""
    import onnx
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        del value.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:]
    onnx.save(model, path)


def make_torch():
    import torch
    from safetensors.torch import save_file
    from torch_networks import more_networks, state_networks, with_statistics
    torch.manual_seed(3)
    warnings.simplefilter("ignore")
    x = torch.randn(2, 24, WIDTH)
    cases = []
    old = {"gru-1-False-True", "lstm-last", "simple-rnn-2-False-False", "rnn-relu", "convolutional", "planes", "bins-first",
           "separable", "gru-final", "gru-last-frame", "residual", "causal", "spanning", "flattened"}
    new = {"lstm-final", "planes", "causal"}
    for name, module, *rest in [*state_networks(), *more_networks()]:
        module = with_statistics(module)
        if name in old:
            path = HERE / f"{name}.onnx"
            opset = 13 if name in {"convolutional", "gru-final"} else 20
            torch.onnx.export(module, (x,), path, dynamo=False, opset_version=opset, input_names=["x"],
                              dynamic_axes={"x": {0: "batch", 1: "frames"}})
            cases.append({"file": path.name, "answers": answers(path)})
        if name in new:
            path = HERE / f"{name}.new.onnx"
            any_size = torch.export.Dim.DYNAMIC
            external = name == "causal"
            torch.onnx.export(module, (x,), path, dynamo=True, dynamic_shapes=({0: any_size, 1: any_size},),
                              external_data=external, verbose=False)
            without_traces(path)
            cases.append({"file": path.name, "answers": answers(path)})
        if rest and name in {"gru-2-True-True", "lstm-last", "convolutional", "planes"}:
            network, options = rest
            path = HERE / f"{name}.safetensors"
            save_file({key: value.contiguous() for key, value in module.state_dict().items()}, path)
            with torch.no_grad():
                wanted = [probabilities(module(torch.from_numpy(x)[None])[0].numpy()) for x in sequences]
            cases.append({"file": path.name, "answers": wanted, "network": json.dumps(network) if network else None,
                          "pooling": options[1] if options[:1] == ["--pooling"] else None})
    write("torch", cases)


def make_keras():
    import keras
    from keras_networks import built, networks
    from keras_to_safetensors import convert
    keras.utils.set_random_seed(1)
    cases = []
    for name, layers, *_ in networks():
        if name in {"keras-lstm", "keras-without-bias", "keras-gru-reset-before-both", "keras-simple-rnn-both"}:
            continue  # Large, or shown by others.
        model = built(layers)
        model.predict(numpy.zeros((1, 8, WIDTH), "float32"), verbose=0)
        path = HERE / f"{name}.onnx"
        model.export(path, format="onnx", verbose=False)
        cases.append({"file": path.name, "answers": answers(path)})
        if name in {"keras-gru-both", "keras-gru-reset-before", "keras-convolutional", "keras-planes", "keras-causal"}:
            convert(model, HERE / f"{name}.safetensors")
            wanted = [probabilities(model(x[None], training=False)[0].numpy()) for x in sequences]
            cases.append({"file": f"{name}.safetensors", "answers": wanted})
    write("keras", cases)


make_torch() if sys.argv[1] == "torch" else make_keras()
