"""What a market is set up from: habits, the shopping clock, makers' kinds, modes and platforms at the base date."""

from functools import cache, lru_cache

import numpy as np
import pandas as pd

from ..data import (
    read_automakers,
    read_battery,
    read_brands,
    read_membership,
    read_packs,
    read_software,
    seasonal_factors,
    software_quality,
)
from ..data.market import NO_ECOSYSTEM
from ..economics.timing import seasonal_clock, weibull_scale
from ..errors import BadRequest
from ..params import Scenario, month_name, month_number
from ..params.software import SoftwareParams
from .kernels import Habits
from .lines import OTHER
from .offers import Names, Traits
from .platforms import Platforms

MONTHS_AHEAD = 700  # of the shopping clock beyond the last simulated month: the longest holding time
SHIPPED_BASE = {"2021": "2021-12", "2023": "2023-12"}


def check_base(scenario: Scenario) -> None:
    """A shipped table belongs to one base date."""
    expected = SHIPPED_BASE.get(scenario.market.table)
    base = month_name(month_number(scenario.start) - 1)
    if expected and base != expected:
        after = month_name(month_number(expected) + 1)
        raise BadRequest(
            f"start={scenario.start} does not follow market.table={scenario.market.table}; use start={after} with this "
            "table, or a table of your own"
        )


def check_platforms(scenario: Scenario, names: Names) -> None:
    """Platforms that a scenario names must be ecosystems that cars of this market run on, or that the project knows."""
    known = ", ".join(name for name in names.platforms if name not in NO_ECOSYSTEM)
    software, alliance = scenario.software, scenario.alliance
    if software.leap_platform and software.leap_platform not in names.platforms:
        raise BadRequest(
            f"software.leap_platform={software.leap_platform} is no platform of this market; use one of {known}"
        )
    if alliance.platform in NO_ECOSYSTEM:
        raise BadRequest(
            f"alliance.platform={alliance.platform} is bought from anybody, no ecosystem; use one of {known}"
        )
    if alliance.platform not in names.platforms and (
        software.advantage_kcny is not None or scenario.modes.rule == "open"
    ):
        key = "software.advantage_kcny" if software.advantage_kcny is not None else "modes.rule=open"
        raise BadRequest(
            f"{key} needs the alliance's platform, but no car runs on '{alliance.platform}'; set alliance.platform "
            f"to one of {known}"
        )


def habits_of(scenario: Scenario) -> Habits:
    """The numbers every household shares, as the kernels read them."""
    consumers, lock_in = scenario.consumers, scenario.lock_in
    return Habits(
        median_sensitivity=consumers.price_sensitivity,
        income_spread=consumers.income_spread,
        software_spread=consumers.software_taste_spread,
        electric_spread=consumers.electric_taste_spread,
        class_spread=consumers.class_taste_spread,
        premium_spread=consumers.premium_taste_spread,
        phone_share=consumers.phone_share,
        phone_effect=consumers.phone_effect,
        switching_cost=lock_in.switching_cost,
        tenure_scale=lock_in.tenure_months,
        brand_loyalty=lock_in.brand_loyalty,
        word_of_mouth=lock_in.word_of_mouth,
        over_the_air=lock_in.over_the_air,
        outside_outlay=consumers.outside_outlay,
        overdue_cost=consumers.overdue_cost,
        first_time_share=consumers.first_time_share,
        holding_scale=weibull_scale(consumers.holding_months, consumers.holding_shape),
        holding_shape=consumers.holding_shape,
        pause=consumers.pause_months,
    )


def shopping_clock(scenario: Scenario) -> np.ndarray:
    """Shopping time at the start of months 1, 2, …; even without a season."""
    base = month_name(month_number(scenario.start) - 1)
    factors = np.array(_season(min(max(base, "2020-12"), "2023-12"))) if scenario.market.seasonality else np.ones(12)
    return seasonal_clock(factors, month_number(scenario.start) % 12, scenario.n_months + MONTHS_AHEAD)


@cache
def _season(until: str) -> tuple[float, ...]:
    """Seasonal factors that a base date may know."""
    return tuple(seasonal_factors(until))


def read_traits(table: pd.DataFrame) -> Traits:
    """What the project knows about brands and makers; makers of a table of one's own are placed by what they build."""
    brands, packs = read_brands(), read_packs()
    known = dict(zip(*(read_automakers()[name] for name in ("automaker", "kind")), strict=True))
    for automaker, rows in table.groupby("automaker"):
        electric = (rows["powertrain"] != "ice").all()
        known.setdefault(automaker, "independent" if electric else "incumbent")
    return Traits(
        premium_brands=frozenset(brands.loc[brands["foreign_premium"].astype(bool), "brand"]),
        origin=dict(zip(brands["brand"], brands["brand_origin"], strict=True)),
        ownership=dict(zip(*(read_automakers()[name] for name in ("automaker", "ownership")), strict=True)),
        kind=known,
        pack={(row.powertrain, row.size_class): float(row.pack) for row in packs.itertuples()},
    )


def with_modes(lines: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Lines with the mode in which their brand uses its platform at the base date."""
    records = read_membership()
    inside = set(records.loc[records["mode"] == "inside", "brand"]) - set(
        records.loc[records["mode"] == "alliance", "brand"]
    )
    suppliers = set(records.loc[records["mode"] == "supplier", "stack"]) | set(NO_ECOSYSTEM)
    suppliers -= set(records.loc[records["mode"] == "in_house", "stack"])

    def mode(brand: str, platform: str) -> str:
        if platform == scenario.alliance.platform:
            return "inside" if brand in inside else "alliance"
        return "supplier" if platform in suppliers else "in_house"

    return lines.assign(mode=[mode(*row) for row in zip(lines["brand"], lines["platform"], strict=True)])


def open_platforms(names: list[str], dormant: list[str], scenario: Scenario, base: str) -> Platforms:
    """Platforms with their quality and research at the base date; nothing on the road yet.

    A stack that comes later starts with the quality of its entry, one that nobody has judged with a supplier's.

    Args:
        names: stacks of the market's cars; `dormant` ones are added at its end.
        dormant: stacks that groups may yet build.
    """
    known = dict(_quality_at_entry()) | software_quality(base)
    if "supplier" not in names:
        names.append("supplier")
    active, dormant = list(names), [name for name in dormant if name not in names]
    names += dormant
    idle = [0.0] * len(dormant)
    built = _built_in_house()
    return Platforms(
        names=names,
        ecosystem=np.array([name not in NO_ECOSYSTEM for name in names]),
        quality=np.array([known.get(name, known["supplier"]) for name in names], dtype=float),
        research=np.array(
            [_research(name, built, scenario.alliance.platform, scenario.software) for name in active] + idle
        ),
        base_research=np.array(
            [_research(name, built, scenario.alliance.platform, SoftwareParams()) for name in active] + idle
        ),
        dormant=np.array([False] * len(active) + [True] * len(dormant)),
        in_house=np.array([False] * len(active) + [True] * len(dormant)),
        sales=np.zeros((1, len(names))),
        electric_sales=np.zeros(1),
        first_month=0,
        quality_path=np.zeros((scenario.n_months + 1, len(names))),
        initial_fleet=np.zeros(len(names)),
    )


@cache
def _quality_at_entry() -> tuple[tuple[str, float], ...]:
    """Platform and quality, kCNY, in the first judgement of each stack."""
    entry = read_software().sort_values("month", kind="stable").drop_duplicates("platform")
    return tuple(zip(entry["platform"], entry["quality"], strict=True))


@cache
def _built_in_house() -> frozenset[str]:
    """Stacks that some brand's maker has built, by the record."""
    records = read_membership()
    return frozenset(records.loc[records["mode"] == "in_house", "stack"])


def stacks_for_sale(scenario: Scenario) -> list[str]:
    """Stacks that any brand may buy, whoever uses them at the base date: bought parts, and the rival supplier's.

    Raises:
        BadRequest: the rival's stack is none that the project knows.
    """
    rival, known = scenario.modes.rival_platform, sorted(set(read_software()["platform"]) - {"none", "supplier"})
    if rival and (rival not in known or rival == scenario.alliance.platform):
        others = ", ".join(name for name in known if name != scenario.alliance.platform)
        raise BadRequest(
            f"modes.rival_platform={rival} is no rival's stack the project knows; use one of {others}, or null"
        )
    return ["supplier", *([rival] if rival else [])]


def stacks_to_come(groups: dict[str, str], traits: Traits, scenario: Scenario) -> list[str]:
    """Stacks that may yet be built where brands choose: under the name of a group, or of a joint venture."""
    if scenario.modes.rule != "chosen":
        return []
    ventures = {maker for maker in groups if traits.ownership.get(maker) == "joint venture"}
    return sorted(({*groups.values()} | ventures) - {OTHER})


def _research(name: str, built: frozenset[str], leader: str, software: SoftwareParams) -> float:
    """Software R&D behind a platform, bn CNY a year."""
    if name == leader:
        return software.alliance_rd
    if name == "none":
        return 0.0
    return software.own_stack_rd if name in built else software.supplier_rd


@lru_cache(maxsize=64)
def pack_price(year: int) -> float:
    """Battery price of the last year on record up to `year`, kCNY per kWh."""
    prices = read_battery()
    prices = prices[prices["year"] <= year].sort_values("year", kind="stable")
    return float(prices["price"].iloc[-1]) if len(prices) else float(read_battery()["price"].iloc[0])
