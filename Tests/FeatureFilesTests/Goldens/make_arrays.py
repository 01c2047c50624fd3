"""Writes arrays as NumPy and zlib store them, for StoredFeaturesTests and InflaterTests.

    pip install numpy==2.4.6
    python Tests/FeatureFilesTests/Goldens/make_arrays.py
"""

import pathlib
import zlib

import numpy

FOLDER = pathlib.Path(__file__).resolve().parent
# Exact in every type that is written: 0 to 11, as 4 frames of 3.
NUMBERS = numpy.arange(12).reshape(4, 3)
TYPES = ["<f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"]

arrays = {name.replace("<", "l").replace(">", "b"): NUMBERS.astype(name) for name in TYPES}
arrays["negative"] = (-NUMBERS).astype(">i2")
arrays["halves"] = (NUMBERS / -2048).astype("f2")
arrays["bool"] = NUMBERS % 2 == 1
arrays["fortran"] = numpy.asfortranarray(NUMBERS.astype("f4"))
arrays["cube"] = NUMBERS.astype("f4").reshape(2, 2, 3)
arrays["fortran_cube"] = numpy.asfortranarray(arrays["cube"])
numpy.savez(FOLDER / "types.npz", **arrays)
numpy.savez_compressed(FOLDER / "types_deflated.npz", **arrays)

ragged = numpy.empty(2, dtype=object)
ragged[:] = [NUMBERS, NUMBERS[:2]]
numpy.save(FOLDER / "ragged.npy", ragged)

cube = numpy.arange(36, dtype="f4").reshape(6, 3, 2)
for name, y in {
    "integers": numpy.array([0, 1, 2, 1]), "one_hot": numpy.eye(3)[[0, 1, 2, 1]], "texts": numpy.array(["a", "b", "ç", "b"]),
    "column": numpy.array([[0], [1], [2], [1]], dtype="u1"),
}.items():
    numpy.savez_compressed(
        FOLDER / f"keras_{name}.npz", X_train=cube[:4], y_train=y, x_test=cube[4:], y_test=y[:2])
numpy.savez(FOLDER / "keras_soft.npz", X_train=cube[:4], y_train=numpy.full((4, 2), 0.5))

# Stored, fixed and dynamic blocks, long matches, and what cannot be compressed.
text = b"".join(b"%d bottles of beer on the wall, " % number for number in range(99, 0, -1))
data = text + bytes(300) + numpy.random.default_rng(1).bytes(300) + text[:1000]
(FOLDER / "text.bin").write_bytes(data)
for name, level, strategy in (("stored", 0, 0), ("fixed", 9, zlib.Z_FIXED), ("dynamic", 9, 0), ("huffman", 9, zlib.Z_HUFFMAN_ONLY)):
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    (FOLDER / f"text_{name}.deflate").write_bytes(compressor.compress(data) + compressor.flush())
