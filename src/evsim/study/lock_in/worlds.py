"""The worlds that the lock-in kit compares: the scenario's own, the same without lock-in, and frozen ones.

Without lock-in θ = κ = ι = 0 and nobody learns from fleet data; these are structure, so the world is inverted to the same market
table, and explains it by tastes and qualities alone. With the primitives held it keeps the qualities, costs and motives that
were found with lock-in, and its first month is not the table's.

In a frozen world nothing changes but who shops: prices, policy, products, hardware, software, batteries, chargers, who is with
whom, and nobody runs out of cash or cars. What the kit changes in it is the only cause of what happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evsim.data import read_market_table
from evsim.data.market import NO_ECOSYSTEM
from evsim.market.progress import software_advantage
from evsim.market.setup import habits_of
from evsim.market.state import Market
from evsim.model import EVMarket
from evsim.params import Scenario, month_name, month_number

PURSE = 1e15  # kCNY: cash that no maker of a frozen world spends
OTHER_FIRMS = 1 << 32  # from a seed to the seed of the other draws of firms
WITHOUT: Mapping[str, Any] = {
    "lock_in": {"switching_cost": 0.0, "brand_loyalty": 0.0, "network_effect": 0.0},
    "software": {"data_effect": 0.0},
}
FROZEN: Mapping[str, Any] = {
    "market": {"growth": 0.0, "seasonality": False},
    "pricing": {"rule": "fixed"},
    "subsidy": {"phase_out_start": None},
    "software": {"success_gain": 0.0, "advantage_kcny": None, "advantage_until": None}
    | {"leap_platform": None, "leap_month": None},
    "modes": {"rule": "timeline"},
    "products": {"launches": "none", "ageing": 0.0, "hardware_gap": 0.0},
    "battery": {"learning_rate": 0.0},
    "chargers": {"value": 0.0},
    "capacity": {"headroom": 20.0, "minimum": 1e6, "wait_cost": 0.0},
}


@dataclass(frozen=True)
class Sizes:
    """How large the frozen worlds are, and what is done to them. The scenario's own worlds have the scenario's size."""

    rows: int = 5_000  # of frozen worlds, at most the scenario's
    survey: int = 3_000  # households in their panel, on which shares are computed without sampling choices
    levels: tuple[float, ...] = (-20.0, 0.0, 20.0, 40.0, 60.0)  # advantages of the sweep over the base date's, kCNY
    block: int = 48  # months between two looks at whether the market rests
    most_blocks: int = 10  # after which it is taken as it is
    still: float = 0.01  # change of the leader's share from block to block, relative, below which the market rests
    lead: float = 30.0  # advantage over independents' stacks that is held, then lost, kCNY
    held: int = 60  # months for which it is held, and after which the newcomer comes
    after: int = 120  # months watched after that
    entry: int = 36  # months after which the newcomer's share is read


def changed(params: Any, changes: Mapping[str, Any]) -> Any:
    """The same parameters with some replaced, group by group. Nothing is checked: a sweep outlasts what a user may ask for."""
    update = {
        name: changed(getattr(params, name), value) if isinstance(value, Mapping) else value
        for name, value in changes.items()
    }
    return params.model_copy(update=update)


def without_lock_in(scenario: Scenario) -> Scenario:
    """The scenario with θ = κ = ι = data learning = 0."""
    return changed(scenario, WITHOUT)


def with_primitives_held(scenario: Scenario, seed: int) -> EVMarket:
    """A world calibrated with lock-in that goes on without it."""
    model = EVMarket(scenario, rng=seed)
    market = model.market
    market.scenario = without_lock_in(market.scenario)
    market.habits = habits_of(market.scenario)
    return model


def with_other_firms(scenario: Scenario, seed: int) -> Scenario:
    """The same households under the same seed, and other draws of research, launches, and the order and motives of choices."""
    firms = seed if scenario.firms_seed is None else scenario.firms_seed
    return changed(scenario, {"firms_seed": firms + OTHER_FIRMS})


def smaller(scenario: Scenario) -> Scenario:
    """A quarter of the rows, at least 500."""
    return changed(scenario, {"consumers": {"count": max(scenario.consumers.count // 4, 500)}})


def frozen(scenario: Scenario, sizes: Sizes, months: int) -> Scenario:
    """A scenario in which nothing changes for so many months."""
    base, start = month_name(month_number(scenario.start) - 1), month_number(scenario.start)
    size = {
        "end": month_name(start + months - 1),
        "consumers": {"count": min(scenario.consumers.count, sizes.rows)},
        "pricing": {"survey_size": sizes.survey},
        "subsidy": {"hold_from": base},
        "use": {"hold_from": base},
        "credits": {"hold_from": base},
    }
    return changed(changed(scenario, FROZEN), size)


def open_frozen(scenario: Scenario, seed: int) -> EVMarket:
    """A frozen world at its base date: nobody moves to another stack, or stops for want of cash."""
    model = EVMarket(scenario, rng=seed)
    model.changes.clear()
    model.books.cash[:] = PURSE
    return model


def step(model: EVMarket, months: int) -> None:
    """So many months; what was recorded of earlier ones is dropped."""
    model.recorder.parts.clear()
    for _ in range(months):
        model.step()


def has_leader(scenario: Scenario) -> bool:
    """Whether a car of the market table has the alliance's platform."""
    return bool((read_market_table(scenario.market.table)["platform"] == scenario.alliance.platform).any())


def watched_platform(scenario: Scenario) -> str:
    """The platform whose share is watched: the alliance's, or the ecosystem that sells most where that sells nothing."""
    if has_leader(scenario) and scenario.modes.rule != "none":
        return scenario.alliance.platform
    table = read_market_table(scenario.market.table)
    sold = table[~table["platform"].isin(NO_ECOSYSTEM)].groupby("platform")["units"].sum()
    return str(sold.idxmax()) if len(sold) else "supplier"


def leader_of(market: Market) -> int:
    """Code of the alliance's platform if a car on sale has it, else −1."""
    code = market.platform_code(market.scenario.alliance.platform)
    offers = market.offers
    return code if code >= 0 and (offers.platform[offers.on_sale] == code).any() else -1


def calibrated_advantage(model: EVMarket) -> float:
    """The alliance's quality less the mean of independents' stacks at the base date, kCNY."""
    return software_advantage(model.market)
