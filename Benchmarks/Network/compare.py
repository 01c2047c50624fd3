#!/usr/bin/env python3
"""Speed of one recurrent layer: Auricle beside oneDNN, PyTorch and ONNX Runtime, in one run, as Markdown.

    Benchmarks/Network/compare.py [--seconds 0.3] [--rounds 3] [--cpu 0]

Needs g++, libdnnl-dev, clang, swift, and, in the Python that runs it, numpy, torch, onnx and onnxruntime. Builds what it
runs in `Benchmarks/Network/.build`.

All float32, time-major, hidden size 128, 40 inputs, 98 frames, one thread each, pinned to one core. The tools take turns,
`rounds` times; a round counts the fastest of the calls that fit in `seconds`, and the table has the best round. GFLOP/s
are of 2 * gates * hidden * (hidden + inputs) per frame, three times that with the backward pass, which in every tool
includes the gradient of the input.
"""

import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from worker import Worker, command_line, processor  # noqa: E402

BUILD = HERE / ".build"
FRAMES, INPUTS, HIDDEN = 98, 40, 128
GATES = {"gru": 3, "lstm": 4, "rnn": 1}
CASES = (
    [("gru", "forward", batch) for batch in (1, 8, 32, 256)]
    + [("gru", "train", batch) for batch in (8, 32, 256)]
    + [(cell, what, 32) for cell in ("lstm", "rnn") for what in ("forward", "train")]
    + [("lstm", "forward", 1)]
)


def build():
    BUILD.mkdir(exist_ok=True)
    commands = [
        ["g++", "-O2", "-std=c++17", "-o", BUILD / "onednn_worker", HERE / "onednn_worker.cpp", "-ldnnl"],
        ["clang", "-O3", "-march=native", "-ffp-contract=fast", "-o", BUILD / "peak", HERE / "peak.c"],
        ["swift", "build", "-c", "release", "--package-path", HERE, "-j", str(os.environ.get("JOBS", 2))],
    ]
    for command in commands:
        subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


def main():
    options = command_line(__doc__, build, seconds=0.3, rounds=3)
    auricle = BUILD / "release" / "auricle-worker"
    tools = [
        Worker(*command, cpus=options.cpu)
        for command in (
            [auricle], [BUILD / "onednn_worker"], [sys.executable, HERE / "python_worker.py", "torch"],
            [sys.executable, HERE / "python_worker.py", "onnxruntime"])
    ]
    peaks = []
    best = {case: [math.inf] * len(tools) for case in CASES}
    for _ in range(options.rounds):
        peaks.append(float(subprocess.check_output(["taskset", "-c", options.cpu, str(BUILD / "peak")])))
        for case in CASES:
            for i, tool in enumerate(tools):
                time = tool.ask(*case, FRAMES, INPUTS, HIDDEN, options.seconds)
                best[case][i] = min(best[case][i], math.inf if math.isnan(time) else time)
    peak = max(peaks)

    print(f"{processor()}, one core, peak {peak:.0f} GFLOP/s; in GFLOP/s:\n")
    heads = ["cell", "pass", "batch", *(tool.name for tool in tools), "share of peak", "/ oneDNN", "/ PyTorch"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for (cell, what, batch), times in best.items():
        work = 2 * GATES[cell] * HIDDEN * (HIDDEN + INPUTS) * FRAMES * batch * (3 if what == "train" else 1)
        speeds = [work / time for time in times]
        shown = [f"{speed:.1f}" if speed else "" for speed in speeds]
        name = "forward + backward" if what == "train" else what
        ratios = [f"{speeds[0] / peak:.0%}", f"{speeds[0] / speeds[1]:.2f}", f"{speeds[0] / speeds[2]:.2f}"]
        print("| " + " | ".join([cell, name, str(batch), *shown, *ratios]) + " |")

    print("\nOn two cores against one (512 sequences; GRU):\n\n| | one core, ms | two, ms | ratio |\n|---|---|---|---|")
    both = Worker(auricle, cpus="0,1")
    for what, name in (("evaluate", "batch evaluation, batches of 32"), ("fit", "an epoch of training, batches of 32")):
        one, two = best_of(options.rounds, [(both, "gru", what, jobs, FRAMES, INPUTS, HIDDEN, 0.5) for jobs in (1, 2)])
        print(f"| {name} | {one / 1e6:.1f} | {two / 1e6:.1f} | {one / two:.2f} |")

    print("\nAn epoch of the default network on 1,024 sequences of 20 to 79 frames, batches of 32:\n")
    print("| threads | Auricle, ms | PyTorch, ms | ratio |\n|---|---|---|---|")
    torch = Worker(sys.executable, HERE / "python_worker.py", "torch", cpus="0,1")
    for jobs in (1, 2):
        ours, theirs = best_of(
            options.rounds, [(tool, "gru", "epoch", jobs, FRAMES, 39, HIDDEN, 0) for tool in (both, torch)])
        print(f"| {jobs} | {ours / 1e6:.0f} | {theirs / 1e6:.0f} | {theirs / ours:.2f} |")


def best_of(rounds, questions):
    """The least answer to each question; they take turns."""
    answers = [[tool.ask(*words) for tool, *words in questions] for _ in range(rounds)]
    return map(min, zip(*answers))


main()
