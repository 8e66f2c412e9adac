"""Inputs that are not ours: where real data are looked for, and where a user gets them."""

from __future__ import annotations

import os
from pathlib import Path

from simulator.problem import did_you_mean_file

#: Folder of the data folder -> its public home.
PUBLIC_HOMES = {
    "paper": "github.com/Ren-Research/Environmentally-Equitable-AI (MIT)",
    "traces": "the Azure Public Dataset, AzureLLMInferenceDataset2023 (CC-BY)",
    "bloom": "counts from bigscience-workshop/carbon-footprint (arXiv 2211.02001)",
}


def data_folder() -> Path:
    """``EQUIFLEET_DATA``, or ``shared/data`` beside the clone."""
    given = os.environ.get("EQUIFLEET_DATA")
    return Path(given).expanduser().resolve() if given else Path(__file__).resolve().parents[3] / "shared" / "data"


def find_input(given: Path | None, folder: str, name: str = "") -> Path:
    """An input: the given path, else the same name in a folder of the data folder. Need not exist."""
    if given is not None and (given.exists() or not name):
        return given
    home = data_folder() / folder / (given.name if given is not None else name)
    return home if given is None or home.exists() else given


def absent(path: Path, folder: str) -> str:
    """The sentence about an input that is not there."""
    where = f"set EQUIFLEET_DATA to the folder that holds {folder}/"
    return f"there is no {path}{did_you_mean_file(path)}; get it from {PUBLIC_HOMES[folder]}, and {where}"
