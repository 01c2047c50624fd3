"""Networks of PyTorch with random weights and statistics, of all modules that Auricle takes."""

import torch

from layers import CLASSES, WIDTH, dense, pooling, recurrent

nn = torch.nn


class Network(nn.Module):
    """Modules by name, and a function from `batch x frames x WIDTH` to logits."""

    def __init__(self, run, **modules):
        super().__init__()
        self.run = run
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.run(self, x)


def with_statistics(module):
    """Parameters and statistics of batch normalisation as training might leave them."""
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
            part.running_mean.normal_(0, 0.5)
            part.running_var.uniform_(0.5, 2)
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)) and part.bias is not None:
            nn.init.normal_(part.weight, 1, 0.3)
            nn.init.normal_(part.bias, 0, 0.3)
    return module.eval()


def last(y):
    """The state after the last frame, and of a backward direction after the first."""
    half = y.shape[2] // 2
    return torch.cat([y[:, -1, :half], y[:, 0, half:]], 1)


def state_networks():
    """For state dictionaries: name, module, network in JSON (none: recognised), options."""
    for kind, cell in [("gru", nn.GRU), ("lstm", nn.LSTM), ("simple-rnn", nn.RNN)]:
        for layers, bidirectional, bias in [(1, False, True), (2, True, True), (2, False, False)]:
            module = Network(lambda m, x: m.fc(m.rnn(x)[0].mean(1)),
                             rnn=cell(WIDTH, 8, layers, bidirectional=bidirectional, bias=bias, batch_first=True),
                             fc=nn.Linear(16 if bidirectional else 8, CLASSES, bias=bias))
            yield f"{kind}-{layers}-{bidirectional}-{bias}", module, None, ["--pooling", "mean"]
        module = Network(lambda m, x: m.fc(last(m.rnn(x)[0])),
                         rnn=cell(WIDTH, 8, bidirectional=True, batch_first=True), fc=nn.Linear(16, CLASSES))
        yield f"{kind}-last", module, None, ["--pooling", "last"]
    module = Network(lambda m, x: m.fc(m.rnn(x)[0].amax(1)), rnn=nn.RNN(WIDTH, 8, nonlinearity="relu", batch_first=True),
                     fc=nn.Linear(8, CLASSES))
    yield "rnn-relu", module, [recurrent("simple-rnn-relu", 8, 1), pooling("max"), dense(CLASSES)], []

    def convolutional(m, x):
        y = torch.relu(m.bn1(m.conv1(x.transpose(1, 2))))
        y = torch.relu(m.bn2(m.conv2(y))).transpose(1, 2)
        return m.fc2(torch.tanh(m.fc1(m.norm(m.gru(y)[0]).mean(1))))
    module = Network(convolutional, conv1=nn.Conv1d(WIDTH, 12, 5, padding=2), bn1=nn.BatchNorm1d(12),
                     conv2=nn.Conv1d(12, 14, 3, stride=2, padding=1), bn2=nn.BatchNorm1d(14, affine=False),
                     gru=nn.GRU(14, 9, batch_first=True), norm=nn.LayerNorm(9), fc1=nn.Linear(9, 11),
                     fc2=nn.Linear(11, CLASSES))
    yield "convolutional", module, {"layers": [
        {"type": "convolution", "filters": 12, "frames": 5}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"},
        {"type": "convolution", "filters": 14, "frames": 3, "frameStride": 2}, {"type": "batch-normalization"},
        {"type": "activation", "function": "relu"}, recurrent("gru", 9, 1), {"type": "layer-normalization"},
        pooling("mean"), dense(11, activation="tanh"), dense(CLASSES)]}, []

    def planes(m, x):
        y = torch.relu(m.bn(m.conv(x[:, None])))
        y = nn.functional.max_pool2d(y, (1, 2), ceil_mode=True)
        y = torch.relu(m.conv2(y)).transpose(1, 2).flatten(2)
        return m.fc(last(m.lstm(y)[0]))
    network = [{"type": "convolution", "filters": 4, "frames": 3, "bins": 5}, {"type": "batch-normalization"},
               {"type": "activation", "function": "relu"}, {"type": "window-pooling", "kind": "max", "bins": 2},
               {"type": "convolution", "filters": 6, "frames": 3, "bins": 3, "activation": "relu"},
               recurrent("lstm", 7, 2), pooling("last"), dense(CLASSES)]
    module = Network(planes, conv=nn.Conv2d(1, 4, (3, 5), padding=(1, 2)), bn=nn.BatchNorm2d(4),
                     conv2=nn.Conv2d(4, 6, 3, padding=1), lstm=nn.LSTM(30, 7, batch_first=True, bidirectional=True),
                     fc=nn.Linear(14, CLASSES))
    yield "planes", module, network, ["--sequence", WIDTH]

    def bins_first(m, x):
        y = torch.relu(m.conv(x.transpose(1, 2)[:, None]))
        return m.fc(y.mean(3).flatten(1))
    module = Network(bins_first, conv=nn.Conv2d(1, 4, (5, 3), padding=(2, 1)), fc=nn.Linear(40, CLASSES))
    yield "bins-first", module, [
        {"type": "convolution", "filters": 4, "frames": 3, "bins": 5, "activation": "relu"}, pooling("mean"),
        dense(CLASSES)], ["--bins-first", "--sequence", WIDTH]

    def separable(m, x):
        y = nn.functional.silu(m.pointwise(m.depthwise(x.transpose(1, 2)))).transpose(1, 2)
        share = torch.softmax(m.query(y), 1)
        return m.fc((share.transpose(1, 2) @ y).flatten(1))
    module = Network(separable, depthwise=nn.Conv1d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH),
                     pointwise=nn.Conv1d(WIDTH, 12, 1), query=nn.Linear(12, 2, bias=False), fc=nn.Linear(24, CLASSES))
    yield "separable", module, [
        {"type": "depthwise-convolution", "frames": 5}, {"type": "convolution", "filters": 12, "frames": 1},
        {"type": "activation", "function": "silu"}, pooling("attention", heads=2), dense(CLASSES)], ["--sequence", WIDTH]
    ambiguous = Network(lambda m, x: m.out(torch.relu(m.second(torch.relu(m.first(x)))).mean(1)),
                        first=nn.Linear(WIDTH, WIDTH), second=nn.Linear(WIDTH, WIDTH), out=nn.Linear(WIDTH, CLASSES))
    layers = [dense(WIDTH, activation="relu"), dense(WIDTH, activation="relu"), pooling("mean"), dense(CLASSES)]
    yield "ambiguous", ambiguous, layers, ["--modules", "first,second,out"]


def more_networks():
    """What a graph says beyond a state dictionary: name, module."""
    def final(m, x):
        state = m.rnn(x)[1]
        state = state[0] if isinstance(state, tuple) else state
        return m.fc(torch.cat([state[-2], state[-1]], 1))
    for name, cell in [("gru", nn.GRU), ("lstm", nn.LSTM)]:
        yield f"{name}-final", Network(final, rnn=cell(WIDTH, 6, 2, bidirectional=True, batch_first=True),
                                       fc=nn.Linear(12, CLASSES))
    yield "gru-final-forward", Network(lambda m, x: m.fc(m.rnn(x)[1][-1]), rnn=nn.GRU(WIDTH, 6, 2, batch_first=True),
                                       fc=nn.Linear(6, CLASSES))
    yield "gru-last-frame", Network(lambda m, x: torch.softmax(m.fc(m.rnn(x)[0][:, -1]), 1),
                                    rnn=nn.GRU(WIDTH, 6, batch_first=True), fc=nn.Linear(6, CLASSES))

    def residual(m, x):
        y = torch.relu(m.first(x.transpose(1, 2)))
        y = torch.relu(y + m.bn2(m.conv2(torch.relu(m.bn1(m.conv1(y))))))
        return m.fc(nn.functional.adaptive_avg_pool1d(y, 1).squeeze(-1))
    yield "residual", Network(residual, first=nn.Conv1d(WIDTH, 8, 1),
                              conv1=nn.Conv1d(8, 8, 3, padding=2, dilation=2, bias=False), bn1=nn.BatchNorm1d(8),
                              conv2=nn.Conv1d(8, 8, 3, padding=1), bn2=nn.BatchNorm1d(8), fc=nn.Linear(8, CLASSES))

    def causal(m, x):
        y = m.conv(nn.functional.pad(x.transpose(1, 2), (4, 0)))
        y = nn.functional.avg_pool1d(torch.sigmoid(m.bn(y)), 2, ceil_mode=True)
        return m.fc2(torch.tanh(m.fc1(y.transpose(1, 2))).amax(1))
    yield "causal", Network(causal, conv=nn.Conv1d(WIDTH, 8, 3, dilation=2), bn=nn.BatchNorm1d(8), fc1=nn.Linear(8, 9),
                            fc2=nn.Linear(9, CLASSES))

    def spanning(m, x):
        y = torch.relu(m.wide(torch.relu(m.conv(x[:, None])))).squeeze(3).transpose(1, 2)
        share = torch.softmax(m.query(y), 1)
        return m.fc((share * y).sum(1))
    yield "spanning", Network(spanning, conv=nn.Conv2d(1, 4, 3, padding=1), wide=nn.Conv2d(4, 8, (3, WIDTH), padding=(1, 0)),
                              query=nn.Linear(8, 1), fc=nn.Linear(8, CLASSES))

    def flattened(m, x):
        y = m.bn(torch.relu(m.conv(x[:, None])))
        return m.fc(m.norm(y.permute(0, 2, 3, 1).flatten(2)).mean(1))
    yield "flattened", Network(flattened, conv=nn.Conv2d(1, 3, (3, 4), stride=(1, 2), padding=(1, 1)), bn=nn.BatchNorm2d(3),
                               norm=nn.Linear(15, 7), fc=nn.Linear(7, CLASSES))
