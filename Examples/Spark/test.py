"""Proves on a cluster of this machine that each file is answered exactly once, although a worker is killed.

    pip install 'pyspark<4' pandas pyarrow          # and a Java runtime, for example openjdk-17-jre-headless
    python Examples/Spark/test.py .build/release/auricle [--files 20000] [--no-kill]

Starts a master and three workers (on loopback only), makes links to the fixtures, one in a hundred to a file that is no
sound, and classifies them with RDD.pipe and with a pandas function. In the middle one worker is killed with its processes.
"""

import argparse
import collections
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "Fixtures"


def make_links(folder, count):
    """Paths of `count` links; those at every hundredth place lead to a text."""
    sounds = sorted((FIXTURES / "digits").glob("*.wav"))
    bad = FIXTURES / "audio" / "text.wav"
    paths = []
    for index in range(count):
        path = folder / f"{index // 1000:03}" / f"{index:06}.wav"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.symlink_to(bad if index % 100 == 99 else sounds[index % len(sounds)])
        paths.append(str(path))
    return paths


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    """A standalone master and workers, each a process group of its own."""

    def __init__(self, folder, workers):
        import pyspark

        self.spark_class = str(pathlib.Path(pyspark.__file__).parent / "bin" / "spark-class")
        self.folder = folder
        self.environment = {
            **os.environ,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_LOG_DIR": str(folder),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_DAEMON_MEMORY": "256m",
        }
        port = free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.processes = [self.start("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")]
        wait_for(("127.0.0.1", port))
        for index in range(workers):
            work = ["--work-dir", str(folder / f"work-{index}"), "--webui-port", "0"]
            self.processes.append(
                self.start("worker.Worker", "--host", "127.0.0.1", "-c", "1", "-m", "1g", *work, self.url))

    def start(self, name, *arguments):
        log = open(self.folder / f"{name}-{time.time_ns()}.log", "w")
        return subprocess.Popen(
            [self.spark_class, f"org.apache.spark.deploy.{name}", *arguments], stdout=log, stderr=log,
            env=self.environment, start_new_session=True)

    def kill_worker(self):
        """The last worker and all that it started, without a word."""
        process = self.processes.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self):
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            process.wait()


def wait_for(address):
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(address) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the master did not start")


def check(rows, paths, what):
    """Each path once, errors where the links lead to a text, and nowhere else."""
    counts = collections.Counter(row["path"] for row in rows)
    assert set(counts) == set(paths), f"{what}: {len(set(paths) - set(counts))} files are not answered"
    twice = [path for path, count in counts.items() if count > 1]
    assert not twice, f"{what}: {len(twice)} files are answered more than once"
    failed = {row["path"] for row in rows if row["error"] is not None}
    assert failed == set(paths[99::100]), f"{what}: {len(failed)} errors, not {len(paths[99::100])}"
    assert all((row["label"] is None) == (row["path"] in failed) for row in rows)
    print(f"{what}: {len(rows)} rows, each file once, {len(failed)} errors as rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auricle", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--no-kill", action="store_true")
    options = parser.parse_args()
    command = [str(options.auricle.resolve()), "classify"]
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    sys.path.insert(0, str(HERE))

    from pyspark.sql import SparkSession

    import auricle_udf
    import classify_pipe

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = make_links(folder / "links", options.files)
        cluster = Cluster(folder, workers=3)
        try:
            spark = (
                SparkSession.builder.master(cluster.url)
                .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
                .config("spark.executor.memory", "512m").config("spark.ui.enabled", "false")
                .config("spark.executorEnv.PYTHONPATH", str(HERE)).config("spark.sql.shuffle.partitions", "8")
                .getOrCreate())
            spark.sparkContext.setLogLevel("ERROR")
            lines = spark.sparkContext.parallelize(paths, max(8, options.files // 500))
            output = str(folder / "answers.parquet")
            start = time.monotonic()
            if not options.no_kill:
                # Once some answers are there.
                def kill():
                    while not list((folder / "answers.parquet").rglob("part-*.parquet")):
                        time.sleep(0.05)
                    cluster.kill_worker()
                    print(f"killed a worker after {time.monotonic() - start:.1f} s")

                killer = threading.Thread(target=kill, daemon=True)
                killer.start()
            classify_pipe.answers(spark, lines, command).write.parquet(output)
            seconds = time.monotonic() - start
            if not options.no_kill:
                killer.join(timeout=10)
                assert not killer.is_alive(), "no worker was killed: the run was over before"
            rows = [row.asDict() for row in spark.read.parquet(output).select("path", "label", "error").collect()]
            check(rows, paths, "RDD.pipe")
            print(f"RDD.pipe: {len(rows) / seconds:.0f} files a second, {seconds:.1f} s")

            start = time.monotonic()
            frame = spark.createDataFrame([(path,) for path in paths], "path string").repartition(8)
            answer = auricle_udf.classify(command)
            frame.withColumn("answer", answer("path")).select("path", "answer.label", "answer.error").write.parquet(
                str(folder / "udf.parquet"))
            seconds = time.monotonic() - start
            rows = [row.asDict() for row in spark.read.parquet(str(folder / "udf.parquet")).collect()]
            check(rows, paths, "pandas function")
            print(f"pandas function: {len(rows) / seconds:.0f} files a second, {seconds:.1f} s")
            spark.stop()
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
