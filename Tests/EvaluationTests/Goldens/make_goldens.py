"""Writes the golden files of EvaluationTests: what scikit-learn makes of small cases.

    python make_goldens.py      # needs numpy and scikit-learn

Each file holds the case (truth, predicted, labels), scikit-learn's confusion matrix and classification report
(zero_division=0), and the versions used.
"""

import json
import pathlib
import platform
import warnings

import numpy
import sklearn
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

here = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")


def write(name, truth, predicted, labels):
    report = classification_report(truth, predicted, labels=labels, output_dict=True, zero_division=0)
    metrics = lambda key: {
        "precision": report[key]["precision"],
        "recall": report[key]["recall"],
        "f1": report[key]["f1-score"],
        "support": int(report[key]["support"]),
    }
    golden = {
        "versions": {
            "python": platform.python_version(), "numpy": numpy.__version__, "scikit-learn": sklearn.__version__},
        "truth": truth,
        "predicted": predicted,
        "labels": labels,
        "counts": confusion_matrix(truth, predicted, labels=labels).tolist(),
        "accuracy": float(accuracy_score(truth, predicted)),
        "perClass": [metrics(label) for label in labels],
        "macro": metrics("macro avg"),
        "weighted": metrics("weighted avg"),
    }
    (here / f"{name}.json").write_text(json.dumps(golden, sort_keys=True) + "\n")


random = numpy.random.default_rng(7)
four = ["left", "right", "go", "stop"]
truth = random.choice(four, 200, p=[0.5, 0.3, 0.15, 0.05]).tolist()
noise = random.choice(four, 200).tolist()
predicted = [t if random.random() < 0.7 else n for t, n in zip(truth, noise)]

write("random", truth, predicted, four)
write("absent-from-truth", ["a", "a", "b", "b"], ["a", "c", "b", "a"], ["a", "b", "c"])
write("never-predicted", ["a", "b", "c", "c"], ["a", "b", "b", "a"], ["a", "b", "c"])
write("absent-from-both", ["a", "b", "b"], ["a", "b", "a"], ["a", "b", "c"])
write("perfect", four * 3, four * 3, four)
write("all-wrong", ["a", "b", "c"], ["b", "c", "a"], ["a", "b", "c"])
write("one-file", ["b"], ["b"], ["a", "b"])
