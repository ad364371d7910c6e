"""Levers act from month 1 on: whatever they are set to, month 0 is the calibrated table, bit for bit."""

from functools import cache

import numpy as np
import pytest
from market.worlds import CHOSEN, merged, opened, run_small

from evsim.params import Params, Scenario

PROSPECT = {
    "brand": "Nova",
    "automaker": "BYD",
    "powertrain": "bev",
    "size_class": "B",
    "price_kcny": 200.0,
}
SCRAPPING = {"kind": "per_unit", "name": "old", "start": "2024-01", "amount_kcny": 30.0, "requires": "scrappage"}
SETTINGS = {  # every lever of the scenario, set to something else
    "market.growth": 0.05,
    "pricing.rule": "cost_plus",
    "pricing.war_start": "2024-01",
    "pricing.war_end": "2024-06",
    "pricing.war_cut": 0.9,
    "subsidy.timeline": "none",
    "subsidy.instruments": ({"kind": "per_unit", "name": "gift", "start": "2023-01", "amount_kcny": 30.0},),
    "subsidy.scale": 0.0,
    "subsidy.scrappage_age_months": 0,
    "subsidy.end": "2023-12",
    "subsidy.hold_from": "2020-01",
    "subsidy.phase_out_start": "2023-06",
    "subsidy.phase_out_months": 3,
    "credits.rule": "off",
    "credits.price_kcny": 9.0,
    "credits.floor_kcny": 2.9,
    "credits.cap_kcny": 50.0,
    "credits.ratio_scale": 3.0,
    "credits.fuel_need": 2.0,
    "credits.hold_from": "2020-01",
    "use.petrol_scale": 2.0,
    "use.power_scale": 0.0,
    "use.hold_from": "2022-06",
    "software.advantage_kcny": 60.0,
    "software.advantage_until": "2024-01",
    "software.alliance_rd": 50.0,
    "software.own_stack_rd": 0.0,
    "software.rd_elasticity": 5.0,
    "software.supplier_rd": 9.0,
    "software.leap_platform": "Tesla",
    "software.leap_month": "2024-01",
    "software.leap_kcny": 99.0,
    "alliance.terms": "given",
    "alliance.commitment_years": 1,
    "alliance.admissions": 0,
    "alliance.barred_origins": (),
    "alliance.onboardings": 0,
    "alliance.offer_share": 0.4,
    "alliance.offer_fee_scale": 2.0,
    "modes.rule": "none",
    "modes.prospective": (PROSPECT,),
    "modes.horizon_years": 3,
    "modes.autonomy_cost": 100.0,
    "modes.independent_autonomy": 20.0,
    "modes.volume_weight": 50.0,
    "modes.success_chance": 0.0,
    "modes.prior_successes": 60.0,
    "modes.prior_failures": 50.0,
    "modes.build_months_least": 12,
    "modes.build_months_most": 200,
    "modes.cash_hurdle": 100.0,
    "modes.rival_platform": None,
    "products.launches": "none",
}
WAR = {"pricing": {"war_start": "2024-01", "war_end": "2024-06"}}
LEAP = {"software": {"leap_platform": "Tesla", "leap_month": "2024-01"}}
EAGER = {  # whoever gains by joining joins, by luck nobody
    "modes": {"rule": "chosen", "autonomy_cost": 0.0, "precision": 1e5, "base_change_rate": 0.99},
    "alliance": {"terms": "given"},
    "software": {"advantage_kcny": 100.0},
}
BUILDING = {  # stacks of one's own have become better than the alliance's, and an attempt takes little money and time
    "modes": {
        "rule": "chosen",
        "build_months_least": 2,
        "build_months_most": 4,
        "precision": 1e5,
        "base_change_rate": 0.99,
    },
    "software": {"own_stack_rd": 0.001, "leap_platform": "BYD", "leap_month": "2024-01", "leap_kcny": 99.0},
}
TOGETHER = {  # what a lever needs to act on
    "credits.floor_kcny": {"credits": {"rule": "clearing"}},
    "credits.cap_kcny": {"credits": {"rule": "clearing", "ratio_scale": 15.0}},
    "pricing.war_cut": WAR,
    "pricing.war_start": {"pricing": {"war_end": "2024-06"}},
    "pricing.war_end": {"pricing": {"war_start": "2024-01"}},
    "subsidy.scrappage_age_months": {"subsidy": {"instruments": (SCRAPPING,)}},
    "subsidy.phase_out_months": {"subsidy": {"phase_out_start": "2024-01"}},
    "software.leap_platform": {"software": {"leap_month": "2024-01"}},
    "software.leap_month": {"software": {"leap_platform": "Tesla"}},
    "software.leap_kcny": LEAP,
    "software.rd_elasticity": {"end": "2025-02"},
    "alliance.terms": CHOSEN | {"alliance": {"offer_share": 0.4}},
    "alliance.admissions": EAGER,
    "alliance.onboardings": EAGER,
    "modes.success_chance": BUILDING,
} | {
    key: CHOSEN
    for key in SETTINGS
    if key in ("alliance.commitment_years", "alliance.barred_origins")
    or (key.startswith("modes.") and key not in ("modes.rule", "modes.success_chance"))
}
PAIRED = {
    "pricing.war_start",
    "pricing.war_end",
    "software.leap_platform",
    "software.leap_month",
}  # no war, no leap without


def levers(model: type[Params] = Scenario, prefix: str = ""):
    """Key of every field whose role is `lever`, in groups and the groups inside them."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Params):
            yield from levers(field.annotation, f"{prefix}{name}.")
        elif field.json_schema_extra["role"] == "lever":
            yield prefix + name


def layer(key):
    group, name = key.split(".")
    return merged({"end": "2024-02"}, TOGETHER.get(key, {}), {group: {name: SETTINGS[key]}})


def test_every_lever_is_tried_here():
    assert set(levers()) == set(SETTINGS)


@cache
def still(seed):
    """The small world with every lever at rest."""
    return opened({"end": "2024-02", "seed": seed})


@pytest.mark.parametrize("key", SETTINGS)
def test_a_lever_leaves_month_0_as_it_is(key):
    moved = opened(layer(key))
    rest = still(moved.market.scenario.seed)
    before, after = rest.record["market"], moved.record["market"]
    for column, values in before.items():
        assert values.tolist() == after[column].tolist()
    base = rest.market.offers.on_sale
    for column in ("quality", "cost", "base_price"):
        old, new = getattr(rest.market.offers, column)[base], getattr(moved.market.offers, column)
        assert np.array_equal(old, new[moved.market.offers.on_sale])


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_lever_changes_what_comes_after(key):
    background = {} if key in PAIRED else TOGETHER.get(key, {})
    end = {"end": max("2024-06", TOGETHER.get(key, {}).get("end", ""))}
    assert run_small(background, end).digest != run_small(layer(key), end).digest


def test_structure_explains_the_same_table_in_another_way():
    plain, loyal = run_small({"end": "2024-01"}), run_small({"end": "2024-01", "lock_in": {"switching_cost": 3.0}})
    base = plain.base_month
    old, new = (run.market[run.market["month"] == base] for run in (plain, loyal))
    for column in ("product", "price", "buyer_price", "units"):
        assert old[column].tolist() == new[column].tolist()
    assert (old["marginal_cost"] != new["marginal_cost"]).any()
