"""The ledger: busy place-seconds of each pool and slot."""

from __future__ import annotations

from simulator.fleet import FloatArray


def spread_busy(ledger: FloatArray, pool: int, start: float, finish: float, slot_s: float, sign: float = 1.0) -> None:
    """Charge the service [start, finish) to the slots it lies in; what lies beyond the last slot is left out.

    With ``sign`` -1 it is taken back.
    """
    slots = len(ledger)
    slot = int(start / slot_s)
    # Division may round up at a boundary. Where it rounds down, nothing is charged to the slot before.
    if start < slot * slot_s:
        slot -= 1
    while slot < slots and start < finish:
        end = min(finish, (slot + 1) * slot_s)
        ledger[slot, pool] += sign * (end - start)
        start = end
        slot += 1
