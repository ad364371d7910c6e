"""Cost of use and resale in what households weigh, and nowhere else."""

import numpy as np
import pytest
from market.worlds import STILL, opened, run_small, small

from evsim.data.market import POWERTRAINS
from evsim.market.base import open_market
from evsim.market.brands import Change, Way
from evsim.market.use import forsaken, weigh_use

FIXED = {"pricing": {"rule": "fixed"}, "products": {"launches": "none"}}
MANY = {"consumers": {"count": 10_000}, "end": "2025-12"}
FREE = {"use": {"distance": 0.0, "resale_weight": 0.0}}


def rows_of(market, powertrain, size_class=None):
    """Lines on sale of a powertrain."""
    rows = market.on_sale()
    return rows[market.offers.powertrain[rows] == POWERTRAINS.index(powertrain)]


def nev_share(run):
    """Share of electric cars over the run."""
    sold = run.market[run.market["month"] > run.base_month]
    return sold.loc[sold["powertrain"] != "ice", "units"].sum() / sold["units"].sum()


def test_what_stands_beside_the_price_is_fuel_and_power_less_resale():
    """By hand: 81 months, 6 %, 12,700 km; petrol at 7.9 CNY, power half at 0.535 and half at 1.3 CNY, a tenth lost."""
    market = open_market(small({"consumers": {"holding_months": 81.0}}))
    years, growth = 6.75, np.log(1.06)
    worth, discount = (1.0 - 1.06**-years) / growth, 1.06**-years
    sizes = {"A": (7.15, 13.75), "B": (8.25, 15.5)}
    resale = {  # log-linear between the values at five and at eight years
        "ice": 0.415 * (0.239 / 0.415) ** ((years - 5.0) / 3.0),
        "bev": 0.26 * (0.122 / 0.26) ** ((years - 5.0) / 3.0),
    }
    seen = 0
    for powertrain in ("ice", "bev"):
        for row in rows_of(market, powertrain):
            size = ("A00", "A0", "A", "B", "C", "D")[market.offers.size_class[row]]
            if size in sizes:
                litres, power = sizes[size]
                per_100_km = litres * 7.9 if powertrain == "ice" else power * 1.1 * 0.5 * (0.535 + 1.3)
                fuel = worth * 12_700.0 * per_100_km / 100.0 / 1000.0
                fetched = discount * resale[powertrain] * market.offers.base_price[row]
                assert market.beside_price[row] == pytest.approx(fuel - fetched, rel=1e-12)
                seen += 1
    assert seen > 5


def test_what_is_paid_and_booked_holds_no_cost_of_use():
    run = run_small(FIXED)
    sold = run.market[run.market["powertrain"] == "ice"]
    price, tax = sold["price"].to_numpy(), 1.0 + 0.10 / 1.13
    scrapping = run.tables["benefits"]["name"].str.startswith("scrappage")
    before = sold["month"] < run.tables["benefits"]["month"][scrapping].min()
    assert before.sum() > 20
    assert sold["buyer_price"].to_numpy()[before] == pytest.approx((price * tax)[before], rel=1e-12)


def test_dearer_petrol_sells_electric_cars_and_dearer_power_sells_petrol_cars():
    plain, petrol, power = (
        nev_share(run_small(FIXED, MANY, {"use": use})) for use in ({}, {"petrol_scale": 2.0}, {"power_scale": 4.0})
    )
    assert petrol > plain + 0.03
    assert power < plain - 0.03


def test_without_distance_and_resale_energy_changes_no_bit():
    plain, dear = run_small(FREE), run_small(FREE, {"use": FREE["use"] | {"petrol_scale": 5.0, "hold_from": "2021-01"}})
    assert plain.digest == dear.digest
    assert (opened(FREE).market.beside_price == 0.0).all()


def test_cost_of_use_explains_the_same_table_in_another_way():
    plain, free = opened().market, opened(FREE).market
    base = plain.offers.on_sale
    assert np.array_equal(plain.offers.base_units, free.offers.base_units)
    assert np.abs(plain.offers.quality[base] - free.offers.quality[base]).max() > 0.1
    moved = plain.offers.cost[base] / free.offers.cost[base] - 1.0
    assert 0.0 < np.abs(moved).max() < 0.05  # who weighs what changes hardly what margins are


def test_energy_moves_month_by_month_to_2025_and_makes_no_january_jump():
    model = opened(FIXED, {"end": "2027-12"})
    market, beside = model.market, []
    while model.running:
        beside.append(market.beside_price[rows_of(market, "ice")].copy())
        model.step()
    steps = np.abs(np.diff(beside, axis=0)).max(axis=1)
    assert steps[:24].max() < 0.5  # kCNY a month
    assert steps[12] < 2.5 * np.median(steps[12:24])
    assert steps[25:].max() < 1e-9


def test_a_still_market_weighs_the_same_every_month():
    model = opened(STILL)
    first = model.market.beside_price.copy()
    model.run_model()
    assert np.array_equal(model.market.beside_price, first)


def test_a_lower_price_lowers_resale_within_a_year_and_is_given_when_prices_are_set():
    market = opened(STILL).market
    rows, before = market.on_sale(), market.beside_price.copy()
    market.offers.price[rows] *= 0.9
    assert np.array_equal(market.beside_price, before)
    for _ in range(12):
        weigh_use(market)
    left = (11.0 / 12.0) ** 12
    base = market.offers.base_price[rows]
    assert market.last_price[rows] == pytest.approx(base * (0.9 + 0.1 * left), rel=1e-12)
    lost = 1.06**-6.75 * market.resale_fraction[rows] * 0.1 * (1.0 - left) * base
    assert market.beside_price[rows] - before[rows] == pytest.approx(lost, rel=1e-9)


def test_buyers_who_expect_prices_to_go_on_falling_expect_to_fetch_less():
    lost = []
    for persistence in (0.0, 0.5, 1.0):
        market = opened(STILL, {"use": {"hold_from": "2023-12", "price_persistence": persistence}}).market
        before = market.beside_price.copy()
        market.offers.price *= 0.9
        weigh_use(market)
        lost.append(float((market.beside_price - before).sum()))
    assert 0.0 < lost[0] < lost[1] < lost[2]


@pytest.mark.parametrize("attempt", [False, True])
def test_cars_whose_stack_all_makers_have_decided_to_leave_fetch_less(attempt):
    market = opened(STILL).market
    stack = market.platform_code("Li Auto")
    brand = next(brand for brand in market.brands if market.names.brands[brand.brand] == "Li Auto")
    rows, before = market.on_sale(), market.beside_price.copy()
    on_it = rows[market.offers.platform[rows] == stack]
    brand.change = Change(12, Way("alliance", "huawei"), attempt=attempt)
    weigh_use(market)
    left = np.zeros(len(market.platforms), dtype=bool)
    left[stack] = not attempt
    assert np.array_equal(forsaken(market), left)
    more = market.beside_price - before
    expected = 0.3 * 1.06**-6.75 * market.resale_fraction[on_it] * market.offers.base_price[on_it]
    assert more[on_it] == pytest.approx(expected * (not attempt), abs=1e-9)
    assert np.delete(more, on_it) == pytest.approx(0.0, abs=1e-12)
    assert len(on_it) >= 1


def test_an_orphaned_stack_is_forsaken_and_bought_parts_never_are():
    market = opened().market
    market.platforms.ecosystem[market.platform_code("XPeng")] = False
    names = np.array(market.platforms.names)
    assert names[forsaken(market)].tolist() == ["XPeng"]
