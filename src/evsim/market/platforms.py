"""Software platforms as columns: quality, research, and the cars on the road by vintage."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..economics.technology import survival

# Weibull fit of the life of private passenger vehicles in China: Hao et al. (2011), characteristic life 14.46 years, shape 4.7
LIFE_MONTHS, LIFE_SHAPE = 14.46 * 12.0, 4.7


@dataclass
class Platforms:
    """Columns of all platforms, `[G]`, and sales by month since `first_month` (negative: before the base date)."""

    names: list[str]
    ecosystem: np.ndarray  # bool
    quality: np.ndarray  # A, kCNY a median-income buyer would pay
    research: np.ndarray  # bn CNY a year
    base_research: np.ndarray  # the same at the parameters' defaults: what the frontier's drift is measured by
    dormant: np.ndarray  # bool: a stack that a group may yet build; no car has it
    in_house: np.ndarray  # bool: a stack that makers build for their own cars
    sales: np.ndarray  # [months, G] cars that came on the road, from `first_month` on
    electric_sales: np.ndarray  # [months] electric share of all cars, in cars
    first_month: int
    quality_path: np.ndarray  # [months simulated + 1, G]
    initial_fleet: np.ndarray  # N_g0, cars
    drift: float = 0.0  # of the frontier, kCNY a month

    def __len__(self) -> int:
        return len(self.names)

    def add_sales(self, month: int, cars: np.ndarray, electric: float) -> None:
        """Cars of each platform delivered in a month, and how many of all were electric."""
        self.sales[month - self.first_month] += cars
        self.electric_sales[month - self.first_month] += electric

    def fleet(self, month: int) -> np.ndarray:
        """N_g, cars of each platform on the road at the end of a month, whoever owns them now."""
        alive = _alive(self.first_month, month)
        return alive @ self.sales[: len(alive)]

    def electric_fleet(self, month: int) -> float:
        """Electric cars on the road (plug-in hybrids by the share of their distance)."""
        alive = _alive(self.first_month, month)
        return float(alive @ self.electric_sales[: len(alive)])


@lru_cache(maxsize=1024)
def _alive(first_month: int, month: int) -> np.ndarray:
    """Share of each month's cars, from the first month on, still on the road at the end of `month`; read-only."""
    alive = survival(month - np.arange(first_month, month + 1), LIFE_MONTHS, LIFE_SHAPE)
    alive.setflags(write=False)
    return alive
