"""Owners in prices: the base date, whose owners are worth what, and what it does to prices."""

import numpy as np
import pytest
from market.worlds import opened, run_small, small

from evsim.economics.pricing import equilibrium_prices, first_order_residual
from evsim.market.base import open_market
from evsim.market.owner_value import refresh_owner_value, value_new_lines
from evsim.market.pricing import price_game

COUNTED = {"pricing": {"owner_value": 1.0}}
SETTERS = {"price_setter": "leader"}, {"fellow_weight": 0.7, "leader_weight": 0.4}


def own_values(market):
    """Lines with a maker that sets their price, and what an owner of each is worth to it, kCNY."""
    rows = market.on_sale()
    rows = rows[~market.offers.pooled[rows]]
    return rows, market.owner_value[market.offers.automaker[rows], rows]


def counting(market, weight=1.0):
    """The same market and costs, but firms count owners from now on."""
    pricing = market.scenario.pricing.model_copy(update={"owner_value": weight})
    market.scenario = market.scenario.model_copy(update={"pricing": pricing})
    refresh_owner_value(market)
    return market


def solved(market):
    """Nash prices of the month, `[J]`."""
    rows = market.on_sale()
    solution = equilibrium_prices(price_game(market, rows), market.offers.price[rows])
    assert solution.converged
    return solution.prices


# The base date.


@pytest.mark.parametrize("alliance", [{}, *SETTERS], ids=["makers", "leader sets", "joint weights"])
def test_month_0_is_the_table_when_owners_count_in_full(alliance):
    market = open_market(small(COUNTED, {"alliance": alliance}))
    rows = market.on_sale()
    price = market.offers.base_price[rows]
    game = price_game(market, rows)
    assert first_order_residual(game, price) < 1e-9
    start = np.where(market.offers.pooled[rows], price, 1.05 * price)
    assert equilibrium_prices(game, start).prices == pytest.approx(price, abs=1e-6)


def test_values_at_the_base_date_are_those_of_the_recovered_costs():
    market = open_market(small(COUNTED))
    kept = market.owner_value.copy()
    refresh_owner_value(market)
    assert market.owner_value == pytest.approx(kept, abs=1e-9, nan_ok=True)


def test_a_car_that_brings_an_owner_must_have_cost_more_by_what_the_owner_is_worth():
    """Each maker's p and margin are given by the table: c − Λ is what c was."""
    plain, counted = open_market(small()), open_market(small(COUNTED))
    rows, values = own_values(counted)
    assert counted.offers.cost[rows] - plain.offers.cost[rows] == pytest.approx(values, abs=1e-9)
    assert values.max() > 0.5


# Whose owners are worth what.


def test_owners_on_a_platform_with_lock_in_are_worth_something_and_those_bound_to_nobody_next_to_nothing():
    """Next to: an owner who is free is no rival's."""
    market = open_market(small(COUNTED, {"lock_in": {"brand_loyalty": 0.0}}))
    rows, values = own_values(market)
    ecosystem = market.platforms.ecosystem[market.offers.platform[rows]]
    assert 0 < ecosystem.sum() < len(rows)
    assert (values[ecosystem] > 0).all()
    assert (values[~ecosystem] > 0).all()
    assert values[~ecosystem].max() < 0.1 * values[ecosystem].mean()


def test_nobody_is_worth_anything_where_nothing_binds():
    market = open_market(small(COUNTED, {"lock_in": {"brand_loyalty": 0.0, "switching_cost": 0.0}}))
    assert np.nanmax(np.abs(market.owner_value)) < 1e-12


def test_the_stronger_the_lock_in_the_more_an_owner_is_worth():
    worth = []
    for switching_cost in (0.5, 1.0, 2.0):
        market = counting(open_market(small({"lock_in": {"switching_cost": switching_cost}})))
        rows, values = own_values(market)
        worth.append(values[market.platforms.ecosystem[market.offers.platform[rows]]])
    assert (worth[0] < worth[1]).all()
    assert (worth[1] < worth[2]).all()


def test_owners_who_leave_the_market_more_often_are_worth_less():
    stay, leave = (open_market(small(COUNTED, {"consumers": {"first_time_share": share}})) for share in (0.2, 0.6))
    assert (own_values(leave)[1] < own_values(stay)[1]).all()


def test_the_leader_gains_from_every_owner_on_its_platform_and_loses_by_most_on_anothers():
    market = open_market(small(COUNTED))
    offers, rows = market.offers, market.on_sale()
    bound = market.platforms.ecosystem[offers.platform[rows]]
    here = offers.platform[rows] == market.platform_code("huawei")
    leader = market.owner_value[-1, rows]
    assert here.any()
    assert (leader[here] > 0.1).all()
    assert np.average(leader[bound & ~here], weights=offers.base_units[rows][bound & ~here]) < 0
    assert leader[bound & ~here].max() < 0.01  # a little, where what a household would own instead binds it more


# What it does to prices.


def test_prices_that_count_no_owner_are_static_nash_bit_for_bit():
    model = opened({"end": "2024-03"})
    market, rows = model.market, model.market.on_sale()
    static = price_game(market, rows)
    market.owner_value = np.full((len(market.names.automakers) + 1, len(market.offers)), 5.0)
    assert np.array_equal(price_game(market, rows).payments, static.payments)
    refresh_owner_value(market)
    assert (market.owner_value == 5.0).all()  # nothing is computed either
    rates = [
        run_small({"end": "2024-03"}, {"pricing": {"discount_rate": rate}}).market["price"] for rate in (0.01, 0.3)
    ]
    assert rates[0].tolist() == rates[1].tolist()


def test_firms_that_count_owners_at_the_same_costs_charge_less_where_owners_are_loyal():
    """They invest. A maker whose owners are worth little may charge more or less: demand differs from the plain logit,
    where prices are strategic complements; of the others each has its own reason to cut and mostly rivals' cuts besides."""
    market = open_market(small())
    before = solved(market)
    half, full = (solved(counting(market, weight)) for weight in (0.5, 1.0))
    rows, values = own_values(market)
    loyal = np.isin(market.on_sale(), rows[values > 0.3])
    assert loyal.sum() >= 5
    assert (full < half)[loyal].all()
    assert (half < before)[loyal].all()
    cut = (before - full)[np.isin(market.on_sale(), rows)]
    assert np.corrcoef(cut, values)[0, 1] > 0.9


def test_firms_that_look_further_ahead_charge_less():
    patient, impatient = (
        solved(counting(open_market(small({"pricing": {"discount_rate": rate}})))) for rate in (0.02, 0.3)
    )
    market = counting(open_market(small()))
    rows, values = own_values(market)
    assert (patient < impatient)[np.isin(market.on_sale(), rows[values > 0.3])].all()


# During a run.


def test_values_stay_between_reviews_and_a_line_that_opens_is_valued_at_once():
    model = opened(COUNTED, {"end": "2024-09", "modes": {"rule": "timeline"}})
    model.step()  # January: a review
    market, kept = model.market, model.market.owner_value.copy()
    valued = ~np.isnan(kept[-1])
    assert np.array_equal(valued, market.offers.on_sale)
    model.run_model()
    assert np.array_equal(market.owner_value[:, valued], kept[:, valued])
    opened_since = market.offers.on_sale & ~valued
    assert opened_since.any()
    assert not np.isnan(market.owner_value[:, opened_since]).any()


def test_a_review_values_owners_at_the_prices_of_the_day():
    market = counting(open_market(small()))
    rows, before = own_values(market)
    market.offers.price[rows] += 10.0
    refresh_owner_value(market)
    assert (own_values(market)[1] != before).all()
    assert own_values(market)[1].sum() > before.sum()  # margins are up by 10 / 1.13


def test_a_line_that_opens_is_the_only_one_valued_then():
    market = counting(open_market(small()))
    rows, before = own_values(market)
    market.offers.price[rows] += 10.0
    market.owner_value[:, rows[0]] = np.nan
    all_of_them = market.on_sale()
    value_new_lines(market, all_of_them)
    assert np.array_equal(own_values(market)[1][1:], before[1:])
    assert np.isfinite(market.owner_value[:, rows[0]]).all()


def test_a_run_that_counts_owners_is_the_same_on_any_number_of_threads():
    layers = (COUNTED, {"end": "2024-02", "pricing": {"owner_value": 1.0, "survey_size": 1_500}})
    one, three = (open_market(small(*layers), threads) for threads in (1, 3))
    assert np.array_equal(one.owner_value, three.owner_value, equal_nan=True)
    assert np.array_equal(one.offers.cost, three.offers.cost)
