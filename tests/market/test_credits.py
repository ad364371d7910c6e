"""Credits for new-energy cars: what they cost and bring, who pays whom, and what they change."""

import numpy as np
import pytest
from market.worlds import STILL, opened, run_small, small

from evsim.data.market import POWERTRAINS
from evsim.economics.credits import excess_offered
from evsim.economics.pricing import equilibrium_prices
from evsim.market.base import open_market
from evsim.market.credits import expected_balances, review_credits
from evsim.market.pricing import price_game

MANY = {"consumers": {"count": 10_000}, "end": "2025-12"}
DEAR = {"credits": {"price_kcny": 20.0, "ratio_scale": 5.0}}


def kinds(market):
    """Powertrain of every line, as a name."""
    return np.array([POWERTRAINS[code] for code in market.offers.powertrain])


def nev_share(run):
    """Share of electric cars over the run."""
    sold = run.market[run.market["month"] > run.base_month]
    return sold.loc[sold["powertrain"] != "ice", "units"].sum() / sold["units"].sum()


def test_lines_earn_and_take_what_the_rule_of_2023_says():
    """By hand: battery cars 0.0056 a km and 0.4, at most 3.4; plug-in hybrids 1.6; petrol cars take 0.18."""
    market = open_market(small())
    net, kind, base = market.credits.net, kinds(market), market.offers.on_sale
    assert set(net[np.isin(kind, ("phev", "erev"))]) == {1.6}
    assert set(net[(kind == "ice") & base].round(12)) <= {-0.18, 0.0}
    compact = (kind == "bev") & (market.offers.size_class == 2)  # class A: 410 to 560 km
    assert net[compact] == pytest.approx(0.0056 * 485.0 + 0.4)
    assert net[(kind == "bev") & (market.offers.size_class == 5)] == pytest.approx(3.4)


def test_a_maker_of_few_petrol_cars_takes_none():
    market = open_market(small({"market": {"granularity": "full"}}))
    petrol = (kinds(market) == "ice") & market.offers.on_sale
    made = np.bincount(market.offers.automaker, np.where(petrol, 12.0 * market.offers.base_units, 0.0))
    assert (market.credits.net[petrol & (made[market.offers.automaker] < 30_000)] == 0.0).all()
    assert (made[market.offers.automaker][petrol] < 30_000).any()


def test_a_credit_is_worth_its_price_to_who_needs_it_and_the_chance_of_a_sale_to_who_has_it():
    market = open_market(small())
    book, offers = market.credits, market.offers
    cars = 12.0 * offers.base_units
    balance = np.bincount(offers.automaker, cars * book.net)
    short = balance[offers.automaker] < 0
    worth = -market.credit_cost / np.where(book.net == 0.0, np.nan, book.net)
    assert book.price == 1.128
    assert worth[short & (book.net != 0.0)] == pytest.approx(1.128)
    chance = -balance[balance < 0].sum() / balance[balance > 0].sum()
    assert 0.05 < chance < 0.6
    assert worth[~short & (book.net != 0.0)] == pytest.approx(1.128 * chance)


def test_costs_are_recovered_with_the_credits_that_prices_count():
    market = open_market(small())
    rows = market.on_sale()
    price = market.offers.base_price[rows]
    solution = equilibrium_prices(price_game(market, rows), np.where(market.offers.pooled[rows], price, 1.05 * price))
    assert np.abs(solution.prices - price).max() < 1e-6
    assert market.costs()[rows] == pytest.approx(market.offers.cost[rows] + market.credit_cost[rows], abs=1e-12)
    assert np.abs(market.credit_cost[rows]).max() > 0.3


def test_what_makers_are_paid_for_credits_makers_pay():
    run = run_small({"pricing": {"rule": "fixed"}})  # books are checked when a run is made
    credits = run.automakers.groupby("automaker")["credits"].sum()
    assert credits.sum() == pytest.approx(0.0, abs=1e-6 * credits.abs().max())
    assert credits["BYD"] > 0.0 and credits["Tesla"] > 0.0
    assert credits["SAIC-VW"] < 0.0 if "SAIC-VW" in credits else credits.min() < 0.0
    assert (run.automakers[run.automakers["credits"] != 0.0].groupby("month").size() > 3).all()


def test_without_credits_nobody_is_paid_from_month_1_on():
    run = run_small({"credits": {"rule": "off"}})
    assert (run.automakers["credits"] == 0.0).all()
    market = opened({"credits": {"rule": "off"}}).market
    assert np.abs(market.credit_cost).max() > 0.0  # the base date is under the record
    market.month = 1
    review_credits(market)
    assert (market.credit_cost == 0.0).all() and (market.costs() == market.car_costs()).all()


def test_dear_credits_lower_prices_of_electric_cars_and_sell_more_of_them():
    plain, dear = run_small(MANY, {"credits": {"rule": "off"}}), run_small(MANY, DEAR)
    assert nev_share(dear) > nev_share(plain) + 0.02
    first = [run.market[run.market["month"] == "2024-01"].set_index("product") for run in (plain, dear)]
    moved = first[1]["price"] / first[0]["price"] - 1.0
    petrol = first[0]["powertrain"] == "ice"
    assert moved[petrol].mean() > 0.0 > moved[~petrol].mean()


def test_at_fixed_prices_credits_move_money_and_no_car():
    plain, dear = (run_small(MANY, {"pricing": {"rule": "fixed"}}, terms) for terms in ({}, DEAR))
    for column in ("price", "orders", "units"):
        assert plain.market[column].tolist() == dear.market[column].tolist()
    assert dear.automakers["credits"].abs().sum() > 10.0 * plain.automakers["credits"].abs().sum()


@pytest.mark.parametrize(("ratio", "at"), [(1.0, "floor"), (11.0, "inside"), (20.0, "cap")])
def test_the_clearing_price_is_at_the_floor_in_plenty_at_the_cap_in_want_and_clears_between(ratio, at):
    terms = {"rule": "clearing", "floor_kcny": 0.3, "cap_kcny": 4.0, "ratio_scale": ratio}
    market = opened(STILL, {"credits": terms}).market
    counted, market.month = market.credit_cost, 1
    review_credits(market)
    price = market.credits.price
    assert {"floor": price == 0.3, "inside": 0.3 < price < 4.0, "cap": price == 4.0}[at]
    market.credit_cost = counted  # what prices hold already
    balance = expected_balances(market, 12.0 * market.offers.base_units, price)
    excess = excess_offered(balance, market.credits.stored, market.credits.rule) / np.abs(balance).sum()
    assert {"floor": excess > 0.01, "inside": abs(excess) < 1e-6, "cap": excess < -0.01}[at]


def test_the_rule_changes_in_january_by_the_cars_of_the_year():
    model = opened({"pricing": {"rule": "fixed"}, "end": "2026-02", "consumers": {"count": 5_000}})
    market, seen = model.market, {}
    while model.running:
        model.step()
        seen[market.month] = (market.credits.rule.ratio, market.credits.made.sum())
    assert {seen[month][0] for month in range(1, 13)} == {0.28}
    assert {seen[month][0] for month in range(13, 25)} == {0.38}
    assert seen[25][0] == 0.48
    units = [part["units"].sum() for part in model.recorder.parts["market"][1:]]
    assert seen[12][1] == pytest.approx(sum(units[:12]))
    assert seen[13][1] == pytest.approx(units[12])
