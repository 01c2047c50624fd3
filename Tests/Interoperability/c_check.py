"""Compiles what `auricle export --to c` writes and compares its answers with Auricle's own.

    pip install -r Tests/Interoperability/requirements.txt
    python Tests/Interoperability/c_check.py .build/release/auricle

Networks of every kind of layer, every cell and every named architecture, and features of every kind, are compiled by gcc
and clang (those that are there) as C99 with all warnings as errors. Each is given 26 sounds, whole and hop by hop:
probabilities agree to 1e-5, to 1e-4 with the features of other tools. With int8 weights the labels of the bundled model
are the same on at least 99.5 % of the digits. Where `arm-none-eabi-gcc` and `qemu-system-arm` are there, int8 models run
on an emulated Cortex-M4 and M55 within 64 KiB of flash and 32 KiB of RAM.
"""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import wave

import numpy

from exchange import (DIGITS, PROGRAM, RATE, ROOT, answers, auricle, configurations, networks, random_model, samples_of,
                      shake, train, write_sounds)

HERE = pathlib.Path(__file__).resolve().parent
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"]
COMPILERS = [name for name in ["gcc", "clang"] if shutil.which(name)]
worst = {"samples": 0.0, "features": 0.0, "others": 0.0}


def compiled(model, folder, *options, compiler="gcc", has_now=False):
    folder.mkdir(exist_ok=True)
    auricle("export", model, "--to", "c", "-o", folder / "model.c", *options)
    target = folder / f"run-{compiler}"
    run = subprocess.run([compiler, *STRICT, "-I", folder, folder / "model.c", HERE / "run_model.c", "-lm", "-o", target,
                          *(["-DHAS_NOW"] if has_now else [])], capture_output=True, text=True)
    assert run.returncode == 0, f"{model.stem}, {compiler}: {run.stderr}"
    return target


def run_model(program, inputs, *arguments):
    data = b"".join(numpy.int32(len(x)).tobytes() + x.astype("<f4").tobytes() for x in inputs)
    text = subprocess.run([program, *map(str, arguments)], input=data, capture_output=True, check=True).stdout.decode()
    return [(int(line.split()[0]), numpy.array(line.split()[1:], "float64")) for line in text.splitlines()]


def check(model, folder, form, inputs, wanted, tolerance, compilers, *options, of=None):
    for compiler in compilers:
        program = compiled(model, folder / model.stem, "--input", form, "--seconds", 2, *options, compiler=compiler)
        whole, pieces = run_model(program, inputs), run_model(program, inputs, 80 if form == "samples" else 1)
        for number, (answer, piece) in enumerate(zip(whole, pieces)):
            assert answer[0] == piece[0] and numpy.array_equal(answer[1], piece[1]), f"{model.stem}: pieces differ"
            if number in wanted:
                assert answer[0] == 0, f"{model.stem}: status {answer[0]} for sound {number}"
                difference = abs(answer[1] - wanted[number]).max()
                worst[of or form] = max(worst[of or form], difference)
                assert difference < tolerance, f"{model.stem}, {compiler}, {form} in: differs by {difference}"
            else:
                assert answer[0] == 1, f"{model.stem}: an answer to {len(inputs[number])} samples"


def features(model, paths):
    folder = model.with_suffix("")
    subprocess.run([PROGRAM, "features", "--overwrite", "--model", model, "-o", folder, *paths], capture_output=True)
    return {int(path.stem): numpy.load(path) for path in folder.glob("*.npy")}


def check_now(model, folder, paths):
    """Of a network that does not look ahead: what it says midway is what it says of the frames so far."""
    frames = list(features(model, paths).values())
    program = compiled(model, folder / "now", "--input", "features", has_now=True)
    answers = run_model(program, frames, 3)
    assert len(answers) == 2 * len(frames)
    for now, end in zip(answers[::2], answers[1::2]):
        assert now[0] == end[0] == 0 and numpy.array_equal(now[1], end[1])


def check_refusals(model, folder):
    program = compiled(model, folder / "refusals", "--seconds", 1)
    long, silent, bad = numpy.zeros(RATE * 2), numpy.zeros(0), numpy.array([0.1] * 4000 + [numpy.nan] + [0.1] * 4000)
    assert [answer[0] for answer in run_model(program, [long, silent, bad])] == [2, 1, 3]


def odd_configurations(folder):
    """Other lengths of transforms than powers of two, hops longer than frames, and kinds without a logarithm."""
    def write(name, *options, **fields):
        path = folder / f"{name}.json"
        text = auricle("features", "--print-config", "--sample-rate", RATE, "--normalize", "none", *options,
                       ROOT / "Fixtures" / "seven.wav")
        path.write_text(json.dumps(json.loads(text) | fields))
        return path
    yield write("mel", "--kind", "mel")
    yield write("spectrogram-250", "--kind", "spectrogram", "--frame-length", 200, "--fft-length", 250, usesPower=False)
    yield write("odd", "--kind", "logmel", "--frame-length", 201, "--fft-length", 201)
    yield write("prime", "--kind", "logmel", "--frame-length", 190, "--fft-length", 202)
    yield write("long-hops", "--preset", "kaldi", "--framing", "kaldi-center", "--frame-length", 100, "--fft-length", 128,
                "--hop-length", 170)


# Eight bits.

def labels_of(model, paths):
    run = subprocess.run([PROGRAM, "classify", "--json", *(["--model", model] if model else []), *paths],
                         capture_output=True, text=True, check=True)
    return [json.loads(line)["label"] for line in run.stdout.splitlines()]


def slower(path, folder):
    """The sound of 16 kHz at 8 kHz: what a C program takes, which does not resample."""
    samples = samples_of(path).astype("int32")
    samples = ((samples[:-1:2] + samples[1::2]) // 2).astype("<i2")
    with wave.open(str(folder / path.name), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return folder / path.name


def check_int8(model, folder, paths):
    folder.mkdir(exist_ok=True)
    paths = [slower(path, folder) for path in paths]
    wanted = labels_of(model, paths)
    sounds = [samples_of(path).astype("float32") / 32768 for path in paths]
    auricle("export", *([model] if model else []), "--to", "c", "--int8", "--seconds", 2, "-o", folder / "model.c")
    names = re.search(r"_labels\[\w+\] = \{(.*?)\};", (folder / "model.c").read_text(), re.S)[1]
    names = [name.strip().strip('"') for name in names.split(",")]
    program = folder / "run"
    subprocess.run([COMPILERS[0], *STRICT, "-I", folder, folder / "model.c", HERE / "run_model.c", "-lm", "-o", program],
                   check=True)
    found = [names[answer[1].argmax()] for answer in run_model(program, sounds)]
    same = sum(a == b for a, b in zip(found, wanted)) / len(wanted)
    right = [sum(label == path.name[0] for label, path in zip(labels, paths)) / len(paths) for labels in (wanted, found)]
    assert same >= 0.995, f"int8: {same:.2%} of the labels are the same"
    assert right[1] >= right[0] - 0.003, f"int8: accuracy {right[1]:.2%}, in float32 {right[0]:.2%}"
    return same


# The microcontroller.

# The emulator's board, options of the compiler, and the clock in MHz; the emulator takes an instruction a nanosecond.
BOARDS = {"cortex-m4": ("mps2-an386", ["-mfpu=fpv4-sp-d16"], 25), "cortex-m55": ("mps3-an547", ["-mfpu=auto"], 32)}


def check_board(model, folder, path, cpu):
    """Instructions and sizes; the answer is that of the same source on this machine."""
    board, options, clock = BOARDS[cpu]
    host = run_model(compiled(model, folder, "--int8"), [samples_of(path).astype("float32") / 32768])[0]
    samples = samples_of(path)
    (folder / "sound.c").write_text(
        "#include <stdint.h>\n"
        f"extern const uint32_t sound_count; const uint32_t sound_count = {len(samples)};\n"
        f"extern const int16_t sound[]; __attribute__((section(\".sound\"))) const int16_t sound[] = "
        f"{{{','.join(map(str, samples))}}};\n")
    target = folder / f"{cpu}.elf"
    subprocess.run(["arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=hard", *options, "-std=gnu99", "-Wall",
                    "-Wextra", "-Werror", "-O2", "-ffunction-sections", "-Wl,--gc-sections", "-nostartfiles",
                    "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--no-warn-rwx-segments",
                    "-T", HERE / "microcontroller/link.ld", "-I", folder, folder / "model.c", folder / "sound.c",
                    HERE / "microcontroller/main.c", "-lm", "-o", target], check=True)
    sizes = subprocess.run(["arm-none-eabi-size", "-A", target], capture_output=True, text=True, check=True).stdout
    sizes = {line.split()[0]: int(line.split()[1]) for line in sizes.splitlines() if line.startswith(".")}
    run = subprocess.run(["qemu-system-arm", "-M", board, "-kernel", target, "-display", "none", "-monitor", "none", "-serial", "none",
                          "-semihosting-config", "enable=on,target=native", "-icount", "shift=0"],
                         capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    numbers = [int(number) for number in (run.stdout + run.stderr).split()]
    assert len(numbers) > 3 and numbers[1] == 0, f"{cpu}: {run.stdout} {run.stderr}"
    difference = abs(numpy.array(numbers[2:]) / 1e6 - host[1]).max()
    assert difference < 1e-3, f"{cpu}: differs from this machine by {difference}"
    return (sizes[".text"] + sizes.get(".data", 0), sizes.get(".data", 0) + sizes[".bss"],
            numbers[0] * 1000 / clock / (len(samples) / RATE))


started = time.monotonic()
assert COMPILERS, "neither gcc nor clang is there"
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    own, sounds = write_sounds(folder / "own", [RATE])
    for index, (name, network) in enumerate(networks(folder)):
        model = shake(train(folder / f"{name}.safetensors", *network))
        compilers = COMPILERS if index % 6 == 0 else COMPILERS[index % len(COMPILERS):][:1]
        check(model, folder, "samples", sounds, answers(model, own)[1], 1e-5, compilers)
        if index % 4 == 0:
            rows = features(model, own)
            check(model, folder, "features", [rows[number] for number in sorted(rows)], answers(model, own)[1], 1e-5,
                  compilers)
    several = shake(train(folder / "several.safetensors", "--architecture", "gru-small", "--architecture", "tc-gru"))
    check(several, folder, "samples", sounds, answers(several, own)[1], 1e-5, COMPILERS)
    several = shake(several, **{"auricle.output": "sigmoid"})
    check(several, folder, "samples", sounds, answers(several, own)[1], 1e-5, COMPILERS[:1])
    for configuration in [*configurations(folder), *odd_configurations(folder)]:
        model = random_model(folder / f"{configuration.stem}.safetensors", configuration)
        check(model, folder, "samples", sounds, answers(model, own)[1], 1e-4, COMPILERS[:1], of="others")
    check_now(folder / "gru-small.safetensors", folder, own)
    check_refusals(folder / "bigru-attention.safetensors", folder)

    digits = sorted(DIGITS.glob("*.wav"))
    shares = [check_int8(None, folder / "int8-bundled", digits)]
    message = "no arm-none-eabi-gcc or no qemu-system-arm, so nothing was run on a microcontroller"
    small = train(folder / "gru48.safetensors", "--cell", "gru", "--hidden", 48, "--layers", 1, "--unidirectional",
                  "--pooling", "mean")
    if shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm"):
        texts = []
        for cpu in BOARDS:
            flash, ram, instructions = check_board(small, folder / "board", slower(ROOT / "Fixtures" / "seven.wav", folder), cpu)
            texts.append(f"GRU-48 int8 on a {cpu}: {flash} bytes of flash, {ram} of RAM, {instructions / 1e6:.1f} million instructions "
                         "for a second of sound")
        message = "; ".join(texts)
print(f"c: samples in agree to {worst['samples']:.1e}, with other features to {worst['others']:.1e}, features in to {worst['features']:.1e}; "
      f"int8 gives {min(shares):.2%} of the labels; {message}; in {time.monotonic() - started:.0f} s")
