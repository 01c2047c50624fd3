"""Writes recipe.json: PyTorch's AdamW under OneCycleLR, and temperatures that scipy found.

    python Tests/TrainingTests/Goldens/make_recipe.py      # needs numpy, scipy, torch

`adamw`: the sixteen parameters and ten gradients of optimizers.json, whose biases are not decayed; every step at the rate of
the schedule. `temperature`: for each case logits of one or two networks, `examples x networks x classes`, labels, and the
temperature that minimises the mean cross-entropy of the mean of their softmaxes against Platt's targets.
"""

import json
import pathlib

import numpy
import scipy.optimize
import scipy.special
import torch

here = pathlib.Path(__file__).resolve().parent
optimizers = json.loads((here / "optimizers.json").read_text())
WEIGHTS = [0, 1, 2, 3, 4, 5, 12, 13]
BIASES = [6, 7, 8, 9, 10, 11, 14, 15]
start = torch.tensor(optimizers["start"], dtype=torch.float64)
weights, biases = (torch.nn.Parameter(start[places].clone()) for places in (WEIGHTS, BIASES))
optimizer = torch.optim.AdamW(
    [dict(params=[weights], weight_decay=0.1), dict(params=[biases], weight_decay=0)], lr=0.05, eps=1e-7)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=10, cycle_momentum=False)
rates = []
for gradient in optimizers["gradients"]:
    weights.grad, biases.grad = (torch.tensor(gradient, dtype=torch.float64)[places] for places in (WEIGHTS, BIASES))
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    schedule.step()
parameters = numpy.empty(16)
parameters[WEIGHTS], parameters[BIASES] = weights.detach().numpy(), biases.detach().numpy()

random = numpy.random.default_rng(18)
cases = []
for count, networks, classes, scale in [(60, 1, 3, 4), (60, 2, 3, 0.5), (8, 1, 2, 1)]:
    labels = random.integers(classes, size=count)
    logits = random.normal(size=(count, networks, classes))
    logits[numpy.arange(count), :, labels] += 5 if count == 8 else 1.5
    logits = numpy.round(scale * logits, 4)
    right = (count + 1) / (count + 2)
    targets = numpy.full((count, classes), (1 - right) / (classes - 1))
    targets[numpy.arange(count), labels] = right

    def loss(log_temperature):
        means = scipy.special.softmax(logits / numpy.exp(log_temperature), axis=2).mean(axis=1)
        return -(targets * numpy.log(means)).sum()

    found = scipy.optimize.minimize_scalar(loss, bounds=numpy.log([0.05, 20]), method="bounded", options=dict(xatol=1e-9))
    cases.append(dict(logits=logits.tolist(), labels=labels.tolist(), temperature=float(numpy.exp(found.x))))
golden = dict(
    versions=dict(torch=torch.__version__, scipy=scipy.__version__), decay=0.1, rate=0.05, rates=rates,
    parameters=parameters.tolist(), temperatures=cases)
(here / "recipe.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print([case["temperature"] for case in cases])
