"""A pandas function for Spark that classifies the paths of a column.

    from auricle_udf import classify
    label = classify(["auricle", "classify", "--model", "birds.safetensors"])
    frame.withColumn("answer", label("path")).select("path", "answer.label", "answer.probability", "answer.error")

One process of the command serves a whole partition: it answers each line as soon as it comes, so that a batch is written to
it and as many lines are read back. The model is read once a partition, not once a batch.
"""

import json
import subprocess
import threading
from typing import Iterator

import pandas as pd
from pyspark.sql.functions import pandas_udf

ANSWER = "label string, probability double, duration double, error string, stage string"
FIELDS = [field.split()[0] for field in ANSWER.split(", ")]


def classify(command):
    """The function; `command` is that of a program that keeps to the contract, without --files-from."""

    def run(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        arguments = [*command, "--files-from", "-", "--errors-as-rows", "--jobs", "1"]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            for paths in batches:
                lines = [json.dumps({"path": path}) + "\n" for path in paths]

                # A thread writes: else both sides might wait for each other with full pipes.
                def write(lines=lines):
                    process.stdin.writelines(lines)
                    process.stdin.flush()

                writer = threading.Thread(target=write, daemon=True)
                writer.start()
                rows = [json.loads(process.stdout.readline() or "null") for _ in lines]
                writer.join()
                if None in rows:
                    raise RuntimeError(f"{arguments[0]} ended before its last answer")
                yield pd.DataFrame([[row.get(field) for field in FIELDS] for row in rows], columns=FIELDS)
            process.stdin.close()
        if process.returncode:
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}")

    # Spark reads the kind of function from these; `from __future__ import annotations` would hide them.
    return pandas_udf(run, ANSWER)
