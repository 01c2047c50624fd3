"""Writes what PyTorch computes, in float64: outputs, losses and gradients of small networks.

Needs Python with torch and safetensors; the versions used are in each file's metadata.
    python Tests/SequenceModelTests/Goldens/make_goldens.py

Parameters and their gradients are flat lists in Auricle's layout (`ParameterLayout`): Keras's names, shapes and gate
order. Sequences (4, 9, 1, 6 and 9 frames, which is not sorted) lie one after the other: `frames x size`.

recurrent   every cell, 1 to 3 layers, one direction and two, 5 units; and, one layer, 17 units
  CASE.     CELL.LAYERS.DIRECTIONS.UNITS, for example lstm.2.2.5. CELL: gru, lstm, simple-rnn and simple-rnn-relu are
            PyTorch's own layers on packed sequences, gru-reset-before (Keras: reset_after=False) is `unrolled` below
dropout     the same with recurrent dropout, from `unrolled`, which agrees with PyTorch's layers without it (asserted
            below) and with Keras's recurrent_dropout where that is given one mask for all gates (`check_keras.py`)
  In both, loss = sum of output * upstream + sum of final state * upstream.h (and cell state * upstream.c):
    input                  frames x 6, of which cases of 5 units use the first 3, cases of 17 the first 4
    CASE.parameters, CASE.gradient
    CASE.output, CASE.upstream         frames x (directions * units)
    CASE.initial.h, .final.h, .upstream.h, .gradient.h      (layers * directions) x sequences x units; .c for LSTM;
                                       gradient.h is that of initial.h
    CASE.mask              (layers * directions) x sequences x units, 0 or 1 / (1 - rate); in `dropout` only
    CASE.gradient.input

front       input normalisation and convolutions; loss = sum of output * upstream
    input                  frames x 6
    CASE.parameters, CASE.gradient, CASE.output, CASE.upstream, CASE.gradient.input

classifier  2-layer bidirectional GRU of 7 units -> pooling -> linear -> mean softmax cross-entropy; the sequences are
            the three of 9, 6 and 2 frames; labels 2, 0, 3
    input, parameters      (with the query of attention, also where the pooling does not use it)
    POOLING.logits         sequences x 4     POOLING is last, mean, max or attention
    POOLING.loss, POOLING.gradient
    attention.smoothed.loss, attention.smoothed.gradient       with label smoothing of 0.1
"""

import json
import pathlib
import platform

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

SEED = 7
torch.set_default_dtype(torch.float64)
torch.manual_seed(SEED)
LENGTHS = [4, 9, 1, 6, 9]


def save(name, tensors):
    about = {  # one entry: safetensors writes several in no fixed order
        "made_by": "Tests/SequenceModelTests/Goldens/make_goldens.py",
        "versions": dict(python=platform.python_version(), torch=torch.__version__),
        "seed": SEED,
    }
    tensors = {key: value.detach().clone().reshape(value.shape or (1,)) for key, value in tensors.items()}
    path = pathlib.Path(__file__).parent / f"{name}.safetensors"
    save_file(tensors, path, {"about": json.dumps(about)})


# Torch keeps gates in rows, a GRU's in the order r, z, n, and two biases; Keras keeps them in columns, in the order
# z, r, h, and one bias but for the reset-after GRU.

def keras_layout(cell, matrix):
    """Torch's weight (gates * units x inputs) as Keras's kernel (inputs x gates * units); biases likewise."""
    if cell == "gru":
        r, z, n = matrix.chunk(3)
        matrix = torch.cat([z, r, n])
    return matrix.T if matrix.dim() == 2 else matrix


def flat(cell, named, layers, directions, are_gradients=False):
    """All parameters of a torch layer, or gradients under the same names, in our layout."""
    parts = []
    for layer in range(layers):
        for suffix in ["", "_reverse"][:directions]:
            w, u, b, c = (keras_layout(cell, named[f"{kind}_l{layer}{suffix}"])
                          for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            # One bias that is the sum of two has the gradient that each of them has.
            biases = [b, c] if cell == "gru" else [b if are_gradients else b + c]
            parts += [w, u, *biases]
    return torch.cat([part.reshape(-1) for part in parts])


# The equations, one step at a time, in Keras's layout. GRU: Cho et al. 2014 (doi 10.3115/v1/D14-1179).

def step(cell, x, h, c, kernel, recurrent, bias, mask):
    units, seen = h.shape[-1], h * mask  # what the recurrent weights see
    if cell == "gru":
        x_z, x_r, x_h = (x @ kernel + bias[0]).split(units, -1)
        u_z, u_r, u_h = (seen @ recurrent + bias[1]).split(units, -1)
        z, r = torch.sigmoid(x_z + u_z), torch.sigmoid(x_r + u_r)
        return z * h + (1 - z) * torch.tanh(x_h + r * u_h), c
    if cell == "gru-reset-before":
        x_z, x_r, x_h = (x @ kernel + bias).split(units, -1)
        u_z, u_r, u_h = recurrent.split(units, -1)
        z, r = torch.sigmoid(x_z + seen @ u_z), torch.sigmoid(x_r + seen @ u_r)
        return z * h + (1 - z) * torch.tanh(x_h + (r * seen) @ u_h), c
    if cell == "lstm":
        i, f, g, o = (x @ kernel + seen @ recurrent + bias).split(units, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    activation = torch.relu if cell == "simple-rnn-relu" else torch.tanh
    return activation(x @ kernel + seen @ recurrent + bias), c


GATES = {"gru": 3, "gru-reset-before": 3, "lstm": 4, "simple-rnn": 1, "simple-rnn-relu": 1}


def shapes(cell, inputs, units, layers, directions):
    for layer in range(layers):
        for _ in range(directions):
            gates = GATES[cell] * units
            yield (inputs if layer == 0 else directions * units, gates)
            yield (units, gates)
            yield (2, gates) if cell == "gru" else (gates,)


def unrolled(cell, parameters, sequences, h, c, mask, layers, directions):
    """Outputs per sequence and final states; states and masks are (layers * directions) x sequences x units."""
    units = h.shape[-1]
    wanted = list(shapes(cell, sequences[0].shape[1], units, layers, directions))
    parts = [part.reshape(shape) for part, shape in
             zip(parameters.split([torch.Size(shape).numel() for shape in wanted]), wanted)]
    finals = [[None] * len(sequences) for _ in range(layers * directions)]
    for layer in range(layers):
        outputs = []
        for n, sequence in enumerate(sequences):
            sides = []
            for direction in range(directions):
                place = layer * directions + direction
                state, carry, frames = h[place, n], c[place, n], []
                for x in sequence.flip(0) if direction else sequence:
                    state, carry = step(cell, x, state, carry, *parts[3 * place:3 * place + 3], mask[place, n])
                    frames.append(state)
                finals[place][n] = (state, carry)
                sides.append(torch.stack(frames[::-1] if direction else frames))
            outputs.append(torch.cat(sides, dim=1))
        sequences = outputs
    h, c = (torch.stack([torch.stack([final[kind] for final in place]) for place in finals]) for kind in (0, 1))
    return sequences, h, c


def torch_layer(cell, inputs, units, layers, directions):
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}.get(cell, nn.RNN)
    options = {"nonlinearity": "relu"} if cell == "simple-rnn-relu" else {}
    return kind(inputs, units, num_layers=layers, bidirectional=directions == 2, **options)


def recurrent_case(cell, inputs, units, layers, directions, rate=None):
    shape = (layers * directions, len(LENGTHS), units)
    sequences = [data[:, :inputs].clone().requires_grad_() for data in DATA]
    h, c = (torch.randn(shape).mul(0.5).requires_grad_() for _ in range(2))
    mask = (torch.rand(shape) >= rate) / (1 - rate) if rate else torch.ones(shape)
    rnn = None if cell == "gru-reset-before" else torch_layer(cell, inputs, units, layers, directions)
    if rnn:
        parameters = flat(cell, dict(rnn.named_parameters()), layers, directions).detach().requires_grad_()
    else:
        count = sum(torch.Size(s).numel() for s in shapes(cell, inputs, units, layers, directions))
        parameters = (torch.randn(count) * 0.4).requires_grad_()
    outputs, final_h, final_c = unrolled(cell, parameters, sequences, h, c, mask, layers, directions)
    if rnn and not rate:
        ours = torch.cat(outputs)
        packed, final = rnn(pack_sequence(sequences, enforce_sorted=False), (h, c) if cell == "lstm" else h)
        outputs = unpack_sequence(packed)
        final_h, final_c = final if cell == "lstm" else (final, c)
        assert torch.allclose(ours, torch.cat(outputs), rtol=1e-12, atol=1e-14)

    output = torch.cat(outputs)
    upstream, upstream_h, upstream_c = torch.randn_like(output), torch.randn(shape), torch.randn(shape)
    loss = (output * upstream).sum() + (final_h * upstream_h).sum()
    if cell == "lstm":
        loss = loss + (final_c * upstream_c).sum()
    loss.backward()
    if rnn and not rate:
        gradients = {name: parameter.grad for name, parameter in rnn.named_parameters()}
        gradient = flat(cell, gradients, layers, directions, are_gradients=True)
    else:
        gradient = parameters.grad
    tensors = {
        "parameters": parameters, "gradient": gradient, "output": output, "upstream": upstream, "initial.h": h,
        "final.h": final_h, "upstream.h": upstream_h, "gradient.h": h.grad,
        "gradient.input": torch.cat([sequence.grad for sequence in sequences]),
    }
    if cell == "lstm":
        tensors |= {"initial.c": c, "final.c": final_c, "upstream.c": upstream_c, "gradient.c": c.grad}
    if rate:
        tensors["mask"] = mask
    return {f"{cell}.{layers}.{directions}.{units}.{name}": tensor for name, tensor in tensors.items()}


# Input normalisation and convolutions. Frames before a sequence and after it are zeros of its own.

def normalize(kind, frames, gamma, beta):
    if kind == "batch":
        return functional.batch_norm(frames, None, None, gamma, beta, training=True, eps=1e-3)
    return functional.layer_norm(frames, (frames.shape[1],), gamma, beta, eps=1e-3)


def convolve(sequence, kernel, bias, frame_stride, bin_stride):
    """A kernel of 3 axes is 1-D (frames x inputs x filters), of 4 is 2-D (frames x bins x channels x filters)."""
    def pad(size, span, stride):  # before, and so much after that there are ceil(size / stride)
        before = (span - 1) // 2
        return before, max(0, (-(-size // stride) - 1) * stride + span - size - before)

    frames, span = len(sequence), kernel.shape[0]
    before, behind = pad(frames, span, frame_stride)
    count = -(-frames // frame_stride)
    if kernel.dim() == 3:
        x = functional.pad(sequence.flatten(1).T, (before, behind))
        y = functional.conv1d(x[None], kernel.permute(2, 1, 0), bias, stride=frame_stride)[0, :, :count].T
    else:
        x = sequence if sequence.dim() == 3 else sequence[:, :, None]
        bins = x.shape[1]
        sides = pad(bins, kernel.shape[1], bin_stride)
        x = functional.pad(x.permute(2, 0, 1), (*sides, before, behind))
        y = functional.conv2d(x[None], kernel.permute(3, 2, 0, 1), bias, stride=(frame_stride, bin_stride))[0]
        y = y[:, :count, :-(-bins // bin_stride)].permute(1, 2, 0)
    return torch.relu(y)


def front_case(name, normalization, convolutions, inputs=6):
    """A convolution is (kernel shape, frame stride, bin stride)."""
    sequences = [data[:, :inputs].clone().requires_grad_() for data in DATA]
    frames = torch.cat(sequences)
    parameters, values = [], []
    if normalization:
        gamma, beta = (torch.randn(inputs) + 1).requires_grad_(), torch.randn(inputs).requires_grad_()
        parameters += [gamma, beta]
        values += [gamma, beta]
        if normalization == "batch":  # moving mean and variance, which training does not read
            values += [torch.zeros(inputs), torch.ones(inputs)]
        frames = normalize(normalization, frames, gamma, beta)
    outputs = frames.split(LENGTHS)
    for shape, frame_stride, bin_stride in convolutions:
        kernel, bias = (torch.randn(shape) * 0.5).requires_grad_(), (torch.randn(shape[-1]) * 0.5).requires_grad_()
        parameters += [kernel, bias]
        values += [kernel, bias]
        outputs = [convolve(sequence, kernel, bias, frame_stride, bin_stride) for sequence in outputs]
    output = torch.cat([sequence.flatten(1) for sequence in outputs])
    upstream = torch.randn_like(output)
    (output * upstream).sum().backward()
    gradients = [value.grad if value.grad is not None else torch.zeros_like(value) for value in values]
    tensors = {
        "parameters": torch.cat([value.reshape(-1) for value in values]),
        "gradient": torch.cat([gradient.reshape(-1) for gradient in gradients]), "output": output,
        "upstream": upstream, "gradient.input": torch.cat([sequence.grad for sequence in sequences]),
    }
    return {f"{name}.{key}": tensor for key, tensor in tensors.items()}


# Whole classifiers.

LABELS = torch.tensor([2, 0, 3])


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 7, num_layers=2, bidirectional=True)
        self.query = nn.Parameter(torch.randn(14))
        self.head = nn.Linear(14, 4)

    def forward(self, pooling):
        outputs = unpack_sequence(self.rnn(pack_sequence(THREE))[0])
        pool = {
            "last": lambda frames: torch.cat([frames[-1, :7], frames[0, 7:]]),
            "mean": lambda frames: frames.mean(dim=0),
            "max": lambda frames: frames.amax(dim=0),
            "attention": lambda frames: torch.softmax(frames @ self.query, dim=0) @ frames,
        }[pooling]
        return self.head(torch.stack([pool(frames) for frames in outputs]))

    def flat(self, are_gradients=False):
        values = {name: (parameter.grad if parameter.grad is not None else torch.zeros_like(parameter))
                  if are_gradients else parameter for name, parameter in self.named_parameters()}
        rnn = {name.removeprefix("rnn."): value for name, value in values.items() if name.startswith("rnn.")}
        parts = [flat("gru", rnn, 2, 2, are_gradients), values["query"], values["head.weight"].T.reshape(-1)]
        return torch.cat([*parts, values["head.bias"]])


def classifier_reference():
    model = Classifier()
    tensors = {"input": torch.cat(THREE), "parameters": model.flat()}
    for pooling in ("last", "mean", "max", "attention"):
        logits = model(pooling)
        tensors[f"{pooling}.logits"] = logits
        for name, smoothing in (("", 0), ("smoothed.", 0.1))[:2 if pooling == "attention" else 1]:
            model.zero_grad()
            loss = functional.cross_entropy(model(pooling), LABELS, label_smoothing=smoothing)
            loss.backward()
            tensors[f"{pooling}.{name}loss"] = loss
            tensors[f"{pooling}.{name}gradient"] = model.flat(are_gradients=True)
    return tensors


DATA = [torch.randn(length, 6) for length in LENGTHS]
THREE = [torch.randn(length, 5) for length in (9, 6, 2)]

recurrent = {"input": torch.cat(DATA)}
for cell in GATES:
    for layers in (1, 2, 3):
        for directions in (1, 2):
            recurrent |= recurrent_case(cell, 3, 5, layers, directions)
    recurrent |= recurrent_case(cell, 4, 17, 1, 1)
save("recurrent", recurrent)

dropout = {"input": torch.cat(DATA)}
for cell in GATES:
    dropout |= recurrent_case(cell, 3, 5, 1, 1, rate=0.4) | recurrent_case(cell, 3, 5, 2, 2, rate=0.4)
save("dropout", dropout)

save("front", {"input": torch.cat(DATA)}
     | front_case("batch", "batch", [])
     | front_case("layer", "layer", [])
     | front_case("1d", None, [((3, 6, 17), 2, 1)])
     | front_case("1d-even", None, [((4, 6, 5), 3, 1), ((2, 5, 4), 1, 1)])
     | front_case("2d", None, [((3, 3, 1, 5), 2, 2)])
     | front_case("2d-even", None, [((2, 4, 1, 3), 1, 3), ((3, 2, 3, 4), 2, 1)])
     | front_case("batch-2d-1d", "batch", [((3, 3, 1, 4), 1, 2), ((3, 12, 5), 2, 1)])
     | front_case("layer-2d-2d", "layer", [((5, 3, 1, 3), 2, 1), ((3, 3, 3, 17), 1, 2)]))

save("classifier", classifier_reference())
