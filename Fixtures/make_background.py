"""Sounds without speech, so that the bundled model learns what is no digit: silence, noise, hum, tones, clicks.

    python make_background.py FOLDER [COUNT]

Writes _background__KIND_INDEX.wav (8 kHz, mono, 16 bits, 0.2 to 2 s), the same bytes at every run. Needs numpy (2.4.6).
"""
import sys
import wave
from pathlib import Path

import numpy as np

RATE = 8000


def noise(random, count, slope):
    """Noise whose power falls by 3 dB times `slope` an octave."""
    spectrum = random.standard_normal(count // 2 + 1) + 1j * random.standard_normal(count // 2 + 1)
    return np.fft.irfft(spectrum / np.maximum(1, np.arange(count // 2 + 1)) ** (slope / 2), count)


def envelope(random, count):
    """Level, or rising and falling once or several times."""
    kind = random.integers(4)
    t = np.arange(count) / count
    if kind == 0:
        return np.ones(count)
    if kind == 1:
        return np.sin(np.pi * t) ** random.uniform(0.3, 3)
    if kind == 2:
        return np.exp(-t * random.uniform(1, 20))
    return 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(1, 12) * t * count / RATE)


def silence(random, count):
    return np.zeros(count)


def hiss(random, count):
    return noise(random, count, random.uniform(0, 2)) * envelope(random, count)


def band(random, count):
    """Noise of a narrow band, as of wind or of a machine."""
    low, high = np.sort(random.uniform(40, 3900, 2))
    spectrum = np.fft.rfft(noise(random, count, 0))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequency < low) | (frequency > high)] *= random.uniform(0, 0.1)
    return np.fft.irfft(spectrum, count) * envelope(random, count)


def tone(random, count):
    """One to four tones that have nothing to do with each other."""
    t = np.arange(count) / RATE
    tones = sum(
        random.uniform(0.2, 1) * np.sin(2 * np.pi * np.exp(random.uniform(np.log(60), np.log(3900))) * t)
        for _ in range(random.integers(1, 5))
    )
    return tones * envelope(random, count)


def single(random, count):
    t = np.arange(count) / RATE
    return np.sin(2 * np.pi * np.exp(random.uniform(np.log(60), np.log(3900))) * t)


def hum(random, count):
    """A fundamental and its harmonics, as of mains, an engine, an instrument."""
    t = np.arange(count) / RATE
    base = np.exp(random.uniform(np.log(45), np.log(600)))
    decay = random.uniform(0.3, 1.5)
    waves = [k ** -decay * np.sin(2 * np.pi * (base * k * t + random.uniform())) for k in range(1, int(3900 / base) + 1)]
    return sum(waves) * envelope(random, count)


def melody(random, count):
    """Notes after each other."""
    parts = []
    while sum(map(len, parts)) < count:
        parts.append(hum(random, int(RATE * random.uniform(0.06, 0.4))))
    return np.concatenate(parts)[:count]


def sweep(random, count):
    t = np.arange(count) / count
    low, high = np.exp(random.uniform(np.log(80), np.log(3800), 2))
    return np.sin(2 * np.pi * np.cumsum(low + (high - low) * t) / RATE) * envelope(random, count)


def clicks(random, count):
    x = np.zeros(count)
    for place in random.integers(0, count, random.integers(1, 12)):
        length = min(count - place, int(random.integers(1, 200)))
        x[place : place + length] += random.standard_normal(length) * np.exp(-np.arange(length) / random.uniform(2, 60))
    return x


KINDS = [silence, hiss, hiss, band, band, tone, single, hum, hum, melody, sweep, clicks]


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(int(sys.argv[2]) if len(sys.argv) > 2 else 600):
        random = np.random.default_rng(index)
        kind = KINDS[index % len(KINDS)]
        count = int(RATE * np.exp(random.uniform(np.log(0.2), np.log(2))))
        x = kind(random, count)
        peak = np.max(np.abs(x))
        if peak > 0:
            x = x / peak * 10 ** (random.uniform(-70, 0) / 20)
            if random.uniform() < 0.5:  # not quite alone
                x = x + 10 ** (random.uniform(-90, -40) / 20) * random.standard_normal(count)
        elif random.uniform() < 0.5:  # the last bits of a converter
            x = random.standard_normal(count) * 10 ** (random.uniform(-96, -70) / 20)
        with wave.open(str(folder / f"_background__{kind.__name__}_{index}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(np.clip(np.round(x * 32767), -32768, 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
