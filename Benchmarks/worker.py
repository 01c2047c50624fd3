"""What the scripts here share: a process that measures, and what it runs on."""

import os
import pathlib
import platform
import re
import subprocess


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


def processor():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.processor()
