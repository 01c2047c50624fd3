"""Classifies the files of a list on a Spark cluster with RDD.pipe, and writes the answers as Parquet.

    spark-submit classify_pipe.py list.txt answers.parquet --partitions 200 -- auricle classify --model birds.safetensors

A line of the list is a path, or a JSON object with a path and whatever is to be in the answer too. Each partition is one run
of the command: a line in, a line out, in order, and a file that cannot be read is a row with its error. A partition whose
worker dies is run again by Spark, so that each line is answered exactly once in what is written.
"""

import argparse
import shlex

from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, IntegerType, MapType, StringType, StructField, StructType

# Of the row; members that the list's own lines hold may be added.
SCHEMA = StructType(
    [
        StructField("path", StringType()),
        StructField("label", StringType()),
        StructField("probability", DoubleType()),
        StructField("probabilities", MapType(StringType(), DoubleType())),
        StructField("duration", DoubleType()),
        StructField("sampleRate", IntegerType()),
        StructField("error", StringType()),
        StructField("stage", StringType()),
        StructField("id", StringType()),
    ]
)


def answers(spark, lines, command):
    """A data frame with the answer to each of `lines`, an RDD of texts."""
    rows = lines.pipe(shlex.join([*command, "--files-from", "-", "--errors-as-rows", "--jobs", "1"]), checkCode=True)
    return spark.read.schema(SCHEMA).json(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list")
    parser.add_argument("output")
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("command", nargs="*", default=["auricle", "classify"])
    options = parser.parse_args()
    spark = SparkSession.builder.appName("auricle classify").getOrCreate()
    lines = spark.sparkContext.textFile(options.list, options.partitions).repartition(options.partitions)
    answers(spark, lines, options.command or ["auricle", "classify"]).write.mode("overwrite").parquet(options.output)
    spark.stop()


if __name__ == "__main__":
    main()
