"""Arrow columns made of numpy's own memory: ``pyarrow.array`` would load pandas first, a third of a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def column(values: np.ndarray[Any, Any], known: np.ndarray[Any, Any] | None = None) -> pa.Array:
    """Numbers, or times as ``datetime64[us]``; NULL where they are not ``known``."""
    kinds = {"f": pa.float64(), "i": pa.int64(), "M": pa.timestamp("us")}
    wide = np.ascontiguousarray(values, dtype={"f": np.float64, "i": np.int64}.get(values.dtype.kind, values.dtype))
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kinds[values.dtype.kind], len(wide), [valid, pa.py_buffer(wide)])


def named(numbers: np.ndarray[Any, Any], names: Sequence[str]) -> pa.Array:
    """The names that numbers stand for, as text."""
    texts = [name.encode() for name in names]
    lengths = np.array([len(text) for text in texts], dtype=np.int32)[numbers]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    data = b"".join([texts[number] for number in numbers.tolist()])
    return pa.Array.from_buffers(pa.string(), len(numbers), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def category(numbers: np.ndarray[Any, Any], names: Sequence[str]) -> pa.DictionaryArray:
    """The names that numbers stand for, each text kept once; NULL where a number is negative."""
    valid = pa.py_buffer(np.packbits(numbers >= 0, bitorder="little"))
    buffers = [valid, pa.py_buffer(numbers.astype(np.int32))]
    indices = pa.Array.from_buffers(pa.int32(), len(numbers), buffers)
    return pa.DictionaryArray.from_arrays(indices, named(np.arange(len(names)), names))
