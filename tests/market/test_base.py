"""Month 0 is the table, by construction."""

from functools import cache

import numpy as np
import pytest
from market.worlds import HISTORY, OWN, merged, own_table, run_small, small

from evsim.data import read_market_table
from evsim.economics import metrics
from evsim.economics.choice import choice_probabilities
from evsim.economics.pricing import equilibrium_prices
from evsim.errors import BadRequest
from evsim.market import base as base_module
from evsim.market.base import expected_shares, growing_rows, open_market
from evsim.market.lines import OTHER
from evsim.market.pricing import price_game
from evsim.market.setup import pack_price
from evsim.params import Scenario

DEFAULT_LINES = {
    "market": {"lines": Scenario().market.lines},
    "consumers": {"count": 3_000, "reference_size": 2_000},
    "pricing": {"survey_size": 1_000},
}
TABLES = {"2023": {}, "2021": HISTORY}


@cache
def calibrated(table, count=3_000):
    """A market opened with the default lines, and the reference households it was inverted on."""
    kept = []

    def keep(market, reference, rows, outlay):
        kept.append((reference, rows, outlay))
        return invert(market, reference, rows, outlay)

    invert = base_module.invert
    base_module.invert = keep
    try:
        market = open_market(small(merged(DEFAULT_LINES, TABLES[table], {"consumers": {"count": count}})))
    finally:
        base_module.invert = invert
    return market, *kept[0]


def base_demand(market):
    """Choice probabilities, price sensitivities, weights and buyers' prices of the pricing panel at the base date."""
    rows = market.on_sale()
    game, price = price_game(market, rows), market.offers.price[rows]
    demand, paid = game.demand.one_by_one, market.policy.buyer_price(0, rows).value(price)
    utility = demand.utility - demand.price_sensitivity[:, None] * game.buyer_price.value(price)
    return choice_probabilities(utility, demand.outside_utility), demand.price_sensitivity, demand.weights, paid


@pytest.mark.parametrize("table", TABLES)
def test_expected_shares_over_the_reference_sample_are_the_tables(table):
    market, reference, rows, outlay = calibrated(table)
    units = market.offers.base_units[rows]
    assert len(rows) > 140
    assert expected_shares(market, reference, rows, outlay) == pytest.approx(units / units.sum(), abs=1e-9)


def test_qualities_are_the_same_for_every_number_of_consumers():
    market, reference, rows, outlay = calibrated("2023")
    larger, same_reference, _, _ = calibrated("2023", count=4_111)
    assert np.array_equal(market.offers.quality[rows], larger.offers.quality[rows])
    assert np.array_equal(reference.line, same_reference.line)
    assert len(larger.population) > len(market.population)


@pytest.mark.parametrize("outside_share", [0.1, 0.3, 0.6])
def test_shoppers_keep_their_car_as_often_as_assumed(outside_share):
    market = open_market(small({"consumers": {"outside_share": outside_share}}))
    assert market.diagnostics["mean_visits"] == pytest.approx(1.0 / (1.0 - outside_share), abs=1e-9)


@pytest.mark.parametrize("table", TABLES)
def test_the_price_game_at_recovered_costs_gives_the_tables_prices(table):
    market, _, rows, _ = calibrated(table)
    price = market.offers.base_price[rows]
    start = np.where(market.offers.pooled[rows], price, 1.1 * price)
    solution = equilibrium_prices(price_game(market, rows), start)
    assert solution.converged
    assert np.abs(solution.prices - price).max() < 1e-6


@pytest.mark.parametrize("setter", ["automaker", "leader"])
def test_the_price_game_gives_the_tables_prices_whoever_sets_and_counts_them(setter):
    market = open_market(small({"alliance": {"price_setter": setter, "fellow_weight": 0.7, "leader_weight": 0.4}}))
    rows = market.on_sale()
    price = market.offers.base_price[rows]
    solution = equilibrium_prices(price_game(market, rows), np.where(market.offers.pooled[rows], price, 1.05 * price))
    assert np.abs(solution.prices - price).max() < 1e-6


def test_the_price_game_of_the_full_table_gives_its_prices():
    market = open_market(small({"end": "2024-01", "market": {"granularity": "full"}}))
    rows = market.on_sale()
    price = market.offers.base_price[rows]
    start = np.where(market.offers.pooled[rows], price, 1.05 * price)
    solution = equilibrium_prices(price_game(market, rows), start)
    assert len(rows) > 400
    assert solution.converged
    assert np.abs(solution.prices - price).max() < 1e-6
    table = read_market_table("2023").set_index("product")
    assert price == pytest.approx(table.loc[np.array(market.offers.product)[rows], "price"].to_numpy(), abs=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_recovered_costs_are_positive_and_leave_a_margin(table):
    market, _, rows, _ = calibrated(table)
    net = market.offers.base_price[rows] / 1.13
    assert (market.offers.cost[rows] > 0).all()
    assert (market.offers.cost[rows] < net).all()
    assert 0.10 < market.diagnostics["mean_margin"] < 0.30


def test_the_market_and_its_products_respond_to_price_as_assumed():
    chances, sensitivity, weights, paid = base_demand(calibrated("2023")[0])
    assert metrics.market_elasticity(chances, sensitivity, weights, paid) == pytest.approx(-1.0, abs=0.15)
    own = np.diag(metrics.price_elasticities(chances, sensitivity, weights, paid))
    assert -6.5 < own.mean() < -4.0
    assert own.max() < -1.0  # nobody sells where demand is inelastic


def test_a_pooled_line_has_the_mean_margin_of_the_others():
    market = open_market(small())
    offers, rows = market.offers, market.on_sale()
    pooled = rows[offers.pooled[rows]]
    assert {market.names.automakers[code] for code in offers.automaker[pooled]} == {OTHER}
    margins = 1.0 - market.costs()[pooled] * 1.13 / offers.base_price[pooled]
    assert margins == pytest.approx(np.full(len(pooled), market.diagnostics["mean_margin"]), abs=1e-12)


def test_compact_and_full_lines_carry_the_same_cars():
    yearly = read_market_table("2023")["units"].sum()
    for granularity in ("compact", "full"):
        market = open_market(small({"market": {"granularity": granularity}}))
        assert 12.0 * market.offers.base_units.sum() == pytest.approx(yearly, rel=1e-12)


def test_a_table_of_ones_own_runs(tmp_path):
    run = run_small({"end": "2024-03", "market": {"table": own_table(tmp_path)}, "products": {"launches": "none"}})
    assert run.base_shares("brand") == pytest.approx({"Alpha": 0.4, "Beta": 0.3, "Gamma": 0.2, "Delta": 0.1})
    assert run.base_shares("camp")["alliance"] == pytest.approx(0.1)
    assert len(run.headline) == 4
    assert (run.headline["units"] > 0).all()


def test_makers_of_a_table_of_ones_own_are_placed_by_what_they_build(tmp_path):
    run = run_small({"end": "2024-01", "market": {"table": own_table(tmp_path)}, "products": {"launches": "none"}})
    kinds = run.market.set_index("automaker")["kind"].to_dict()
    assert kinds == {
        "Alpha Motors": "incumbent",
        "Beta Motors": "independent",
        "Gamma Motors": "independent",
        "Delta Motors": "independent",
    }


def test_a_table_without_the_alliance_runs_without_it(tmp_path):
    path = own_table(tmp_path, OWN[:3])
    run = run_small({"end": "2024-02", "market": {"table": path}, "products": {"launches": "none"}})
    assert (run.headline["alliance_share"] == 0).all()
    assert (run.headline["software_advantage"] == 0).all()


def test_brands_nobody_knows_bought_their_share_of_the_table_in_every_past_year(tmp_path):
    consumers = {"count": 20_000, "reference_size": 5_000}
    market = open_market(small({"market": {"table": own_table(tmp_path)}, "consumers": consumers}))
    owned = market.population.line[market.population.line >= 0]
    names = [market.names.brands[code] for code in market.offers.brand[owned]]
    share = {name: names.count(name) / len(names) for name in ("Alpha", "Beta", "Gamma", "Delta")}
    assert share == pytest.approx({"Alpha": 0.4, "Beta": 0.3, "Gamma": 0.2, "Delta": 0.1}, abs=0.02)


def test_a_price_that_asks_for_a_negative_cost_is_refused_by_name(tmp_path):
    path = own_table(tmp_path, OWN[:1])
    with pytest.raises(BadRequest, match="'Alpha petrol 80-150' at 120.0 kCNY would need a marginal cost of -"):
        open_market(small({"market": {"table": path}}))


def test_a_shipped_table_belongs_to_its_base_date():
    with pytest.raises(BadRequest, match="use start=2022-01"):
        open_market(small({"market": {"table": "2021"}}))


@pytest.mark.parametrize("start", ["2010-01", "2017-12", "2018-01", "2030-01"])
def test_a_table_of_ones_own_may_start_at_any_time(tmp_path, start):
    layer = {"start": start, "end": start, "market": {"table": own_table(tmp_path)}, "products": {"launches": "none"}}
    assert run_small(layer).headline["units"].iloc[-1] > 0


def test_a_leap_of_a_platform_that_nobody_sells_is_refused():
    with pytest.raises(BadRequest, match=r"software\.leap_platform=Nobody"):
        open_market(small({"software": {"leap_platform": "Nobody", "leap_month": "2024-02"}}))


def test_the_pack_price_is_that_of_the_last_year_on_record():
    assert pack_price(2023) < pack_price(2017) == pack_price(2016)
    assert pack_price(1990) == pack_price(2016)  # before the record: its first year


def test_growth_adds_households_at_its_yearly_rate():
    arrivals = growing_rows(1_000, 0.1, 24)
    assert len(arrivals) == 210
    assert (arrivals <= 12).sum() == 100
    assert (np.diff(arrivals) >= 0).all()
    assert len(growing_rows(1_000, 0.0, 24)) == 0


def test_households_to_come_neither_shop_nor_own_before_they_arrive():
    market = open_market(small({"market": {"growth": 0.2}}))
    to_come = slice(2_000, None)
    assert len(market.population) > 2_000
    assert (market.population.line[to_come] == -1).all()
    assert (market.population.visit[to_come] >= 1).all()
