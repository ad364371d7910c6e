"""Small worlds for the tests of the market: seconds become hundredths of a second, the rules stay the same."""

from functools import cache

from evsim.market.brands import Brand
from evsim.model import EVMarket
from evsim.params import Scenario
from evsim.results import Run
from evsim.simulation import run

SMALL = {
    "end": "2024-12",
    "market": {"lines": 25},
    "consumers": {"count": 2_000, "reference_size": 500},
    "pricing": {"survey_size": 100},
    "lock_in": {"community_size": 50},
    "modes": {"rule": "timeline"},
}
CHOSEN = {"modes": {"rule": "chosen"}}  # brands choose
STILL = {  # nothing changes but who shops
    "pricing": {"rule": "fixed"},
    "lock_in": {"switching_cost": 0.0, "network_effect": 0.0},
    "products": {"launches": "none", "ageing": 0.0, "hardware_gap": 0.0},
    "software": {"success_gain": 0.0},
    "battery": {"learning_rate": 0.0},
    "chargers": {"value": 0.0},
    "capacity": {"headroom": 20.0, "minimum": 1e6, "wait_cost": 0.0},
    "subsidy": {"hold_from": "2023-12"},
    "use": {"hold_from": "2023-12"},
    "credits": {"hold_from": "2023-12"},
    "modes": {"rule": "timeline"},
}
HISTORY = {"start": "2022-01", "end": "2022-12", "market": {"table": "2021"}}
HEADER = "product,brand,automaker,group,powertrain,size_class,platform,units,price"
OWN = (
    "a,Alpha,Alpha Motors,Alpha,ice,A,supplier,400000,120",
    "b,Beta,Beta Motors,Beta,bev,B,Beta,300000,200",
    "c,Gamma,Gamma Motors,Gamma,phev,B,supplier,200000,180",
    "d,Delta,Delta Motors,Delta,bev,C,huawei,100000,300",
)


def merged(*layers: dict) -> dict:
    """Settings over settings, group by group."""
    result: dict = {}
    for layer in layers:
        for key, value in layer.items():
            result[key] = result.get(key, {}) | value if isinstance(value, dict) else value
    return result


def small(*layers: dict) -> Scenario:
    """The small world with some settings changed."""
    return Scenario.model_validate(merged(SMALL, *layers))


def opened(*layers: dict) -> EVMarket:
    """A small world at its base date."""
    return EVMarket(small(*layers))


def run_small(*layers: dict, seed: int | None = None) -> Run:
    """A small world's run, with its books checked; computed once for each scenario and seed."""
    scenario = small(*layers)
    return _run(scenario if seed is None else scenario.model_copy(update={"seed": seed}))


@cache
def _run(scenario: Scenario) -> Run:
    return run(scenario, threads=1)


def brand_of(market, name: str, automaker: str | None = None) -> Brand:
    """The brand of that name; where several makers sell it, of that maker."""
    names = market.names
    (brand,) = (
        brand
        for brand in market.brands
        if names.brands[brand.brand] == name and automaker in (None, names.automakers[brand.automaker])
    )
    return brand


def own_table(folder, rows=OWN) -> str:
    """Path of a market table of one's own."""
    path = folder / "table.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(path)
