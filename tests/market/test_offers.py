"""Lines come from the calendar; what they are like comes from their peers, never from their own later sales."""

import numpy as np
import pytest
from market.worlds import HISTORY, merged, opened, run_small

from evsim.data import read_launches
from evsim.market.offers import place_launches, regressors

LONG = {"end": "2025-12"}


@pytest.fixture(scope="module")
def offers():
    """Rows of the small world to the end of 2025."""
    return opened(LONG).market.offers


def lines_by_name(offers, column):
    return dict(zip(offers.product, getattr(offers, column).tolist(), strict=True))


def test_lines_to_come_are_not_on_sale_at_the_base_date_and_all_open_in_time(offers):
    future = offers.base_units == 0
    assert future.sum() > 20
    assert not offers.on_sale[future].any()
    model = opened(LONG)
    opening = {event.row: event.month for event in model.market.calendar if event.event == "opens"}
    assert set(opening) == set(np.flatnonzero(future).tolist())
    model.run_model()
    assert model.market.offers.on_sale.all()
    first = {row: int(model.market.offers.refreshed[row]) for row in opening}
    assert all(first[row] >= month for row, month in opening.items())


def test_aito_starts_from_zero_in_history_2022():
    consumers = {"count": 30_000, "reference_size": 1_000}
    run = run_small(HISTORY, {"market": {"lines": 150}, "consumers": consumers, "pricing": {"rule": "fixed"}})
    aito = run.market[run.market["brand"] == "AITO"]
    assert aito["month"].min() == "2022-03"
    assert 0.0005 < aito["units"].sum() / run.headline["units"].iloc[1:].sum() < 0.02
    assert set(aito["camp"]) == {"alliance"}


def test_luck_is_a_lines_own_whatever_else_is_launched(offers):
    shorter = opened({"end": "2024-12"}).market.offers
    early, late = lines_by_name(shorter, "quality"), lines_by_name(offers, "quality")
    assert set(early) < set(late)
    assert {name: late[name] for name in early} == early


def test_another_seed_draws_other_luck_with_the_same_peers():
    one, other = (opened({**LONG, "seed": seed}).market.offers for seed in (1, 2))
    future = one.base_units == 0
    assert (one.quality[future] != other.quality[future]).all()
    base = ~future
    assert one.key.tolist() == other.key.tolist()
    assert one.quality[base] == pytest.approx(other.quality[base], abs=1.5)  # another sample of households


def test_without_spread_quality_and_cost_follow_price_and_kind(offers):
    market = opened(LONG).market
    place_launches(market.offers, 0, 0.0, 0.0)
    future = np.flatnonzero(market.offers.base_units == 0)
    cost, price = market.offers.cost[future], market.offers.base_price[future]
    assert np.corrcoef(np.log(cost), np.log(price))[0, 1] > 0.95
    assert (cost > 0).all()
    assert (cost < price).all()
    spread = (offers.quality - market.offers.quality)[future]
    assert np.abs(spread).max() <= 2.0 * (0.68 + 0.76) + 1e-9
    assert 0.3 < spread.std() < 1.2


def test_a_brands_lines_share_their_brands_luck():
    market = opened(LONG).market
    place_launches(market.offers, 0, 0.0, 0.0)
    plain = market.offers.quality.copy()
    place_launches(market.offers, 0, 0.5, 0.0)
    luck = market.offers.quality - plain
    brands = [market.names.brands[code] for code in market.offers.brand]
    xiaomi = luck[[brand == "Xiaomi" for brand in brands]]
    assert len(xiaomi) >= 2
    assert np.ptp(xiaomi) < 1e-12
    assert abs(xiaomi[0]) > 0
    known = luck[[brand == "BYD" for brand in brands]]
    assert known == pytest.approx(np.zeros(len(known)), abs=1e-12)  # peers tell, no luck is needed


def test_a_known_brands_line_is_as_much_above_the_rule_as_its_peers_shrunk_by_their_number():
    market = opened(LONG).market
    place_launches(market.offers, 0, 0.0, 0.0)
    offers = market.offers
    known = np.flatnonzero((offers.base_units > 0) & offers.settled & ~offers.pooled)
    design = regressors(offers, known, offers.base_price[known])
    rule = np.linalg.lstsq(design, offers.quality[known], rcond=None)[0]
    above = offers.quality[known] - design @ rule
    checked = 0
    for row in np.flatnonzero(offers.base_units == 0):
        peers = above[offers.brand[known] == offers.brand[row]]
        if len(peers):
            expected = regressors(offers, np.array([row]), offers.base_price[[row]]) @ rule + peers.sum() / (
                len(peers) + 1
            )
            assert offers.quality[row] == pytest.approx(expected[0], abs=1e-9)
            checked += 1
    assert checked > 3


def test_regressions_explain_the_base_table(offers):
    diagnostics = opened().market.diagnostics
    assert diagnostics["cost_r2"] > 0.95
    assert diagnostics["quality_r2"] > 0.8


def test_age_is_a_sawtooth_of_the_lines_refresh_cycle(offers):
    ages = np.array([offers.age(month) for month in range(200)])
    assert (ages >= 0).all()
    assert (ages < offers.cycle).all()
    assert (offers.cycle == np.maximum(48.0 / np.maximum(offers.nameplates, 1.0), 1.0)).all()
    long_cycle = offers.cycle == 48.0
    assert (np.diff(ages[:, long_cycle], axis=0) == 1).mean() == pytest.approx(47.0 / 48.0, abs=0.01)


def test_no_launch_means_no_line_of_the_calendar():
    model = opened({**LONG, "products": {"launches": "none"}})
    assert (model.market.offers.base_units > 0).all()
    assert model.market.calendar == []


def test_a_launch_into_a_line_on_sale_adds_a_nameplate():
    model = opened(merged(LONG, {"market": {"lines": 100}}))
    adds = [event.row for event in model.market.calendar if event.event == "adds"]
    before = model.market.offers.nameplates.copy()
    model.run_model()
    grown = model.market.offers.nameplates - before
    assert len(adds) > 10
    assert grown.sum() == len(adds)
    assert grown == pytest.approx(np.bincount(adds, minlength=len(grown)))


def test_every_dated_launch_with_a_price_reaches_the_market(offers):
    launches = read_launches()
    due = launches[
        launches["event"].isin(["launch", "variant", "relaunch"])
        & (launches["month"] > "2023-12")
        & (launches["month"] <= "2025-12")
        & launches["list_price_low"].notna()
    ]
    events = opened(LONG).market.calendar
    missing = len(due) - len(events)
    relaunches = (due["event"] == "relaunch").sum()
    assert 0 <= missing <= relaunches  # a relaunch of a line that is pooled away has nothing to renew
