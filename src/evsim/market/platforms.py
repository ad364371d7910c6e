"""Software platforms as columns: quality, research, and the cars on the road by vintage."""

from dataclasses import dataclass

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
        alive = self._alive(month)
        return alive @ self.sales[: len(alive)]

    def electric_fleet(self, month: int) -> float:
        """Electric cars on the road (plug-in hybrids by the share of their distance)."""
        alive = self._alive(month)
        return float(alive @ self.electric_sales[: len(alive)])

    def _alive(self, month: int) -> np.ndarray:
        """Share of each month's cars still on the road at the end of `month`."""
        ages = month - np.arange(self.first_month, month + 1)
        return survival(ages, LIFE_MONTHS, LIFE_SHAPE)
