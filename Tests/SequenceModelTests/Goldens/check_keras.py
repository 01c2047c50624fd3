"""Checks that Keras itself computes what the golden files say, where it has the layer: the reset-before GRU and every
other cell, with and without recurrent dropout; batch normalisation with a mask, layer normalisation. Prints the largest
differences. Needs what make_goldens.py needs, and keras.
    KERAS_BACKEND=torch python Tests/SequenceModelTests/Goldens/check_keras.py
"""

import pathlib

import keras
import torch
from safetensors.torch import load_file

keras.config.set_floatx("float64")
FOLDER = pathlib.Path(__file__).parent
LENGTHS = [4, 9, 1, 6, 9]
GATES = {"gru": 3, "gru-reset-before": 3, "lstm": 4, "simple-rnn": 1, "simple-rnn-relu": 1}


def layer(cell, units, rate):
    options = dict(return_sequences=True, return_state=True, recurrent_dropout=rate)
    if cell.startswith("gru"):
        return keras.layers.GRU(units, reset_after=cell == "gru", **options)
    if cell == "lstm":
        return keras.layers.LSTM(units, **options)
    return keras.layers.SimpleRNN(units, activation="relu" if cell.endswith("relu") else "tanh", **options)


def check(name, golden, cell, units, inputs, rate):
    """One layer in one direction, each sequence by itself."""
    get = lambda key: golden[f"{cell}.1.1.{units}.{key}"]
    gates, worst = GATES[cell] * units, 0.0
    sizes = [inputs * gates, units * gates, (2 if cell == "gru" else 1) * gates]
    weights = [part.reshape(shape).numpy() for part, shape in zip(
        get("parameters").split(sizes), [(inputs, gates), (units, gates), (2, gates) if cell == "gru" else (gates,)])]
    outputs = get("output").split(LENGTHS)
    for n, x in enumerate(golden["input"][:, :inputs].split(LENGTHS)):
        rnn = layer(cell, units, rate)
        rnn.build((1, len(x), inputs))
        rnn.set_weights(weights)
        if rate:  # one mask for all gates
            count = getattr(rnn.cell, "dropout_mask_count", None)
            mask = get("mask")[0, n][None]
            rnn.cell.get_recurrent_dropout_mask = lambda _: mask if count is None else [mask] * count
        state = [get("initial.h")[0, n][None]] + ([get("initial.c")[0, n][None]] if cell == "lstm" else [])
        found, *final = rnn(x[None], initial_state=state, training=bool(rate))
        worst = max(worst, (found[0] - outputs[n]).abs().max().item())
        worst = max(worst, (final[0][0] - get("final.h")[0, n]).abs().max().item())
    print(f"{name:9} {cell:17} {units:3} units: {worst:.1e}")


recurrent, dropout, front = (load_file(FOLDER / f"{name}.safetensors") for name in ("recurrent", "dropout", "front"))
print("keras", keras.__version__, "torch", torch.__version__)
for cell in GATES:
    check("recurrent", recurrent, cell, 5, 3, 0)
    check("recurrent", recurrent, cell, 17, 4, 0)
    check("dropout", dropout, cell, 5, 3, 0.4)

for kind in ("batch", "layer"):
    gamma, beta = front[f"{kind}.parameters"][:12].split(6)
    norm = (keras.layers.BatchNormalization if kind == "batch" else keras.layers.LayerNormalization)(epsilon=1e-3)
    padded = torch.nn.utils.rnn.pad_sequence(front["input"].split(LENGTHS), batch_first=True, padding_value=50.0)
    mask = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
    norm.build(padded.shape)
    norm.set_weights([gamma.numpy(), beta.numpy(), *([torch.zeros(6).numpy(), torch.ones(6).numpy()] if kind == "batch" else [])])
    found = norm(padded, training=True, mask=mask) if kind == "batch" else norm(padded)
    print(f"{kind} normalisation: {(found[mask] - front[f'{kind}.output']).abs().max().item():.1e}")
    if kind == "batch":
        mean, variance = front["input"].mean(0), front["input"].var(0, unbiased=False)
        moving = [torch.as_tensor(w) for w in norm.get_weights()[2:]]
        print("moving averages:", max((moving[0] - 0.01 * mean).abs().max(), (moving[1] - 0.99 - 0.01 * variance).abs().max()).item())
