"""Trains every network on every data set with one effort, and prints the table of Training.md: accuracy, and processor time.

    python networks.py .build/release/auricle DATA [--effort quick] [--networks crnn tc-gru]

DATA holds speech_commands (a folder per class, validation_list.txt), arabic_digits (train.csv, val.csv), fsdd/recordings
({digit}_{speaker}_{index}.wav; index < 10 judges) and esc10 (fold 1 judges). Training time is the processor time of all cores;
classifying is that of the 798 seconds of validation_list.txt on one thread, features and start included. Linux; no packages.
"""

import argparse
import pathlib
import re
import resource
import subprocess
import tempfile

NETWORKS = ["crnn", "att-rnn", "bigru-attention", "tc-gru", "conv-gru", "gru-small"]

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("data", type=pathlib.Path)
parser.add_argument("--effort", default="quick")
parser.add_argument("--networks", nargs="+", default=NETWORKS)
options = parser.parse_args()
data = options.data
sets = {
    "speech_commands": (["speech_commands"], None),
    "arabic_digits": (["arabic_digits/train.csv"], ["arabic_digits/val.csv"]),
    "fsdd": (["fsdd/recordings", "--label-pattern", "{label}_{speaker}_{index}", "--hold-out", "index<10"], None),
    "esc10": (["esc10", "--hold-out", "fold=1"], None),
}


def run(*arguments):
    """What the program printed, and its seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([options.program, *map(str, arguments)], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout + done.stderr, after.ru_utime - before.ru_utime


def accuracy(text):
    return float(re.findall(r"accuracy (\d+\.\d+)%", text)[-1])


print("| `--architecture` |", " | ".join(sets), "| training on speech_commands, s | classifying a second of sound, ms |")
print("|---|" + "---|" * (len(sets) + 2))
for network in options.networks:
    with tempfile.TemporaryDirectory() as folder:
        cells, model = [], pathlib.Path(folder) / "model.safetensors"
        for name, (train, judge) in sets.items():
            text, seconds = run(
                "train", data / train[0], *train[1:], "-o", model, "--effort", options.effort, "--architecture", network)
            if judge:
                text, _ = run("evaluate", "--model", model, data / judge[0])
            cells.append(f"{accuracy(text):.1f}")
            if name == "speech_commands":
                files = (data / name / "validation_list.txt").read_text().split()
                _, classifying = run("classify", "--model", model, "--jobs", 1, *[data / name / file for file in files])
                times = f"{seconds:.0f} | {1000 * classifying / len(files):.2f}"
    print(f"| `{network}` |", " | ".join(cells), "|", times, "|", flush=True)
