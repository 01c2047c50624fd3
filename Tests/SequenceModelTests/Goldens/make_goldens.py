"""Writes what PyTorch computes, in float64: outputs, losses, gradients and training steps of small networks.

Needs Python with torch and safetensors; the versions used are in each file's metadata.
    python Tests/SequenceModelTests/Goldens/make_goldens.py

Every file has the same three sequences, `input.0`, `input.1`, `input.2` (frames x 5; 9, 6 and 2 frames).

gru-stacked        2-layer bidirectional GRU
lstm-stacked       2-layer bidirectional LSTM
single-layer       GRU, LSTM and RNN (tanh, relu), one layer, one direction; names begin with gru. lstm. tanh. relu.
gru-reset-before   GRU whose reset gate acts before the matrix product (Keras: reset_after=False);
                   names begin with unidirectional. bidirectional.
  These four: loss = sum of output * upstream, over all frames of the three sequences.
    upstream.N             frames x outputs  the fixed random numbers that multiply output.N, so d loss / d output.N
    output.N               frames x outputs  forward, then backward when bidirectional
    h_n, c_n               (layers * directions) x sequences x hidden   each direction's state after its last step
    PARAMETER              under torch's name; for gru-reset-before see `reset_before`
    gradient.PARAMETER, gradient.input.N, loss

classifier         2-layer bidirectional GRU -> pooling -> linear -> mean softmax cross-entropy, labels 2, 0, 3
    PARAMETER              rnn.* (torch's names), query (14; for attention), head.weight (4 x 14), head.bias (4)
    POOLING.logits         sequences x 4     POOLING is last, mean, max or attention
    POOLING.loss, POOLING.gradient.PARAMETER
adam               ten full-batch Adam steps of the classifier with mean pooling
    PARAMETER              before the first step
    RUN.loss               10                before each step; RUN is plain, clipped (global norm at most 0.5) or
                                             keras (unclipped, epsilon where Keras has it)
    RUN.gradient_norm      10                before clipping
    RUN.PARAMETER          after the tenth step
"""

import json
import pathlib
import platform

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

LENGTHS, INPUT, HIDDEN, LABELS = [9, 6, 2], 5, 7, torch.tensor([2, 0, 3])
SEED = 7

torch.set_default_dtype(torch.float64)
torch.manual_seed(SEED)
DATA = [torch.randn(length, INPUT) for length in LENGTHS]


def save(name, tensors):
    tensors = {**{f"input.{n}": sequence for n, sequence in enumerate(DATA)}, **tensors}
    about = {  # one entry: safetensors writes several in no fixed order
        "made_by": "Tests/SequenceModelTests/Goldens/make_goldens.py",
        "versions": dict(python=platform.python_version(), torch=torch.__version__),
        "seed": SEED,
    }
    tensors = {key: value.detach().clone().reshape(value.shape or (1,)) for key, value in tensors.items()}
    path = pathlib.Path(__file__).parent / f"{name}.safetensors"
    save_file(tensors, path, {"about": json.dumps(about)})


def run(rnn, sequences):
    """A torch layer's outputs, one per sequence and without padding, and its final states."""
    packed = pack_padded_sequence(pad_sequence(sequences), LENGTHS)
    outputs, state = rnn(packed)
    outputs, _ = pad_packed_sequence(outputs)
    states = dict(zip(["h_n", "c_n"], state if isinstance(state, tuple) else [state]))
    return [outputs[:length, n] for n, length in enumerate(LENGTHS)], states


def reference(parameters, forward, prefix=""):
    """All that is saved of one recurrent network; `forward(sequences)` gives outputs and final states."""
    sequences = [sequence.clone().requires_grad_() for sequence in DATA]
    outputs, states = forward(sequences)
    upstream = [torch.randn_like(output) for output in outputs]
    loss = sum((output * factor).sum() for output, factor in zip(outputs, upstream))
    loss.backward()
    tensors = {**parameters, **states, "loss": loss}
    tensors |= {f"gradient.{name}": parameter.grad for name, parameter in parameters.items()}
    for n, sequence in enumerate(sequences):
        tensors |= {f"output.{n}": outputs[n], f"upstream.{n}": upstream[n], f"gradient.input.{n}": sequence.grad}
    return {prefix + name: tensor for name, tensor in tensors.items()}


def layer(kind, prefix="", **options):
    rnn = kind(INPUT, HIDDEN, **options)
    return reference(dict(rnn.named_parameters()), lambda sequences: run(rnn, sequences), prefix)


# The GRU of Cho et al. 2014 (doi 10.3115/v1/D14-1179), in the layout of Keras.

def reset_before(sequence, kernel, recurrent_kernel, bias):
    """Outputs (frames x hidden). kernel: input x 3 hidden; recurrent_kernel: hidden x 3 hidden; bias: 3 hidden;
    columns in the order z (update), r (reset), h (candidate)."""
    state, outputs = torch.zeros(HIDDEN), []
    recurrent_z, recurrent_r, recurrent_h = recurrent_kernel.split(HIDDEN, dim=1)
    for x in sequence:
        x_z, x_r, x_h = (x @ kernel + bias).split(HIDDEN)
        z = torch.sigmoid(x_z + state @ recurrent_z)
        r = torch.sigmoid(x_r + state @ recurrent_r)
        candidate = torch.tanh(x_h + (r * state) @ recurrent_h)
        state = z * state + (1 - z) * candidate
        outputs.append(state)
    return torch.stack(outputs)


def reset_before_reference(directions, prefix):
    """Parameters kernel, recurrent_kernel and bias; when bidirectional, each after `forward.` and `backward.`."""
    shapes = dict(kernel=(INPUT, 3 * HIDDEN), recurrent_kernel=(HIDDEN, 3 * HIDDEN), bias=(3 * HIDDEN,))
    cells = {direction: {name: (torch.randn(shape) * 0.4).requires_grad_() for name, shape in shapes.items()}
             for direction in directions}

    def forward(sequences):
        outputs, last = [], []
        for sequence in sequences:
            parts = [reset_before(sequence, **cells[directions[0]])]
            final = [parts[0][-1]]
            if len(directions) == 2:
                parts.append(reset_before(sequence.flip(0), **cells[directions[1]]).flip(0))
                final.append(parts[1][0])
            outputs.append(torch.cat(parts, dim=1))
            last.append(torch.stack(final))
        return outputs, {"h_n": torch.stack(last, dim=1)}

    named = {direction + name: tensor for direction, cell in cells.items() for name, tensor in cell.items()}
    return reference(named, forward, prefix)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(INPUT, HIDDEN, num_layers=2, bidirectional=True)
        self.query = nn.Parameter(torch.randn(2 * HIDDEN))
        self.head = nn.Linear(2 * HIDDEN, 4)

    def forward(self, pooling):
        outputs, _ = run(self.rnn, DATA)
        pool = {
            "last": lambda frames: torch.cat([frames[-1, :HIDDEN], frames[0, HIDDEN:]]),
            "mean": lambda frames: frames.mean(dim=0),
            "max": lambda frames: frames.amax(dim=0),
            "attention": lambda frames: torch.softmax(frames @ self.query, dim=0) @ frames,
        }[pooling]
        return self.head(torch.stack([pool(frames) for frames in outputs]))


def classifier_reference():
    model = Classifier()
    tensors = dict(model.named_parameters())
    for pooling in ("last", "mean", "max", "attention"):
        model.zero_grad()
        logits = model(pooling)
        loss = nn.functional.cross_entropy(logits, LABELS)
        loss.backward()
        tensors |= {f"{pooling}.logits": logits, f"{pooling}.loss": loss}
        tensors |= {f"{pooling}.gradient.{name}": parameter.grad.clone()
                    for name, parameter in model.named_parameters() if parameter.grad is not None}
    return tensors


def adam_reference():
    """Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1): epsilon is added to the root of the corrected moment.
    Keras adds it to the root of the uncorrected moment (the paper's "epsilon hat"), which is the same as a larger
    epsilon in the early steps."""
    tensors = {name: parameter.detach() for name, parameter in Classifier().named_parameters() if name != "query"}
    tensors["head.weight"] *= 3  # so that clipping acts in the first steps and not in the last
    for name, limit in (("plain", torch.inf), ("clipped", 0.5), ("keras", torch.inf)):
        model = Classifier()
        model.load_state_dict(tensors, strict=False)
        parameters = {key: parameter for key, parameter in model.named_parameters() if key != "query"}
        optimizer = torch.optim.Adam(parameters.values(), lr=1e-2, betas=(0.9, 0.999), eps=1e-7)
        losses, norms = [], []
        for step in range(1, 11):
            if name == "keras":
                optimizer.param_groups[0]["eps"] = 1e-7 / (1 - 0.999 ** step) ** 0.5
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model("mean"), LABELS)
            loss.backward()
            norm = torch.cat([parameter.grad.flatten() for parameter in parameters.values()]).norm()
            for parameter in parameters.values():
                parameter.grad *= min(1, limit / norm)
            optimizer.step()
            losses.append(loss.detach())
            norms.append(norm)
        assert norms[0] > 0.5 > norms[-1]
        tensors |= {f"{name}.loss": torch.stack(losses), f"{name}.gradient_norm": torch.stack(norms)}
        tensors |= {f"{name}.{key}": parameter for key, parameter in parameters.items()}
    return tensors


save("gru-stacked", layer(nn.GRU, num_layers=2, bidirectional=True))
save("single-layer", layer(nn.GRU, "gru.") | layer(nn.LSTM, "lstm.")
     | layer(nn.RNN, "tanh.", nonlinearity="tanh") | layer(nn.RNN, "relu.", nonlinearity="relu"))
save("lstm-stacked", layer(nn.LSTM, num_layers=2, bidirectional=True))
save("gru-reset-before", reset_before_reference([""], "unidirectional.")
     | reset_before_reference(["forward.", "backward."], "bidirectional."))
save("classifier", classifier_reference())
save("adam", adam_reference())
