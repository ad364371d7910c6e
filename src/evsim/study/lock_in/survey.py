"""What the pricing panel would buy now, as chances: with what its households own, and had they owned nothing.

Chances are those of a purchase, given that there is one: over a cycle every household buys once, however often it keeps its
old car first (`economics.timing`), so owners count alike. Nothing is sampled but the panel itself.
"""

from dataclasses import dataclass

import numpy as np

from evsim.economics.choice import choice_probabilities
from evsim.economics.lock_in import advantage_over_rivals
from evsim.economics.utility import lock_in_strength
from evsim.market.calendar import paid
from evsim.market.panel import panel_entries, panel_utility
from evsim.market.state import Market


@dataclass(frozen=True)
class Survey:
    """The panel's owners before the shelf; J lines on sale, M owners of a car that is not pooled in the table."""

    brand: np.ndarray  # [J] codes of the lines on sale
    platform: np.ndarray  # [J]
    ecosystem: np.ndarray  # [platforms] bool
    bought: np.ndarray  # [J] share of each line in all that is bought, newcomers to the market included
    own_brand: np.ndarray  # [M] codes of the car owned
    own_platform: np.ndarray  # [M]
    utility: np.ndarray  # [M, J] utils after price, of a household of the same tastes that owns nothing
    platform_gain: np.ndarray  # κ s(tenure), [M], utils, when the car will be due; 0: no ecosystem
    brand_gain: float  # ι, utils
    price_sensitivity: np.ndarray  # α, [M]

    @property
    def stays_on_platform(self) -> np.ndarray:
        """`[M, J]` bool: lines that run on the owner's ecosystem."""
        return (self.platform == self.own_platform[:, None]) & self.ecosystem[self.own_platform][:, None]

    @property
    def stays_with_brand(self) -> np.ndarray:
        """`[M, J]` bool: lines of the owner's brand."""
        return self.brand == self.own_brand[:, None]

    def held(self, by_platform: bool = True, by_brand: bool = True) -> np.ndarray:
        """Utility with lock-in by the platform, the brand, both or neither, `[M, J]`."""
        gain = by_platform * self.platform_gain[:, None] * self.stays_on_platform
        return self.utility + gain + by_brand * self.brand_gain * self.stays_with_brand

    def chances(self, by_platform: bool = True, by_brand: bool = True) -> np.ndarray:
        """Chance of each line at the owner's next purchase, `[M, J]`."""
        return choice_probabilities(self.held(by_platform, by_brand), -np.inf)

    def lead(self, by_platform: bool = True, by_brand: bool = True) -> np.ndarray:
        """How far the best of the owner's brand and ecosystem is ahead of the best of another brand on another stack, `[M]`."""
        return advantage_over_rivals(self.held(by_platform, by_brand), self.stays_on_platform | self.stays_with_brand)

    def of(self, owners: np.ndarray) -> "Survey":
        """Some of the owners, `[M]` bool."""
        columns = ("own_brand", "own_platform", "utility", "platform_gain", "price_sensitivity")
        return Survey(**vars(self) | {name: getattr(self, name)[owners] for name in columns})


def survey(market: Market) -> Survey:
    """The panel of a market as it stands."""
    offers, rows, entries = market.offers, market.on_sale(), panel_entries(market)
    size = len(entries) // 2  # owners, then the same households as newcomers
    utility, spent = _utility_and_spending(market, entries, rows)
    bought = entries.chance @ choice_probabilities(utility - spent, -np.inf) / entries.chance.sum()
    line, platform, _, joined, _ = (column[:size] for column in entries.state)
    owners = np.flatnonzero((line >= 0) & ~offers.pooled[line])
    tenure = (market.month - joined[owners]).astype(float)
    strength = lock_in_strength(tenure, market.habits.tenure_scale) * market.platforms.ecosystem[platform[owners]]
    return Survey(
        brand=offers.brand[rows],
        platform=offers.platform[rows],
        ecosystem=market.platforms.ecosystem.copy(),
        bought=bought,
        own_brand=offers.brand[line[owners]],
        own_platform=platform[owners].astype(np.int64),
        utility=utility[size + owners]
        - spent[owners],  # at what the owner would pay: a benefit for its old car is no lock-in
        platform_gain=market.habits.switching_cost * strength,
        brand_gain=market.habits.brand_loyalty,
        price_sensitivity=entries.sensitivity[owners],
    )


def expected_shares(market: Market) -> np.ndarray:
    """Share of every line in what the panel buys at its next purchases, `[all lines]`; 0: not on sale."""
    entries, rows = panel_entries(market), market.on_sale()
    utility, spent = _utility_and_spending(market, entries, rows)
    chances = choice_probabilities(utility - spent, -np.inf)
    shares = np.zeros(len(market.offers))
    shares[rows] = entries.chance @ chances / entries.chance.sum()
    return shares


def _utility_and_spending(market: Market, entries, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Utility of the given lines before price, and what each would pay this month in utils, α q, `[entries, J]` both."""
    utility, _ = panel_utility(market, entries, rows)
    outlay = paid(market.weighed(market.month, rows, entries.people), market.offers.price[rows])
    return utility, entries.sensitivity[:, None] * outlay
