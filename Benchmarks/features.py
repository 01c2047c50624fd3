#!/usr/bin/env python3
"""Speed of feature extraction: Auricle beside the FFTs alone and four other tools, in one run, as Markdown.

    Benchmarks/features.py [--seconds 0.2] [--rounds 9] [--cpu 0] [--recordings FOLDER] [--hours 3]

Needs swift, g++, libfftw3-dev and libkissfft-dev, and, in the Python that runs it, numpy, torchaudio, librosa,
python_speech_features and pip, which fetches the sources of kaldi-native-fbank. Builds what it runs in
`Benchmarks/Extractor/.build`.

MFCC of a minute of noise at 16 kHz in memory: frames of 25 ms every 10 ms, transforms of 512 points, 40 mels, 13 cepstra.
One thread each, pinned to one core. The tools take turns, `rounds` times; a round counts the fastest of the calls that
fit in `seconds`, and the table has medians over the rounds: of the times, and of the ratios within a round.

With --recordings, also the files a second of `auricle features` on two cores; and the memory it takes for a file of
`hours` hours.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
import wave

from worker import Worker, command_line, processor

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "Extractor"
BUILD = SOURCES / ".build"
KALDI = "1.23.0"
PRESETS = ["speech", "kaldi", "torchaudio", "librosa", "htk"]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **{"stdout": sys.stderr, **options})


def build():
    BUILD.mkdir(exist_ok=True)
    jobs = os.environ.get("JOBS", 2)
    run("swift", "build", "-c", "release", "--package-path", SOURCES, "-j", jobs)
    run("swift", "build", "-c", "release", "--package-path", HERE.parent, "--product", "auricle", "-j", jobs)
    fast = ["g++", "-O3", "-march=native", "-std=c++17"]
    run(*fast, "-o", BUILD / "fftw_worker", SOURCES / "fftw_worker.cpp", "-lfftw3f")
    kaldi = BUILD / f"kaldi_native_fbank-{KALDI}"
    if not kaldi.exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        run(*download, "--dest", BUILD, f"kaldi-native-fbank=={KALDI}")
        run("tar", "-xzf", f"{kaldi}.tar.gz", "-C", BUILD)
    # What needs Eigen has no part in MFCC.
    units = [
        unit for unit in (kaldi / "kaldi-native-fbank" / "csrc").glob("*.cc")
        if not unit.name.startswith("test-") and not needs_eigen(unit)
    ]
    if not (BUILD / "kaldi_worker").exists():
        run(
            *fast, f'-DKALDI_NATIVE_FBANK_VERSION="{KALDI}"', "-I", kaldi, "-I/usr/include/kissfft", "-o",
            BUILD / "kaldi_worker", SOURCES / "kaldi_worker.cpp", *units, "-lkissfft-float")


def needs_eigen(unit):
    header = unit.with_suffix(".h")
    return any("Eigen/" in file.read_text() for file in (unit, header) if file.exists())


def table(heads, rows):
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def speed(options):
    auricle = Worker(BUILD / "release" / "auricle-worker", cpus=options.cpu)
    both = Worker(BUILD / "release" / "auricle-worker", cpus="0,1")
    floor = Worker(BUILD / "fftw_worker", cpus=options.cpu)
    peers = [Worker(BUILD / "kaldi_worker", cpus=options.cpu)] + [
        Worker(sys.executable, SOURCES / "python_worker.py", tool, cpus=options.cpu)
        for tool in ("torchaudio", "librosa", "python_speech_features")
    ]
    rounds = {}
    threads = []
    for _ in range(options.rounds):
        rounds.setdefault(floor.name, []).append(floor.ask(options.seconds))
        for preset in PRESETS:
            rounds.setdefault(f"Auricle, `{preset}`", []).append(auricle.ask(preset, 1, options.seconds))
        for peer in peers:
            rounds.setdefault(peer.name, []).append(peer.ask(options.seconds))
        threads.append([both.ask("speech", count, options.seconds) for count in (1, 2)])
    print(f"{processor()}, one thread:")
    floors, ours = rounds[floor.name], rounds["Auricle, `speech`"]

    def ratio(times, others):
        return f"{statistics.median(time / other for time, other in zip(times, others)):.2f}"

    table(
        ["", "µs a frame", "/ FFTs alone", "/ Auricle, `speech`"],
        [[name, f"{statistics.median(times):.3f}", ratio(times, floors), ratio(times, ours)]
         for name, times in rounds.items()])
    one, two = map(min, zip(*threads))
    print(f"\nTwo threads, a minute each, against one: {one / two:.2f} times the frames a second, at best.")


def corpus(recordings, rounds):
    files = len(list(pathlib.Path(recordings).glob("*.wav")))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for output in ("features.npz", "features.ark", "npy/"):
            times = []
            for turn in range(rounds):
                start = time.perf_counter()
                run(
                    HERE.parent / ".build/release/auricle", "features", recordings, "-o", f"{folder}/{turn}/{output}",
                    "--jobs", 2, stdout=subprocess.DEVNULL)
                times.append(time.perf_counter() - start)
            seconds = statistics.median(times)
            rows.append([f"`{output}`", f"{seconds:.2f}", f"{files / seconds:.0f}"])
    print(f"\n`auricle features` of {files} files, `--jobs 2`, reading, writing and start of the program included:")
    table(["output", "s", "files a second"], rows)


def long_file(hours):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/long.wav"
        minute = random.Random(1).randbytes(2 * 16000 * 60)
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            for _ in range(60 * hours):
                file.writeframesraw(minute)
        rows = []
        for arguments in (["-o", "x.npy"], ["-o", "x.npz"], ["-o", "y.npy", "--preset", "librosa"]):
            start = time.perf_counter()
            command = [HERE.parent / ".build/release/auricle", "features", path, *arguments]
            process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            if status != 0:
                sys.exit(f"{command} failed")
            rows.append([
                f"`{' '.join(arguments)}`", f"{time.perf_counter() - start:.1f}", f"{usage.ru_maxrss / 1024:.0f}"])
    print(f"\n`auricle features` of one file of {hours} hours at 16 kHz:")
    table(["arguments", "s", "peak memory, MiB"], rows)


def main():
    options = command_line(__doc__, build, seconds=0.2, rounds=9, recordings="", hours=3)
    speed(options)
    if options.recordings:
        corpus(options.recordings, 5)
    if options.hours:
        long_file(options.hours)


main()
