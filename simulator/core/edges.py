"""Edges of the bins of durations: log-spaced, 1 % wide. Bin k holds [EDGES_S[k-1], EDGES_S[k]), bin 0 what is below."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FIRST_S, LAST_S, GROWTH = 1e-5, 1e7, 1.01
_COUNT = math.ceil(math.log(LAST_S / FIRST_S) / math.log(GROWTH))
#: By scalar arithmetic: numpy's array power rounds otherwise on other processors.
EDGES_S: NDArray[np.float64] = np.array([FIRST_S * math.pow(GROWTH, k) for k in range(_COUNT + 1)])
