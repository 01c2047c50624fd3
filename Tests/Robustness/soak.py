#!/usr/bin/env python3
"""Evaluates 100,000 files, 1% of them broken, through four kinds of interruption, and checks that every file is answered
exactly once and rightly, with memory and file descriptors flat.

    swift build -c release
    Tests/Robustness/soak.py .build/release/auricle [--files 100000] [--jobs 2]

The files are links to those of Fixtures/digits; the broken ones are empty, cut short, text, links to nowhere and to
themselves, and names that are not UTF-8. Python 3.9 or later, Linux; no packages.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import FIXTURES, Kind, finish, run

DIGITS = FIXTURES / "digits"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Soak(os.fspath(options.program.resolve()), Path(folder), options.files, options.jobs).check()


class Soak:
    def __init__(self, program, folder, count, jobs):
        self.program, self.folder, self.count, self.jobs = program, folder, count, jobs
        self.predictions = folder / "predictions.jsonl"
        self.kind = Kind(f"an evaluation of {count:,} files, 1% broken, interrupted")
        answers = run(program, "classify", "--json", os.fspath(DIGITS), timeout=600).rows
        self.reference = {os.path.basename(row["path"]): row["probabilities"] for row in answers}
        self.truth = {}
        self.make()

    def make(self):
        """Links to the fixtures, a folder per class; every hundredth is broken."""
        sources = sorted(self.reference)
        generator = random.Random(1)
        cut = self.folder / "cut.wav"
        cut.write_bytes((DIGITS / sources[0]).read_bytes()[:40])
        text = self.folder / "text.wav"
        text.write_text("not a sound\n")
        empty = self.folder / "empty.wav"
        empty.touch()
        broken = [cut, text, empty, "nowhere.wav", "loop", "name"]
        for digit in range(10):
            (self.folder / "files" / str(digit)).mkdir(parents=True)
        for index in range(self.count):
            source = generator.choice(sources)
            name = self.folder / "files" / source[0] / f"{index:06}.wav"
            if index % 100 != 50:
                name.symlink_to(DIGITS / source)
                self.truth[os.fspath(name)] = source
                continue
            target = broken[index // 100 % len(broken)]
            if target == "name":
                os.symlink(DIGITS / source, os.fsencode(name.parent) + b"/\xff%06d.wav" % index)
            else:
                name.symlink_to(name.name if target == "loop" else target)

    def check(self):
        kind, start = self.kind, time.time()
        whole = 0
        stops = ["SIGINT", "SIGTERM", "SIGKILL", "full disk"]
        readings = []
        for turn, stop in enumerate(stops):
            target = self.count * (turn + 1) // (len(stops) + 1)
            status = self.evaluate(stop, target, readings)
            rows = self.rows()
            expected = {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9, "full disk": 1}[stop]
            print(f"{stop}: status {status} after {rows:,} files", file=sys.stderr)
            if status != expected:
                kind.note("crashed", stop, f"status {status}")
            if rows < whole:
                kind.note("lost", stop, f"{rows} rows, {whole} before")
            whole = rows
        status = self.evaluate(None, None, readings)
        if status != 3:
            kind.note("crashed", "the last run", f"status {status}")
        self.judge()
        self.report(readings, time.time() - start)
        finish([kind])

    def rows(self):
        return self.predictions.read_bytes().count(b"\n") if self.predictions.exists() else 0

    def evaluate(self, stop, target, readings):
        """Runs, or goes on, until `target` rows are there; returns the exit status. Notes memory and descriptors."""
        limit = None
        if stop == "full disk":
            share = self.predictions.stat().st_size / max(1, self.rows())
            limit = int(share * target)
        with open(self.folder / "errors.txt", "ab") as errors:
            process = subprocess.Popen(
                [
                    self.program, "evaluate", os.fspath(self.folder / "files"), "--predictions", os.fspath(self.predictions),
                    "--resume", "--jobs", str(self.jobs), "--json",
                ],
                stdout=subprocess.DEVNULL, stderr=errors,
                preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        size = 0
        while process.poll() is None:
            time.sleep(0.1)
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
                memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
                descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
            except (OSError, StopIteration):
                continue
            # Bytes tell how far it is; rows are counted now and then.
            now = self.predictions.stat().st_size if self.predictions.exists() else 0
            if now - size > 500_000:
                size = now
                rows = self.rows()
                readings.append((stop or "the last run", rows, memory, descriptors))
                if stop and stop != "full disk" and rows >= target:
                    process.send_signal(getattr(signal, stop))
                    process.wait()
        return process.returncode

    def judge(self):
        """Every file once; the good ones with the very answer that their fixture has."""
        kind, seen = self.kind, set()
        kind.tried = self.count
        for line in self.predictions.read_bytes().splitlines():
            row = json.loads(line)
            path = row["path"]
            if path in seen:
                kind.note("lost", path, "answered twice")
            seen.add(path)
            source = self.truth.get(path)
            if source is None:
                if "error" in row:
                    kind.refused += 1
                else:
                    kind.note("wrong", path, "an answer to a broken file")
            elif row.get("probabilities") == self.reference[source]:
                kind.answered += 1
            else:
                kind.note("wrong", path, line.decode())
        for path in set(self.truth) - seen:
            kind.note("lost", path)
        broken = self.count - len(self.truth)
        if kind.refused != broken:
            kind.note("lost", "broken files", f"{kind.refused} of {broken} have a row")

    def report(self, readings, seconds):
        """Memory and descriptors of the longest run, between its first tenth and its end."""
        print(f"{self.count:,} files in {seconds:.0f} s")
        for name in dict.fromkeys(reading[0] for reading in readings):
            run = [reading for reading in readings if reading[0] == name]
            run = run[len(run) // 10:]
            memory, descriptors = [reading[2] // 1024 for reading in run], [reading[3] for reading in run]
            print(
                f"{name}: rows {run[0][1]:,} to {run[-1][1]:,}; resident {memory[0]} MB to {memory[-1]} MB, most "
                f"{max(memory)} MB; descriptors {min(descriptors)} to {max(descriptors)}")
            self.kind.megabytes = max(self.kind.megabytes, *memory)
            if max(descriptors) > 32 or memory[-1] > 1.25 * memory[0] + 16:
                self.kind.note("wrong", name, "memory or descriptors grow")


if __name__ == "__main__":
    main()
