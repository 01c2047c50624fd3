"""Lets numpy, kaldiio and a reader of HTK files read what `auricle features` writes, and compares the numbers; does so
again after interruptions, and decodes a picture.

    pip install numpy kaldiio
    python Tests/FeatureFilesTests/interoperability.py .build/release/auricle

Ends with status 1, and says where, at any difference.
"""

import csv
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import xml.dom.minidom
import zlib

import kaldiio
import numpy

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"
SOUNDS = FIXTURES / "digits"


def auricle(*arguments, status=0):
    run = subprocess.run([PROGRAM, "features", *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == status, f"auricle features {arguments}: status {run.returncode}: {run.stderr}"
    return run.stdout, run.stderr


def read_htk(path):
    """The HTK Book, section 5.10.1."""
    data = path.read_bytes()
    frames, period, size, kind = struct.unpack(">iihh", data[:12])
    assert len(data) == 12 + frames * size and size % 4 == 0
    return numpy.frombuffer(data[12:], ">f4").reshape(frames, size // 4), period, kind


def read_png(path):
    """Width, height and RGB rows of a PNG without filters, checksums verified."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,), name = struct.unpack(">I", data[place:place + 4]), data[place + 4:place + 8]
        body = data[place + 8:place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length:place + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name], place = body, place + 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = numpy.frombuffer(zlib.decompress(chunks[b"IDAT"]), "uint8").reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def same(found, expected):
    assert found.dtype.newbyteorder("=") == numpy.float32 and numpy.array_equal(found, expected)


def check(folder, options, kind):
    """All formats hold the same numbers under the same names."""
    arrays = folder / "npy"
    auricle(SOUNDS, "-o", arrays, *options)
    expected = {path.relative_to(arrays).with_suffix("").as_posix(): numpy.load(path)
                for path in sorted(arrays.rglob("*.npy"))}
    assert set(expected) == {path.stem for path in SOUNDS.glob("*.wav")}

    auricle(SOUNDS, "-o", folder / "all.npz", *options)
    with numpy.load(folder / "all.npz") as archive:
        assert list(archive) == list(expected) and archive.zip.testzip() is None
        for name in archive:
            same(archive[name], expected[name])

    auricle(SOUNDS, "-o", folder / "all.ark", *options)
    script = kaldiio.load_scp(str(folder / "all.scp"))
    assert list(script) == list(expected)
    for name, array in kaldiio.load_ark(str(folder / "all.ark")):
        same(array, expected[name])
        same(script[name], expected[name])

    auricle(SOUNDS, "-o", folder / "htk", "--format", "htk", *options)
    auricle(SOUNDS, "-o", folder / "csv", "--format", "csv", *options)
    for name, array in expected.items():
        found, period, found_kind = read_htk(folder / "htk" / f"{name}.htk")
        same(found, array)
        assert (period, found_kind) == (100_000, kind), (name, period, oct(found_kind))
        rows = list(csv.reader((folder / "csv" / f"{name}.csv").open()))
        assert rows[0] == [f"c{index}" for index in range(array.shape[1])]
        same(numpy.array(rows[1:], dtype="float32"), array)
    return expected


def check_resume(folder, options):
    """What was cut short is continued to the same bytes, on one thread or four; what is whole is skipped."""
    for ending in ("npz", "ark"):
        path = folder / f"all.{ending}"
        whole = path.read_bytes()
        for share, jobs in ((0.0, 1), (0.31, 4), (0.77, 1), (1.0, 2)):
            path.unlink()
            path.with_name(path.name + ".part").write_bytes(whole[:int(share * len(whole))])
            auricle(SOUNDS, "-o", path, "--jobs", jobs, *options)
            assert path.read_bytes() == whole, (ending, share)
        _, summary = auricle(SOUNDS, "-o", path, *options)
        assert "0 files written, 340 already there, 0 failed" in summary, summary
    file = sorted((folder / "npy").glob("*.npy"))[3]
    whole = file.read_bytes()
    file.write_bytes(whole[:-4])
    _, summary = auricle(SOUNDS, "-o", folder / "npy", *options)
    assert "1 files written, 339 already there" in summary and file.read_bytes() == whole, summary


def check_failures(folder):
    """Bad files are a line each, and the rest is done."""
    manifest = folder / "list.jsonl"
    rows = [(FIXTURES / "seven.wav", "good"), (FIXTURES / "audio/text.wav", "bad"), (FIXTURES / "missing.wav", "gone")]
    manifest.write_text("".join(json.dumps({"audio_filepath": str(path), "id": name}) + "\n" for path, name in rows))
    for target in ("failures.npz", "failures"):
        output, errors = auricle(manifest, "-o", folder / target, "--json", status=3)
        lines = [json.loads(line) for line in output.splitlines()]
        assert [line["name"] for line in lines] == ["good", "bad", "gone"]
        assert ["error" in line for line in lines] == [False, True, True] and len(errors.splitlines()) == 4, errors
    with numpy.load(folder / "failures.npz") as archive:
        assert list(archive) == ["good"]


def check_pictures(folder):
    for kind in ("spectrogram", "mel", "logmel", "mfcc"):
        auricle(FIXTURES / "seven.wav", "--kind", kind, "--plot", folder / f"{kind}.png")
        pixels = read_png(folder / f"{kind}.png")
        assert pixels.shape == (840, 1800, 3) and len(numpy.unique(pixels.reshape(-1, 3), axis=0)) > 50
        auricle(FIXTURES / "seven.wav", "--kind", kind, "--plot", folder / f"{kind}.svg")
        xml.dom.minidom.parse(str(folder / f"{kind}.svg"))


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    options = ("--preset", "htk")
    check(folder, options, 6 | 0o20000 | 0o400 | 0o1000)  # MFCC_0_D_A
    check_resume(folder, options)
    check(folder / "logmel", ("--preset", "kaldi", "--kind", "logmel"), 7)  # FBANK
    check(folder / "speech", (), 9 | 0o400 | 0o1000)  # USER_D_A: coefficient 0 is not where HTK has it
    check_failures(folder)
    check_pictures(folder)
print("interoperability: npy, npz, csv, HTK and Kaldi archives agree; pictures decode")
