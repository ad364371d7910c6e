"""Consumers as columns: one row is a slot in the population, held by one household at a time.

A row keeps the car owned (line, platform, brand by the line), the months it was bought and its owner joined its platform,
and when the household shops next. Tastes are not kept: they are drawn anew from the household's key whenever they are needed.
"""

from dataclasses import dataclass, fields

import numpy as np

from ..compiled import njit

NO_CAR = -1
NEVER = 32_000  # a month beyond every simulation: waiting for a car to be delivered


@dataclass
class Population:
    """Columns of the population, `[n_rows]` each; months count from the base date (0), past months are negative."""

    household: np.ndarray  # int64, key of the household's tastes: row + generation · 2⁴⁰
    line: np.ndarray  # int16, row of the car owned in the offers, NO_CAR
    platform: np.ndarray  # int16, platform of the car owned, NO_CAR
    bought: np.ndarray  # int16, month of delivery
    joined: np.ndarray  # int16, month since when the household is on that platform without a break
    due: np.ndarray  # int16, month when the car fell or falls due
    visit: np.ndarray  # int16, next month in the market
    weight: float  # households and cars that one row stands for

    def __len__(self) -> int:
        return len(self.household)

    @classmethod
    def empty(cls, n_rows: int, weight: float) -> "Population":
        """Rows without a car that never shop: to be filled in."""

        def column(value):
            return np.full(n_rows, value, dtype=np.int16)

        return cls(
            household=np.arange(n_rows, dtype=np.int64),
            line=column(NO_CAR),
            platform=column(NO_CAR),
            bought=column(0),
            joined=column(0),
            due=column(0),
            visit=column(NEVER),
            weight=weight,
        )

    def columns(self) -> dict[str, np.ndarray]:
        """Name of each column and its array."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "weight"}


@njit
def rows_in_month(visit, month):
    """Rows whose next visit is in a month, rising."""
    rows, found = np.empty(len(visit), dtype=np.int64), 0
    for row in range(len(visit)):
        rows[found] = row
        found += visit[row] == month
    return rows[:found].copy()


def community_counts(platform: np.ndarray, size: int, n_platforms: int) -> np.ndarray:
    """Cars of each platform in each community, `[communities, platforms]`; rows are neighbours in their order."""
    community = np.arange(len(platform)) // size
    owners = platform >= 0
    n_communities = -(-len(platform) // size)
    flat = community[owners] * n_platforms + platform[owners]
    return np.bincount(flat, minlength=n_communities * n_platforms).reshape(n_communities, n_platforms)


@njit
def word_of_mouth(counts):
    """Share of each platform in each community less its share in the market: W_cg − W̄_g, `[communities, platforms]`.

    A community without a car hears nothing: zeros.
    """
    heard, cars, market = np.zeros(counts.shape), counts.sum(axis=1), counts.sum(axis=0)
    total = max(cars.sum(), 1)
    for community in range(counts.shape[0]):
        if cars[community] > 0:
            for platform in range(counts.shape[1]):
                share = counts[community, platform] / cars[community]
                heard[community, platform] = share - market[platform] / total
    return heard
