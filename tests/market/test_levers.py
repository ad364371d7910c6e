"""Levers act from month 1 on: whatever they are set to, month 0 is the calibrated table, bit for bit."""

import numpy as np
import pytest
from market.worlds import opened, run_small

from evsim.params import Scenario

SETTINGS = {  # every lever of the scenario, set to something else
    "market.growth": 0.05,
    "pricing.rule": "cost_plus",
    "pricing.war_start": "2024-01",
    "pricing.war_end": "2024-06",
    "pricing.war_cut": 0.9,
    "subsidy.timeline": "none",
    "subsidy.instruments": ({"kind": "per_unit", "name": "gift", "start": "2023-01", "amount_kcny": 30.0},),
    "subsidy.scale": 0.0,
    "subsidy.hold_from": "2020-01",
    "subsidy.phase_out_start": "2023-06",
    "subsidy.phase_out_months": 3,
    "software.advantage_kcny": 60.0,
    "software.advantage_until": "2024-01",
    "software.alliance_rd": 50.0,
    "software.own_stack_rd": 0.0,
    "software.supplier_rd": 9.0,
    "software.leap_platform": "Tesla",
    "software.leap_month": "2024-01",
    "software.leap_kcny": 99.0,
    "modes.rule": "none",
    "products.launches": "none",
}
TOGETHER = {
    "pricing.war_cut": {"pricing": {"war_start": "2024-01", "war_end": "2024-06"}},
    "pricing.war_start": {"pricing": {"war_end": "2024-06"}},
    "pricing.war_end": {"pricing": {"war_start": "2024-01"}},
    "subsidy.phase_out_months": {"subsidy": {"phase_out_start": "2024-01"}},
    "software.leap_platform": {"software": {"leap_month": "2024-01"}},
    "software.leap_month": {"software": {"leap_platform": "Tesla"}},
    "software.leap_kcny": {"software": {"leap_platform": "Tesla", "leap_month": "2024-01"}},
}
PAIRED = {
    "pricing.war_start",
    "pricing.war_end",
    "software.leap_platform",
    "software.leap_month",
}  # no war, no leap without


def levers():
    """Key of every field whose role is `lever`, in groups one level deep."""
    for group, field in Scenario.model_fields.items():
        for name, inner in getattr(field.annotation, "model_fields", {}).items():
            if inner.json_schema_extra["role"] == "lever":
                yield f"{group}.{name}"


def layer(key):
    group, name = key.split(".")
    changed = {**TOGETHER.get(key, {}).get(group, {}), name: SETTINGS[key]}
    return {group: changed, "end": "2024-02"}


def test_every_lever_is_tried_here():
    assert set(levers()) == set(SETTINGS)


@pytest.fixture(scope="module")
def still():
    """The small world with every lever at rest."""
    return opened({"end": "2024-02"})


@pytest.mark.parametrize("key", SETTINGS)
def test_a_lever_leaves_month_0_as_it_is(still, key):
    moved = opened(layer(key))
    before, after = still.recorder.parts["market"][0], moved.recorder.parts["market"][0]
    for column, values in before.items():
        assert values.tolist() == after[column].tolist()
    base = still.market.offers.on_sale
    for column in ("quality", "cost", "base_price"):
        old, new = getattr(still.market.offers, column)[base], getattr(moved.market.offers, column)
        assert np.array_equal(old, new[moved.market.offers.on_sale])


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_lever_changes_what_comes_after(key):
    background = {} if key in PAIRED else TOGETHER.get(key, {})
    changed = run_small(layer(key), {"end": "2024-06"})
    assert run_small(background, {"end": "2024-06"}).digest != changed.digest


def test_structure_explains_the_same_table_in_another_way():
    plain, loyal = run_small({"end": "2024-01"}), run_small({"end": "2024-01", "lock_in": {"switching_cost": 3.0}})
    base = plain.base_month
    old, new = (run.market[run.market["month"] == base] for run in (plain, loyal))
    for column in ("product", "price", "buyer_price", "units"):
        assert old[column].tolist() == new[column].tolist()
    assert (old["marginal_cost"] != new["marginal_cost"]).any()
