"""Writes Fixtures/audio/: one spoken word in many formats, and files with something wrong.

Needs espeak-ng, sox, and Python with numpy and soundfile:  python Fixtures/make_odd_files.py
Made with espeak-ng 1.51, sox 14.4.2, soundfile with libsndfile 1.2.2.
"""

import pathlib
import struct
import subprocess
import tempfile

import numpy
import soundfile

audio = pathlib.Path(__file__).parent / "audio"
audio.mkdir(exist_ok=True)


def sox(*arguments):
    subprocess.run(["sox", "-R", "-D", *map(str, arguments)], check=True)


def write(name, samples, rate, format, subtype):
    soundfile.write(audio / name, samples, rate, format=format, subtype=subtype)


# The word, mono, 16 bits, at three rates.
with tempfile.TemporaryDirectory() as folder:
    spoken = pathlib.Path(folder) / "spoken.wav"
    subprocess.run(["espeak-ng", "-v", "en", "-s", "220", "-w", spoken, "six"], check=True)
    at = {}
    for rate in (8000, 16000, 44100):
        path = pathlib.Path(folder) / f"{rate}.wav"
        sox(spoken, "-b", "16", path, "silence", "1", "0.01", "0.1%", "trim", "0", "0.4", "gain", "-n", "-3",
            "rate", "-v", rate)
        at[rate] = soundfile.read(path, dtype="int16")[0]

word = at[16000]
write("word.wav", word, 16000, "WAV", "PCM_16")
write("word-24-bit.wav", word.astype("int32") << 16, 16000, "WAV", "PCM_24")
write("word-float.wav", word / numpy.float32(32768), 16000, "WAV", "FLOAT")
write("word.aiff", word, 16000, "AIFF", "PCM_16")
write("word.au", word, 16000, "AU", "PCM_16")
write("word.caf", word, 16000, "CAF", "PCM_16")
write("word.rf64", word, 16000, "RF64", "PCM_16")
write("word.w64", word, 16000, "W64", "PCM_16")
write("word.flac", word, 16000, "FLAC", "PCM_16")
write("word.ogg", word, 16000, "OGG", "VORBIS")
write("word.opus", word, 16000, "OGG", "OPUS")
write("word.mp3", word, 16000, "MP3", "MPEG_LAYER_III")
write("word-8k.wav", at[8000], 8000, "WAV", "PCM_16")
write("word-mu-law.wav", at[8000], 8000, "WAV", "ULAW")
write("word-a-law.wav", at[8000], 8000, "WAV", "ALAW")

# Left is the word, right is half of it upside down: their mean is a quarter of the word.
left = at[44100]
write("word-stereo-44k.wav", numpy.stack([left, -(left // 2)], axis=1), 44100, "WAV", "PCM_16")

# Something wrong.
whole = (audio / "word.wav").read_bytes()
(audio / "truncated.wav").write_bytes(whole[: len(whole) // 2 + 1])
(audio / "header-only.wav").write_bytes(whole[:40] + struct.pack("<I", 0))
flac = (audio / "word.flac").read_bytes()
(audio / "truncated.flac").write_bytes(flac[: len(flac) // 2])
(audio / "text.wav").write_text("This is not a sound.\nIt only has the name of one – with an en dash.\n")
(audio / "empty.wav").write_bytes(b"")
header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 2**32 - 1, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8,
                     b"data", 2**32 - 8)
(audio / "promises-4-billion-frames.wav").write_bytes(header + bytes(range(128, 228)))
# STREAMINFO ends in a 36-bit sample count and an MD5 sum; it begins at byte 8.
promise = bytearray(flac)
promise[8 + 13] |= 0x0F
promise[8 + 14 : 8 + 18] = b"\xff" * 4
(audio / "promises-68-billion-frames.flac").write_bytes(promise)
spoiled = (word[:2000] / numpy.float32(32768)).astype("float32")
spoiled[800] = numpy.nan
write("nan.wav", spoiled, 16000, "WAV", "FLOAT")
