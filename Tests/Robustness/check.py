#!/usr/bin/env python3
"""Feeds the program bad input of every kind, and prints a table of what came of it; exits with 1 when there is a finding.

    swift build -c release
    Tests/Robustness/check.py .build/release/auricle            # some 90,000 inputs
    Tests/Robustness/check.py .build/release/auricle --quick    # a twentieth of the mutants

Everything random is seeded. Python 3.9 or later, Linux; no packages.
"""

import argparse
import io
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from harness import FIXTURES, Kind, finish, mutants, run

SEVEN = FIXTURES / "seven.wav"
AUDIO = [SEVEN, *sorted(path for path in (FIXTURES / "audio").iterdir() if path.stat().st_size > 0)]
DIGITS = ["--label-pattern", "{label}_{voice}_{take}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cuts", type=int, default=200, help="places at which every file is cut")
    parser.add_argument("--flips", type=int, default=1000, help="times that bytes of every file are changed at random")
    options = parser.parse_args()
    if options.quick:
        options.cuts, options.flips = 10, 50
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        check = Check(options.program.resolve(), Path(folder), options.cuts, options.flips)
        kinds = [
            check.odd_audio(), check.odd_places(), check.cut_samples(), check.audio_mutants(), check.odd_models(),
            check.model_mutants(), check.odd_manifests(), check.manifest_mutants(), check.prediction_mutants(),
            check.archive_mutants(), check.checkpoint_mutants(), check.odd_configurations(), check.batch(), check.vanishing(),
        ]
    finish(kinds)


def wav(samples=None, *, form=1, channels=1, rate=8000, bits=16, data_size=None, riff_size=None, before=b"", after=b""):
    """A WAV file, with whatever its header is to say."""
    data = SEVEN_SAMPLES if samples is None else samples
    block = channels * bits // 8
    layout = struct.pack(
        "<HHIIHH", form, channels & 0xFFFF, rate & 0xFFFFFFFF, rate * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    size = len(data) if data_size is None else data_size
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", size) + data + after
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def chunk(name, data, size=None):
    return name + struct.pack("<I", len(data) if size is None else size) + data


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


SEVEN_RATE = struct.unpack("<I", SEVEN.read_bytes()[24:28])[0]
SEVEN_SAMPLES = SEVEN.read_bytes()[44:]


class Check:
    def __init__(self, program, folder, cuts, flips):
        self.program, self.folder, self.cuts, self.flips = str(program), folder, cuts, flips
        self.expected = self.classify(SEVEN).rows[0]["probabilities"]

    def classify(self, *arguments, **options):
        return run(self.program, "classify", "--json", "-j", "2", *map(os.fspath, arguments), **options)

    def file(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    # Audio

    def expect(self, kind, what, path, outcome, **options):
        """One file: `outcome` is "same" (as the clean file), "answer", "error", "either", or a part of the error."""
        kind.tried += 1
        result = self.classify(path, **options)
        if not kind.watch(result, what, (0, 1)):
            return
        row = result.rows[0]
        if "error" in row and outcome in ("same", "answer"):
            kind.note("wrong", what, row["error"])
        elif "error" in row and outcome not in ("error", "either") and outcome not in row["error"]:
            kind.note("wrong", what, row["error"])
        elif "error" not in row and outcome not in ("same", "answer", "either"):
            kind.note("wrong", what, "an answer to what has none")
        elif outcome == "same" and row["probabilities"] != self.expected:
            kind.note("wrong", what, "another answer than to the clean file")
        else:
            kind.judge(row, what, "standard input" if path == "-" else os.fspath(path))

    def odd_audio(self):
        kind = Kind("audio with a header or samples that cannot be, by hand")
        rate, count = SEVEN_RATE, len(SEVEN_SAMPLES)
        floats = lambda *values: struct.pack(f"<{len(values)}f", *values) * 1000
        noise = chunk(b"LIST", b"INFO" + b"x" * 40)
        cases = [
            ("data size 0", wav(rate=rate, data_size=0), "either"),
            ("data size 4 GiB", wav(rate=rate, data_size=0xFFFFFFFF), "same"),
            ("data size twice", wav(rate=rate, data_size=2 * count), "same"),
            ("RIFF size 0", wav(rate=rate, riff_size=0), "same"),
            ("RIFF size 4 GiB", wav(rate=rate, riff_size=0xFFFFFFFF), "same"),
            ("a chunk before the format", wav(rate=rate, before=noise), "same"),
            ("two chunks before, one of odd length", wav(rate=rate, before=noise + chunk(b"junk", b"abc") + b"\0"), "same"),
            ("a chunk after", wav(rate=rate, after=noise), "same"),
            ("a chunk after that promises 4 GiB", wav(rate=rate, after=chunk(b"LIST", b"", 0xFFFFFFFF)), "same"),
            ("a chunk before that promises 4 GiB", wav(rate=rate, before=chunk(b"junk", b"", 0xFFFFFFFF)), "error"),
            ("no data chunk", wav(rate=rate)[:36], "error"), ("no format chunk", b"RIFF\x10\0\0\0WAVEdata\4\0\0\0abcd", "error"),
            ("zero frames", wav(b"", rate=rate), "holds no samples"), ("one frame", wav(b"\1\0", rate=rate), "either"),
            ("half a frame", wav(b"\1", rate=rate), "error"), ("nothing", b"", "is empty"),
            ("0 Hz", wav(rate=0), "error"), ("1 Hz", wav(rate=1), "its sample rate is 1 Hz"),
            ("4 GHz", wav(rate=4_000_000_000), "error"), ("2 GHz", wav(rate=2_000_000_000), "its sample rate"),
            ("1 MHz", wav(rate=1_000_000), "answer"), ("1 kHz", wav(rate=1000), "answer"),
            ("0 channels", wav(rate=rate, channels=0), "error"), ("1024 channels", wav(rate=rate, channels=1024), "either"),
            ("1025 channels", wav(rate=rate, channels=1025), "error"), ("65535 channels", wav(rate=rate, channels=65535), "error"),
            ("two channels, the same", wav(b"".join(SEVEN_SAMPLES[i:i + 2] * 2 for i in range(0, count, 2)), rate=rate, channels=2), "same"),
            ("0 bits", wav(rate=rate, bits=0), "error"), ("65535 bits", wav(rate=rate, bits=65535), "error"),
            ("unknown encoding", wav(rate=rate, form=0x1234), "is damaged or of an encoding"),
            ("NaN", wav(floats(0.1, float("nan")), rate=rate, form=3, bits=32), "is nan"),
            ("infinity", wav(floats(0.1, float("-inf")), rate=rate, form=3, bits=32), "is -inf"),
            ("samples of 1e38", wav(floats(1e38, -1e38), rate=rate, form=3, bits=32), "samples must be within"),
            ("subnormal samples", wav(floats(1e-45, -1e-45), rate=rate, form=3, bits=32), "answer"),
            ("samples of 4 billion", wav(floats(4e9, -4e9), rate=rate, form=3, bits=32), "either"),
            ("silence", wav(b"\0\0" * 8000, rate=rate), "answer"), ("full scale", wav(b"\xff\x7f\0\x80" * 4000, rate=rate), "answer"),
            ("zeros", b"\0" * 4096, "a file of zeros"), ("text", b"not a sound\n" * 100, "looks like text"),
            ("a PNG", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a PNG image"), ("AAC", b"\xff\xf1" + b"\x50" * 200, "error"),
            ("RIFF of RIFFs", b"RIFF\xff\xff\xff\xffWAVE" * 5000, "error"), ("FORM", b"FORM\xff\xff\xff\xffAIFF" + b"\xff" * 100, "error"),
            ("caff", b"caff\0\1\0\0" + b"\xff" * 200, "error"), ("NIST", b"NIST_1A\n   1024\nsample_count -i 99999999999\n", "error"),
            ("OggS", b"OggS" + b"\0" * 23 + b"\xff" * 300, "error"), ("fLaC", b"fLaC" + b"\x80\0\0\x22" + b"\xff" * 34, "error"),
            ("ID3 that promises 256 MiB", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + b"\xff\xfb\x90\0" * 100, "error"),
        ]
        for name, data, outcome in cases:
            self.expect(kind, name, self.file("odd.wav", data), outcome)
        day = self.file("day.wav", wav(b"", rate=8000, data_size=2 * 8000 * 86_400))
        os.truncate(day, 44 + 2 * 8000 * 86_400)
        self.expect(kind, "24 hours of silence", day, "too much to hold in memory", timeout=300)
        # What a sound is called says nothing of what is in it.
        for ending in ["au", "snd", "vox", "gsm", "raw", "txt", "mp3", "sd2", ""]:
            self.expect(kind, f"text called .{ending}", self.file(f"odd.{ending}", b"words\n" * 999), "looks like text")
            self.expect(kind, f"a WAV file called .{ending}", self.file(f"odd.{ending}", SEVEN.read_bytes()), "same")
        return kind

    def odd_places(self):
        kind = Kind("pipes, devices, links and names")
        with open(SEVEN, "rb") as file:
            self.expect(kind, "standard input", "-", "same", stdin=file)
        cat = subprocess.Popen(["cat", SEVEN], stdout=subprocess.PIPE)
        self.expect(kind, "a pipe", "-", "same", stdin=cat.stdout)
        cat.wait()
        self.expect(kind, "nothing on standard input", "-", "standard input: is empty")
        fifo = self.folder / "fifo.wav"
        os.mkfifo(fifo)
        cat = subprocess.Popen(["sh", "-c", f"sleep 0.3; cat {SEVEN} > {fifo}"])
        self.expect(kind, "a named pipe whose writer comes late", fifo, "same", timeout=30)
        cat.wait()
        self.expect(kind, "a named pipe that nobody writes to", fifo, "nothing came for 10 seconds", timeout=30)
        writer = subprocess.Popen(["sh", "-c", f"exec 3> {fifo}; head -c 1000 {SEVEN} >&3; sleep 60"])
        self.expect(kind, "a named pipe whose writer falls asleep", fifo, "nothing came for 10 seconds", timeout=30)
        writer.kill()
        writer.wait()
        for device, outcome in [("/dev/null", "is empty"), ("/dev/zero", "more than"), ("/dev/full", "more than"), ("/dev/random", "more than")]:
            self.expect(kind, device, device, outcome, timeout=120)
        self.expect(kind, "a folder that is called for", self.file("empty/x", b"").parent / "x", "is empty")
        for name, target, outcome in [
            ("gone", "nowhere.wav", "no such file"), ("loop", "loop.wav", "Too many levels"), ("fine", SEVEN, "same"),
            ("device", "/dev/null", "is empty"), ("folder", "/tmp/", None),
        ]:
            link = self.folder / f"{name}.wav"
            link.symlink_to(target)
            if outcome:
                self.expect(kind, f"a link: {name}", link, outcome)
        for name in ["new\nline", "quo\"te'", "tab\t", "esc\x1b[31m", "$(id)", "-x", "é", "日本", "a" * 250, " ", "%s%n", "\\"]:
            path = self.file(f"names/{name}.wav", SEVEN.read_bytes())
            self.expect(kind, f"the name {name!r}", path, "same")
        self.expect(kind, "a path of 5,000 characters", self.folder / ("a/" * 2500) / "x.wav", "error")
        hidden = self.file("closed.wav", SEVEN.read_bytes())
        hidden.chmod(0)
        self.expect(kind, "an unreadable file", hidden, "same" if os.geteuid() == 0 else "Permission denied")
        # Beside others in a folder, each is a row.
        folder = self.file("mixed/a.wav", SEVEN.read_bytes()).parent
        (folder / "gone.wav").symlink_to("nowhere")
        Path(os.fsdecode(os.fsencode(folder) + b"/\xe9\xff.wav")).write_bytes(SEVEN.read_bytes())
        os.mkfifo(folder / "fifo.wav")
        (folder / "z.wav").write_bytes(SEVEN.read_bytes())
        kind.tried += 1
        result = self.classify(folder)
        if kind.watch(result, "a folder with a name that is not UTF-8", (3,)):
            rows = result.rows
            if len(rows) != 4 or sum("error" in row for row in rows) != 2:
                kind.note("lost", "a folder with a name that is not UTF-8", result.errors)
            for row in rows:
                kind.judge(row, "a folder with a name that is not UTF-8", os.fspath(folder))
        return kind

    def cut_samples(self):
        """A WAV file cut short is answered as the sound that is left."""
        kind = Kind("a WAV file cut short, against the same sound with a right header")
        whole = SEVEN.read_bytes()
        pairs = []
        for index in range(1, self.cuts):
            length = 44 + (len(whole) - 44) * index // self.cuts
            self.file(f"cuts/{index:04}-cut.wav", whole[:length])
            self.file(f"cuts/{index:04}-right.wav", wav(whole[44:length - (length - 44) % 2], rate=SEVEN_RATE))
            pairs.append(index)
        kind.tried = len(pairs)
        result = self.classify(self.folder / "cuts")
        if kind.watch(result, "cut WAV files"):
            rows = {os.path.basename(row["path"]): row for row in result.rows}
            for index in pairs:
                cut, right = rows[f"{index:04}-cut.wav"], rows[f"{index:04}-right.wav"]
                if cut.get("probabilities") != right.get("probabilities"):
                    kind.note("wrong", f"cut {index}", str(cut))
                else:
                    kind.judge(cut, f"cut {index}", os.fspath(self.folder))
        shutil.rmtree(self.folder / "cuts")
        return kind

    def audio_mutants(self):
        kind = Kind(f"audio fixtures ({len(AUDIO)}) cut and with bytes changed")
        for seed, fixture in enumerate(AUDIO):
            folder = self.folder / "mutants"
            names = []
            for name, data in mutants(fixture.read_bytes(), self.cuts, self.flips, seed):
                names.append(os.fspath(self.file(f"mutants/{name}{fixture.suffix}", data)))
            kind.tried += len(names)
            result = self.classify(folder, timeout=600)
            if kind.watch(result, fixture.name):
                rows = result.rows
                for row in rows:
                    kind.judge(row, f"{fixture.name} {row['path']}", row["path"])
                if sorted(row["path"] for row in rows) != sorted(names):
                    kind.note("lost", fixture.name, f"{len(rows)} rows for {len(names)} files")
            shutil.rmtree(folder)
        return kind

    # Models

    def model(self):
        """A model of few numbers, trained here."""
        path = self.folder / "small.safetensors"
        if not path.exists():
            result = run(
                self.program, "train", os.fspath(FIXTURES / "digits"), *DIGITS, "--hold-out", "voice=flite-slt", "--hidden", "4",
                "--layers", "1", "--epochs", "1", "-o", os.fspath(path), timeout=600)
            assert result.status == 0, result.errors
        return path.read_bytes()

    def use_model(self, kind, what, data, outcome="either"):
        kind.tried += 1
        path = self.file("model.safetensors", data)
        result = self.classify("--model", path, SEVEN, timeout=60)
        if not kind.watch(result, what, (0, 1)):
            return
        if result.output:
            if outcome == "error" and "error" not in result.rows[0]:
                kind.note("wrong", what, "a model that should be refused answers")
            kind.judge(result.rows[0], what, os.fspath(SEVEN))
        elif result.errors.startswith(f"auricle: {path}: ") and result.errors.count("\n") == 1 and outcome != "answer":
            kind.refused += 1
        else:
            kind.note("wrong", what, result.errors)

    def odd_models(self):
        kind = Kind("model files, by hand")
        whole = self.model()
        length = struct.unpack("<Q", whole[:8])[0]
        header, data = json.loads(whole[8:8 + length]), whole[8 + length:]
        names = [name for name in header if name != "__metadata__"]
        first = names[0]

        def with_tensor(**changes):
            return safetensors({**header, first: {**header[first], **changes}}, data)

        def with_metadata(key, text):
            return safetensors({**header, "__metadata__": {**header["__metadata__"], f"auricle.{key}": text}}, data)

        def with_model(**changes):
            return with_metadata("model", json.dumps({**json.loads(header["__metadata__"]["auricle.model"]), **changes}))

        def with_features(**changes):
            return with_metadata("features", json.dumps({**json.loads(header["__metadata__"]["auricle.features"]), **changes}))

        text = json.dumps(header).encode()
        values = struct.unpack(f"<{len(data) // 4}f", data)
        self.use_model(kind, "the model itself", whole, "answer")
        self.use_model(kind, "the same, written anew", safetensors(header, data), "answer")
        refused = {
            "nothing": b"", "seven bytes": whole[:7], "a length of 2^64": safetensors(text, data, 2**64 - 1),
            "a length of 2^63": safetensors(text, data, 2**63), "a length of the whole file": safetensors(text, data, len(text) + len(data)),
            "a length that is one too long": safetensors(text, data, len(text) + 1), "one too short": safetensors(text, data, len(text) - 1),
            "a header of 32 MiB": safetensors(text + b" " * (32 << 20), data),
            "objects nested 1,000,000 deep": safetensors(b'{"a":' * 1_000_000, data), "arrays nested 1,000,000 deep": safetensors(b'{"a":' + b"[" * 1_000_000, data),
            "a tensor twice": safetensors(text[:-1] + b"," + json.dumps({first: header[first]}).encode()[1:], data),
            "metadata twice": safetensors(text[:-1] + b', "__metadata__": {}}', data),
            "bytes left over": whole + b"\0" * 4, "bytes missing": whole[:-4],
            "tensors over each other": with_tensor(data_offsets=[0, 4]), "offsets swapped": with_tensor(data_offsets=header[first]["data_offsets"][::-1]),
            "offsets beyond the file": with_tensor(data_offsets=[0, 2**62]), "offsets below zero": with_tensor(data_offsets=[-4, 0]),
            "offsets that are no whole numbers": with_tensor(data_offsets=[0.5, 4.5]), "offsets of 2^64": with_tensor(data_offsets=[0, 2**64]),
            "a shape of 2^62 by 2^62": with_tensor(shape=[2**62, 2**62]), "a shape below zero": with_tensor(shape=[-1, -1]),
            "a shape of 10,000 ones": with_tensor(shape=[1] * 10_000), "no shape": with_tensor(shape=None), "another shape": with_tensor(shape=[1]),
            "type F16": with_tensor(dtype="F16"), "type I64": with_tensor(dtype="I64"), "no type": with_tensor(dtype=None),
            "a tensor missing": safetensors({name: value for name, value in header.items() if name != first}, data),
            "a tensor of another name": safetensors({("x" if name == first else name): value for name, value in header.items()}, data),
            "no metadata": safetensors({name: header[name] for name in names}, data),
            "weights that are NaN": safetensors(header, struct.pack("<f", float("nan")) * len(values)),
            "one weight that is infinite": safetensors(header, struct.pack("<f", float("inf")) + data[4:]),
            "a format of tomorrow": with_metadata("format", "2"), "a model that is no JSON": with_metadata("model", "{"),
            "a model nested deep": with_metadata("model", '{"a":' * 100_000), "features nested deep": with_metadata("features", "[" * 100_000),
            "labels nested deep": with_metadata("labels", "[" * 100_000), "a record that is none": with_metadata("training", "[]"),
            "labels that are none": with_metadata("labels", "7"), "a label missing": with_metadata("labels", json.dumps(list("012345678"))),
            "a label twice": with_metadata("labels", json.dumps(list("0123456788"))), "a million labels": with_metadata("labels", json.dumps(list(map(str, range(1_000_000))))),
            "2^40 units": with_model(hiddenSize=2**40), "16384 units": with_model(hiddenSize=16384), "0 units": with_model(hiddenSize=0),
            "units below zero": with_model(hiddenSize=-4), "64 layers": with_model(layers=64), "2^62 layers": with_model(layers=2**62),
            "2^62 classes": with_model(classCount=2**62), "an unknown cell": with_model(cell="transformer"), "an unknown member": with_model(extra=1),
            "units that are text": with_model(hiddenSize="4"), "units of 1e400": with_metadata("model", '{"inputSize":39,"classCount":10,"hiddenSize":1e400}'),
            "convolutions of any size": with_model(convolutions=[{"filters": 16384, "frames": 1024, "bins": 1024}] * 16),
            "a stride of 2^62": with_model(convolutions=[{"filters": 1, "frames": 1, "frameStride": 2**62}]),
            "features of another width": with_features(deltas={"order": 0, "halfWidth": 2}),
            "frames of 2^62 samples": with_features(frameLength=2**62), "a transform of 2^62": with_features(fftLength=2**62),
            "a hop of 0": with_features(hopLength=0), "a rate of 2^62": with_features(sampleRate=2**62), "0 Hz": with_features(sampleRate=0),
            "65,536 mel filters": with_features(fftLength=1 << 20, mel={"count": 65_536, "emptyFilters": "zero"}),
            "10^18 filters": with_features(mel={"count": 10**18}), "no cepstra": with_features(cepstrum={"count": 0}),
        }
        for what, changed in refused.items():
            self.use_model(kind, what, changed, "error")
        huge = struct.pack(f"<{len(values)}f", *(3e38 if value > 0 else -3e38 for value in values))
        self.use_model(kind, "weights of 3e38", safetensors(header, huge))
        self.use_model(kind, "weights of zero", safetensors(header, bytes(len(data))))
        self.use_model(kind, "subnormal weights", safetensors(header, struct.pack("<f", 1e-45) * len(values)))
        for device in ["/dev/null", "/dev/zero", os.fspath(self.folder), os.fspath(self.folder / "nowhere")]:
            kind.tried += 1
            result = self.classify("--model", device, SEVEN, timeout=120)
            if kind.watch(result, device, (1,)):
                kind.settle(result, device, refused=result.errors.startswith(f"auricle: {device}: "))
        return kind

    def model_mutants(self):
        kind = Kind("a model file cut and with bytes changed")
        for name, data in mutants(self.model(), self.cuts, self.flips, 1):
            self.use_model(kind, name, data)
        return kind

    # Texts

    def odd_manifests(self):
        kind = Kind("manifests, by hand")
        seven = os.fspath(SEVEN)
        rows = f"path,label\n{seven},7\n"
        other = self.folder / "other.wav"
        other.write_bytes(SEVEN.read_bytes())

        def check(what, data, outcome, name="list.csv", *options):
            """`outcome`: a part of the error, or how many rows come of it."""
            kind.tried += 1
            path = self.file(name, data if isinstance(data, bytes) else data.encode())
            result = run(self.program, "evaluate", os.fspath(path), "--predictions", "-", *options, timeout=60)
            if not kind.watch(result, what):
                return
            if isinstance(outcome, int):
                if len(result.rows) == outcome and result.status == (3 if any("error" in row for row in result.rows) else 0):
                    kind.answered += 1
                else:
                    kind.note("wrong", what, f"{result.output} {result.errors}")
            elif result.status == 1 and outcome in result.errors and f"{path}" in result.errors and not result.output:
                kind.refused += 1
            else:
                kind.note("wrong", what, f"{result.output} {result.errors}")

        check("plain", rows, 1)
        check("a byte-order mark", b"\xef\xbb\xbf" + rows.encode(), 1)
        check("CR LF", rows.replace("\n", "\r\n"), 1)
        check("CR", rows.replace("\n", "\r"), 1)
        check("no line end", rows.rstrip(), 1)
        check("blank lines", rows.replace("\n", "\n\n\n"), 1)
        check("quotes", f'"path","label"\n"{seven}","7"\n', 1)
        check("a quoted comma and line end", f'path,label,note\n{seven},7,"a, b\nc ""d"""\n', 1)
        check("columns in another order, in capitals", f"LABEL,Path\n7,{seven}\n", 1)
        check("a row twice", rows + f"{seven},7\n", 1)
        check("a row twice with two labels", rows + f"{seven},6\n", "line 3")
        check("a label missing", rows + f"{other}\n", "line 3: 1 cells")
        check("a label empty", rows + f"{other},\n", "line 3")
        check("a path empty", rows + ",7\n", "line 3")
        check("a cell too many", rows + f"{other},7,8\n", "line 3: 3 cells")
        check("no path column", f"sound,label\n{seven},7\n", "line 1: no 'path'")
        check("no label column", f"path,name\n{seven},7\n", "line 1: no 'label'")
        check("no header", f"{seven},7\n", "stands where the names of the columns should")
        check("a column twice", f"path,path,label\n{seven},{seven},7\n", "line 1")
        check("a quote never closed", rows + f'"{other},7\n', "line 3: a quotation mark is never closed")
        check("text after a quote", rows + f'"{other}"x,7\n', "line 3")
        check("a NUL", rows + f"{other}\0.txt,7\n", "line 3: a NUL")
        check("Latin-1", rows.encode() + b"caf\xe9.wav,7\n", "line 3: not UTF-8")
        check("UTF-16", rows.encode("utf-16"), "line 1: not UTF-8")
        check("nothing", "", "lists no files")
        check("a header alone", "path,label\n", "lists no files")
        check("zeros", b"\0" * 1000, "line 1")
        check("a split that is none", f"path,label,split\n{seven},7,maybe\n", "line 2")
        check("a missing file", rows + "nowhere.wav,7\n", 2)
        check("a folder", rows + "/tmp,7\n", 2)
        check("a device", rows + "/dev/null,7\n", 2)
        check("a path of 100,000 characters", rows + "a" * 100_000 + ",7\n", 2)
        check("100,000 columns", "path,label," + ",".join(f"c{i}" for i in range(100_000)) + f"\n{seven},7" + "," * 100_000 + "\n", 1)
        check("JSON", json.dumps({"path": seven, "label": "7"}), 1, "list.jsonl")
        check("JSON with a number", json.dumps({"audio_filepath": seven, "label": 7}), 1, "list.jsonl")
        check("JSON that is an array", "[1]", "line 1", "list.jsonl")
        check("JSON cut short", json.dumps({"path": seven, "label": "7"}) + '\n{"path": "x', "line 2", "list.jsonl")
        check("JSON without a label", json.dumps({"path": seven}), "line 1", "list.jsonl")
        check("JSON nested deep", '{"path":' + "[" * 100_000, "line 1", "list.jsonl")
        check("JSON with a NUL", json.dumps({"path": seven + "\0x", "label": "7"}), "line 1: a NUL", "list.jsonl")
        check("tabs", rows.replace(",", "\t"), 1, "list.tsv")
        root = ["--root", os.fspath(FIXTURES)]
        check("a path inside the root", rows, 1, "list.csv", *root)
        check("an absolute path outside the root", rows + f"{other},7\n", "line 3", "list.csv", *root)
        check("a path that climbs out of the root", rows + f"{FIXTURES}/../x.wav,7\n", "line 3", "list.csv", *root)
        check("a missing path that climbs out of the root", rows + f"{FIXTURES}/no/../../x.wav,7\n", "line 3", "list.csv", *root)
        (self.folder / "inside").mkdir()
        (self.folder / "inside" / "link.wav").symlink_to(other)
        check("a link out of the root", f"path,label\n{self.folder}/inside/link.wav,7\n", "line 2", "list.csv", "--root", f"{self.folder}/inside")
        return kind

    def text_mutants(self, kind, data, name, *command):
        for what, changed in mutants(data, self.cuts, self.flips, 3):
            kind.tried += 1
            path = self.file(name, changed)
            result = run(self.program, *command, os.fspath(path), timeout=60)
            if kind.watch(result, f"{name} {what}"):
                kind.settle(
                    result, f"{name} {what}", answered=result.status != 1, refused=result.errors.startswith("auricle: "))

    def manifest_mutants(self):
        kind = Kind("manifests cut and with bytes changed")
        files = sorted((FIXTURES / "digits").glob("*_flite-slt_*.wav"))
        (self.folder / "digits").symlink_to(FIXTURES / "digits")
        table = "path,label,split\n" + "".join(f"digits/{file.name},{file.name[0]},test\n" for file in files)
        lines = "".join(json.dumps({"path": f"digits/{file.name}", "label": file.name[0]}) + "\n" for file in files)
        for name, text in [("list.csv", table), ("list.tsv", table.replace(",", "\t")), ("list.jsonl", lines)]:
            self.text_mutants(kind, text.encode(), name, "evaluate")
        return kind

    def prediction_mutants(self):
        kind = Kind("files of predictions cut and with bytes changed")
        for name in ["predictions.jsonl", "predictions.csv"]:
            path = self.folder / name
            run(self.program, "evaluate", os.fspath(FIXTURES / "digits"), *DIGITS, "--only", "voice=flite-slt", "--predictions", os.fspath(path))
            self.text_mutants(kind, path.read_bytes(), name, "evaluate", "--from")
        return kind

    def archive_mutants(self):
        """What stands in an archive's place is refused and left alone, or continued to a whole archive."""
        kind = Kind("archives of features (npz, ark) cut and with bytes changed, then continued")
        for ending in ["npz", "ark"]:
            path = self.folder / f"all.{ending}"
            command = [self.program, "features", os.fspath(FIXTURES / "audio" / "word.wav"), "-o", os.fspath(path)]
            assert run(*command).status == 0
            whole = path.read_bytes()
            for part in ["", ".part"]:
                for what, changed in mutants(whole, self.cuts // 2, self.flips // 2, 4):
                    kind.tried += 1
                    for old in self.folder.glob("*all.*"):
                        old.unlink()
                    before = self.file(f"all.{ending}{part}", changed)
                    result = run(self.program, "features", os.fspath(SEVEN), "-o", os.fspath(path), timeout=60)
                    what = f"{ending}{part} {what}"
                    if not kind.watch(result, what, (0, 1)):
                        continue
                    if result.status == 1:
                        if result.errors.startswith("auricle: ") and before.exists() and before.read_bytes() == changed:
                            kind.refused += 1
                        else:
                            kind.note("lost", what, result.errors)
                    elif self.is_whole(path, ending):
                        kind.answered += 1
                    else:
                        kind.note("wrong", what, "the archive cannot be read")
        return kind

    def is_whole(self, path, ending):
        if ending == "npz":
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                return "seven.npy" in names and archive.read("seven.npy").startswith(b"\x93NUMPY")
        script = path.with_suffix(".scp").read_text(errors="replace").splitlines()
        place = [line.rsplit(":", 1)[1] for line in script if line.startswith("seven ")]
        return len(place) == 1 and path.read_bytes()[int(place[0]):].startswith(b"\0BFM ")

    def checkpoint_mutants(self):
        kind = Kind("a training checkpoint cut and with bytes changed, then resumed")
        checkpoint = self.folder / "run"
        command = [
            self.program, "train", os.fspath(FIXTURES / "digits"), *DIGITS, "--hold-out", "voice=flite-slt", "--hidden", "2",
            "--layers", "1", "--epochs", "1", "-o", os.fspath(self.folder / "trained.safetensors"), "--checkpoint", os.fspath(checkpoint),
        ]
        assert run(*command, timeout=600).status == 0
        whole = (checkpoint / "checkpoint.safetensors").read_bytes()
        for what, changed in mutants(whole, self.cuts // 10, self.flips // 10, 5):
            kind.tried += 1
            self.file("run/checkpoint.safetensors", changed)
            result = run(*command, "--resume", timeout=60)
            if kind.watch(result, what, (0, 1)):
                kind.settle(
                    result, what, answered=result.status == 0,
                    refused=result.status == 1 and result.errors.splitlines()[-1].startswith("auricle: "))
        return kind

    def odd_configurations(self):
        kind = Kind("feature configurations (--config) cut and with bytes changed")
        whole = run(self.program, "features", "--print-config").output
        for what, changed in mutants(whole, self.cuts, self.flips, 6):
            kind.tried += 1
            path = self.file("features.json", changed)
            result = run(self.program, "features", "--config", os.fspath(path), os.fspath(SEVEN), timeout=60)
            if kind.watch(result, what, (0, 1)):
                kind.settle(
                    result, what, answered=result.status == 0 and b"nan" not in result.output and b"inf" not in result.output,
                    refused=result.status == 1 and result.errors.startswith("auricle: "))
        return kind

    # Batch runs

    def batch(self):
        kind = Kind("full disks and closed pipes")
        digits = os.fspath(FIXTURES / "digits")
        seven = os.fspath(SEVEN)

        def small_files():
            # The system's way to say that a file may not grow.
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

        out = os.fspath(self.folder / "out")
        commands = {
            "classify": ["classify", "--json", digits], "classify, one file": ["classify", seven],
            "features": ["features", digits, "-o", out], "features to text": ["features", seven],
            "evaluate": ["evaluate", digits, *DIGITS, "--predictions", "-"], "evaluate, at the end": ["evaluate", digits, *DIGITS],
            "inspect": ["inspect", seven], "print-config": ["features", "--print-config"],
        }
        for what, command in commands.items():
            kind.tried += 2
            reader, writer = os.pipe()
            os.close(reader)
            result = run(self.program, *command, stdout=writer)
            os.close(writer)
            if kind.watch(result, f"{what} to a closed pipe", (141,)):
                kind.refused += 1
            with open("/dev/full", "wb") as full:
                result = run(self.program, *command, stdout=full)
            if kind.watch(result, f"{what} to a full disk", (1,)):
                kind.settle(result, f"{what} to a full disk", refused="No space left on device" in result.errors)
        shutil.rmtree(out, ignore_errors=True)
        files = {
            "features npy": ["features", digits, "--kind", "spectrogram", "-o", f"{out}/"],
            "features npz": ["features", digits, "-o", f"{out}/all.npz"], "features ark": ["features", digits, "-o", f"{out}/all.ark"],
            "predictions": ["evaluate", digits, *DIGITS, "--predictions", f"{out}/p.jsonl"],
            "report": ["evaluate", digits, *DIGITS, "--report", f"{out}/r.html"],
            "confusion": ["evaluate", digits, *DIGITS, "--confusion", f"{out}/c.png", "--report", f"{out}/r.json"],
            "plot": ["features", seven, "--plot", f"{out}/p.svg"],
            "model": ["train", digits, *DIGITS, "--hidden", "16", "--layers", "1", "--epochs", "1", "-o", f"{out}/m.safetensors"],
            "checkpoint": ["train", digits, *DIGITS, "--hidden", "16", "--layers", "1", "--epochs", "1", "-o", f"{out}/m.safetensors", "--checkpoint", f"{out}/run"],
        }
        for what, command in files.items():
            kind.tried += 1
            os.makedirs(out)
            result = run(self.program, *command, limits=small_files, timeout=300)
            if kind.watch(result, f"{what} where files may not grow"):
                written = [path for path in Path(out).rglob("*") if path.is_file() and path.stat().st_size == 20_000]
                left = [path for path in written if not path.name.endswith((".part", ".jsonl"))]
                if result.status == 0 and what not in ("plot", "confusion"):
                    kind.note("wrong", f"{what} where files may not grow", "says that all is well")
                elif left or [path for path in Path(out).rglob("*.part") if not path.name.startswith("all.")]:
                    kind.note("wrong", f"{what} where files may not grow", f"left {left or os.listdir(out)}")
                else:
                    kind.refused += 1
            shutil.rmtree(out)
        return kind

    def vanishing(self):
        """Files that are gone by the time they are read, and files that appear."""
        kind = Kind("files that vanish during the run")
        folder = self.folder / "vanishing"
        folder.mkdir()
        names = [os.fspath(folder / f"{index:04}.wav") for index in range(2000)]
        for name in names:
            os.link(SEVEN, name) if os.stat(SEVEN).st_dev == os.stat(folder).st_dev else shutil.copy(SEVEN, name)
        kind.tried = len(names)
        process = subprocess.Popen(
            [self.program, "classify", "--json", "-j", "2", os.fspath(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = process.stdout.readline()
        for name in reversed(names):
            os.unlink(name)
        rows = [json.loads(line) for line in [first, *process.stdout]]
        if process.wait() not in (0, 3):
            kind.note("crashed", "vanishing files", f"status {process.returncode}")
        if [row["path"] for row in rows] != names:
            kind.note("lost", "vanishing files", f"{len(rows)} rows")
        for row in rows:
            kind.judge(row, row["path"], row["path"])
            if row.get("probabilities", self.expected) != self.expected:
                kind.note("wrong", row["path"], "another answer")
        return kind


if __name__ == "__main__":
    main()
