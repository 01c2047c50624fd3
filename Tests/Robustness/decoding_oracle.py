"""Decodes hundreds of sound files, good and damaged, with ffmpeg and with Auricle, and compares samples.

    swift build -c release --package-path Tests/Robustness/Decoder
    python Tests/Robustness/decoding_oracle.py [--keep FOLDER] [--only KIND]

Needs ffmpeg, sox and numpy. Every file must either give the samples that ffmpeg gives (of the file itself, or, where it is
damaged, of the sound files it was made from), or be refused, or come with a warning. Anything else is a silent
disagreement, and the script fails.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy

here = pathlib.Path(__file__).parent
decoder = here / "Decoder/.build/release/decoder"
# Opus: the difference's part of the whole (RMS), where one decoder resamples and the other does not.
resampled = 0.08
rates = [8000, 11025, 16000, 22050, 32000, 44100, 48000]


def run(*arguments):
    subprocess.run([*map(str, arguments)], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def sound(rate, channels, seed, seconds=0.9):
    """Tones that glide, noise that comes and goes, a pause: other in every channel."""
    random = numpy.random.default_rng(seed)
    time = numpy.arange(int(seconds * rate)) / rate
    columns = []
    for channel in range(channels):
        low = 150 + 70 * random.random() + 60 * channel
        glide = numpy.sin(2 * numpy.pi * (low * time + 300 * time**2))
        noise = random.standard_normal(len(time)) * (numpy.sin(7 * time + channel) > 0.4)
        pause = (time < 0.35) | (time > 0.45)
        columns.append((0.35 * glide + 0.08 * noise) * pause)
    return numpy.stack(columns, axis=1)


def source(folder, rate, channels, seed, seconds=0.9):
    path = folder / f"source-{rate}-{channels}-{seed}-{seconds}.wav"
    if not path.exists():
        samples = (sound(rate, channels, seed, seconds) * 32767).clip(-32768, 32767).astype("<i2")
        header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + samples.nbytes, b"WAVE", b"fmt ", 16, 1, channels, rate,
                             rate * 2 * channels, 2 * channels, 16, b"data", samples.nbytes)
        path.write_bytes(header + samples.tobytes())
    return path


def ffmpeg(path, channels, *options, rate=None):
    """The mean of the channels, as ffmpeg decodes them; nothing when it fails."""
    command = ["ffmpeg", "-v", "error", *options, "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-c:a", "pcm_f32le",
               *(["-ar", str(rate)] if rate else []), "-"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    samples = numpy.frombuffer(done.stdout[: len(done.stdout) // (4 * channels) * 4 * channels], "<f4")
    return samples.reshape(-1, channels).astype("float64").mean(axis=1)


def ffmpeg_bytes(data, channels):
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(data)
        file.flush()
        return ffmpeg(file.name, channels)


def sox(path, channels):
    """The same by sox, whose Vorbis ends where the stream says, as ffmpeg's does not."""
    done = subprocess.run(["sox", str(path), "-t", "f32", "-"], capture_output=True, stdin=subprocess.DEVNULL)
    return numpy.frombuffer(done.stdout, "<f4").reshape(-1, channels).astype("float64").mean(axis=1)


def decode(path, channels, rate):
    """By sox or ffmpeg. Opus is decoded at 48 kHz by ffmpeg, and at its header's rate by Auricle."""
    if path.suffix == ".ogg":
        return sox(path, channels)
    return ffmpeg(path, channels, rate=rate if path.suffix == ".opus" else None)


class Case:
    """A file, its kind, and what is right: `truth` is a list of samples that may be right, one of which is compared."""

    def __init__(self, kind, path, channels, truths, tolerance=2e-6, raw="", prefix=False):
        self.kind, self.path, self.channels, self.truths = kind, path, channels, truths
        self.tolerance, self.raw, self.prefix = tolerance, raw, prefix


class Maker:
    def __init__(self, folder):
        self.folder = folder
        self.cases = []
        self.count = 0

    def path(self, extension):
        self.count += 1
        return self.folder / f"{self.count:04}.{extension}"

    def encode(self, rate, channels, extension, *options, seed=1, seconds=0.9):
        path = self.path(extension)
        run("ffmpeg", "-v", "error", "-y", "-i", source(self.folder, rate, channels, seed, seconds), *options, path)
        return path

    def add(self, kind, path, channels, truths=None, **more):
        """Without truths, what ffmpeg gives for the file itself is right."""
        self.cases.append(Case(kind, path, channels, truths or [lambda: decode(path, channels, None)], **more))

    def bytes(self, kind, extension, data, channels, truths=None, **more):
        path = self.path(extension)
        path.write_bytes(data)
        self.add(kind, path, channels, truths, **more)

    # Clean files.

    def clean(self):
        for rate in rates:
            for channels in (1, 2):
                for codec in ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw",
                              "pcm_mulaw"):
                    self.add("WAV", self.encode(rate, channels, "wav", "-c:a", codec), channels)
                for codec in ("pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_s16le", "pcm_alaw"):
                    self.add("AIFF", self.encode(rate, channels, "aiff", "-c:a", codec), channels)
                for codec in ("pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_f32be", "pcm_mulaw"):
                    self.add("AU", self.encode(rate, channels, "au", "-c:a", codec), channels)
                for bits in ("s16", "s32"):
                    self.add("FLAC", self.encode(rate, channels, "flac", "-sample_fmt", bits), channels)
                self.add("CAF", self.encode(rate, channels, "caf", "-c:a", "pcm_s24be"), channels)
                self.add("W64", self.encode(rate, channels, "w64", "-c:a", "pcm_s24le"), channels)
                self.add("RF64", self.encode(rate, channels, "wav", "-rf64", "always"), channels)
                self.add("Vorbis", self.encode(rate, channels, "ogg", "-c:a", "libvorbis"), channels, tolerance=1e-4)
                self.add("FLAC in Ogg", self.encode(rate, channels, "oga", "-c:a", "flac"), channels)
                for options in (["-b:a", "64k"], ["-q:a", "4"], ["-b:a", "64k", "-write_xing", "0"],
                                ["-q:a", "2", "-write_xing", "0"]):
                    self.add("MP3", self.encode(rate, channels, "mp3", "-c:a", "libmp3lame", *options), channels,
                             tolerance=2e-4)
                if rate in (16000, 22050, 32000, 44100, 48000):
                    self.add("MPEG layer II", self.encode(rate, channels, "mp2", "-c:a", "mp2"), channels, tolerance=2e-4)
                self.add("WAV, ADPCM", self.encode(rate, channels, "wav", "-c:a", "adpcm_ms"), channels, tolerance=4e-3)
                self.add("WAV, ADPCM", self.encode(rate, channels, "wav", "-c:a", "adpcm_ima_wav"), channels, tolerance=4e-3)
            nist = self.path("sph")
            run("sox", source(self.folder, rate, 1, 1), nist)
            self.add("NIST", nist, 1)
            extensible = self.path("wav")
            run("sox", source(self.folder, rate, 6, 1), "-b", "24", extensible)
            self.add("WAV, six channels", extensible, 6)
        for rate in (8000, 12000, 16000, 24000, 48000):
            for channels in (1, 2):
                path = self.encode(rate, channels, "opus", "-c:a", "libopus")
                self.add("Opus", path, channels, [lambda p=path, c=channels, r=rate: decode(p, c, r)], tolerance=resampled)

    def raw(self):
        for rate, channels in ((8000, 1), (16000, 2), (44100, 2)):
            for name in ("s8", "u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be", "f64le",
                         "f64be", "alaw", "mulaw"):
                path = self.encode(rate, channels, "raw", "-f", name)
                options = ["-f", name, "-ar", str(rate), "-ac", str(channels)]
                self.add("raw", path, channels, [lambda p=path, c=channels, o=options: ffmpeg(p, c, *o)],
                         raw=f"{name}:{rate}:{channels}")

    # Damaged ones.

    def wav(self):
        for rate, channels in ((8000, 1), (16000, 1), (44100, 2), (48000, 2)):
            clean = source(self.folder, rate, channels, 3)
            samples = clean.read_bytes()[44:]
            truth = [lambda p=clean, c=channels: ffmpeg(p, c)]
            block = 2 * channels

            def chunk(name, data, size=None, pad=True):
                size = len(data) if size is None else size
                return name + struct.pack("<I", size) + data + (b"\0" if pad and len(data) % 2 else b"")

            def form(align=block, bits=16):
                return chunk(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, rate * block, align, bits))

            def riff(*chunks, size=None):
                body = b"WAVE" + b"".join(chunks)
                return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body

            data = chunk(b"data", samples)
            cue = chunk(b"cue ", struct.pack("<IIIIIII", 1, 1, 0, 0x61746164, 0, 0, 100))
            note = b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"
            odd = chunk(b"LIST", b"INFOINAM" + struct.pack("<I", 3) + b"abc\0")
            four = b"LIST" + struct.pack("<I", 17) + b"INFOINAM" + struct.pack("<I", 5) + b"abcde" + b"\0\0\0"
            tag1 = b"TAG" + b"title".ljust(125, b"\0")
            tag2 = b"ID3\3\0\0" + bytes([0, 0, 8, 10]) + bytes(8 * 128 + 10)
            ape = ape_tag()
            forms = {
                "data size 0": riff(form(), chunk(b"data", samples, 0)),
                "sizes 0": riff(form(), chunk(b"data", samples, 0), size=0),
                "data size 0xFFFFFFFF": riff(form(), chunk(b"data", samples, 0xFFFFFFFF), size=0xFFFFFFFF),
                "data size 0x7FFFFFFF": riff(form(), chunk(b"data", samples, 0x7FFFFFFF), size=0x7FFFFFFF),
                "data size too small": riff(form(), chunk(b"data", samples, 4 * block)),
                "data size a little small": riff(form(), chunk(b"data", samples, len(samples) - 50 * block)),
                "data size too large": riff(form(), chunk(b"data", samples, len(samples) + 1000)),
                "odd chunk before": riff(chunk(b"junk", b"abc"), form(), data),
                "odd chunk before, unpadded": riff(form(), chunk(b"junk", b"abc", pad=False), data),
                "LIST before": riff(form(), chunk(b"LIST", note), data),
                "LIST odd": riff(form(), odd, data),
                "LIST padded to four": riff(form(), four, data),
                "LIST after": riff(form(), data, chunk(b"LIST", note)),
                "LIST after, cut": riff(form(), data, chunk(b"LIST", note))[:-7],
                "cue after": riff(form(), data, cue),
                "cue and fact before": riff(form(), chunk(b"fact", b"\1\0\0\0"), cue, data),
                "fact odd": riff(form(), chunk(b"fact", b"\xff\xff\xff"), data),
                "fact of size 0": riff(form(), chunk(b"fact", b""), data),
                "zeros after": riff(form(), data) + bytes(777),
                "ID3v1 after": riff(form(), data) + tag1,
                "APE after": riff(form(), data) + ape,
                "ID3v2 before": tag2 + riff(form(), data),
                "ID3v2 twice before": tag2 * 2 + riff(form(), data),
                "ID3 chunk after": riff(form(), data, chunk(b"id3 ", tag2)),
                "another WAV after": riff(form(), data) + riff(form(), data),
                "garbage after": riff(form(), data) + noise(500, 3),
                "RIFF size 0": riff(form(), data, size=0),
                "RIFF size too small": riff(form(), data, size=100),
                "block align 0": riff(form(0), data),
                "block align too large": riff(form(block * 2), data),
                "block align 1": riff(form(1), data),
                "format chunk of 18": riff(chunk(b"fmt ", struct.pack("<HHIIHHH", 1, channels, rate, rate * block, block, 16, 0)), data),
                "truncated": riff(form(), data)[: -len(samples) // 3],
                "JUNK for ds64": riff(chunk(b"JUNK", bytes(28)), form(), chunk(b"data", samples, 0)),
                "big-endian": b"RIFX" + struct.pack(">I", 36 + len(samples)) + b"WAVEfmt " + struct.pack(
                    ">IHHIIHH4sI", 16, 1, channels, rate, rate * block, block, 16, b"data", len(samples))
                + numpy.frombuffer(samples, "<i2").astype(">i2").tobytes(),
            }
            for name, content in forms.items():
                kind = f"WAV, {name}"
                prefix = name == "truncated"
                self.bytes(kind, "wav", content, channels, truth, prefix=prefix)
            wide = numpy.frombuffer(samples, "<i2").astype("<i4") * 256
            narrow = chunk(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, rate * 4 * channels, 4 * channels, 24))
            self.bytes("WAV, 24 bits in four bytes, low", "wav", riff(narrow, chunk(b"data", wide.tobytes())), channels, truth)
            high = (wide * 256).tobytes()
            self.bytes("WAV, 24 bits in four bytes, high", "wav", riff(narrow, chunk(b"data", high)), channels, truth)

    def tagged(self):
        """Tags and the like around files of all formats."""
        tag2 = b"ID3\4\0\0" + bytes([0, 0, 16, 3]) + b"TIT2" + bytes(16 * 128 - 1)
        tag1 = b"TAG" + b"title".ljust(125, b"\0")
        for rate, channels in ((16000, 1), (44100, 2)):
            for name, extension, options, tolerance in (
                    ("AIFF", "aiff", [], 2e-6), ("AU", "au", [], 2e-6), ("FLAC", "flac", [], 2e-6),
                    ("CAF", "caf", [], 2e-6), ("W64", "w64", [], 2e-6), ("RF64", "wav", ["-rf64", "always"], 2e-6),
                    ("Vorbis", "ogg", ["-c:a", "libvorbis"], 1e-4), ("Opus", "opus", ["-c:a", "libopus"], resampled)):
                if name == "Opus" and rate == 44100:
                    continue
                clean = self.encode(rate, channels, extension, *options, seed=5)
                data = clean.read_bytes()
                truth = [lambda p=clean, c=channels, r=rate: decode(p, c, r)]
                for what, content in {
                    "ID3v2 before": tag2 + data, "ID3v1 after": data + tag1, "APE after": data + ape_tag(),
                    "zeros after": data + bytes(5000), "garbage after": data + noise(3000, 9),
                    "the same again": data + data, "truncated": data[: len(data) * 2 // 3],
                }.items():
                    self.bytes(f"{name}, {what}", extension, content, channels,
                               truth if what != "the same again" else twice(clean, clean, channels, rate),
                               tolerance=tolerance, prefix=what == "truncated")
                for seed in range(8):
                    if name in ("FLAC", "Vorbis", "Opus"):
                        self.bytes(f"{name}, bits changed", extension, flipped(data, seed), channels, truth,
                                   tolerance=tolerance)
            flac = bytearray(self.encode(rate, channels, "flac", seed=5).read_bytes())
            truth = [lambda r=rate, c=channels: ffmpeg(source(self.folder, r, c, 5), c)]
            for what, count in (("count 0", 0), ("count too small", 3000), ("count too large", 10**9)):
                flac[21] = flac[21] & 0xF0 | count >> 32
                flac[22:26] = (count & 0xFFFFFFFF).to_bytes(4, "big")
                self.bytes(f"FLAC, {what}", "flac", bytes(flac), channels, truth)
            au = bytearray(self.encode(rate, channels, "au", seed=5).read_bytes())
            for what, size in (("size -1", 0xFFFFFFFF), ("size 0", 0), ("size too small", 1000), ("size too large", 10**8)):
                au[8:12] = size.to_bytes(4, "big")
                self.bytes(f"AU, {what}", "au", bytes(au), channels, truth)
            aiff = self.encode(rate, channels, "aiff", seed=5).read_bytes()
            where, common = aiff.index(b"SSND"), aiff.index(b"COMM")
            for what, size in (("SSND size 0", 0), ("SSND size too small", 1008), ("SSND size too large", 10**8)):
                self.bytes(f"AIFF, {what}", "aiff", aiff[: where + 4] + size.to_bytes(4, "big") + aiff[where + 8:],
                           channels, truth)
            for what, count in (("frames 0", 0), ("frames too few", 1000), ("frames too many", 10**8)):
                self.bytes(f"AIFF, {what}", "aiff", aiff[: common + 10] + count.to_bytes(4, "big") + aiff[common + 14:],
                           channels, truth)

    def chained(self):
        for name, extension, options, tolerance in (
                ("Vorbis", "ogg", ["-c:a", "libvorbis"], 1e-4), ("Opus", "opus", ["-c:a", "libopus"], resampled),
                ("FLAC in Ogg", "oga", ["-c:a", "flac"], 2e-6), ("FLAC", "flac", [], 2e-6)):
            for channels in (1, 2):
                parts = [self.encode(16000, channels, extension, *options, seed=seed, seconds=length)
                         for seed, length in ((1, 0.9), (2, 0.4), (3, 1.3))]
                data = [part.read_bytes() for part in parts]
                for number in (2, 3):
                    self.bytes(f"{name}, chained", extension, b"".join(data[:number]), channels,
                               twice(*parts[:number], channels, 16000), tolerance=tolerance)
                self.bytes(f"{name}, chained with garbage between", extension, data[0] + noise(400, 4) + data[1], channels,
                           twice(*parts[:2], channels, 16000), tolerance=tolerance)
                other = self.encode(48000 if name != "Opus" else 16000, 3 - channels, extension, *options, seed=4)
                self.bytes(f"{name}, chained, other rate or channels", extension, data[0] + other.read_bytes(), channels,
                           [lambda: numpy.zeros(0)], tolerance=tolerance)

    def mp3(self):
        tag2 = b"ID3\4\0\0" + bytes([0, 0, 4, 0]) + b"TIT2" + bytes(4 * 128 - 4)
        tag1 = b"TAG" + b"title".ljust(125, b"\0")
        for rate, channels in ((8000, 1), (16000, 1), (22050, 2), (44100, 2), (48000, 1)):
            for options in (["-b:a", "64k"], ["-q:a", "3"], ["-q:a", "1", "-write_xing", "0"]):
                has_xing = "-write_xing" not in options
                options = ["-c:a", "libmp3lame", "-id3v2_version", "0", *options]
                first = self.encode(rate, channels, "mp3", *options, seed=6)
                second = self.encode(rate, channels, "mp3", *options, seed=7, seconds=0.5)
                data, more = first.read_bytes(), second.read_bytes()
                truth = [lambda p=first, c=channels: ffmpeg(p, c)]
                both = twice(first, second, channels, rate)
                forms = {
                    "ID3v2 before": (tag2 + data, truth), "ID3v1 after": (data + tag1, truth),
                    "APE after": (data + ape_tag(), truth), "APE and ID3v1 after": (data + ape_tag() + tag1, truth),
                    "APE before": (ape_tag(header=True) + data, truth), "zeros after": (data + bytes(3000), truth),
                    "zeros after ID3v1": (data + tag1 + bytes(3000), truth), "zeros before": (bytes(1000) + data, truth),
                    "garbage before": (noise(700, 1) + data, truth), "garbage after": (data + noise(700, 2), truth),
                    "text after": (data + b"This is not sound.\n" * 20, truth),
                    "two": (data + more, both), "two, ID3v1 between": (data + tag1 + more, both),
                    "two, ID3v2 between": (data + tag2 + more, both),
                    "two, all tags between": (data + ape_tag() + tag1 + tag2 + more, both),
                    "two, garbage between": (data + noise(500, 5) + more, both),
                    "two, zeros between": (data + bytes(500) + more, both),
                    "cut at the end": (data[:-50], truth), "cut in the middle": (data[: len(data) * 2 // 3], truth),
                }
                for what, (content, right) in forms.items():
                    if not has_xing and what.startswith("two"):
                        # Without headers, two are one: their frames overlap where they meet.
                        right = right + [lambda c=content, n=channels: ffmpeg_bytes(c, n)]
                    self.bytes(f"MP3, {what}", "mp3", content, channels, right, tolerance=2e-4, prefix="cut" in what)
                if has_xing:
                    place = max(data.find(b"Xing"), data.find(b"Info"))
                    for what, count in (("count 1", 1), ("count too small", 10), ("count too large", 100_000), ("count 0", 0)):
                        changed = data[: place + 8] + count.to_bytes(4, "big") + data[place + 12:]
                        # ffmpeg cuts in the middle what the count says is the end: right is that nothing is lost.
                        self.bytes(f"MP3, Xing {what}", "mp3", changed, channels, truth, tolerance=2e-4, prefix="extended")
                for seed in range(6):
                    kind = "MP3, bits changed" if has_xing else "MP3 without checksum, bits changed"
                    self.bytes(kind, "mp3", flipped(data, seed), channels, None, tolerance=2e-4)
            other = self.encode(32000, channels, "mp3", "-c:a", "libmp3lame", seed=8)
            self.bytes("MP3, two of different rates", "mp3", data + other.read_bytes(), channels, [lambda: numpy.zeros(0)])

    def foreign(self):
        for extension, options in (("m4a", ["-c:a", "aac"]), ("aac", ["-c:a", "aac"]), ("webm", ["-c:a", "libopus"]),
                                   ("mka", ["-c:a", "libvorbis"]), ("wma", ["-c:a", "wmav2"]), ("ac3", ["-c:a", "ac3"]),
                                   ("wav", ["-c:a", "adpcm_g726", "-ar", "8000", "-ac", "1"]),
                                   ("wav", ["-c:a", "wmav2"]), ("wav", ["-c:a", "aac"]), ("wav", ["-c:a", "libmp3lame"]),
                                   ("wav", ["-c:a", "ac3"]), ("caf", ["-c:a", "alac"]), ("m4a", ["-c:a", "alac"]),
                                   ("spx", ["-c:a", "libspeex"]), ("amr", ["-c:a", "libopencore_amrnb", "-ar", "8000"])):
            try:
                path = self.encode(16000, 1, extension, *options)
            except subprocess.CalledProcessError:
                continue
            self.add(f"{extension} of {options[1]}", path, 1, tolerance=2e-4)


def noise(count, seed):
    return numpy.random.default_rng(seed).integers(0, 256, count, dtype="uint8").tobytes()


def flipped(data, seed):
    """Some bits changed, not in the first kilobyte, where headers are."""
    changed = bytearray(data)
    random = numpy.random.default_rng(seed)
    for _ in range(1 + seed % 4):
        changed[int(random.integers(1000, len(data)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def ape_tag(header=False):
    item = struct.pack("<II", 5, 0) + b"Title\0" + b"sound"
    size = len(item) + 32
    flags = 1 << 31
    head = b"APETAGEX" + struct.pack("<IIII", 2000, size, 1, flags | 1 << 29) + bytes(8)
    foot = b"APETAGEX" + struct.pack("<IIII", 2000, size, 1, flags) + bytes(8)
    return head + item + foot


def twice(*arguments):
    *paths, channels, rate = arguments
    return [lambda: numpy.concatenate([decode(path, channels, rate) for path in paths])]


def judge(case, answer, samples):
    """`agrees`, `refused`, `warned` or `SILENT`, and what differs."""
    kind, *fields = answer.split("\t")
    if kind == "error":
        return "refused", fields[0]
    warning = fields[2]
    for truth in case.truths:
        truth = truth()
        count = min(len(truth), len(samples))
        worst = float(numpy.abs(truth[:count] - samples[:count]).max()) if count else 0
        # A file that was cut gives a beginning.
        lengths = len(truth) == len(samples) or case.prefix is True and 0 < len(samples) <= len(truth) \
            or case.prefix == "extended" and len(samples) >= len(truth)
        if case.tolerance == resampled and count:
            difference = truth[:count] - samples[:count]
            worst = float(numpy.sqrt((difference**2).mean() / (truth[:count] ** 2).mean()))
        if lengths and worst <= case.tolerance and (count or not len(truth)):
            return "agrees", ""
        what = f"{len(samples)} samples for {len(truth)}, they differ by {worst:.2g}"
    if warning:
        return "warned", f"{what} ({warning})"
    return "SILENT", what


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder that the files stay in")
    parser.add_argument("--only", default="", help="only kinds that begin so")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        maker = Maker(folder)
        for make in (maker.clean, maker.raw, maker.wav, maker.tagged, maker.chained, maker.mp3, maker.foreign):
            make()
        cases = [case for case in maker.cases if case.kind.startswith(arguments.only)]
        worker = subprocess.Popen([decoder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        requests = "".join(f"{case.path}\t{case.path}.f32\t{case.raw}\t\t\n" for case in cases)
        output, prints = worker.communicate(requests)
        answers = output.splitlines()
        assert len(answers) == len(cases), f"{len(cases)} files, {len(answers)} answers"

        def result(pair):
            case, answer = pair
            samples = numpy.fromfile(f"{case.path}.f32", "<f4") if answer.startswith("ok") else None
            return judge(case, answer, samples)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(result, zip(cases, answers)))
    table = collections.defaultdict(collections.Counter)
    for case, (outcome, what) in zip(cases, results):
        table[case.kind][outcome] += 1
        if outcome == "SILENT" or arguments.verbose and outcome != "agrees":
            print(f"{outcome}: {case.kind}: {case.path.name}: {what}")
    print("| kind | files | agree | refused | warned | silent |\n|---|---|---|---|---|---|")
    total = collections.Counter()
    for kind, counts in sorted(table.items()):
        total += counts
        print(f"| {kind} | {sum(counts.values())} | {counts['agrees']} | {counts['refused']} | {counts['warned']} | {counts['SILENT']} |")
    print(f"| all | {sum(total.values())} | {total['agrees']} | {total['refused']} | {total['warned']} | {total['SILENT']} |")
    if prints:
        print(f"{len(prints.splitlines())} lines of a decoder's own on standard error, such as: {prints.splitlines()[0]}")
    sys.exit(bool(total["SILENT"] or prints))


if __name__ == "__main__":
    main()
