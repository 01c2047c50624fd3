"""What the checks in this folder share: running the program under watch, and the table of what came of it."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"


@dataclass
class Run:
    """One run of the program: `status` is its exit code, or minus the signal that ended it."""

    status: int
    output: bytes
    errors: str
    hung: bool
    megabytes: int

    @property
    def rows(self):
        return [json.loads(line) for line in self.output.splitlines()]


def run(program, *arguments, stdin=None, timeout=120, stdout=None, limits=None):
    """Runs the program to its end, or kills it after `timeout` seconds."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, *arguments], stdin=stdin or subprocess.DEVNULL, stdout=stdout or output, stderr=errors,
            preexec_fn=limits)
        hung = threading.Event()

        def stop():
            hung.set()
            process.kill()

        timer = threading.Timer(timeout, stop)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Run(
            process.returncode, output.read(), errors.read().decode(errors="replace"), hung.is_set(),
            usage.ru_maxrss // 1024)


@dataclass
class Kind:
    """What came of one kind of bad input."""

    name: str
    tried: int = 0
    refused: int = 0
    answered: int = 0
    crashed: int = 0
    hung: int = 0
    wrong: int = 0
    lost: int = 0
    megabytes: int = 0
    findings: list = field(default_factory=list)

    def note(self, count, what, text=""):
        setattr(self, count, getattr(self, count) + 1)
        self.findings.append(f"{self.name}: {what}: {count} {text}".strip())
        print(self.findings[-1], file=sys.stderr)

    def watch(self, result, what, codes=(0, 1, 3)):
        """Counts a crash or a hang; whether there was none."""
        self.megabytes = max(self.megabytes, result.megabytes)
        if result.hung:
            self.note("hung", what)
        elif result.status not in codes:
            self.note("crashed", what, f"status {result.status}: {result.errors[-300:]}")
        else:
            return True
        return False

    def settle(self, result, what, answered=False, refused=False):
        """Counts a right answer or a right refusal; what is neither is wrong."""
        if answered:
            self.answered += 1
        elif refused:
            self.refused += 1
        else:
            self.note("wrong", what, result.errors)

    def judge(self, row, what, path):
        """Counts one row of `classify --json`: an answer that is none, or an error that does not say of what."""
        if "error" in row:
            if row["error"].startswith(path) and row["stage"] in ("audio", "features", "model"):
                self.refused += 1
            else:
                self.note("wrong", what, row["error"])
        elif abs(sum(row["probabilities"].values()) - 1) < 1e-3 and row["label"] in row["probabilities"]:
            self.answered += 1
        else:
            self.note("wrong", what, str(row))


def table(kinds):
    lines = ["| kind of input | tried | refused | answered | crashed | hung | mis-answered | lost | most memory |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for kind in kinds:
        memory = f"{kind.megabytes} MB" if kind.megabytes else ""
        lines.append(
            f"| {kind.name} | {kind.tried:,} | {kind.refused:,} | {kind.answered:,} | {kind.crashed} | {kind.hung} "
            f"| {kind.wrong} | {kind.lost} | {memory} |")
    return "\n".join(lines)


def finish(kinds):
    """Prints the table; exits with 1 when there is a finding."""
    print(table(kinds))
    findings = [finding for kind in kinds for finding in kind.findings]
    print(f"\n{len(findings)} findings", file=sys.stderr)
    sys.exit(1 if findings else 0)


def mutants(data, cuts, flips, seed):
    """(name, bytes): `data` cut at `cuts` places, and with 1 to 8 bytes changed, `flips` times; half of these among the
    first 200 bytes, where headers are."""
    generator = random.Random(seed)
    for index in range(cuts):
        yield f"cut-{index}", data[: len(data) * index // cuts]
    for index in range(flips):
        changed = bytearray(data)
        for _ in range(1 + index % 8):
            end = min(200, len(data)) if index % 2 == 0 else len(data)
            changed[generator.randrange(end)] = generator.randrange(256)
        yield f"flip-{index}", bytes(changed)
