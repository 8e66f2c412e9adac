"""The ledger: busy place-seconds of each pool and slot."""

from __future__ import annotations

from simulator.fleet import FloatArray


def spread_busy(ledger: FloatArray, pool: int, start: float, finish: float, slot_s: float, sign: float = 1.0) -> None:
    """Charge the service [start, finish) to the slots it lies in; what lies beyond the last slot is left out.

    With ``sign`` -1 it is taken back.
    """
    slots = len(ledger)
    slot = slot_of(start, slot_s)
    while slot < slots and start < finish:
        end = min(finish, (slot + 1) * slot_s)
        ledger[slot, pool] += sign * (end - start)
        start = end
        slot += 1


def slot_of(time_s: float, slot_s: float) -> int:
    """The slot [slot x slot_s, (slot + 1) x slot_s) that a time lies in; division alone may round at a boundary."""
    slot = int(time_s / slot_s)
    if time_s < slot * slot_s:
        return slot - 1
    return slot + 1 if time_s >= (slot + 1) * slot_s else slot
