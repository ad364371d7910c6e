"""The market as the table and the calendar draw it up, before anything is drawn or calibrated: the same for every seed.

Reading a table, adding its rows up to lines and resolving the launch calendar takes longer than a quarter of opening a market,
and of the scenario it reads a few settings. So what comes out is kept for the process, under those settings and the digest
of the table's file. `draw_up` is handed a scenario that holds them and nothing else (`settings_of`): it cannot read what is
not in the key. Everything kept is frozen; a run gets copies of what it changes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from ..data import market_table_digest, read_market_table, read_vintages
from ..params import Scenario, month_name, month_number
from .launches import Launch, coming_launches, plan, prospects
from .lines import lines_of, vintage_shares
from .offers import Sheet, Traits, make_sheet
from .owners import FIRST_YEAR
from .setup import read_traits, with_modes

DRAFTS_KEPT = 32
DEFAULT = Scenario()


@dataclass(frozen=True)
class Draft:
    """Lines and their past, launches, and what is known of brands and makers."""

    sheet: Sheet
    past_shares: np.ndarray  # [years, base lines] of each line in the sales of a past year; read-only
    calendar: tuple[Launch, ...]
    traits: Traits
    groups: tuple[tuple[str, str], ...]  # automaker, group

    @property
    def own_traits(self) -> Traits:
        """The traits, in dictionaries of the caller's own."""
        traits = self.traits
        return Traits(
            traits.premium_brands, dict(traits.origin), dict(traits.ownership), dict(traits.kind), dict(traits.pack)
        )


def draft_of(scenario: Scenario) -> Draft:
    """The draft of a scenario's market: kept, or drawn up.

    Raises:
        BadRequest: the table is faulty, or the scenario asks for what it does not hold.
    """
    return _kept(settings_of(scenario), market_table_digest(scenario.market.table))


def settings_of(scenario: Scenario) -> Scenario:
    """The parameters that a draft depends on, all others at their defaults."""
    market, modes = scenario.market, scenario.modes
    return DEFAULT.model_copy(
        update={
            "start": scenario.start,
            "end": scenario.end,
            "market": market.model_copy(
                update={name: getattr(DEFAULT.market, name) for name in ("growth", "seasonality")}
            ),
            "modes": DEFAULT.modes.model_copy(update={"rule": modes.rule, "prospective": modes.prospective}),
            "alliance": DEFAULT.alliance.model_copy(update={"platform": scenario.alliance.platform}),
            "products": DEFAULT.products.model_copy(update={"launches": scenario.products.launches}),
        }
    )


@lru_cache(maxsize=DRAFTS_KEPT)
def _kept(settings: Scenario, digest: str) -> Draft:
    """The draft for these settings and a table's file with this digest."""
    return draw_up(settings)


def draw_up(settings: Scenario) -> Draft:
    """Read the table, and resolve it and the calendar to lines."""
    base = month_number(settings.start) - 1
    table = read_market_table(settings.market.table)
    lines = with_modes(lines_of(table, settings.market, month_name(base - 2)), settings)
    traits, launches = read_traits(table), coming_launches(settings, table, lines)
    future, calendar = plan(lines, launches, settings)
    future = pd.concat([future, prospects(settings, lines)], ignore_index=True)
    firms = pd.concat([lines[["automaker", "group"]], launches[["automaker", "group"]]])
    years = list(range(FIRST_YEAR, max(base // 12, FIRST_YEAR) + 1))
    shares = vintage_shares(read_vintages(), lines, settings.market.price_tiers, years)
    shares.setflags(write=False)
    groups = dict(zip(firms["automaker"], firms["group"], strict=True))
    return Draft(make_sheet(lines, future, traits), shares, tuple(calendar), traits, tuple(groups.items()))
