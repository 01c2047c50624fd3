"""Weights of a Keras model for `auricle import`: python keras_to_safetensors.py model.keras weights.safetensors"""

import sys

import keras
import numpy
from safetensors.numpy import save_file


def convert(model, path):
    save_file({f"{number:03}.{type(layer).__name__}.{index}": numpy.ascontiguousarray(weight.numpy())
               for number, layer in enumerate(model.layers)
               for index, weight in enumerate(layer.weights) if "seed_generator" not in weight.path}, path,
              {"keras.config": model.to_json()})


if __name__ == "__main__":
    convert(keras.saving.load_model(sys.argv[1]), sys.argv[2])
