"""What a month is worth to households, by income: the surplus of going shopping, and the part of it that is staying.

    surplus of a visit   ln(1 + exp w_i) / α_i,   w_i = ln Σ_j exp(V_ij − V_i0), over keeping the old car, i's prices in V
    staying              (κ s(tenure_i) 1{platform kept} + ι 1{brand kept}) / α_i, of those who buy

summed over the households that shop, each standing for `weight`, in fifths of the population by income. A visit is worth what
the household is ready to pay for it on the day: who keeps its car comes again, and that visit counts when it is made.

Refused: the log-sum with the outside good in it. Its level is that of V_i0, which a scenario moves (an overdue car, a stack that
improves over the air), so that a world would gain by having its households drive wrecks.
"""

from functools import lru_cache

import numpy as np

from ..economics.utility import lock_in_strength
from ..economics.welfare import income_bounds
from .calendar import Visits
from .population import NO_CAR
from .state import Market, Surplus

GROUPS = 5  # fifths by income


@lru_cache(maxsize=16)
def _bounds(spread: float) -> np.ndarray:
    """`income_bounds` of the fifths, read-only."""
    bounds = income_bounds(spread, GROUPS)
    bounds.setflags(write=False)
    return bounds


def income_group(market: Market, income: np.ndarray) -> np.ndarray:
    """The fifth of the population that each income is in, 0 the poorest, `[n]`."""
    return np.searchsorted(_bounds(market.habits.income_spread), income, side="right")


def month_surplus(market: Market, rows: np.ndarray, visits: Visits) -> Surplus:
    """The surplus of this month's visits to the lines `rows` on sale; call it before cars change hands."""
    weight, income = market.population.weight, visits.people.income
    sensitivity, group = market.habits.median_sensitivity / income, income_group(market, income)
    worth = np.logaddexp(0.0, visits.worth) / sensitivity  # `consumer_surplus` with the visit as the only alternative
    buys = visits.choice >= 0
    stays = staying_gain(market, visits.rows[buys], rows[visits.choice[buys]]) / sensitivity[buys]
    return Surplus(
        shoppers=weight * np.bincount(group, minlength=GROUPS),
        surplus=weight * np.bincount(group, worth, GROUPS),
        staying=weight * np.bincount(group[buys], stays, GROUPS),
    )


def staying_gain(market: Market, buyers: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """κ s(tenure) of those who stay on their ecosystem, and ι of those who stay with their brand, `[n]`, utils."""
    population, offers, habits = market.population, market.offers, market.habits
    platform, line = population.platform[buyers], population.line[buyers]
    owns = line != NO_CAR
    kept = owns & (platform == offers.platform[lines]) & market.platforms.ecosystem[platform]
    tenure = (market.month - population.joined[buyers]).astype(float)
    strength = habits.switching_cost * lock_in_strength(tenure, habits.tenure_scale)
    return strength * kept + habits.brand_loyalty * (owns & (offers.brand[line] == offers.brand[lines]))
