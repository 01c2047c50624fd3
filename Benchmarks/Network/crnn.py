#!/usr/bin/env python3
"""Training of a whole CRNN: Auricle beside PyTorch, in one run, as Markdown.

    Benchmarks/Network/crnn.py [--rounds 3]

Three blocks of two 3x3 convolutions of 32, 64 and 96 filters with batch normalisation, ReLU and max pooling (2x2, 2x2,
1x2), then a bidirectional GRU of 128 and attention; 40 coefficients x 98 frames, batches of 32, forward, backward and a
step of Adam. On one thread and on two, pinned to as many cores. The tools take turns, `rounds` times; the table has the
best of all. Needs what compare.py needs, but for oneDNN and ONNX Runtime.
"""

import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from worker import Worker, command_line, processor  # noqa: E402


def build():
    subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", str(HERE), "-j", str(os.environ.get("JOBS", 2))], check=True,
        stdout=sys.stderr)


def main():
    options = command_line(__doc__, build, seconds=0, rounds=3)
    print(f"{processor()}; milliseconds a batch of 32, the best of {options.rounds} rounds\n")
    for threads in (1, 2):
        commands = ([HERE / ".build" / "release" / "auricle-worker"], [sys.executable, HERE / "python_worker.py", "torch"])
        tools = [Worker(*command, cpus="0" if threads == 1 else "0,1") for command in commands]
        best = [math.inf] * len(tools)
        for _ in range(options.rounds):
            for index, tool in enumerate(tools):
                best[index] = min(best[index], tool.ask("gru", "crnn", threads, 98, 40, 128, 0))
        if threads == 1:
            print("| threads | " + " | ".join(tool.name for tool in tools) + " | ratio |\n|--:|--:|--:|--:|")
        ms = [time / 8 / 1e6 for time in best]
        print(f"| {threads} | {ms[0]:.1f} | {ms[1]:.1f} | {ms[1] / ms[0]:.2f} |", flush=True)


main()
