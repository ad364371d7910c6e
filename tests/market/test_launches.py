"""Lines come from the calendar; what they are like comes from their peers, never from their own later sales."""

import numpy as np
import pytest
from market.worlds import HISTORY, merged, opened, own_table, run_small

from evsim.data import read_launches, read_market_table
from evsim.economics.pricing import equilibrium_prices
from evsim.market.launches import Launch, place_launches, regressors
from evsim.market.offers import MODE
from evsim.market.pricing import price_game
from evsim.model import EVMarket
from evsim.results import Run

LONG = {"end": "2025-12"}
DEFAULT_LINES = {"market": {"lines": 150}}
FULL = {"market": {"granularity": "full"}, "pricing": {"rule": "fixed"}}


@pytest.fixture(scope="module")
def offers():
    """Rows of the small world to the end of 2025."""
    return opened(LONG).market.offers


def placed(brand_spread, line_spread):
    """The small world whose lines to come were given luck of these spreads."""
    return opened(LONG, {"products": {"brand_spread": brand_spread, "line_spread": line_spread}}).market


def lines_by_name(offers, column):
    return dict(zip(offers.product, getattr(offers, column).tolist(), strict=True))


def line(model, name):
    """Row of the line of that name."""
    return model.market.offers.product.index(name)


def first_months(run):
    """First month on sale of each product, YYYY-MM."""
    return run.market.groupby("product")["month"].min()


def test_every_line_of_the_calendar_opens_in_its_month():
    model = opened(LONG)
    opening = {event.row: event.month for event in model.market.calendar if event.event == "opens"}
    assert set(opening) == set(np.flatnonzero(model.market.offers.base_units == 0).tolist())
    while model.running:
        before = model.market.offers.on_sale.copy()
        model.step()
        opened_now = {row for row, month in opening.items() if month == model.market.month}
        assert set(np.flatnonzero(model.market.offers.on_sale & ~before).tolist()) == opened_now


def test_aito_starts_from_zero_in_history_2022():
    consumers = {"count": 30_000, "reference_size": 1_000}
    run = run_small(HISTORY, DEFAULT_LINES, {"consumers": consumers, "pricing": {"rule": "fixed"}})
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
    plain = placed(0.0, 0.0).offers
    future = np.flatnonzero(plain.base_units == 0)
    cost, price = plain.cost[future], plain.base_price[future]
    assert np.corrcoef(np.log(cost), np.log(price))[0, 1] > 0.95
    assert (cost > 0).all()
    assert (cost < price).all()
    spread = (offers.quality - plain.quality)[future]
    assert np.abs(spread).max() <= 2.0 * (0.68 + 0.76) + 1e-9
    assert 0.3 < spread.std() < 1.2


def test_a_brands_lines_share_their_brands_luck():
    market = placed(0.5, 0.0)
    luck = market.offers.quality - placed(0.0, 0.0).offers.quality
    brands = [market.names.brands[code] for code in market.offers.brand]
    xiaomi = luck[[brand == "Xiaomi" for brand in brands]]
    assert len(xiaomi) >= 2
    assert np.ptp(xiaomi) < 1e-12
    assert abs(xiaomi[0]) > 0
    known = luck[[brand == "BYD" for brand in brands]]
    assert known == pytest.approx(np.zeros(len(known)), abs=1e-12)  # peers tell, no luck is needed


def test_a_known_brands_line_is_as_much_above_the_rule_as_its_peers_shrunk_by_their_number():
    offers = placed(0.0, 0.0).offers
    known = np.flatnonzero((offers.base_units > 0) & offers.settled & ~offers.pooled)
    design = regressors(offers, known)
    rule = np.linalg.lstsq(design, offers.quality[known], rcond=None)[0]
    above = offers.quality[known] - design @ rule
    checked = 0
    for row in np.flatnonzero(offers.base_units == 0):
        peers = above[offers.brand[known] == offers.brand[row]]
        if len(peers):
            expected = regressors(offers, np.array([row])) @ rule + peers.sum() / (len(peers) + 1)
            assert offers.quality[row] == pytest.approx(expected[0], abs=1e-9)
            checked += 1
    assert checked > 3


def test_regressions_explain_the_base_table():
    diagnostics = opened().market.diagnostics
    assert diagnostics["cost_r2"] > 0.95
    assert diagnostics["quality_r2"] > 0.8


def opening_prices(market):
    """Nash prices over calendar prices, were every line on sale: mean of alliance lines to come, and of the others."""
    offers = market.offers
    rows = np.arange(len(offers))
    market.month = 1
    solution = equilibrium_prices(price_game(market, rows), offers.base_price)
    assert solution.converged
    ratio, future = solution.prices / offers.base_price, offers.base_units == 0
    alliance = offers.mode == MODE["alliance"]
    assert min((future & alliance).sum(), (future & ~alliance).sum()) >= 8
    return ratio[future & alliance].mean(), ratio[future & ~alliance].mean()


def test_a_contract_moves_costs_between_books_and_does_not_make_a_launched_car_dearer():
    market = opened(LONG, {"market": {"lines": 60}}).market
    alliance, others = opening_prices(market)
    assert alliance / others == pytest.approx(1.0, abs=0.1)
    assert others == pytest.approx(1.0, abs=0.1)
    place_launches(market.offers, np.zeros(len(market.offers)), market.scenario)  # as if nobody paid the leader
    alliance, others = opening_prices(market)
    assert alliance / others > 1.1


def test_a_launched_car_costs_its_maker_something_whatever_it_pays_the_leader():
    market = opened(LONG).market
    place_launches(market.offers, market.offers.base_price, market.scenario)
    assert (market.offers.cost[market.offers.base_units == 0] > 0).all()


def test_no_launch_means_no_line_of_the_calendar():
    model = opened({**LONG, "products": {"launches": "none"}})
    assert (model.market.offers.base_units > 0).all()
    assert model.market.calendar == []


def test_a_table_with_few_lines_gets_no_launches(tmp_path):
    market = opened(LONG, {"market": {"table": own_table(tmp_path)}}).market
    assert market.scenario.products.launches == "calendar"
    assert market.calendar == []
    assert (market.offers.base_units > 0).all()


def test_a_launch_into_a_line_on_sale_adds_a_nameplate():
    model = opened(merged(LONG, {"market": {"lines": 100}}))
    events = model.market.calendar
    adds, leaves = ([event.row for event in events if event.event == kind] for kind in ("adds", "leaves"))
    before = model.market.offers.nameplates.copy()
    model.run_model()
    grown = model.market.offers.nameplates - before
    assert len(adds) > 10
    expected = np.bincount(adds, minlength=len(grown)) - np.bincount(leaves, minlength=len(grown))
    assert grown == pytest.approx(np.maximum(before + expected, 1.0) - before)


def test_every_dated_launch_with_a_price_reaches_the_market():
    launches = read_launches()
    new = launches["event"].isin(["launch", "variant"])
    table = set(read_market_table("2023")["product"])
    missing_of_the_base_month = new & (launches["month"] == "2023-12") & ~launches["product"].isin(table)
    later = (
        (new | (launches["event"] == "relaunch")) & (launches["month"] > "2023-12") & (launches["month"] <= "2025-12")
    )
    due = launches[(later | missing_of_the_base_month) & launches["list_price_low"].notna()]
    events = [event for event in opened(LONG).market.calendar if event.event != "leaves"]
    relaunches = (due["event"] == "relaunch").sum()
    assert 0 <= len(due) - len(events) <= relaunches  # a relaunch of a line that is pooled away has nothing to renew
    assert missing_of_the_base_month.sum() > 0


def test_a_product_of_the_base_month_that_the_table_misses_is_on_sale_in_month_1():
    assert "aito-m9" not in set(read_market_table("2023")["product"])
    assert first_months(run_small())["AITO range extender >400"] == "2024-01"
    full = run_small(FULL, {"end": "2024-01"})
    assert first_months(full)["aito-m9"] == "2024-01"
    assert "2024-01" not in set(first_months(run_small({"products": {"launches": "none"}})))


def test_a_relaunch_on_another_stack_moves_a_nameplate_to_the_line_of_that_stack():
    model = opened(DEFAULT_LINES, {"end": "2024-08", "pricing": {"rule": "fixed"}})
    market = model.market
    old = line(model, "Deepal range extender 150-250")
    leaves = [event for event in market.calendar if event.event == "leaves" and event.row == old]
    assert [event.month for event in leaves] == [7]  # Deepal S07 with the alliance's driver assistance, July 2024
    (goes_to,) = [
        event.row
        for event in market.calendar
        if event.month == 7
        and event.event in ("opens", "adds")
        and market.names.brands[market.offers.brand[event.row]] == "Deepal"
    ]
    assert market.names.platforms[market.offers.platform[old]] == "supplier"
    assert market.names.platforms[market.offers.platform[goes_to]] == "huawei"
    while market.month < 6:
        model.step()
    plates, there = market.offers.nameplates[old], market.offers.on_sale[goes_to]
    model.step()
    assert plates > 1.0
    assert market.offers.nameplates[old] == plates - 1.0
    assert not there
    assert market.offers.on_sale[[old, goes_to]].all()


def test_a_relaunch_on_the_stack_that_a_brand_has_moved_to_by_then_renews_its_line():
    """Zeekr leaves its supplier for Geely's stack in January 2024; the Zeekr 001 of February 2024 is on that stack."""
    model = opened(DEFAULT_LINES, {"end": "2024-03", "pricing": {"rule": "fixed"}})
    market, row = model.market, line(model, "Zeekr electric 250-400")
    quality = market.offers.quality[row]
    model.run_model()
    assert market.names.platforms[market.offers.platform[row]] == "Geely"
    assert market.offers.on_sale[row]
    assert market.offers.refreshed[row] == 2
    assert market.offers.quality[row] >= quality


@pytest.mark.parametrize("lines", [60, 2_000])
def test_a_line_that_loses_its_last_nameplate_is_withdrawn_in_the_baseline_too(lines):
    model = opened({"end": "2024-10", "market": {"lines": lines}, "pricing": {"rule": "fixed"}})
    row = line(model, "Voyah plug-in hybrid >400")
    assert model.market.offers.nameplates[row] == 1.0
    sold = []
    while model.running:
        model.step()
        sold.append(bool(model.market.offers.on_sale[row]))
    assert sold == [True] * 8 + [False] * 2  # Voyah Dreamer moves to the alliance's stack in September 2024


def test_cars_ordered_of_a_withdrawn_line_are_still_delivered_and_the_books_balance():
    tight = {"headroom": 1.0, "minimum": 100.0, "expansion": 0.0, "wait_cost": 0.0}
    model = opened({"end": "2025-12", "pricing": {"rule": "fixed"}, "capacity": tight, "consumers": {"count": 10_000}})
    offers, books = model.market.offers, model.books
    row = int(np.flatnonzero(~offers.pooled & (offers.base_units > 0))[0])
    plates = int(offers.nameplates[row])
    model.market.calendar += [Launch(4, row, "leaves")] * plates
    books.capacity[offers.automaker[row]] *= 0.5
    while model.running:
        model.step()
        if model.market.month == 4:
            waiting = (books.queue.products == row).sum()
            books.capacity[offers.automaker[row]] *= 4.0
    assert waiting > 0
    assert not offers.on_sale[row]
    assert not (books.queue.products == row).any()
    run = Run.from_record(model.market.scenario, 0, model.record, {})  # refuses books that do not balance
    cars = run.market[run.market["product"] == offers.product[row]].set_index("month")
    assert cars.loc["2024-03", "orders"] > 0
    assert (cars.loc["2024-04":, "orders"] == 0).all()
    after = cars.loc["2024-04":, "units"].sum()
    assert after == pytest.approx(cars.loc["2024-03", "backlog"], rel=1e-12)
    assert after > 0


def test_makers_whose_record_ends_leave_the_market():
    run = run_small(FULL, {"end": "2025-03", "consumers": {"count": 20_000}})
    for brand, last in (("HiPhi", "2024-02"), ("Jiyue", "2024-12")):
        cars = run.market[run.market["brand"] == brand]
        assert cars.loc[cars["month"] <= last, "month"].max() == last
        later = cars[cars["month"] > last]
        assert (later["orders"] == 0).all()
        assert ((later["units"] > 0) | (later["backlog"] > 0)).all()  # seen only while ordered cars are built
    model = EVMarket(run.scenario)
    model.run_model()
    gone = [code for code, name in enumerate(model.market.names.brands) if name in ("HiPhi", "Jiyue")]
    assert len(gone) == 2
    assert not model.market.offers.on_sale[np.isin(model.market.offers.brand, gone)].any()
