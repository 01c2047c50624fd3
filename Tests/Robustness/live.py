#!/usr/bin/env python3
"""A live stream of a day, faster than real time, with memory flat; and one in real time, whose latency is measured.

    swift build -c release
    Tests/Robustness/live.py .build/release/auricle [--hours 24] [--seconds 20]

Digits of Fixtures/digits with a second of silence between them, again and again, are piped to `auricle detect --live`. Of the
day, the events of every round must be those of the first, later by whole rounds, and the memory after a tenth of it must be
that at its end. In real time, blocks of 10 ms are written when a microphone would have them; an event can be known when the
window after its last hop is there, and must be read no more than a hop and 50 ms later. Python 3.9 or later, Linux; no packages.
"""

import argparse
import json
import os
import select
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

from harness import FIXTURES

RATE, WINDOW, HOP, LIMIT = 16000, 0.7, 0.1, 0.05
OPTIONS = ["--live", "--raw", f"s16le:{RATE}:1", "--format", "jsonl", "--window", str(WINDOW), "--hop", str(HOP),
           "--threshold", "0.9/0.5", "--smooth", "mean:1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seconds", type=float, default=20, help="of the stream in real time")
    options = parser.parse_args()
    round_ = recording()
    good = day(options.program, round_, options.hours) & real_time(options.program, round_, options.seconds)
    sys.exit(0 if good else 1)


def recording():
    """A round: its length is a whole number of hops, so that all rounds fall alike into windows."""
    samples = b""
    for path in sorted((FIXTURES / "digits").glob("*_en-linda_0.wav")):
        with wave.open(os.fspath(path)) as sound:
            assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (RATE, 2, 1)
            samples += bytes(2 * RATE) + sound.readframes(sound.getnframes())
    hop = round(2 * RATE * HOP)
    return samples + bytes(-len(samples) % hop)


def memory(process):
    """Resident, in kilobytes."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1])


def day(program, round_, hours):
    rounds = max(10, round(hours * 3600 * 2 * RATE / len(round_)))
    length = len(round_) / 2 / RATE
    process = subprocess.Popen([program, "detect", *OPTIONS, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    events, sizes = [], []
    reader = threading.Thread(target=lambda: events.extend(json.loads(line) for line in process.stdout))
    reader.start()
    start = time.monotonic()
    for number in range(rounds):
        process.stdin.write(round_)
        if number % max(1, rounds // 20) == 0:
            sizes.append(memory(process))
    process.stdin.close()
    reader.join()
    status = process.wait()
    took = time.monotonic() - start
    by_round = {}
    for event in events:
        number = int((event["start"] + event["end"]) / 2 // length)
        by_round.setdefault(number, []).append(
            (event["label"], round(event["start"] - number * length, 3), round(event["end"] - number * length, 3)))
    whole = [sorted(by_round.get(number, [])) for number in range(1, rounds - 1)]
    alike = all(events == whole[0] for events in whole) and len(whole[0]) > 0
    early = max(sizes[: len(sizes) // 10 + 2])
    flat = max(sizes) <= early * 1.05 + 2048
    print(f"{rounds * length / 3600:.2f} hours in {took:.0f} s, {rounds * length / took:.0f} times real time: status {status}, "
          f"{len(events)} events, {'all rounds alike' if alike else 'ROUNDS DIFFER'}; memory {early // 1024} MB early, "
          f"{max(sizes) // 1024} MB at most{'' if flat else ': GROWS'}")
    return status == 0 and alike and flat


def real_time(program, round_, seconds):
    process = subprocess.Popen([program, "detect", *OPTIONS, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sound = (round_ * (int(seconds * 2 * RATE / len(round_)) + 1))[: int(seconds * RATE) * 2]
    late = []
    block = 2 * RATE // 100
    start = time.monotonic()

    def read(wait):
        while select.select([process.stdout], [], [], wait)[0]:
            line = process.stdout.readline()
            if not line:
                return
            late.append((time.monotonic() - start, json.loads(line)))

    for place in range(0, len(sound), block):
        # A block is there when its last sample has been heard.
        due = start + min(place + block, len(sound)) / 2 / RATE
        while time.monotonic() < due:
            read(max(0, min(due - time.monotonic(), 0.002)))
        process.stdin.write(sound[place : place + block])
        process.stdin.flush()
    process.stdin.close()
    live = len(late)
    read(5)
    process.wait()
    # The row after the event's last has its window's end so much later.
    delays = sorted(when - (event["end"] + HOP / 2 + WINDOW / 2) for when, event in late[:live])
    good = len(delays) > 0 and delays[-1] <= HOP + LIMIT
    print(f"real time: {len(delays)} events, known after {1000 * delays[0]:.0f} to {1000 * delays[-1]:.0f} ms, median "
          f"{1000 * delays[len(delays) // 2]:.0f} ms" if delays else "real time: no event", "" if good else "TOO LATE")
    return good


main()
