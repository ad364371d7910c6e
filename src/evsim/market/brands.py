"""Brands as their makers decide on them: the mode each is in, since when, and what it is changing to."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Way(NamedTuple):
    """A way for a brand to get its software: a mode and the stack it comes with."""

    mode: str  # of `offers.MODE`, or `none`: the brand is not sold
    platform: str

    def __str__(self) -> str:
        return self.mode if self.mode in ("alliance", "components", "none") else f"{self.mode} ({self.platform})"


OUT = Way("none", "none")  # a prospective brand that is not started


@dataclass(frozen=True)
class Change:
    """What a brand has decided and is preparing."""

    month: int  # from which cars are sold in the new way
    way: Way
    attempt: bool = False  # an attempt at a stack of its own: it may fail
    succeeds: bool = True
    pays: bool = True  # for the attempt; brands of the same makers share it
    invested: float = 0.0  # kCNY, spent on its cars if the attempt succeeds


@dataclass
class Brand:
    """A maker's brand: the unit that chooses a mode."""

    automaker: int  # code
    brand: int  # code
    key: int  # names its draws
    lines: np.ndarray = field(compare=False)  # rows of all its lines, on sale or to come
    way: Way
    since: int = -1200  # month in which its present contract began; long ago: it is bound by none
    joined: int = -1200  # month since when it has been on its platform
    prospective: bool = False  # not sold yet
    change: Change | None = None
    resistance: float = 0.0  # what keeps it as it is, revealed at the base date, utils of its choice
