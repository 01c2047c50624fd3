r"""Writes the golden files of EvaluationTests: what scikit-learn makes of small cases, of real predictions and of 100,000
simulated ones, and what statsmodels and SciPy make of intervals and of McNemar's test.

    python make_goldens.py      # needs numpy, scipy, scikit-learn and statsmodels

Each file holds the case (truth, predicted, labels, probabilities), scikit-learn's numbers, and the versions used. Only
the numbers are kept of the simulated case: the test simulates it again. `real.jsonl` was written by

    auricle train Fixtures/digits --label-pattern "{label}_{voice}_{take}" --hold-out voice=flite-rms --hidden 12 --layers 1 \
        --epochs 8 --seed 3 --learning-rate 0.01 -o weak.safetensors
    auricle evaluate -m weak.safetensors Fixtures/digits --label-pattern "{label}_{voice}_{take}" --only take=0 \
        --predictions real.jsonl

a model small and little trained, so that it has something wrong.
"""

import json
import math
import pathlib
import platform
import warnings

import numpy
import scipy
import sklearn
import statsmodels
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

here = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")
versions = {
    "python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__}


def number(value):
    return None if math.isnan(value) else float(value)


def scores(truth, predicted, labels, probabilities):
    """Numbers from probabilities (float32, files x labels), computed in double precision."""
    p = probabilities.astype(numpy.float64)
    t = numpy.array([labels.index(label) for label in truth])
    right = numpy.array(truth) == numpy.array(predicted)
    one_hot = t[:, None] == numpy.arange(len(labels))
    auc = [
        metrics.roc_auc_score(one_hot[:, c], p[:, c]) if 0 < one_hot[:, c].sum() < len(t) else math.nan
        for c in range(len(labels))]
    precision = metrics.average_precision_score(one_hot, p, average=None)
    support = one_hot.sum(axis=0)
    defined = ~numpy.isnan(auc)
    confidence = p[numpy.arange(len(t)), [labels.index(label) for label in predicted]]
    bins = numpy.searchsorted(numpy.linspace(0, 1, 16)[1:-1], confidence)
    files = numpy.bincount(bins, minlength=15)
    accuracies, confidences = calibration_curve(right, confidence, n_bins=15, pos_label=True)
    return {
        # Three classes or more: for two, scikit-learn wants one column of scores, and top 1 is the accuracy.
        "topAccuracy": [
            [k, metrics.top_k_accuracy_score(t, p, k=k, labels=range(len(labels)))]
            for k in (2, 3, 5) if k < len(labels)],
        "logLoss": metrics.log_loss(one_hot.argmax(axis=1), p, labels=range(len(labels))),
        "rocAUC": [number(a) for a in auc],
        "averagePrecision": [float(a) for a in numpy.atleast_1d(precision)],
        "macroROCAUC": number(numpy.nanmean(auc)) if defined.any() else None,
        "weightedROCAUC": number(numpy.average(numpy.array(auc)[defined], weights=support[defined]))
        if defined.any() else None,
        "macroAveragePrecision": float(numpy.mean(precision)),
        "weightedAveragePrecision": float(numpy.average(precision, weights=support)),
        "calibrationFiles": files.tolist(),
        "calibrationAccuracies": accuracies.tolist(),
        "calibrationConfidences": confidences.tolist(),
        "calibrationError": float(
            numpy.sum(files[files > 0] / len(t) * numpy.abs(accuracies - confidences))),
    }


def write(name, truth, predicted, labels, probabilities=None, keep_case=True):
    report = metrics.classification_report(truth, predicted, labels=labels, output_dict=True, zero_division=0)
    row = lambda key: {
        "precision": report[key]["precision"],
        "recall": report[key]["recall"],
        "f1": report[key]["f1-score"],
        "support": int(report[key]["support"]),
    }
    right = int((numpy.array(truth) == numpy.array(predicted)).sum())
    golden = {
        "versions": versions,
        "labels": labels,
        "counts": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
        "shares": {
            ours: numpy.asarray(
                metrics.confusion_matrix(truth, predicted, labels=labels, normalize=theirs), dtype=float).tolist()
            for ours, theirs in [("truth", "true"), ("prediction", "pred"), ("all", "all")]},
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "interval": list(proportion_confint(right, len(truth), method="wilson")),
        "balancedAccuracy": float(metrics.balanced_accuracy_score(truth, predicted)),
        "cohenKappa": number(metrics.cohen_kappa_score(truth, predicted, labels=labels)),
        "matthewsCorrelation": float(metrics.matthews_corrcoef(truth, predicted)),
        "perClass": [row(label) for label in labels],
        "macro": row("macro avg"),
        "weighted": row("weighted avg"),
    }
    if keep_case:
        golden |= {"truth": truth, "predicted": predicted}
    if probabilities is not None:
        golden["scores"] = scores(truth, predicted, labels, probabilities)
        if keep_case:
            golden["probabilities"] = [[float(str(p)) for p in row] for row in probabilities]
    (here / f"{name}.json").write_text(json.dumps(golden, sort_keys=True) + "\n")


def made_up(truth, predicted, labels):
    """Probabilities in hundredths, many of them equal, of which the predicted label's is the largest."""
    raw = random.integers(0, 20, (len(truth), len(labels))).astype(numpy.float32)
    for row, label in zip(raw, predicted):
        row[labels.index(label)] = row.max() + random.integers(0, 30) + 1
    return raw / raw.sum(axis=1, keepdims=True)


def write_made_up(name, truth, predicted, labels):
    write(name, truth, predicted, labels, made_up(truth, predicted, labels))


random = numpy.random.default_rng(7)
four = ["left", "right", "go", "stop"]
truth = random.choice(four, 200, p=[0.5, 0.3, 0.15, 0.05]).tolist()
noise = random.choice(four, 200).tolist()
predicted = [t if random.random() < 0.7 else n for t, n in zip(truth, noise)]

write_made_up("random", truth, predicted, four)
write_made_up("two-classes", [four[i] for i in (0, 1, 1, 0, 1, 0, 0)], [four[i] for i in (0, 1, 0, 0, 1, 1, 0)], four[:2])
write_made_up("absent-from-truth", ["a", "a", "b", "b"], ["a", "c", "b", "a"], ["a", "b", "c"])
write_made_up("never-predicted", ["a", "b", "c", "c"], ["a", "b", "b", "a"], ["a", "b", "c"])
write_made_up("absent-from-both", ["a", "b", "b"], ["a", "b", "a"], ["a", "b", "c"])
write_made_up("perfect", four * 3, four * 3, four)
write_made_up("all-wrong", ["a", "b", "c"], ["b", "c", "a"], ["a", "b", "c"])
write_made_up("one-file", ["b"], ["b"], ["a", "b"])
# Certain and wrong, certain and right: what becomes of the logarithm of 0, and of probabilities on the edges of bins.
write("certain", ["a", "b", "c", "a"], ["a", "a", "c", "b"], ["a", "b", "c"], numpy.array(
    [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0.25, 0.5, 0.25]], dtype=numpy.float32))

rows = [json.loads(line) for line in (here / "real.jsonl").read_text().splitlines()]
labels = list(rows[0]["probabilities"])
write("real", [row["truth"] for row in rows], [row["label"] for row in rows], labels,
      numpy.array([[row["probabilities"][label] for label in labels] for row in rows], dtype=numpy.float32),
      keep_case=False)


def splitmix(seed, count):
    """The first numbers of SeededGenerator(seed:)."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


# As GoldenTests.simulated does: five numbers a file; the first is the truth, the others weights, the truth's larger.
numbers = splitmix(2026, 5 * 100_000).reshape(-1, 5)
truth = (numbers[:, 0] % 4).astype(int)
weights = (numbers[:, 1:] % numpy.uint64(256)).astype(numpy.float32)
weights[numpy.arange(len(truth)), truth] += 150
probabilities = weights / weights.sum(axis=1, keepdims=True, dtype=numpy.float32)
write("simulated", [four[t] for t in truth], [four[p] for p in probabilities.argmax(axis=1)], four, probabilities,
      keep_case=False)


def newcombe(a, b, c, d):
    """Method 10 of Newcombe (1998), written from the paper's steps and apart from the Swift."""
    n = a + b + c + d
    z = scipy.stats.norm.ppf(0.975)

    def wilson(x):
        root = z * math.sqrt(z * z + 4 * x * (1 - x / n))
        return (2 * x + z * z - root) / (2 * (n + z * z)), (2 * x + z * z + root) / (2 * (n + z * z))

    (l1, u1), (l2, u2) = wilson(a + c), wilson(a + b)
    p1, p2 = (a + c) / n, (a + b) / n
    product = (a + b) * (c + d) * (a + c) * (b + d)
    phi = 0
    if product:
        b0 = a * d - b * c
        phi = (b0 - n / 2 if b0 > n / 2 else 0 if b0 >= 0 else b0) / math.sqrt(product)
    delta = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    epsilon = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return [p1 - p2 - delta, p1 - p2 + epsilon]


tables = [
    # Bentur et al. (2009), as worked out by Fagerland, Lydersen and Laake (2014, doi:10.1002/sim.6148): the interval
    # of their table, -0.507 to -0.026 for the other sign, is what newcombe() gives.
    (1, 1, 7, 12),
    (90, 3, 5, 2), (950, 30, 12, 8), (0, 0, 0, 5), (5, 0, 0, 0), (0, 4, 4, 0), (10, 0, 9, 3), (3, 7, 0, 1),
    (80_000, 9_000, 8_700, 2_300), (0, 50_000, 49_000, 0), (98_000, 1_500, 20, 480)]
comparisons = []
for a, b, c, d in tables:
    p = mcnemar([[a, b], [c, d]], exact=True).pvalue if b + c else 1.0
    assert b + c == 0 or abs(p - binomtest(b, b + c).pvalue) <= 1e-9 * p
    comparisons.append({"counts": [a, b, c, d], "pValue": float(p), "interval": newcombe(a, b, c, d)})
assert [round(x, 3) for x in newcombe(1, 1, 7, 12)] == [0.026, 0.507]
(here / "comparisons.json").write_text(
    json.dumps({"versions": versions, "cases": comparisons}, sort_keys=True) + "\n")
