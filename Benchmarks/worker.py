"""What the scripts here share: their command line, a process that measures, and what it runs on."""

import argparse
import os
import pathlib
import platform
import re
import subprocess
import sys
import time


class Worker:
    """A process that answers one line with one number."""

    def __init__(self, *command, cpus):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = ["taskset", "-c", cpus, *map(str, command)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.name = self.process.stdout.readline().strip()

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


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


def processor():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.processor()


def command_line(description, build, seconds, rounds, **more):
    """The options, `more` by name and default beside those of all scripts. Builds first, unless told not to; ends after
    that, if told so."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--cpu", default="0")
    parser.add_argument("--build-only", action="store_true", help="build, and measure nothing")
    parser.add_argument("--skip-build", action="store_true", help="measure what was built before")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    if not options.skip_build:
        build()
    if options.build_only:
        sys.exit()
    return options
