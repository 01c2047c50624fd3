"""Lets published readers read what Detection writes: praatio, textgrid and Praat itself (parselmouth) for TextGrid, srt and
pysrt, pyannote for RTTM, dcase_util, sed_eval and sed_scores_eval for DESED, Audacity and tables of scores, pandas for
Raven and CSV, json for JSON lines.

    pip install "numpy<2" "pandas<3" sed_eval sed_scores_eval praatio textgrid praat-parselmouth srt pysrt \
        pyannote.core pyannote.database
    mkdir read-back
    AURICLE_READ_BACK=$PWD/read-back swift test --filter ReadBackTests
    python Tests/DetectionTests/read_back.py read-back

Ends with status 1, and says where, at any difference. Last run with praatio 6.2.2, TextGrid 1.6.1, praat-parselmouth 0.4.7,
srt 3.5.3, pysrt 1.1.2, pyannote.core 5.0.0, pyannote.database 5.1.3, dcase_util 0.2.20, sed_eval 0.2.1,
sed_scores_eval 0.0.4 and pandas 2.3.3.
"""

import json
import pathlib
import sys

import dcase_util
import pandas
import parselmouth
import praatio.textgrid
import pyannote.database.util
import pysrt
import sed_eval
import sed_scores_eval
import srt
import textgrid

FOLDER = pathlib.Path(sys.argv[1])
# Start, end, label and probability of every file; see FormatTests.swift.
EVENTS = [(0, 0.25, "cat", 0.5), (0.3, 1.500001, "Vögel", 0.987654), (0.4, 1.1, "cat", 1),
          (3661.5, 3662.125, "dog-2", 0.25)]
OWL = (4000, 4001.5, "owl", 0.75)


def path(name):
    return str(FOLDER / name)


def expect(found, wanted, what, tolerance=1e-9):
    found, wanted = sorted(map(tuple, found)), sorted(map(tuple, wanted))
    fits = len(found) == len(wanted) and all(
        len(f) == len(w) and all(a == b if isinstance(b, str) else abs(a - b) <= tolerance for a, b in zip(f, w))
        for f, w in zip(found, wanted))
    assert fits, f"{what}: {found} but {wanted}"
    print(f"{what}: {len(found)} events")


times = [event[:3] for event in EVENTS]

grid = praatio.textgrid.openTextgrid(path("events.TextGrid"), includeEmptyIntervals=False, duplicateNamesMode="rename")
assert grid.minTimestamp == 0 and grid.maxTimestamp == 5000
expect([(e.start, e.end, e.label) for tier in grid.tiers for e in tier.entries], times, "TextGrid, praatio")
# It rounds to five decimals.
grid = textgrid.TextGrid.fromFile(path("events.TextGrid"))
expect([(i.minTime, i.maxTime, i.mark) for tier in grid for i in tier if i.mark], times, "TextGrid, textgrid", 5e-6)
grid = parselmouth.read(path("events.TextGrid"))
found = []
for tier in range(1, int(parselmouth.praat.call(grid, "Get number of tiers")) + 1):
    for interval in range(1, int(parselmouth.praat.call(grid, "Get number of intervals", tier)) + 1):
        label = parselmouth.praat.call(grid, "Get label of interval", tier, interval)
        if label:
            found.append((parselmouth.praat.call(grid, "Get start time of interval", tier, interval),
                          parselmouth.praat.call(grid, "Get end time of interval", tier, interval), label))
expect(found, times, "TextGrid, Praat")

found = [(s.start.total_seconds(), s.end.total_seconds(), s.content)
         for s in srt.parse((FOLDER / "events.srt").read_text(encoding="utf-8"))]
expect(found, times, "SRT, srt", 0.0005)
found = [(s.start.ordinal / 1000, s.end.ordinal / 1000, s.text) for s in pysrt.open(path("events.srt"))]
expect(found, times, "SRT, pysrt", 0.0005)

(name, annotation), = pyannote.database.util.load_rttm(path("events.rttm")).items()
assert name == "day_1"
expect([(s.start, s.end, label) for s, _, label in annotation.itertracks(yield_label=True)], times, "RTTM, pyannote")
rows = [line.split() for line in (FOLDER / "events.rttm").read_text(encoding="utf-8").splitlines()]
assert all(len(row) == 10 and row[0] == "SPEAKER" and row[2] == "1" for row in rows)
expect([(float(row[8]),) for row in rows], [(e[3],) for e in EVENTS], "RTTM, confidences")

def as_csv(name, copy):
    """The same file under a name by which dcase_util expects a header."""
    (FOLDER / copy).write_bytes((FOLDER / (name + ".tsv")).read_bytes())
    return path(copy)


container = dcase_util.containers.MetaDataContainer().load(as_csv("events", "desed.csv"))
expect([(e.onset, e.offset, e.event_label) for e in container], times, "DESED TSV, dcase_util")
assert {e["filename"] for e in container} == {"day_1.wav"}
found = sed_scores_eval.io.read_ground_truth_events(path("events.tsv"))
expect(found["day_1"], times, "DESED TSV, sed_scores_eval")

# Lines of frequencies are Audacity's own; other readers want files without.
lines = [line for line in (FOLDER / "events.txt").read_text(encoding="utf-8").splitlines() if line[0] != "\\"]
(FOLDER / "labels.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
found = sed_eval.io.load_event_list(path("labels.txt"))
expect([(e.onset, e.offset, e.event_label) for e in found], times + [OWL[:3]], "Audacity labels, sed_eval")
assert "\\\t500\t8000.5" in (FOLDER / "events.txt").read_text(encoding="utf-8")

table = pandas.read_csv(path("events.selections.txt"), sep="\t")
assert list(table["Selection"]) == [1, 2, 3, 4, 5] and list(table["Channel"]) == [1, 1, 1, 1, 2]
assert list(table["High Freq (Hz)"].dropna()) == [8000.5] and set(table["Begin Path"]) == {"day_1.wav"}
columns = ["Begin Time (s)", "End Time (s)", "Annotation", "Confidence"]
expect(table[columns].itertuples(index=False), EVENTS + [OWL], "Raven, pandas", 1e-6)

table = pandas.read_csv(path("events.csv"))
expect(table[["start", "end", "label", "probability"]].itertuples(index=False), EVENTS, "CSV, pandas", 1e-6)
assert set(table["file"]) == {"day_1.wav"}
objects = [json.loads(line) for line in (FOLDER / "events.jsonl").read_text(encoding="utf-8").splitlines()]
expect([(o["start"], o["end"], o["label"], o["probability"]) for o in objects], EVENTS, "JSON lines, json", 1e-6)

for file in sorted(FOLDER.glob("scores-*.tsv")):
    table = sed_scores_eval.io.read_sed_scores(file)
    print(f"scores, sed_scores_eval: {len(table)} hops of {list(table.columns)[2:]}")

# One pair of files judged by sed_eval from the files themselves.
truth, found = (sed_eval.io.load_event_list(as_csv(name, name + ".csv")) for name in ["truth", "found"])
labels = sorted(set(truth.unique_event_labels) | set(found.unique_event_labels))
metrics = sed_eval.sound_event.EventBasedMetrics(event_label_list=labels, t_collar=0.2)
metrics.evaluate(truth, found)
ours = json.loads((FOLDER / "metrics.json").read_text())
theirs = metrics.results_overall_metrics()
expect([(ours["f1"], ours["errorRate"])],
       [(theirs["f_measure"]["f_measure"], theirs["error_rate"]["error_rate"])], "files judged by sed_eval")
