"""Writes training.json: what PyTorch computes, in float64, of losses and of ten training steps.

Needs Python with torch; the versions used are in the file.
    python Tests/TrainingTests/Goldens/make_goldens.py

cross_entropy   a list of cases: logits (sequences x classes, flat), labels, smoothing, the summed loss and its gradient
network         a bidirectional GRU of 6 units on 4 coefficients, mean over frames, linear to 3 classes;
                `sequences` (frames x 4, flat), `labels`, and `parameters` in Auricle's layout (see ParameterLayout)
runs            ten full-batch steps of Adam, learning rate 0.01: `clip` (largest gradient norm, or null), the loss and
                the norm before clipping at each step, the parameters after the last. Epsilon, added to the root of the
                corrected second moment (algorithm 1), is 1e-3, so that rounding cannot turn the step of a parameter
                whose gradient is nearly zero.
"""

import json
import pathlib
import platform

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

LENGTHS, INPUT, HIDDEN, CLASSES = [9, 6, 2], 4, 6, 3
torch.set_default_dtype(torch.float64)
torch.manual_seed(7)


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def cross_entropy(logits, labels, smoothing):
    logits = logits.clone().requires_grad_()
    loss = nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
    loss.backward()
    return dict(logits=numbers(logits), labels=labels.tolist(), smoothing=smoothing, loss=loss.item(),
                gradient=numbers(logits.grad))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(INPUT, HIDDEN, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, sequences):
        packed, _ = self.rnn(pack_padded_sequence(pad_sequence(sequences), LENGTHS))
        frames, _ = pad_packed_sequence(packed)
        means = [frames[:length, n].mean(dim=0) for n, length in enumerate(LENGTHS)]
        return self.head(torch.stack(means))

    def flat(self):
        """The parameters as Auricle has them: gates in columns, in the order z, r, h (torch: rows, r, z, n)."""
        parts = []
        for suffix in ("_l0", "_l0_reverse"):
            def gates(name):
                r, z, n = getattr(self.rnn, name + suffix).chunk(3)
                return torch.cat([z, r, n])
            parts += [gates("weight_ih").T, gates("weight_hh").T, gates("bias_ih"), gates("bias_hh")]
        parts += [self.head.weight.T, self.head.bias]
        return [value for part in parts for value in numbers(part)]


sequences = [torch.randn(length, INPUT) for length in LENGTHS]
labels = torch.tensor([2, 0, 1])
start = Network().state_dict()
start["head.weight"] *= 4  # so that clipping acts
runs = []
for clip in (None, 0.5):
    network = Network()
    network.load_state_dict(start)
    parameters = network.flat()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, eps=1e-3)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(sequences), labels)
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in network.parameters()]).item()
        for parameter in network.parameters():
            parameter.grad *= min(1, (clip or float("inf")) / norm)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm)
    runs.append(dict(clip=clip, losses=losses, norms=norms, parameters=network.flat()))
assert runs[1]["norms"][0] > 0.5

golden = dict(
    versions=dict(python=platform.python_version(), torch=torch.__version__),
    cross_entropy=[
        cross_entropy(torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2]), smoothing) for smoothing in (0.0, 0.1)
    ] + [cross_entropy(torch.tensor([[90.0, -90.0, 0.0], [-700.0, 700.0, 1.0]]), torch.tensor([1, 1]), 0.0)],
    sequences=[numbers(sequence) for sequence in sequences], labels=labels.tolist(), parameters=parameters, runs=runs)
path = pathlib.Path(__file__).parent / "training.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
