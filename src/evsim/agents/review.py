"""What is before a maker when it chooses a mode, what it chose, and a review that is over."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..economics.coalition import Settlement
from ..economics.options import logit_choice
from ..market.brands import Brand, Way
from ..market.values import ModeValue


@dataclass(frozen=True)
class Review:
    """What a maker has before it when it chooses the mode of one of its brands."""

    brand: str
    month: str  # YYYY-MM
    table: tuple[ModeValue, ...]  # the brand's ways, its present one first
    shocks: np.ndarray  # standard Gumbel, one a way
    precision: float  # λ, per kCNY
    resistance: float  # what keeps the brand as it is, utils of this choice

    @property
    def ways(self) -> list[Way]:
        """Ways that are open."""
        return [row.way for row in self.table if not row.closed]

    @cached_property
    def chances(self) -> np.ndarray:
        """How likely each way was before the shocks were seen; 0: closed."""
        return logit_choice(self.values, self.precision)[0]

    @property
    def values(self) -> np.ndarray:
        """Value of each way, kCNY, with what keeps the brand where it is on the first; −inf: closed."""
        values = np.array([-np.inf if row.closed else row.value for row in self.table])
        values[0] += self.resistance / self.precision
        return values

    @property
    def unseen(self) -> np.ndarray:
        """What the shocks add to each value, kCNY, less their mean."""
        return (self.shocks - np.euler_gamma) / self.precision

    def best(self) -> Way:
        """The way with the highest value, shocks included."""
        return self.table[int(logit_choice(self.values, self.precision, self.shocks)[1])].way

    def lead(self) -> float:
        """By how much the best way beats the next, kCNY; inf: there is no other."""
        seen = np.sort(self.values + self.unseen)[::-1]
        return float(seen[0] - seen[1]) if len(seen) > 1 else np.inf

    def closing(self, way: Way, reason: str) -> "Review":
        """The same review with one way closed."""
        table = tuple(replace(row, closed=reason) if row.way == way else row for row in self.table)
        return replace(self, table=table)


@dataclass(frozen=True)
class Decision:
    """One brand's choice."""

    brand: Brand
    review: Review
    before: Way
    way: Way


@dataclass(frozen=True)
class Meeting:
    """A review that is over."""

    decisions: list[Decision]
    settlement: Settlement
