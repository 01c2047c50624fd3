#!/usr/bin/env python3
"""Speed of the 3 x 3 convolutions of a CRNN: Auricle beside PyTorch (oneDNN), in one run, as Markdown.

    Benchmarks/Network/convolution.py [--seconds 0.3] [--rounds 3] [--cpu 0]

Needs clang, and, in the Python that runs it, torch. Builds what it runs in `Benchmarks/Network/.build`.

All float32, one thread each, pinned to one core, 16 sequences. The tools take turns, `rounds` times; a round counts the
fastest of the calls that fit in `seconds`, and the table has the best round. PyTorch has the memory order with which it is
faster. GFLOP/s are of 2 * 9 * channels * filters per frame and bin, also for Winograd's algorithm, which needs half of
them and so may exceed the peak.
"""

import math
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from worker import Worker, command_line, fastest, processor  # noqa: E402

BUILD = HERE / ".build"
KERNELS = HERE.parent.parent / "Sources" / "CKernels"
SEQUENCES = 16
# Channels, filters, bins, frames.
SHAPES = [
    (1, 32, 40, 98), (32, 32, 40, 98), (32, 64, 20, 49), (64, 64, 20, 49), (64, 96, 10, 25), (96, 96, 10, 25)]
PASSES = {"forward": "forward", "input": "gradient of the input", "filters": "gradient of the filters"}
# Each also by Winograd's algorithm, where there are channels enough.
PASSES |= {f"winograd-{what}": f"{name}, Winograd" for what, name in PASSES.items()}


def build():
    BUILD.mkdir(exist_ok=True)
    flags = ["-O2", "-std=gnu17", "-I", KERNELS / "include"]
    commands = [
        ["clang", "-O2", "-march=native", "-o", BUILD / "peak", HERE / "peak.c"],
        ["clang", *flags, "-o", BUILD / "convolution_worker", HERE / "convolution_worker.c", *KERNELS.glob("*.c"), "-lm"],
    ]
    for command in commands:
        subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


def serve_torch():
    """Answers the same requests as `convolution_worker.c`."""
    import torch

    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}", flush=True)
    for line in sys.stdin:
        *sizes, what, seconds = line.split()
        channels, filters, bins, sequences, frames = map(int, sizes)
        what = what.removeprefix("winograd-")
        times = []
        for order in (torch.channels_last, torch.contiguous_format):
            layer = torch.nn.Conv2d(channels, filters, 3, padding=1).to(memory_format=order)
            x = torch.randn(sequences, channels, frames, bins).to(memory_format=order)
            dy = torch.randn(sequences, filters, frames, bins).to(memory_format=order)
            if what == "forward":
                with torch.inference_mode():
                    times.append(fastest(float(seconds) / 2, lambda: layer(x)))
                continue
            wanted = (what == "input", what == "filters", what == "filters")

            def backward():
                torch.ops.aten.convolution_backward(
                    dy, x, layer.weight, [filters], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, wanted)

            with torch.inference_mode():
                times.append(fastest(float(seconds) / 2, backward))
        print(min(times), flush=True)


def main():
    if sys.argv[1:] == ["torch"]:
        return serve_torch()
    options = command_line(__doc__, build, seconds=0.3, rounds=3)
    tools = [
        Worker(*command, cpus=options.cpu)
        for command in ([BUILD / "convolution_worker"], [sys.executable, pathlib.Path(__file__).resolve(), "torch"])]
    peaks = []
    best = {(shape, what): [math.inf] * len(tools) for shape in SHAPES for what in PASSES
            if shape[0] > 1 or what in ("forward", "filters")}
    for _ in range(options.rounds):
        peaks.append(float(subprocess.check_output(["taskset", "-c", options.cpu, str(BUILD / "peak")])))
        for ((channels, filters, bins, frames), what), times in best.items():
            for i, tool in enumerate(tools):
                times[i] = min(times[i], tool.ask(channels, filters, bins, SEQUENCES, frames, what, options.seconds))
    peak = max(peaks)

    print(f"{processor()}, one core, peak {peak:.0f} GFLOP/s; in GFLOP/s:\n")
    heads = ["channels", "bins x frames", "pass", *(tool.name for tool in tools), "share of peak", "/ PyTorch"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for ((channels, filters, bins, frames), what), times in best.items():
        operations = 2 * 9 * channels * filters * bins * frames * SEQUENCES
        speeds = [operations / time for time in times]
        words = [f"{channels} to {filters}", f"{bins} x {frames}", PASSES[what], *(f"{speed:.1f}" for speed in speeds)]
        print("| " + " | ".join([*words, f"{speeds[0] / peak:.0%}", f"{speeds[0] / speeds[1]:.2f}"]) + " |")


main()
