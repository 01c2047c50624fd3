"""How far `auricle features --preset` is from the tools themselves on sound files of 16 bits, as a Markdown table.

    python compare_presets.py PATH_TO_AURICLE FILE...      # needs what references.py names

A difference is the largest of a file, relative to the file's largest coefficient; of a preset and kind, the largest of
its files. Files that the tool refuses are not counted; of those, the table says how many Auricle refuses too. A tool that is
not installed is left out.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
import soundfile

import references


def compare(auricle, preset, kind, files):
    """Relative differences by file, and the files that neither computes."""
    differences, refused = {}, []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([auricle, "features", *files, "--preset", preset, "--kind", kind, "--format", "npy", "-o", folder],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # refused files make it fail
        found = {path.stem: path for path in pathlib.Path(folder).rglob("*.npy")}
        for file in files:
            samples, rate = soundfile.read(file, dtype="int16")
            wanted = references.features(preset, kind, samples, rate)
            path = found.get(pathlib.Path(file).stem)
            if wanted is None:
                refused += [] if path else [file]
                continue
            got = numpy.load(path) if path else numpy.empty(0)
            if got.shape != wanted.shape:
                differences[file] = numpy.inf
                print(f"{preset} {kind} {file}: {got.shape} for {wanted.shape}", file=sys.stderr)
                continue
            scale = numpy.abs(wanted).max()
            worst = numpy.abs(got.astype("float64") - wanted).max()
            differences[file] = worst / scale if scale > 1e-12 else worst  # digital silence
    return differences, refused


def main(auricle, *files):
    print("| preset | kind | files | largest difference | in | refused by both |\n|---|---|---:|---:|---|---:|")
    for preset in references.TOOLS:
        for kind in references.KINDS:
            try:
                differences, refused = compare(auricle, preset, kind, files)
            except ModuleNotFoundError as error:
                print(f"{preset} is left out: {error}", file=sys.stderr)
                break
            if differences:
                worst = max(differences, key=differences.get)
                print(f"| `{preset}` | {kind} | {len(differences)} | {differences[worst]:.1e} | {pathlib.Path(worst).stem} "
                      f"| {len(refused)} |", flush=True)


main(*sys.argv[1:])
