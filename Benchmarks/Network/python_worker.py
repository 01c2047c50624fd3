"""One recurrent layer in PyTorch or ONNX Runtime: answers requests of `compare.py` on standard input."""

import sys
import time

import numpy as np


def fastest(seconds, body):
    """Nanoseconds of the fastest of the calls that fit in `seconds`."""
    body()
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter_ns()
        body()
        best = min(best, time.perf_counter_ns() - start)
        if time.perf_counter() > end:
            return best


class PyTorch:
    def __init__(self):
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        self.name = f"PyTorch {torch.__version__}"

    def measure(self, cell, training, batch, frames, inputs, hidden, seconds):
        torch = self.torch
        layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[cell](inputs, hidden)
        x = torch.randn(frames, batch, inputs)
        if not training:
            with torch.inference_mode():
                return fastest(seconds, lambda: layer(x))
        upstream = torch.randn(frames, batch, hidden)
        wanted = [x.requires_grad_(), *layer.parameters()]  # the gradient of the input too, as oneDNN computes it
        return fastest(seconds, lambda: torch.autograd.grad(layer(x)[0], wanted, upstream))


class OnnxRuntime:
    def __init__(self):
        import onnxruntime

        self.runtime = onnxruntime
        self.name = f"ONNX Runtime {onnxruntime.__version__}"

    def measure(self, cell, training, batch, frames, inputs, hidden, seconds):
        if training:
            return float("nan")  # the Python package only infers
        from onnx import TensorProto, helper, numpy_helper

        kind, gates = {"gru": ("GRU", 3), "lstm": ("LSTM", 4), "rnn": ("RNN", 1)}[cell]
        random = np.random.default_rng(7)
        weights = [
            numpy_helper.from_array(random.uniform(-0.1, 0.1, shape).astype(np.float32), name)
            for name, shape in [
                ("W", (1, gates * hidden, inputs)), ("R", (1, gates * hidden, hidden)), ("B", (1, 2 * gates * hidden))
            ]
        ]
        options = {"linear_before_reset": 1} if cell == "gru" else {}
        node = helper.make_node(kind, ["X", "W", "R", "B"], ["Y"], hidden_size=hidden, **options)
        graph = helper.make_graph(
            [node], "layer",
            [helper.make_tensor_value_info("X", TensorProto.FLOAT, (frames, batch, inputs))],
            [helper.make_tensor_value_info("Y", TensorProto.FLOAT, (frames, 1, batch, hidden))], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
        model.ir_version = 8
        settings = self.runtime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        session = self.runtime.InferenceSession(model.SerializeToString(), settings, ["CPUExecutionProvider"])
        x = {"X": random.uniform(-1, 1, (frames, batch, inputs)).astype(np.float32)}
        return fastest(seconds, lambda: session.run(["Y"], x))


worker = {"torch": PyTorch, "onnxruntime": OnnxRuntime}[sys.argv[1]]()
print(worker.name, flush=True)
for line in sys.stdin:
    cell, training, *numbers = line.split()
    *sizes, seconds = numbers
    print(worker.measure(cell, training == "train", *map(int, sizes), float(seconds)), flush=True)
