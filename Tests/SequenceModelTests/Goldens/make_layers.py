"""Writes what PyTorch computes, in float64, of the networks in layers.json: one for each kind of layer.

Needs Python with torch and safetensors; the versions used are in the file's metadata.
    python Tests/SequenceModelTests/Goldens/make_layers.py

The sequences have 4, 9, 1, 6 and 9 frames and are computed one by one, but for batch normalisation, which sees all of
them. loss = sum of logits * upstream.
    input                              frames x 6
    CASE.parameters, CASE.gradient     flat, in Auricle's layout; that of moving averages is zero
    CASE.logits, CASE.upstream         sequences x 3, in training
    CASE.inference                     sequences x 3, batch normalisation by its moving averages
    CASE.gradient.input
"""

import json
import pathlib
import platform

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

SEED = 11
LENGTHS = [4, 9, 1, 6, 9]
torch.set_default_dtype(torch.float64)
torch.manual_seed(SEED)
FOLDER = pathlib.Path(__file__).parent

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu, None: lambda x: x}


class Parameters:
    """Hands out tensors in the order in which Auricle keeps them."""

    def __init__(self):
        self.all, self.given, self.place = [], None, 0

    def __call__(self, *shape, moving=None, scale=0.5):
        if self.given is None:
            value = scale * torch.randn(shape)
            if moving == "variance":
                value = value.abs() + 0.5
            self.all.append((value.requires_grad_(moving is None)))
            return self.all[-1]
        self.place += 1
        return self.given[self.place - 1]

    def again(self):
        self.given, self.place = self.all, 0


def padding(taps, stride, dilation, causal, length):
    """Zeros before and after so that `length` becomes ceil(length / stride)."""
    span = (taps - 1) * dilation
    before = span if causal else span // 2
    outputs = -(-length // stride)
    return before, max(0, (outputs - 1) * stride + span + 1 - before - length)


# A frame is bins x channels; sequences are lists of (frames, bins, channels), or of (1, outputs) once pooled. Features
# are `inputs x 1`, flat frames are `1 x outputs`, of which `parts` are directions.

def convolution(layer, xs, p):
    filters, frames, bins = layer["filters"], layer["frames"], layer.get("bins")
    stride, dilation = layer.get("frameStride", 1), layer.get("frameDilation", 1)
    out = []
    kernel = bias = None
    for x in xs:
        length, count, channels = x.shape
        if kernel is None:
            kernel = p(frames, bins, channels, filters) if bins else p(frames, count * channels, filters)
            bias = p(filters)
        first, last = padding(frames, stride, dilation, layer.get("causal", False), length)
        if bins:
            bin_stride, bin_dilation = layer.get("binStride", 1), layer.get("binDilation", 1)
            low, high = padding(bins, bin_stride, bin_dilation, False, count)
            y = F.conv2d(
                F.pad(x.permute(2, 0, 1)[None], (low, high, first, last)), kernel.permute(3, 2, 0, 1), bias,
                (stride, bin_stride), 0, (dilation, bin_dilation))
            out.append(y[0].permute(1, 2, 0)[: -(-length // stride), : -(-count // bin_stride)])
        else:
            y = F.conv1d(
                F.pad(x.flatten(1).T[None], (first, last)), kernel.permute(2, 1, 0), bias, stride, 0, dilation)
            out.append(y[0].T[: -(-length // stride), None])
    return [ACTIVATIONS[layer.get("activation")](y) for y in out]


def depthwise(layer, xs, p):
    frames, stride, dilation = layer["frames"], layer.get("frameStride", 1), layer.get("frameDilation", 1)
    out, kernel, bias = [], None, None
    for x in xs:
        length, bins, channels = x.shape
        shared = channels > 1 and bins > 1  # bins of several channels share their filters
        columns = channels if shared else bins * channels
        if kernel is None:
            kernel, bias = p(frames, columns), p(columns)
        rows = x.permute(1, 2, 0) if shared else x.flatten(1).T[None]
        y = F.conv1d(
            F.pad(rows, padding(frames, stride, dilation, layer.get("causal", False), length)), kernel.T[:, None], bias,
            stride, 0, dilation, groups=columns)[..., : -(-length // stride)]
        out.append(y.permute(2, 0, 1) if shared else y[0].T.reshape(-1, bins, channels))
    return out


def columns_of(x):
    """Rows of what a normalisation has a number for, and the way back."""
    shape = x.shape
    if len(shape) == 3 and not (shape[1] > 1 and shape[2] > 1):
        return x.reshape(shape[0], -1)
    return x.reshape(-1, shape[-1])


def batch_normalization(layer, xs, p, training):
    rows = [columns_of(x) for x in xs]
    together = torch.cat(rows)
    count = together.shape[1]
    gamma, beta, mean, variance = p(count), p(count), p(count, moving="mean"), p(count, moving="variance")
    y = F.batch_norm(together, mean.clone(), variance.clone(), gamma, beta, training, 0, layer.get("epsilon", 1e-3))
    return [y.reshape(x.shape) for y, x in zip(y.split([len(r) for r in rows]), xs)]


def layer_normalization(layer, xs, p):
    count = columns_of(xs[0]).shape[1]
    gamma, beta = p(count), p(count)
    return [F.layer_norm(columns_of(x), (count,), gamma, beta, layer.get("epsilon", 1e-3)).reshape(x.shape) for x in xs]


def window_pooling(layer, xs):
    size = (layer.get("frames", 1), layer.get("bins", 1))
    pool = F.max_pool2d if layer.get("kind", "max") == "max" else F.avg_pool2d
    return [pool(x.permute(2, 0, 1)[None], size, ceil_mode=True)[0].permute(1, 2, 0) for x in xs]


def recurrent(layer, xs, p):
    cell, units, directions = layer.get("cell", "gru"), layer["units"], layer.get("directions", 1)
    inputs = xs[0].shape[1] * xs[0].shape[2]
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](inputs, units, batch_first=True, bidirectional=directions == 2)
    named = {}
    gates = {"gru": 3, "lstm": 4}[cell]
    for suffix in ["", "_reverse"][:directions]:
        w, u = p(inputs, gates * units), p(units, gates * units)
        biases = p(2, gates * units) if cell == "gru" else p(gates * units)
        b, c = (biases[0], biases[1]) if cell == "gru" else (biases, torch.zeros_like(biases))
        for name, value in (("weight_ih", w), ("weight_hh", u), ("bias_ih", b), ("bias_hh", c)):
            if cell == "gru":  # z, r, h to r, z, n
                z, r, h = value.split(units, -1)
                value = torch.cat([r, z, h], -1)
            named[f"{name}_l0{suffix}"] = value.T if value.dim() == 2 else value
    return [torch.func.functional_call(kind, named, (x.flatten(1)[None],))[0][0][:, None] for x in xs]


def pooling(layer, xs, p, before):
    flat = [x.flatten(1) for x in xs]
    if layer["kind"] == "last":
        # Of two directions, the second ends in the first frame; only a recurrent layer makes frames of one bin here.
        half = flat[0].shape[1] // 2
        ends = [torch.cat([x[-1, :half], x[0, half:]]) if before["type"] == "recurrent" and before.get("directions") == 2
                else x[-1] for x in flat]
        return [end[None] for end in ends]
    if layer["kind"] == "mean":
        return [x.mean(0)[None] for x in flat]
    if layer["kind"] == "max":
        return [x.max(0).values[None] for x in flat]
    query = p(layer.get("heads", 1), flat[0].shape[1])
    return [((x @ query.T).softmax(0).T @ x).flatten()[None] for x in flat]


def dense(layer, xs, p):
    inputs = xs[0].flatten(1).shape[1]
    kernel, bias = p(inputs, layer["units"]), p(layer["units"])
    activation = ACTIVATIONS[layer.get("activation")]
    ys = [activation(x.flatten(1) @ kernel + bias) for x in xs]
    return [y[:, None] if x.dim() == 3 else y for x, y in zip(xs, ys)]


def run(layers, xs, p, training):
    for layer in layers:
        kind = layer["type"]
        if kind == "convolution":
            xs = convolution(layer, xs, p)
        elif kind == "depthwise-convolution":
            xs = depthwise(layer, xs, p)
        elif kind == "batch-normalization":
            xs = batch_normalization(layer, xs, p, training)
        elif kind == "layer-normalization":
            xs = layer_normalization(layer, xs, p)
        elif kind == "activation":
            xs = [ACTIVATIONS[layer["function"]](x) for x in xs]
        elif kind == "window-pooling":
            xs = window_pooling(layer, xs)
        elif kind == "recurrent":
            xs = recurrent(layer, xs, p)
        elif kind == "pooling":
            xs = pooling(layer, xs, p, layers[layers.index(layer) - 1])
        elif kind == "dense":
            xs = dense(layer, xs, p)
        elif kind == "residual":
            xs = [x + y for x, y in zip(xs, run(layer["layers"], xs, p, training))]
        else:
            raise ValueError(kind)
    return xs


tensors = {"input": torch.randn(sum(LENGTHS), 6)}
for case in json.loads((FOLDER / "layers.json").read_text()):
    name, parameters = case["name"], Parameters()
    x = tensors["input"].clone().requires_grad_()
    sequences = [part[..., None] for part in x.split(LENGTHS)]
    logits = torch.cat(run(case["layers"], sequences, parameters, True))
    upstream = torch.randn(logits.shape)
    (logits * upstream).sum().backward()
    parameters.again()
    inference = torch.cat(run(case["layers"], sequences, parameters, False))
    gradients = [torch.zeros_like(t) if t.grad is None else t.grad for t in parameters.all]
    tensors |= {
        f"{name}.parameters": torch.cat([t.flatten() for t in parameters.all]),
        f"{name}.gradient": torch.cat([t.flatten() for t in gradients]), f"{name}.gradient.input": x.grad,
        f"{name}.logits": logits, f"{name}.upstream": upstream, f"{name}.inference": inference,
    }
about = {"made_by": "Tests/SequenceModelTests/Goldens/make_layers.py", "seed": SEED,
         "versions": {"python": platform.python_version(), "torch": torch.__version__}}
save_file({key: value.detach().clone() for key, value in tensors.items()}, FOLDER / "layers.safetensors",
          {"about": json.dumps(about)})
