#!/usr/bin/env python3
"""The whole job, files to confusion matrix: Auricle beside the script that people write, as Markdown.

    Benchmarks/Training/whole_job.py AURICLE FOLDER [--epochs 3] [--rounds 1] [--batch 64]

FOLDER is like Speech Commands': a folder of sounds for each class, and `validation_list.txt`. The script reads them with
soundfile, computes log-mel energies with librosa, trains the same CRNN with PyTorch (the same recipe: AdamW, one cycle, mixup
and masks on features), and prints scikit-learn's confusion matrix. Both use both cores; wall time and the greatest
resident memory of each. Needs librosa, soundfile, torch and scikit-learn.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))


def script(folder, epochs, size):
    import librosa
    import numpy as np
    import soundfile
    import torch
    from sklearn.metrics import accuracy_score, confusion_matrix
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(1)
    folder = pathlib.Path(folder)
    listed = set((folder / "validation_list.txt").read_text().split())
    files = sorted(file for file in folder.glob("*/*") if file.suffix in (".flac", ".wav") and file.parent.name[:3] != "_ba")
    labels = sorted({file.parent.name for file in files})
    x, y, held = np.zeros((len(files), 98, 40), "f4"), [], []
    for i, file in enumerate(files):
        samples, rate = soundfile.read(file, dtype="float32")
        samples = np.pad(samples, (0, max(0, 16_000 - len(samples))))[:16_000]
        mel = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=512, win_length=400, hop_length=160, n_mels=40, center=False)
        x[i] = librosa.power_to_db(mel, ref=1.0, top_db=None).T[:98] if mel.shape[1] >= 98 else np.pad(
            librosa.power_to_db(mel, ref=1.0, top_db=None).T, ((0, 98 - mel.shape[1]), (0, 0)))
        y.append(labels.index(file.parent.name))
        held.append(f"{file.parent.name}/{file.name}" in listed)
    held = np.array(held)
    x = torch.tensor((x - x[~held].mean((0, 1))) / (x[~held].std((0, 1)) + 1e-5))
    y = torch.tensor(y)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            blocks, channels = [], 1
            for filters, frames in ((32, 2), (64, 2), (96, 1)):
                for inputs in (channels, filters):
                    blocks += [nn.Conv2d(inputs, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
                blocks += [nn.MaxPool2d((frames, 2)), nn.Dropout2d(0.1)]
                channels = filters
            self.blocks = nn.Sequential(*blocks)
            self.gru = nn.GRU(480, 128, batch_first=True, bidirectional=True)
            self.score, self.output = nn.Linear(256, 1, bias=False), nn.Linear(256, len(labels))

        def forward(self, x):
            x = self.gru(self.blocks(x[:, None]).permute(0, 2, 1, 3).flatten(2))[0]
            x = (self.score(x).softmax(1) * x).sum(1)
            return self.output(F.dropout(x, 0.4, self.training))

    network = Network()
    train, test = torch.tensor(np.flatnonzero(~held)), torch.tensor(np.flatnonzero(held))
    steps = epochs * -(-len(train) // size)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(epochs):
        network.train()
        for chosen in train[torch.randperm(len(train))].split(size):
            batch, target = x[chosen].clone(), F.one_hot(y[chosen], len(labels)).float()
            for axis, length, width in ((1, 98, 15), (2, 40, 6)) * 2:
                start = int(torch.randint(length - width, ()))
                batch.narrow(axis, start, width).zero_()
            share, other = torch.distributions.Beta(0.2, 0.2).sample(), torch.randperm(len(chosen))
            batch, target = share * batch + (1 - share) * batch[other], share * target + (1 - share) * target[other]
            loss = F.cross_entropy(network(batch), target, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5)
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            answers = torch.cat([network(part).argmax(1) for part in x[test].split(256)])
    print(confusion_matrix(y[test], answers), accuracy_score(y[test], answers))


def measured(commands):
    """Seconds and mebibytes of commands one after the other; the greatest memory of any."""
    start, memory = time.perf_counter(), 0
    for command in commands:
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{command[0]} ended with {status}")
        memory = max(memory, usage.ru_maxrss / 1024)
    return time.perf_counter() - start, memory


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("auricle")
    options.add_argument("folder")
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--script", action="store_true", help="be the script")
    options = options.parse_args()
    if options.script:
        return script(options.folder, options.epochs, options.batch)
    from worker import processor

    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.safetensors"
        tools = {
            "Auricle": [
                [options.auricle, "train", options.folder, "-o", model, "--epochs", options.epochs],
                [options.auricle, "evaluate", "--model", model, options.folder, "--split", "validation"],
            ],
            "librosa, PyTorch, scikit-learn": [
                [sys.executable, __file__, options.auricle, options.folder, "--epochs", options.epochs, "--batch",
                 options.batch, "--script"]
            ],
        }
        best = {}
        for _ in range(options.rounds):
            for name, commands in tools.items():
                found = measured(commands)
                best[name] = min(best.get(name, found), found)
    print(f"{processor()}; {options.epochs} epochs, the best of {options.rounds}\n\n| | seconds | MiB |\n|---|--:|--:|")
    for name, (seconds, memory) in best.items():
        print(f"| {name} | {seconds:.1f} | {memory:.0f} |")
    (time_a, memory_a), (time_b, memory_b) = best.values()
    print(f"| ratio | {time_b / time_a:.2f} | {memory_b / memory_a:.2f} |")


main()
