"""Layers of Auricle's in JSON, and the sizes that networks of the checks have."""

WIDTH, CLASSES = 10, 3


def recurrent(kind, units, directions):
    return {"type": "recurrent", "cell": kind, "units": units, "directions": directions}


def pooling(kind, **fields):
    return {"type": "pooling", "kind": kind} | fields


def dense(units, **fields):
    return {"type": "dense", "units": units} | fields
