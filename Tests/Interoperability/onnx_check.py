"""Runs what `auricle export --to onnx` writes in ONNX Runtime and compares with Auricle's own answers.

    pip install -r Tests/Interoperability/requirements.txt
    python Tests/Interoperability/onnx_check.py .build/release/auricle

Networks of every kind of layer, every cell and every named architecture are trained for an epoch and their weights
shaken, so that no part of them stands at its beginning. Each is given 26 sounds of other lengths and rates, alone and in
one batch, whose padding is NaN: probabilities agree to 1e-5 with features in, to 1e-4 with samples in.
"""

import json
import pathlib
import subprocess
import tempfile
import time

import numpy
import onnx
import onnxruntime

from exchange import (PROGRAM, RATE, RATES, answers, auricle, configurations, networks, random_model, shake, train,
                      write_sounds)

worst = {"features": 0.0, "samples": 0.0, "computed": 0.0, "streams": 0.0, "sound": 0.0}
streamed, heard = set(), set()


# The comparison.

def padded(parts):
    batch = numpy.full((len(parts), max(map(len, parts)), *parts[0].shape[1:]), numpy.nan, "float32")
    for row, part in zip(batch, parts):
        row[:len(part)] = part
    return batch, numpy.array([len(part) for part in parts])


def check(model, form, paths, inputs, tolerance):
    target = model.with_suffix(f".{form}.onnx")
    auricle("export", model, "--to", "onnx", "--input", form, "-o", target)
    exported = onnx.load(target)
    onnx.checker.check_model(exported, full_check=True)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    labels, wanted = answers(model, paths)
    assert json.loads({entry.key: entry.value for entry in exported.metadata_props}["auricle.labels"]) == labels

    def run(parts):
        batch, lengths = padded(parts)
        return session.run(["probabilities"], {form: batch, "lengths": lengths})[0]

    together = run([inputs[number] for number in wanted])
    difference = 0.0
    for number, row in zip(wanted, together):
        alone = run([inputs[number]])[0]
        difference = max(difference, *abs(row - wanted[number]), *abs(alone - wanted[number]))
    for number in set(range(len(paths))) - set(wanted) if form == "samples" else ():
        assert numpy.isnan(run([inputs[number]])).all(), f"{model.stem}: an answer to {len(inputs[number])} samples"
    worst[form] = max(worst[form], difference)
    assert difference < tolerance, f"{model.stem}, {form} in: probabilities differ by {difference}"


def features(model, paths):
    folder = model.with_suffix("")
    subprocess.run([PROGRAM, "features", "--overwrite", "--model", model, "-o", folder, *paths], capture_output=True)
    return {int(path.stem): numpy.load(path) for path in folder.glob("*.npy")}


def check_features(model, paths):
    check(model, "features", paths, features(model, paths), 1e-5)
    check_stream(model, paths)


def check_stream(model, paths):
    """In pieces of 1, 2, 3, ... frames; where the network sees what is to come, it is refused with one line."""
    target = model.with_suffix(".stream.onnx")
    if refused_stream(model, "features", target):
        return
    onnx.checker.check_model(onnx.load(target), full_check=True)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    shapes = {value.name: value.shape[1:] for value in session.get_inputs() if value.name.startswith("state.")}
    names = ["probabilities", *[f"next_{name}" for name in shapes]]
    _, wanted = answers(model, paths)
    for number, rows in features(model, paths).items():
        states = {name: numpy.zeros([1, *shape], "float32") for name, shape in shapes.items()}
        start, size, probabilities = 0, 1, None
        while start < len(rows):
            piece = rows[None, start:start + size]
            probabilities, *after = session.run(names, {"features": piece, **states})
            states = dict(zip(shapes, after))
            start, size = start + size, size + 1
        difference = abs(probabilities[0] - wanted[number]).max()
        worst["streams"] = max(worst["streams"], difference)
        assert difference < 1e-5, f"{model.stem}, as a stream: probabilities differ by {difference}"
    streamed.add(model.stem)


def refused_stream(model, form, target):
    """Whether a stream is refused, which says why in one line."""
    run = subprocess.run([PROGRAM, "export", model, "--to", "onnx", "--streaming", "--input", form, "-o", target],
                         capture_output=True, text=True)
    if run.returncode == 0:
        return False
    assert run.stderr.startswith(("auricle: this network cannot", "auricle: these features cannot")), run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    return True


def check_sound_stream(model, paths, sounds):
    """Samples in: pieces of whole hops, of 1, 2, 3, ... of them, the last of any length from a hop on."""
    target = model.with_suffix(".sound.onnx")
    if refused_stream(model, "samples", target):
        return
    exported = onnx.load(target)
    onnx.checker.check_model(exported, full_check=True)
    stream = json.loads({entry.key: entry.value for entry in exported.metadata_props}["auricle.stream"])
    hop, first = stream["hop"], stream["first"]
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    shapes = {value.name: value.shape[1:] for value in session.get_inputs() if value.name.startswith("state.")}
    names = ["probabilities", *[f"next_{name}" for name in shapes]]

    def run(sound, pieces):
        states = {name: numpy.zeros([1, *shape], "float32") for name, shape in shapes.items()}
        start = 0
        for size in pieces:
            piece, start = sound[None, start:start + size], start + size
            end = numpy.array([start == len(sound)], "int64")
            probabilities, *after = session.run(names, {"samples": piece, "end": end, **states})
            states = dict(zip(shapes, after))
        return probabilities[0]

    _, wanted = answers(model, paths)
    for number, sound in enumerate(sounds):
        if number not in wanted or len(sound) < first + hop:
            continue
        pieces, hops = [first], 1
        while len(sound) - sum(pieces) >= (hops + 1) * hop:
            pieces.append(hops * hop)
            hops += 1
        pieces.append(len(sound) - sum(pieces))
        for parts in (pieces, [len(sound)]):
            difference = abs(run(sound, parts) - wanted[number]).max()
            worst["sound"] = max(worst["sound"], difference)
            assert difference < 1e-4, f"{model.stem}, sound as a stream: probabilities differ by {difference}"
        assert numpy.isnan(run(sound, [first + 1, len(sound) - first - 1])).all() or hop == 1
        assert first == hop or numpy.isnan(run(sound, [first - hop, len(sound) - first + hop])).all()
    heard.add(model.stem)


def check_computed(model, paths, sounds):
    """The features that the graph computes of the sounds, in one batch, in terms of their deviation over all."""
    exported = onnx.load(model.with_suffix(".samples.onnx"))
    inside = next(name for node in exported.graph.node if not node.name.startswith(("features/", "lengths/"))
                  for name in node.input if name.startswith("features/"))
    exported.graph.output.append(onnx.helper.make_tensor_value_info(inside, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = features(model, paths)
    batch, lengths = padded(sounds)
    found = session.run([inside], {"samples": batch, "lengths": lengths})[0]
    scale = numpy.concatenate(list(wanted.values())).std()
    difference = max(abs(found[number, :len(rows)] - rows).max() for number, rows in wanted.items()) / scale
    worst["computed"] = max(worst["computed"], difference)
    assert difference < 2e-3, f"{model.stem}: features differ by {difference} deviations"


started = time.monotonic()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    paths, _ = write_sounds(folder / "sounds", RATES)
    own, sounds = write_sounds(folder / "own", [RATE])
    for name, network in networks(folder):
        check_features(shake(train(folder / f"{name}.safetensors", *network)), paths)
    several = train(folder / "several.safetensors", "--architecture", "gru-small", "--architecture", "conv-gru")
    check_features(shake(several), paths)
    check_features(shake(several, **{"auricle.output": "sigmoid"}), paths)
    for configuration in configurations(folder):
        model = random_model(folder / f"{configuration.stem}.safetensors", configuration)
        check(model, "samples", own, dict(enumerate(sounds)), 1e-4)
        check_computed(model, own, sounds)
        check_sound_stream(model, own, sounds)
    for name in sorted(streamed)[::4]:
        check_sound_stream(folder / f"{name}.safetensors", own, sounds)
    check(several, "samples", own, dict(enumerate(sounds)), 1e-4)
assert len(streamed) >= 10 and len(heard) >= 10, (streamed, heard)
print(f"onnx: {len(streamed)} networks as streams agree to {worst['streams']:.1e}, {len(heard)} with sound in to "
      f"{worst['sound']:.1e}; features in agree to {worst['features']:.1e}, samples in to {worst['samples']:.1e} "
      f"(the features to {worst['computed']:.1e} of their deviation), "
      f"in {time.monotonic() - started:.0f} s")
