"""Trains on uneven and on mislabelled copies of spoken digits, and prints what becomes of it: the tables of TrainingExperiments.md.

    python uneven_and_mislabelled.py .build/release/auricle fsdd/recordings [uneven|mislabelled] [--seeds 1]

Files are named {digit}_{speaker}_{index}.wav; indices 10 and above are learned from, 5 to 9 judged by.
"""

import argparse
import csv
import json
import pathlib
import random
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("recordings", type=pathlib.Path)
parser.add_argument("part", nargs="?", choices=["uneven", "mislabelled"])
parser.add_argument("--seeds", type=int, default=3)
options = parser.parse_args()
files = [(file.resolve(), *file.stem.split("_")) for file in sorted(options.recordings.glob("*.wav"))]
files = [(str(path), digit, speaker, int(index)) for path, digit, speaker, index in files if int(index) >= 5]
learned = [row for row in files if row[3] >= 10]


def run(*arguments):
    subprocess.run([options.program.resolve(), *map(str, arguments)], check=True, capture_output=True)


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "speaker", "index"), *rows])
    return path


def trained(folder, manifest, seed, *arguments):
    run("train", manifest, "-o", folder / "model.safetensors", "--validation-split", 0.1, "--seed", seed, *arguments)
    run("evaluate", "--model", folder / "model.safetensors", folder / "judged.csv", "--report", folder / "report.json")
    return json.loads((folder / "report.json").read_text())


def uneven(folder):
    """Digits 5 to 9 with 24 or 6 files each, the others with 240."""
    print("files of 5 to 9 | options | seed | balanced accuracy | mean recall of 5 to 9")
    for keep in (10, 40):
        rows = [row for row in learned if row[1] < "5" or row[3] % keep == 10 % keep]
        manifest = write(folder / "uneven.csv", rows)
        for network in ("gru-small", "bigru-attention"):
            for weights in ([], ["--class-weight", "balanced"]):
                for seed in range(1, options.seeds + 1):
                    report = trained(folder, manifest, seed, "--architecture", network, *weights)
                    recall = [row["recall"] for row in report["perClass"] if row["label"] >= "5"]
                    print(sum(row[1] == "5" for row in rows), " ".join([network, *weights]), seed,
                          f"{report['balancedAccuracy']:.4f}", f"{sum(recall) / len(recall):.4f}", sep=" | ", flush=True)


def mislabelled(folder):
    """One label in ten replaced by another one at random."""
    chance = random.Random(1)
    wrong = set(chance.sample(range(len(learned)), len(learned) // 10))
    rows = [
        (path, str(chance.choice([c for c in range(10) if str(c) != digit])) if place in wrong else digit, speaker, index)
        for place, (path, digit, speaker, index) in enumerate(learned)]
    said = {row[0]: row[1] for row in learned}
    manifest = write(folder / "mislabelled.csv", rows)
    print(f"options | seed | accuracy | contradicted | of these wrong, of {len(wrong)} | of the first 200")
    for extra in (["--epochs", "5"], [], ["--label-smoothing", "0"], ["--label-smoothing", "0.2"], ["--patience", "3"]):
        for seed in range(1, options.seeds + 1):
            report = trained(folder, manifest, seed, "--architecture", "bigru-attention", *extra)
            run("evaluate", "--model", folder / "model.safetensors", manifest, "--predictions", folder / "p.jsonl")
            answers = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
            doubted = sorted((a for a in answers if a["label"] != a["truth"]), key=lambda a: -a["probability"])
            hits = [said[a["path"]] != a["truth"] for a in doubted]
            print(" ".join(extra) or "default", seed, f"{report['accuracy']:.4f}", len(hits), sum(hits), sum(hits[:200]),
                  sep=" | ", flush=True)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    write(folder / "judged.csv", [row for row in files if row[3] < 10])
    for part in (uneven, mislabelled):
        if options.part in (None, part.__name__):
            part(folder)
