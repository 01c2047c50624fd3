"""Judges random pairs of annotated and found events with sed_eval, and random scores with sed_scores_eval.

    pip install "numpy<2" "pandas<3" sed_eval sed_scores_eval
    python Tests/DetectionTests/Goldens/make_goldens.py

Writes events.json and psds.json beside itself. The events and scores are not in them: the tests make them again from the
number of the case, by the same linear congruential generator (see Random and RandomCases in Support.swift).

Made with numpy 1.26.4, pandas 2.3.3, dcase_util 0.2.20, sed_eval 0.2.1 and sed_scores_eval 0.0.4.
"""

import json
import math
import pathlib
import warnings

import numpy
import pandas
import sed_eval
from sed_scores_eval import intersection_based

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")


class Random:
    """Knuth's MMIX generator; the upper 53 bits of 64."""

    def __init__(self, seed):
        self.state = seed
        for _ in range(4):
            self.uniform()

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) * 2.0**-53

    def below(self, count):
        return int(self.uniform() * count)


def to_grid(seconds, grid):
    return math.floor(seconds / grid) * grid


def event_case(number):
    """Settings, and for each file the annotated and the found events as (start, end, label)."""
    random = Random(number)
    labels = "abcde"[: 1 + random.below(5)]
    grid = [0.05, 0.001][random.below(2)]
    settings = {
        "t_collar": [0.2, 0.25, 0.5][random.below(3)],
        "percentage_of_length": [0.0, 0.2, 0.5, 1.0][random.below(4)],
        "evaluate_onset": random.below(5) > 0,
        "evaluate_offset": random.below(3) > 0,
        "event_matching_type": ["optimal", "greedy"][random.below(2)],
    }
    # It refuses to judge neither.
    settings["evaluate_offset"] = settings["evaluate_offset"] or not settings["evaluate_onset"]
    resolution = [0.1, 0.5, 1.0][random.below(3)]
    files = []
    for _ in range(1 + random.below(3)):
        truth, found = [], []
        for _ in range(random.below(25)):
            start = to_grid(random.uniform() * 20, grid)
            end = start + grid + to_grid(random.uniform() * 3, grid)
            label = labels[random.below(len(labels))]
            truth.append((start, end, label))
            if random.uniform() < 0.75:
                start = max(0.0, to_grid(start + (random.uniform() - 0.5) * 0.8, grid))
                end = max(start + grid, to_grid(end + (random.uniform() - 0.5) * 1.2, grid))
                if random.uniform() < 0.25:
                    label = labels[random.below(len(labels))]
                found.append((start, end, label))
        for _ in range(random.below(8)):
            start = to_grid(random.uniform() * 20, grid)
            found.append((start, start + grid + to_grid(random.uniform() * 2, grid), labels[random.below(len(labels))]))
        # Found events come in an order of their own.
        if random.below(2) == 0:
            found.reverse()
        files.append((truth, found))
    return labels, settings, resolution, files


def figure(value):
    return None if math.isnan(value) else float(f"{value:.12g}")


def figures(results, names):
    values = {**results["f_measure"], **results["error_rate"], **results.get("accuracy", {})}
    return [figure(values[name]) for name in names if name in values]


OVERALL = ["f_measure", "precision", "recall", "error_rate", "substitution_rate", "deletion_rate", "insertion_rate",
           "sensitivity", "specificity", "balanced_accuracy", "accuracy"]
AVERAGE = [name for name in OVERALL if name != "substitution_rate"]


def event_golden(number):
    labels, settings, resolution, files = event_case(number)
    events = sed_eval.sound_event.EventBasedMetrics(event_label_list=list(labels), **settings)
    segments = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=list(labels), time_resolution=resolution)
    for index, pair in enumerate(files):
        truth, found = [
            [{"filename": str(index), "event_onset": s, "event_offset": e, "event_label": label} for s, e, label in side]
            for side in pair]
        events.evaluate(truth, found)
        segments.evaluate(truth, found)
    golden = {}
    for name, metrics in [("events", events), ("segments", segments)]:
        results = metrics.results_overall_metrics()
        by_class = metrics.results_class_wise_metrics()
        golden[name] = {
            "overall": figures(results, OVERALL),
            "average": figures(metrics.results_class_wise_average_metrics(), AVERAGE),
            "classes": [
                [int(by_class[label]["count"]["Nref"]), int(by_class[label]["count"]["Nsys"]),
                 figure(by_class[label]["f_measure"]["f_measure"]), figure(by_class[label]["error_rate"]["error_rate"])]
                for label in labels],
        }
    return golden


def score_case(number):
    """Labels, and for each file its boundaries, scores (hops x labels) and annotated events."""
    random = Random(1000 + number)
    # Of one class alone it cannot tell cross triggers.
    labels = "abcd"[: 2 + random.below(3)]
    hop = [0.064, 0.1, 0.25][random.below(3)]
    levels = [20, 1000][random.below(2)]
    files = []
    for _ in range(1 + random.below(4)):
        hops = 300 + random.below(900)
        boundaries = [index * hop for index in range(hops + 1)]
        truth = []
        for label in labels:
            start = random.uniform() * 20
            while start < boundaries[-1] - 0.5:
                end = start + 0.2 + random.uniform() * 3
                truth.append((to_grid(start, 0.001), to_grid(end, 0.001), label))
                start = end + 5 + random.uniform() * 40
        scores = []
        last = [0.0] * len(labels)
        for index in range(hops):
            for place, label in enumerate(labels):
                active = {l for s, e, l in truth if s <= boundaries[index] < e}
                # Each label is at times mistaken for the next one.
                other = labels[(place + 1) % len(labels)] in active and index // 40 % 3 == 0
                level = random.uniform() * 0.6 + (0.45 if label in active else 0.25 if other else 0.0)
                last[place] = 0.5 * last[place] + 0.5 * level
            scores.append([math.floor(score * levels) / levels for score in last])
        files.append((boundaries, scores, truth))
    for label in labels:
        if not any(l == label for _, _, truth in files for _, _, l in truth):
            files[0][2].append((0.0, 1.0, label))
    return labels, files


SCENARIOS = {
    "psds1": dict(dtc_threshold=0.7, gtc_threshold=0.7, cttc_threshold=None, alpha_ct=0.0, alpha_st=1.0, max_efpr=100.0),
    "psds2": dict(dtc_threshold=0.1, gtc_threshold=0.1, cttc_threshold=0.3, alpha_ct=0.5, alpha_st=1.0, max_efpr=100.0),
    "wide": dict(dtc_threshold=0.5, gtc_threshold=0.5, cttc_threshold=0.3, alpha_ct=1.0, alpha_st=0.0, max_efpr=2000.0),
}


def score_golden(number):
    labels, files = score_case(number)
    scores, truth, durations = {}, {}, {}
    for index, (boundaries, rows, events) in enumerate(files):
        table = numpy.concatenate(
            [numpy.array(boundaries[:-1])[:, None], numpy.array(boundaries[1:])[:, None], numpy.array(rows)], axis=1)
        scores[str(index)] = pandas.DataFrame(table, columns=["onset", "offset", *labels])
        truth[str(index)] = events
        durations[str(index)] = boundaries[-1]
    golden = {}
    for name, settings in SCENARIOS.items():
        value, classes, (rates, _), _ = intersection_based.psds(scores, truth, durations, **settings)
        golden[name] = [figure(value)] + [figure(classes[label]) for label in labels]
    return golden


def write(name, goldens):
    lines = ",\n".join(json.dumps(golden, separators=(",", ":")) for golden in goldens)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    write("events.json", [event_golden(number) for number in range(200)])
    write("psds.json", [score_golden(number) for number in range(200)])
