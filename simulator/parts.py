"""Parts: rows of requests on disk, as Parquet files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.arrow import category, column
from simulator.record import FATES, Requests, joined
from simulator.world import World

#: Rows of a part: some 30 MB.
PART_ROWS = 1_000_000


class Parts:
    """The rows of one policy: ``part-<policy's number>-<part's number>.parquet`` in a folder that several share."""

    def __init__(self, folder: Path, number: int, policy: str, world: World):
        self._folder = folder
        self._number = number
        self._policy = policy
        self._sites, self._origins = world.fleet.sites, world.fleet.origins
        names = [pool.servers.name for pool in world.pools]
        self._types = sorted(set(names))
        #: The type of each pool; the last one stands for -1, a service that never started.
        self._type_of = np.array([*(self._types.index(name) for name in names), -1])
        self._batches: list[Requests] = []
        self._written: list[Path] = []

    def take(self, rows: Requests) -> None:
        """Take rows in; what fills a part is written at once."""
        self._batches.append(rows)
        if sum(len(batch.number) for batch in self._batches) >= PART_ROWS:
            rows = joined(self._batches)
            whole = len(rows.number) // PART_ROWS * PART_ROWS
            for start in range(0, whole, PART_ROWS):
                self._write(_cut(rows, start, start + PART_ROWS))
            self._batches = [_cut(rows, whole, len(rows.number))]

    def close(self) -> None:
        """Write the rest; without any rows one empty part says so."""
        none = np.zeros(0)
        rows = joined(self._batches) if self._batches else Requests._make([none] * len(Requests._fields))
        if len(rows.number) or not self._written:
            self._write(rows)

    def discard(self) -> None:
        """Take away what was written: the run did not come to its end."""
        for file in self._written:
            file.unlink(missing_ok=True)

    def _write(self, rows: Requests) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"part-{self._number:02}-{len(self._written):05}.parquet"
        partial = file.with_suffix(".partial")
        self._written.append(file)
        try:
            with open(partial, "wb") as handle:
                pq.write_table(self._table(rows), handle, compression="zstd")
                handle.flush()
                os.fsync(handle.fileno())
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)

    def _table(self, rows: Requests) -> pa.Table:
        """A table with names for numbers, and nothing where a time never came or no site was picked."""
        columns = {
            "policy": category(np.zeros(len(rows.number), dtype=np.int64), (self._policy,)),
            "request": column(rows.number.astype(np.int64)),
            "origin": category(rows.origin.astype(np.int64), self._origins),
            "site": category(rows.site.astype(np.int64), self._sites),
            "fate": category(rows.fate.astype(np.int64), FATES),
        }
        for name in Requests._fields:
            if name.endswith("_s"):
                times = getattr(rows, name)
                columns[name] = column(times, ~np.isnan(times))
        columns["retries"] = column(rows.retries.astype(np.int64))
        columns["servers"] = category(self._type_of[rows.pool.astype(np.int64)], self._types)
        return pa.table(columns)


def _cut(rows: Requests, start: int, end: int) -> Requests:
    return Requests._make(column[start:end] for column in rows)
