"""Networks of Keras with random weights and statistics, of all layers that Auricle takes."""

import keras
import numpy

from layers import CLASSES, WIDTH, dense, pooling, recurrent

random = numpy.random.default_rng(2)


def built(layers):
    """The model, shaken so that no part of it stands at its beginning."""
    model = keras.Sequential([keras.layers.Input((None, WIDTH)), *layers])
    for weight in model.weights:
        shaken = numpy.asarray(keras.ops.convert_to_numpy(weight.value))
        shaken = shaken + random.normal(0, 0.2, weight.shape).astype("float32")
        if "seed" not in weight.name:
            weight.assign(abs(shaken) if "variance" in weight.name else shaken)
    return model


def networks():
    """Name, layers, network in JSON (none: recognised), options, and whether the configuration tells the network."""
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
        layers.Activation("relu"), layers.MaxPooling2D((1, 2)), layers.Reshape((-1, WIDTH * 2)), layers.LSTM(8),
        layers.Dense(CLASSES),
    ], [{"type": "convolution", "filters": 4, "frames": 3, "bins": 5}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"}, {"type": "window-pooling", "kind": "max", "bins": 2},
        recurrent("lstm", 8, 1), pooling("last"), dense(CLASSES)], ["--sequence", WIDTH]
    yield "keras-causal", [
        layers.Conv1D(8, 3, padding="causal", dilation_rate=2), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling1D(2, padding="same"), layers.Dropout(0.2), layers.Dense(7, activation="silu"),
        layers.GlobalMaxPooling1D(), layers.Dense(9, activation="tanh"), layers.Dense(CLASSES, activation="softmax"),
    ], [{"type": "convolution", "filters": 8, "frames": 3, "frameDilation": 2, "causal": True},
        {"type": "batch-normalization"}, {"type": "activation", "function": "relu"},
        {"type": "window-pooling", "kind": "max", "frames": 2}, dense(7, activation="silu"), pooling("max"),
        dense(9, activation="tanh"), dense(CLASSES)], []
