"""Writes Fixtures/containers/: sound whose containers are odd or damaged, each of a kind that users meet.

Needs ffmpeg and Fixtures/audio:  python Fixtures/make_containers.py
Made with ffmpeg 5.1.9. What can be built of bytes in a test is built there (`ContainerTests.swift`).
"""

import pathlib
import subprocess
import tempfile

audio = pathlib.Path(__file__).parent / "audio"
containers = audio.parent / "containers"
containers.mkdir(exist_ok=True)


def encode(*arguments, start=None, seconds=None):
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / arguments[-1]
        cut = ["-ss", start, "-t", seconds] if start else []
        subprocess.run(["ffmpeg", "-v", "error", "-i", audio / "word.wav", *cut, "-fflags", "+bitexact", "-flags:a",
                        "+bitexact", "-map_metadata", "-1", *arguments[:-1], target], check=True)
        return target.read_bytes()


def write(name, data):
    (containers / name).write_bytes(data)


mp3 = ["-c:a", "libmp3lame", "-id3v2_version", "0"]
# As an encoder leaves it that writes to a pipe: frames of many sizes, and no header that says how many.
write("variable-rate.mp3", encode(*mp3, "-q:a", "3", "-write_xing", "0", "a.mp3"))
whole = encode(*mp3, "-b:a", "48k", "a.mp3")
write("whole.mp3", whole)
write("other-rate.mp3", encode(*mp3, "-ar", "24000", "-b:a", "32k", "a.mp3"))
# Three bytes of the side information of the eighth frame.
place = [index for index in range(len(whole) - 1) if whole[index] == 0xFF and whole[index + 1] == whole[1]][8]
write("damaged-frame.mp3", whole[: place + 6] + b"\xff\xff\xff" + whole[place + 9:])

# Without a checksum: a byte of the first frame that holds sound after a pause, for which libmpg123 gives zeros.
pause = encode("-af", "adelay=300", *mp3, "-b:a", "32k", "-write_xing", "0", "a.mp3")
write("damaged-after-pause.mp3", pause[:921] + bytes([pause[921] ^ 0x55]) + pause[922:])

for name, extension, codec in (("vorbis", "ogg", "libvorbis"), ("opus", "opus", "libopus"), ("flac", "oga", "flac")):
    links = [encode("-c:a", codec, f"a.{extension}", start=start, seconds="0.15") for start in ("0", "0.2")]
    write(f"link-{name}.{extension}", links[0])
    write(f"chained-{name}.{extension}", b"".join(links))

write("aac.m4a", encode("-c:a", "aac", "-b:a", "16k", "a.m4a"))
write("opus.webm", encode("-c:a", "libopus", "-b:a", "16k", "a.webm"))
write("g726.wav", encode("-ar", "8000", "-c:a", "adpcm_g726", "a.wav"))
write("sowt.aiff", encode("-c:a", "pcm_s16le", "a.aiff"))
