"""One recurrent layer in PyTorch or ONNX Runtime: answers requests of `compare.py` on standard input."""

import pathlib
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

from worker import fastest  # noqa: E402


class PyTorch:
    def __init__(self):
        import torch

        self.torch = torch
        torch.set_num_threads(1)
        self.name = f"PyTorch {torch.__version__}"

    def measure(self, cell, what, batch, frames, inputs, hidden, seconds):
        torch = self.torch
        if what == "epoch":
            return self.epoch(batch, inputs, hidden)
        if what == "crnn":
            return self.crnn(batch, frames, inputs, hidden)
        layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[cell](inputs, hidden)
        x = torch.randn(frames, batch, inputs)
        if what == "forward":
            with torch.inference_mode():
                return fastest(seconds, lambda: layer(x))
        upstream = torch.randn(frames, batch, hidden)
        wanted = [x.requires_grad_(), *layer.parameters()]  # the gradient of the input too, as oneDNN computes it
        return fastest(seconds, lambda: torch.autograd.grad(layer(x)[0], wanted, upstream))

    def epoch(self, threads, inputs, hidden):
        """The network that `auricle train` makes, on 1,024 sequences of 20 to 79 frames: the faster of two epochs after the first."""
        torch = self.torch
        torch.set_num_threads(threads)

        class Network(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.GRU(inputs, hidden, 2, bidirectional=True, batch_first=True, dropout=0.3)
                self.query = torch.nn.Parameter(torch.zeros(2 * hidden))
                self.dropout = torch.nn.Dropout(0.3)
                self.dense = torch.nn.Linear(2 * hidden, 10)

            def forward(self, x, lengths):
                packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
                y, _ = torch.nn.utils.rnn.pad_packed_sequence(self.layers(packed)[0], batch_first=True)
                scores = y @ self.query
                outside = torch.arange(y.shape[1]) >= lengths[:, None]
                weights = scores.masked_fill(outside, float("-inf")).softmax(1)
                return self.dense(self.dropout((weights[:, :, None] * y).sum(1)))

        network = Network()
        optimizer = torch.optim.Adam(network.parameters())
        lengths = torch.tensor([20 + i * 37 % 60 for i in range(1024)])
        sequences = [torch.randn(length, inputs) for length in lengths.tolist()]
        labels = torch.arange(1024) % 10
        times = []
        for _ in range(3):
            start = time.perf_counter_ns()
            for batch in torch.randperm(1024).split(32):
                x = torch.nn.utils.rnn.pad_sequence([sequences[i] for i in batch], batch_first=True)
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(x, lengths[batch]), labels[batch]).backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
                optimizer.step()
            times.append(time.perf_counter_ns() - start)
        torch.set_num_threads(1)
        return min(times[1:])


    def crnn(self, threads, frames, inputs, hidden):
        """Auricle's `crnn` on eight batches of 32: the faster of two epochs after the first."""
        torch = self.torch
        nn = torch.nn
        torch.set_num_threads(threads)

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                layers, channels, bins = [], 1, inputs
                for filters, stride in ((32, 2), (64, 2), (96, 1)):
                    for _ in range(2):
                        layers += [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters),
                                   nn.ReLU(inplace=True)]
                        channels = filters
                    layers += [nn.MaxPool2d((stride, 2), ceil_mode=True), nn.Dropout2d(0.1)]
                    bins = -(-bins // 2)
                self.convolutions = nn.Sequential(*layers)
                self.recurrent = nn.GRU(bins * channels, hidden, bidirectional=True, batch_first=True)
                self.query = nn.Parameter(torch.zeros(2 * hidden))
                self.dropout = nn.Dropout(0.4)
                self.dense = nn.Linear(2 * hidden, 10)

            def forward(self, x):
                x = self.convolutions(x[:, None]).permute(0, 2, 1, 3).flatten(2)
                y, _ = self.recurrent(x)
                weights = (y @ self.query).softmax(1)
                return self.dense(self.dropout((weights[:, :, None] * y).sum(1)))

        network = Network()
        optimizer = torch.optim.Adam(network.parameters())
        x, labels = torch.randn(256, frames, inputs), torch.arange(256) % 10
        times = []
        for _ in range(3):
            start = time.perf_counter_ns()
            for batch in torch.randperm(256).split(32):
                optimizer.zero_grad()
                nn.functional.cross_entropy(network(x[batch]), labels[batch]).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1)
                optimizer.step()
            times.append(time.perf_counter_ns() - start)
        torch.set_num_threads(1)
        return min(times[1:])


class OnnxRuntime:
    def __init__(self):
        import onnxruntime

        self.runtime = onnxruntime
        self.name = f"ONNX Runtime {onnxruntime.__version__}"

    def measure(self, cell, what, batch, frames, inputs, hidden, seconds):
        if what != "forward":
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
    cell, what, *numbers = line.split()
    *sizes, seconds = numbers
    print(worker.measure(cell, what, *map(int, sizes), float(seconds)), flush=True)
