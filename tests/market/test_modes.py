"""Who is in the alliance when, and what a world without it looks like."""

import pytest
from market.worlds import HISTORY, opened, run_small, small

from evsim.market.modes import dated_changes

NONE = {"modes": {"rule": "none"}}
LATE = {"end": "2025-12", "pricing": {"rule": "fixed"}}


def test_without_the_alliance_no_car_is_sold_in_it_after_month_0():
    run = run_small(NONE, LATE)
    later = run.market[run.market["month"] > run.base_month]
    assert (later["platform"] != "huawei").all()
    assert not later["mode"].isin(["alliance", "inside"]).any()
    assert run.headline["alliance_share"].iloc[0] > 0
    assert (run.headline["alliance_share"].iloc[1:] == 0).all()
    assert (run.headline["alliance_cumulative_deliveries"] == 0).all()


def test_without_the_alliance_its_makers_go_on_without_lent_trust():
    run = run_small(NONE, LATE)
    aito = run.market[run.market["brand"] == "AITO"]
    assert set(aito.loc[aito["month"] > run.base_month, "platform"]) == {"supplier"}
    assert set(aito.loc[aito["month"] > run.base_month, "camp"]) == {"incumbent"}
    model = opened(NONE)
    before = model.market.quality_alike()
    model.step()
    rows = [i for i, code in enumerate(model.market.offers.brand) if model.market.names.brands[code] == "AITO"]
    fall = (before - model.market.quality_alike())[rows]
    assert fall[model.market.offers.base_units[rows] > 0] == pytest.approx(0.8, abs=0.1)


def test_brands_that_exist_by_the_alliance_alone_never_come_without_it():
    assert "Shangjie" in set(run_small(LATE).market["brand"])
    assert "Shangjie" not in set(run_small(NONE, LATE).market["brand"])


def test_cars_sold_keep_their_platform_when_the_brand_leaves_it():
    model = opened(NONE)
    leader = model.market.platform_code("huawei")
    owners = (model.market.population.platform == leader).sum()
    model.step()
    assert owners > 0
    assert (model.market.population.platform == leader).sum() >= 0.8 * owners


def test_members_join_when_the_record_says():
    run = run_small(LATE)
    members = run.orchestrator.set_index("month")["members"]
    assert members["2024-01"] == 2  # AITO and Luxeed
    assert members["2025-12"] == 5
    assert members.is_monotonic_increasing


def test_dated_changes_are_in_order_and_after_the_base_date():
    changes = dated_changes(small())
    assert changes == sorted(changes)
    assert all(change.month >= 1 for change in changes)
    zeekr = [change for change in changes if change.brand == "Zeekr"]
    assert [(change.month, change.before, change.platform, change.mode) for change in zeekr] == [
        (1, "supplier", "Geely", "in_house")
    ]
    assert len(dated_changes(small(HISTORY))) >= len(changes)


def test_a_dated_change_moves_the_brands_lines():
    run = run_small({"market": {"lines": 60, "keep_brands": ("Zeekr", "AITO")}, "end": "2024-02"})
    zeekr = run.market[run.market["brand"] == "Zeekr"]
    base = zeekr["month"] == run.base_month
    assert set(zeekr.loc[base, "platform"]) == {"supplier"}
    assert set(zeekr.loc[~base, "platform"]) == {"Geely"}


def test_in_an_open_world_makers_buy_a_stack_that_is_worth_its_fee():
    dear = run_small({"modes": {"rule": "open"}, "software": {"advantage_kcny": 60.0}})
    cheap = run_small({"modes": {"rule": "open"}, "software": {"advantage_kcny": 0.0}})
    assert dear.orchestrator["insiders"].iloc[0] > 5 > cheap.orchestrator["insiders"].iloc[0]
    inside = dear.market[(dear.market["mode"] == "inside") & (dear.market["month"] > dear.base_month)]
    assert (inside["powertrain"] != "ice").all()
    assert "Tesla" not in set(inside["brand"])  # independents sell their own software
