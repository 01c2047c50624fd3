"""Writes Fixtures/digits/ and Fixtures/seven.wav: the words zero to nine, spoken by synthetic voices.

Needs espeak-ng, flite, sox, and Python with numpy:  python Fixtures/make_digits.py
Made with espeak-ng 1.51, flite 2.2, sox 14.4.2 and numpy 2.4.6. The same versions give the same bytes.

`{digit}_{voice}_{take}.wav`: 16 kHz, mono, 16 bits. Every voice says every digit twice; speed, pitch, loudness and
background noise are drawn at random for each file, from a generator seeded with the file's own name.
"""

import pathlib
import random
import subprocess
import tempfile
import wave

import numpy

WORDS = "zero one two three four five six seven eight nine".split()
RATE = 16000
TAKES = 2
LONGEST = 1.2  # seconds
MARGIN = RATE * 25 // 1000  # samples of near silence kept before and after the word

# Every English accent of espeak-ng, each voice variant once. The variants m2 and f2 to f5 are not used: they add
# an echo, which would fill the end of each recording. m8 is left for seven.wav.
ESPEAK = {
    "en-m1": "en+m1",
    "en-linda": "en+linda",
    "en-us-m7": "en-us+m7",
    "en-us-f1": "en-us+f1",
    "en-nyc-m6": "en-us-nyc+m6",
    "en-rp-m5": "en-gb-x-rp+m5",
    "en-rp-belinda": "en-gb-x-rp+belinda",
    "en-scotland-m3": "en-gb-scotland+m3",
    "en-scotland-steph": "en-gb-scotland+steph",
    "en-lancaster-annie": "en-gb-x-gbclan+Annie",
    "en-midlands-klatt": "en-gb-x-gbcwmd+klatt",
    "en-caribbean-m4": "en-029+m4",
}
FLITE = {f"flite-{voice}": voice for voice in ("kal", "kal16", "awb", "rms", "slt")}


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True).stdout


def spoken(word, voice, draw, path):
    """The word as the synthesiser says it, at 16 kHz, in -1 ... 1. `draw` decides speed and pitch."""
    if voice in FLITE:
        stretch, cents = draw.uniform(0.75, 1.1), draw.uniform(-150, 150)
        run("flite", "-voice", FLITE[voice], "--setf", f"duration_stretch={stretch:.3f}", "-t", word, "-o", path)
        effects = ["pitch", f"{cents:.0f}"]
    else:
        speed, pitch = draw.randint(150, 230), draw.randint(30, 70)
        run("espeak-ng", "-v", ESPEAK.get(voice, voice), "-s", speed, "-p", pitch, "-w", path, word)
        effects = []
    raw = run("sox", "-R", "-D", "-G", path, "-t", "raw", "-e", "float", "-b", 32, "-L", "-", *effects, "rate", RATE)
    return numpy.frombuffer(raw, "<f4").astype("float64")


def trimmed(samples):
    """The part whose level over 10 ms is above 1/125 of the peak (-42 dB), with a short margin on either side."""
    window = RATE // 100
    level = numpy.sqrt(numpy.convolve(samples ** 2, numpy.ones(window) / window, "same"))
    loud = numpy.flatnonzero(level > abs(samples).max() / 125)
    return samples[max(loud[0] - MARGIN, 0):loud[-1] + 1 + MARGIN]


def recording(word, voice, name):
    """One finished recording as 16-bit integers."""
    draw = random.Random(name)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        samples = trimmed(spoken(word, voice, draw, file.name))
    peak, noise_decibels = draw.uniform(0.2, 0.9), draw.uniform(-60, -30)
    samples = samples * peak / abs(samples).max()
    if draw.random() < 0.7:  # white noise, 30 to 60 dB below the peak
        noise = numpy.random.default_rng(draw.getrandbits(64)).standard_normal(len(samples))
        samples = samples + noise * peak * 10 ** (noise_decibels / 20)
    return numpy.clip(numpy.rint(samples * 32767), -32768, 32767).astype("<i2")


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


here = pathlib.Path(__file__).parent
digits = here / "digits"
digits.mkdir(exist_ok=True)
for old in digits.glob("*.wav"):
    old.unlink()

for digit, word in enumerate(WORDS):
    for voice in (*ESPEAK, *FLITE):
        for take in range(TAKES):
            name = f"{digit}_{voice}_{take}.wav"
            samples = recording(word, voice, name)
            assert 0.1 * RATE < len(samples) < LONGEST * RATE, f"{name} has {len(samples)} samples"
            write(digits / name, samples)
write(here / "seven.wav", recording("seven", "en-us+m8", "seven.wav"))  # a voice the data set does not have

sizes = [file.stat().st_size for file in digits.glob("*.wav")]
print(f"{len(sizes)} files, {sum(sizes):,} bytes")
