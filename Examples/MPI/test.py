"""Proves that processes started by mpirun find the model of one process, byte for byte, and that all end when one does.

    apt-get install libopenmpi-dev                  # or libmpich-dev
    swift build -c release --product auricle --traits MPI --scratch-path .build-mpi
    python3 Examples/MPI/test.py .build-mpi/release/auricle [--plain .build/release/auricle] [--mpirun mpirun.mpich]

Trains on Fixtures/digits with 1, 2 and 4 processes of this machine; kills one with SIGKILL, early and late, and goes on with
another number of them; gives one of them other data, another program, a broken file. As root, with Open MPI, it makes two
network namespaces with addresses of their own (10.77.0.0/30, reachable from nowhere else), as two hosts. `--plain` is a
program without MPI, which must refuse to be started several times. Some minutes.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile
import time

FIXTURES = pathlib.Path(__file__).resolve().parent.parent.parent / "Fixtures"
LABELS = ["--label-pattern", "{label}_{voice}_{take}"]
# Six shards a batch; augmentation, dropout and batch statistics depend on where they are computed, if anything does.
SMALL = ["--architecture", "gru-small", "--batch-size", "96", "--augment", "light", "--keep", "best"]
CONVOLUTIONAL = ["--effort", "quick", "--epochs", "2", "--batch-size", "64"]


class Test:
    def __init__(self, options, work):
        self.auricle = str(options.auricle.resolve())
        self.plain = options.plain and str(options.plain.resolve())
        self.mpirun = options.mpirun
        self.work = work
        version = subprocess.run([self.mpirun, "--version"], capture_output=True, text=True).stdout
        self.is_open_mpi = "Open MPI" in version or "OpenRTE" in version
        self.environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def launcher(self, processes):
        oversubscribe = ["--oversubscribe", "--bind-to", "none"] if self.is_open_mpi else []
        return [self.mpirun, *oversubscribe, "-np", str(processes)]

    def train(self, name, options, processes=0, data=None, checkpoint=None, resume=False, program=None):
        """The command; without mpirun for no processes."""
        kept = ["--checkpoint", str(self.work / checkpoint)] if checkpoint else []
        return [
            *(self.launcher(processes) if processes else []), *([program] if program else [self.auricle]), "train",
            data or str(FIXTURES / "digits"), *LABELS, "-o", str(self.work / f"{name}.safetensors"), "--json", "--jobs",
            "1", *options, *kept, *(["--resume"] if resume else [])]

    def run(self, command, status=0, **more):
        done = subprocess.run(
            command, capture_output=True, text=True, env={**self.environment, **more.pop("environment", {})}, timeout=300,
            **more)
        assert done.returncode == status, f"ended with {done.returncode}: {' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, command):
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
            start_new_session=True)

    def same(self, name, other):
        one, two = (self.work / f"{each}.safetensors" for each in (name, other))
        assert one.read_bytes() == two.read_bytes(), f"{name} and {other} are different models"

    def processes(self, name):
        """The process id of each rank that trains the model of this name."""
        found = {}
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.work / f"{name}.safetensors").encode() not in words or b"train" not in words[:2]:
                continue
            for variable in variables:
                key, _, value = variable.partition(b"=")
                if key in (b"OMPI_COMM_WORLD_RANK", b"PMI_RANK"):
                    found[int(value)] = int(folder.name)
        return found

    # What is proved.

    def models(self):
        for kind, options in [("small", SMALL + ["--epochs", "3"]), ("convolutional", CONVOLUTIONAL)]:
            report = lambda name: ["--report", str(self.work / f"{name}.json"), "--log-dir", str(self.work / f"{name}.log")]
            one = self.run(self.train(kind, options + report(kind))).stdout
            for processes in (1, 2, 4):
                name = f"{kind}-{processes}"
                start = time.monotonic()
                several = self.run(self.train(name, options + report(name), processes)).stdout
                self.same(kind, name)
                for file in ("{}.json", "{}.log/training.csv", "{}.log/events.out.tfevents.0.auricle"):
                    first, second = (self.work / file.format(each) for each in (kind, name))
                    assert first.read_bytes() == second.read_bytes(), f"{second} is another"
                # The epochs' lines once, from the first process; the last line has the time in it.
                assert several.splitlines()[:-1] == one.splitlines()[:-1], several
                print(f"{kind}, {processes} of mpirun: the model, report and log of one process, "
                      f"{time.monotonic() - start:.1f} s")

    def folds(self):
        command = lambda name, processes: [
            *self.train(name, SMALL + ["--epochs", "1", "--cross-validate", "3"], processes), "--report",
            str(self.work / f"{name}.json")]
        one, several = (self.run(command(name, count)).stdout for name, count in (("folds", 0), ("folds-3", 3)))
        assert one.splitlines()[:-1] == several.splitlines()[:-1]
        assert (self.work / "folds.json").read_bytes() == (self.work / "folds-3.json").read_bytes()
        self.same("folds", "folds-3")
        print("three folds in 3 processes: the report and the model of one process")

    def kills(self):
        options = SMALL + ["--epochs", "20"]
        self.run(self.train("whole", options))
        checkpoint = self.work / "kept" / "checkpoint.safetensors"
        name = "killed"
        # While it reads, in the first epochs, later; each time the next run has another number of processes.
        for number, (processes, victim, epochs) in enumerate([(2, 1, 0), (4, 3, 1), (3, 0, 4), (2, 1, 6)]):
            running = self.start(self.train(name, options, processes, checkpoint="kept", resume=number > 0))
            if epochs == 0:
                while len(self.processes(name)) < processes:
                    time.sleep(0.01)
                time.sleep(0.3)
            for _ in range(epochs):
                assert running.stdout.readline(), running.stderr.read()
            pids = self.processes(name)
            start = time.monotonic()
            os.kill(pids[victim], signal.SIGKILL)
            running.communicate(timeout=30)
            seconds = time.monotonic() - start
            assert running.returncode != 0
            for _ in range(100):
                if not self.processes(name):
                    break
                time.sleep(0.05)
            assert not self.processes(name), "a process is left"
            assert seconds < 10, f"it took {seconds:.1f} s to end"
            when = f"after {epochs} epochs of this run" if epochs else "at the beginning"
            print(f"process {victim} of {processes} killed {when}: all ended after {seconds:.1f} s; "
                  f"checkpoint: {'there' if checkpoint.exists() else 'none yet'}")
        # And in good order, by a signal to one of them.
        running = self.start(self.train(name, options, 4, checkpoint="kept", resume=True))
        assert running.stdout.readline(), running.stderr.read()
        os.kill(self.processes(name)[2], signal.SIGTERM)
        _, errors = running.communicate(timeout=30)
        assert running.returncode != 0 and "stopped and saved; go on with" in errors, errors
        self.run(self.train(name, options, 3, checkpoint="kept", resume=True))
        self.same("whole", name)
        print("gone on with from the checkpoint, four times killed and once stopped: the model of one run")

    def disagreements(self):
        """What differs between processes is refused, or handled as in one process."""
        digits = sorted((FIXTURES / "digits").glob("*.wav"))
        rank = "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"
        for folder in ("same", "other"):
            (self.work / folder / "digits").mkdir(parents=True)
            for file in digits:
                shutil.copy(file, self.work / folder / "digits" / file.name)

        def program(name, last):
            path = self.work / name
            path.write_text(f'#!/bin/sh\nif [ "{rank}" = 1 ]; then cd "{self.work}/other"; else cd "{self.work}/same"; fi\n'
                            f'{last} "$@"\n')
            path.chmod(path.stat().st_mode | stat.S_IEXEC)
            return str(path)

        elsewhere = program("elsewhere", f'exec "{self.auricle}"')
        options = SMALL + ["--epochs", "6"]

        def refused(what, reason, program=elsewhere):
            start = time.monotonic()
            done = self.run(self.train("refused", options, 2, data="digits", program=program), status=1)
            lines = [line for line in done.stderr.splitlines() if line.startswith("auricle: ")]
            assert len(lines) == 1 and reason in lines[0], done.stderr
            assert not self.processes("refused")
            print(f"{what}: {lines[0].removeprefix('auricle: ')} ({time.monotonic() - start:.1f} s)")

        other = self.work / "other" / "digits"
        (other / digits[3].name).unlink()
        refused("a file fewer", "the number of files is different")
        shutil.copy(digits[3], other / digits[3].name)
        # It is in the first process's part, and the second needs it sooner or later.
        shutil.copy(digits[4], other / digits[3].name)
        refused("a file of other content", "its features here are not those")
        (other / digits[3].name).write_text("no sound")
        refused("a file that only one cannot read", digits[3].name)
        shutil.copy(digits[3], other / digits[3].name)

        changed = self.work / "changed"
        shutil.copy(self.auricle, changed)
        with open(changed, "ab") as file:
            file.write(b"\0")
        script = f'if [ "{rank}" = 1 ]; then exec "{changed}" "$@"; fi; exec "{self.auricle}"'
        refused("another program", "the program is different", program("mixed", script))

        # A broken file that all have: left out, reported once, exit code 3, and the model of one process without it.
        for folder in ("same", "other"):
            (self.work / folder / "digits" / digits[-1].name).write_text("no sound")
        single = self.run(self.train("left-out", options, data=str(self.work / "same" / "digits")), status=3)
        several = self.run(self.train("left-out-2", options, 2, data=str(self.work / "same" / "digits")), status=3)
        self.same("left-out", "left-out-2")
        assert several.stderr.count(digits[-1].name) == single.stderr.count(digits[-1].name), several.stderr
        print("a file that nobody can read: left out and reported once, the model of one process")

        done = self.run(self.train("nowhere/x", options, 3), status=1)
        assert done.stderr.count("auricle: ") == 1, done.stderr
        if self.plain:
            done = self.run(self.train("twice", options, 2, program=self.plain), status=1)
            assert "built without MPI" in done.stderr and "--traits MPI" in done.stderr, done.stderr
            print(f"without MPI: {[line for line in done.stderr.splitlines() if 'auricle:' in line][0]}")

    def hosts(self):
        """Two network namespaces with a cable between them."""
        if not self.is_open_mpi or os.geteuid() != 0 or shutil.which("ip") is None:
            print("two hosts: left out, which needs root, iproute2 and Open MPI")
            return
        with two_hosts() as (here, there):
            agent = self.work / "agent"
            agent.write_text(f'#!/bin/sh\nshift\nexec ip netns exec {there} unshare --uts sh -c \'hostname second; eval "$0"\' "$*"\n')
            agent.chmod(0o755)
            network = "10.77.0.0/30"
            command = self.train("hosts", SMALL + ["--epochs", "3"])
            launcher = [
                "ip", "netns", "exec", here, self.mpirun, "--host", "10.77.0.1:2,10.77.0.2:2", "-np", "4", "--bind-to", "none",
                "--mca", "plm_rsh_agent", str(agent), "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", network,
                "--mca", "oob_tcp_if_include", network]
            done = self.run([*launcher, *command])
            self.run(self.train("alone", SMALL + ["--epochs", "3"]))
            self.same("alone", "hosts")
            count = ["ip", "netns", "exec", there, "cat", "/sys/class/net/auricle-b/statistics/rx_bytes"]
            received = int(subprocess.run(count, capture_output=True, text=True, check=True).stdout)
            traffic = json.loads(done.stdout.splitlines()[-1])["traffic"]
            assert received > traffic["bytes"] / 3, (received, traffic)
            print(f"two hosts of 2 processes: the model of one process; {received / 1e6:.1f} MB over the wire to the second")


@contextlib.contextmanager
def two_hosts():
    """Names of two network namespaces, 10.77.0.1 and 10.77.0.2."""
    names = [f"auricle-{os.getpid()}-{side}" for side in "ab"]
    ip = lambda *words: subprocess.run(["ip", *words], check=True)
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "auricle-a", "type", "veth", "peer", "name", "auricle-b", "netns", names[1])
        for name, device, address in zip(names, ("auricle-a", "auricle-b"), ("10.77.0.1/30", "10.77.0.2/30")):
            ip("-n", name, "address", "add", address, "dev", device)
            ip("-n", name, "link", "set", device, "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auricle", type=pathlib.Path)
    parser.add_argument("--plain", type=pathlib.Path)
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--only", nargs="*", default=["models", "folds", "kills", "disagreements", "hosts"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        test = Test(options, pathlib.Path(name))
        for part in options.only:
            getattr(test, part)()


if __name__ == "__main__":
    main()
