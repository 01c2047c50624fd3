"""Writes small feature files with the tools that own the formats, for FeatureFilesTests to compare with.

    pip install numpy==2.4.6 kaldiio==2.18.1
    python Tests/FeatureFilesTests/Goldens/make_goldens.py
"""

import pathlib
import struct

import kaldiio
import numpy

FOLDER = pathlib.Path(__file__).resolve().parent
# 5 frames of 3 coefficients: signs, fractions, numbers that are barely numbers, the largest and the smallest.
MATRIX = numpy.array(
    [[0.0, -0.0, 1.0], [-1.5, 3.14159274, 1e-40], [16777216.0, -3.4028235e38, 1.1754944e-38],
     [0.1, -0.2, 0.3], [1e10, -1e-10, 12345.678]], dtype="float32")

numpy.save(FOLDER / "matrix.npy", MATRIX)

# Kaldi's archive of two matrices.
kaldiio.save_ark(str(FOLDER / "matrix.ark"), {"a/first": MATRIX, "second": MATRIX[:2]})

# HTK: frames, period in 100 ns, bytes in a frame, kind (MFCC_0_D_A), then big-endian floats; The HTK Book, 5.10.1.
kind = 6 | 0o20000 | 0o400 | 0o1000
(FOLDER / "matrix.htk").write_bytes(
    struct.pack(">iihh", 5, 100000, 4 * 3, kind) + b"".join(struct.pack(">f", value) for value in MATRIX.ravel()))

(FOLDER / "matrix.csv").write_text(
    "c0,c1,c2\n" + "".join(",".join(map(str, row)) + "\n" for row in MATRIX.tolist()))
