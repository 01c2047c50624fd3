"""What more machines gain: throughput by shards and by processes of MPI, what their exchanges cost, a model of it that is checked
against what was measured, what it says of 8, 64 and 1,000 machines, and the cost of a thousand hours of sound.

    python3 Benchmarks/Fleet/machines.py .build-mpi/release/auricle --price 0.04 | tee machines.md

The program is one built with `--traits MPI`. As root and with Open MPI, two network namespaces are two hosts, and `tc` gives the
wire between them a bandwidth. Sounds are made of Fixtures/digits: clips of 10 s. Costs are of processor time, which
does not depend on what else the machine does; all other times do.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Examples" / "MPI"))
from test import two_hosts  # noqa: E402

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
SHARD = 16  # sequences, BatchGradient.shardSize
LINE = "| {} |".format


def row(*cells):
    print(LINE(" | ".join(str(cell) for cell in cells)), flush=True)


def table(*names):
    print()
    row(*names)
    print("|" + "---|" * len(names))


def make_clips(folder, count, seconds):
    """WAV files of so many seconds, of digits one after the other, in 10 folders."""
    digits = sorted((ROOT / "Fixtures" / "digits").glob("*.wav"))
    sounds = []
    for path in digits:
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            sounds.append((path.name[0], rate, file.readframes(file.getnframes())))
    rate = sounds[0][1]
    paths = []
    for index in range(count):
        label = str(index % 10)
        own = [sound for digit, _, sound in sounds if digit == label]
        data = b"".join((own[index // 10 % len(own):] + own) * 20)[: int(2 * rate * seconds)]
        path = folder / label / f"{index:05}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(data)
        paths.append(path)
    return paths


def run(command, **options):
    """Seconds by the clock, seconds of processor time, and what was written."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **options)
    seconds = time.monotonic() - start
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def shards(auricle, work, clips, seconds):
    print("\n## Shards: classify, a process each, one thread each")
    listing = work / "clips.txt"
    listing.write_text("".join(f"{path}\n" for path in clips))
    table("shards at once", "seconds", "hours of sound an hour", "speed-up")
    first = None
    for count in (1, 2):
        start = time.monotonic()
        running = [
            subprocess.Popen(
                [auricle, "classify", "--files-from", str(listing), "--shard", f"{index + 1}/{count}", "--jobs", "1"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for index in range(count)]
        assert all(process.wait() == 0 for process in running)
        took = time.monotonic() - start
        first = first or took
        row(count, f"{took:.2f}", f"{len(clips) * seconds / took:.0f}", f"{first / took:.2f}")


def costs(auricle, work, clips, seconds, price):
    print(f"\n## Cost of a thousand hours of sound, at {price} a core-hour, in processor time")
    hours = len(clips) * seconds / 3600
    listing = work / "clips.txt"
    table("what", "core-hours", "cost")

    def cost(what, command, share=1.0):
        _, processor, _ = run(command)
        each = processor * share / 3600 / hours * 1000
        row(what, f"{each:.2f}", f"{each * price:.3f}")

    cost("features (log-mel, an archive)", [auricle, "features", "--files-from", str(listing), "-o", str(work / "f.npz")])
    cost("classify, the bundled model", [auricle, "classify", "--files-from", str(listing)])
    cost("classify, a CRNN (effort normal)", [auricle, "classify", "--files-from", str(listing), "--model", str(work / "crnn.safetensors")])


class Training:
    """Runs of one network and batch size."""

    def __init__(self, auricle, folder, options, work):
        self.command = [auricle, "train", str(folder), "--json", "--jobs", "1", "--validation-split", "0", *options,
                        "-o", str(work / "model.safetensors")]

    def __call__(self, launcher, batch, epochs):
        command = [*launcher, *self.command, "--batch-size", str(batch), "--epochs", str(epochs)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        times = []
        for line in process.stdout:
            times.append(time.monotonic())
        errors = process.stderr.read()
        assert process.wait() == 0, errors
        # Of the epochs after the first, which has features to fetch.
        return (times[epochs - 1] - times[0]) / (epochs - 1), json.loads(line)

    def processor_time(self, auricle, batch):
        """Of an epoch in one process: what six epochs take more than one."""
        command = [auricle, *self.command[1:], "--batch-size", str(batch), "--epochs"]
        return (run([*command, "6"])[1] - run([*command, "1"])[1]) / 5


def model_bytes(parameters, shards, ranks):
    """Given by the busiest process in a step: its shards' gradients, but for its own part; then its part of the sum."""
    own = -(-shards // ranks)
    return 4 * parameters * (own + 1) * (ranks - 1) / ranks


class Model:
    """Seconds of a step: a shard after the other, on as many cores as there are, the update, and the exchanges."""

    def __init__(self, parameters, shard, update):
        self.parameters, self.shard, self.update = parameters, shard, update

    def step(self, ranks, shards, bandwidth, latency, cores=1):
        own = -(-shards // ranks)
        compute = -(-own // cores) * self.shard + self.update
        if ranks == 1:
            return compute, 0.0
        # Two exchanges of two collectives each; each process has a message, of about a microsecond, for every other.
        exchange = 4 * (latency + 1e-6 * (ranks - 1)) + model_bytes(self.parameters, shards, ranks) / bandwidth
        return compute, exchange


def training(auricle, plain, work, folder, examples, networks):
    print("\n## Training in several processes of one machine, one thread each")
    local = lambda ranks: ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)] if ranks else []
    models = {}
    table("network", "batch", "processes", "examples a second", "speed-up", "waiting for others", "moving bytes",
          "MB a step, given", "the model says")
    for name, options, epochs, batches in [
            ("gru-small", ["--architecture", "gru-small"], 3, (32, 128)),
            ("crnn", ["--effort", "normal", "--augment", "none", "--crop", "0"], 3, (32, 128))]:
        run_training = Training(auricle, folder, options, work)
        for batch in batches:
            alone = None
            for ranks in (0, 2, 4) if name in networks else ():
                seconds, result = run_training(local(ranks), batch, epochs)
                alone = alone or seconds
                steps = -(-examples // batch)
                traffic = result.get("traffic")
                cells = ["-", "-", "-", "-"]
                if traffic:
                    # Bytes and seconds of all epochs.
                    share = lambda key: f"{100 * traffic[key] / result['seconds']:.0f} %"
                    shards = -(-batch // SHARD)
                    given = traffic["bytes"] / (steps * epochs) / 1e6
                    cells = [share("secondsWaiting"), share("secondsMoving"), f"{given:.3f}",
                             f"{model_bytes(models_parameters(run_training), shards, ranks) / 1e6:.3f}"]
                row(name, batch, ranks or "1, no MPI", f"{examples / seconds:.0f}", f"{alone / seconds:.2f}", *cells)
        # Two equations: an epoch is so many shards, and an update for each step.
        small, large = (run_training.processor_time(plain, batch) for batch in batches)
        steps = [-(-examples // batch) for batch in batches]
        update = max(0, (small - large) / (steps[0] - steps[1]))
        shard = (large - steps[1] * update) / (examples / SHARD)
        models[name] = Model(models_parameters(run_training), shard, update)
        if name == "crnn":
            shutil.copy(work / "model.safetensors", work / "crnn.safetensors")
    return models


def models_parameters(run_training):
    """Of the model that was written last."""
    path = run_training.command[run_training.command.index("-o") + 1]
    with open(path, "rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    count = 0
    for name, tensor in head.items():
        if name != "__metadata__" and not name.startswith("normalization"):
            size = 1
            for side in tensor["shape"]:
                size *= side
            count += size
    return count


def wires(auricle, work, folder, examples, models, networks):
    print("\n## Two hosts, one process each, and the wire between them")
    table("network", "batch", "wire", "seconds a step, measured", "the model says")
    for name, options, epochs, batch in [
            ("gru-small", ["--architecture", "gru-small"], 4, 64),
            ("crnn", ["--effort", "normal", "--augment", "none", "--crop", "0"], 2, 64)]:
        run_training = Training(auricle, folder, options, work)
        for megabits in (10_000, 1_000, 100, 20) if name in networks else ():
            with two_hosts() as (here, there):
                for namespace, device in ((here, "auricle-a"), (there, "auricle-b")):
                    burst = max(65_536, megabits * 250)  # bytes: 2 ms of it
                    subprocess.run(["ip", "netns", "exec", namespace, "tc", "qdisc", "add", "dev", device, "root", "tbf",
                                    "rate", f"{megabits}mbit", "burst", str(burst), "latency", "1s"], check=True)
                agent = work / "agent"
                agent.write_text(f'#!/bin/sh\nshift\nexec ip netns exec {there} unshare --uts sh -c \'hostname second; eval "$0"\' "$*"\n')
                agent.chmod(0o755)
                launcher = [
                    "ip", "netns", "exec", here, "mpirun", "--host", "10.77.0.1:1,10.77.0.2:1", "-np", "2", "--bind-to", "none",
                    "--mca", "plm_rsh_agent", str(agent), "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include",
                    "10.77.0.0/30", "--mca", "oob_tcp_if_include", "10.77.0.0/30"]
                seconds, _ = run_training(launcher, batch, epochs)
            # The namespaces are one machine: a message is there after some 50 microseconds.
            compute, exchange = models[name].step(2, -(-batch // SHARD), megabits * 125_000, 5e-5)
            row(name, batch, f"{megabits:,} Mbit/s", f"{seconds / -(-examples // batch):.4f}",
                f"{compute:.4f} + {exchange:.4f} = {compute + exchange:.4f}")


def predictions(models):
    print("\n## What the model says: machines of 16 cores, a shard of 16 sequences for each core in every step")
    table("network", "wire", "machines", "batch", "seconds a step", "in exchanges", "as fast as one", "at a batch of 256")
    for name, model in models.items():
        for wire, bandwidth, latency in [("1 Gbit/s, 0.1 ms", 125e6, 1e-4), ("25 Gbit/s, 0.02 ms", 3.125e9, 2e-5)]:
            one = sum(model.step(1, 16, bandwidth, latency, cores=16))
            for machines in (1, 8, 64, 1000):
                compute, exchange = model.step(machines, 16 * machines, bandwidth, latency, cores=16)
                fixed = sum(model.step(machines, 16, bandwidth, latency, cores=16))
                row(name, wire, f"{machines:,}", f"{256 * machines:,}", f"{compute + exchange:.4f}",
                    f"{100 * exchange / (compute + exchange):.0f} %", f"{machines * one / (compute + exchange):.1f} times",
                    f"{one / fixed:.1f} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auricle", type=pathlib.Path)
    parser.add_argument("--plain", type=pathlib.Path, help="a program whose processor time counts, if it is another")
    parser.add_argument("--price", type=float, default=0.04, help="of a core-hour")
    parser.add_argument("--clips", type=int, default=384, help="a multiple of 128: whole batches")
    parser.add_argument("--networks", nargs="*", default=["gru-small", "crnn"], help="that are trained in several processes")
    options = parser.parse_args()
    auricle, seconds = str(options.auricle.resolve()), 10
    plain = str(options.plain.resolve()) if options.plain else auricle
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        clips = make_clips(work / "clips", options.clips, seconds)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.clips} clips of {seconds} s")
        short = work / "short"
        make_clips(short, options.clips, 1)
        models = training(auricle, plain, work, short, options.clips, options.networks)
        for name, model in models.items():
            print(f"\n{name}: {model.parameters:,} parameters, {1000 * model.shard:.1f} ms a shard of {SHARD} sequences of 1 s, "
                  f"{1000 * model.update:.1f} ms an update")
        if os.geteuid() == 0 and shutil.which("tc"):
            wires(auricle, work, short, options.clips, models, options.networks)
        predictions(models)
        shards(plain, work, clips, seconds)
        costs(plain, work, clips, seconds, options.price)


if __name__ == "__main__":
    main()
