"""Writes optimizers.json: ten steps of Keras's own optimisers, in float32, with their default constants.

Needs Python with keras and torch; the versions used are in the file.
    python Tests/TrainingTests/Goldens/make_optimizers.py

Sixteen parameters, those of a GRU of one unit on one coefficient (ParameterLayout): six weights, six biases, two
weights, two biases. Biases are kept from weight decay. `gradients` has one row per step, `runs` the parameters after the
last step and the settings.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy
import torch

WEIGHTS = [0, 1, 2, 3, 4, 5, 12, 13]
BIASES = [6, 7, 8, 9, 10, 11, 14, 15]
random = numpy.random.default_rng(3)
start = random.normal(size=16).astype("float32")
gradients = random.normal(size=(10, 16)).astype("float32")


def run(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    variables = [keras.Variable(start[WEIGHTS], name="weight"), keras.Variable(start[BIASES], name="bias")]
    optimizer.build(variables)
    for gradient in gradients:
        optimizer.apply_gradients(zip([torch.tensor(gradient[WEIGHTS]), torch.tensor(gradient[BIASES])], variables))
    result = numpy.empty(16)
    result[WEIGHTS], result[BIASES] = (variable.numpy() for variable in variables)
    return result.tolist()


rate = 0.05
golden = dict(
    versions=dict(keras=keras.__version__, torch=torch.__version__), start=start.tolist(), gradients=gradients.tolist(),
    rate=rate,
    runs=[
        dict(kind="adam", decay=0, parameters=run(keras.optimizers.Adam(rate))),
        dict(kind="adamw", decay=0.5, parameters=run(keras.optimizers.AdamW(rate, weight_decay=0.5))),
        dict(kind="sgd", decay=0, parameters=run(keras.optimizers.SGD(rate, momentum=0.9, nesterov=True))),
        dict(kind="rmsprop", decay=0, parameters=run(keras.optimizers.RMSprop(rate))),
    ])
path = pathlib.Path(__file__).parent / "optimizers.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
