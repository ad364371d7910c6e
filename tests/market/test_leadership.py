"""What the leader works out: its aims, whom it lets in, its terms, its research."""

from dataclasses import replace

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened

from evsim.economics.contracts import royalty
from evsim.market.brands import Way
from evsim.market.changes import bound
from evsim.market.forecast import Forecast
from evsim.market.leadership import (
    MOST_RESPONDING,
    RESEARCH_SCALES,
    Aims,
    admission,
    best_research,
    best_terms,
    might_move,
    pair,
    quality_slope,
    recovered_aims,
    respond,
    sizes_at_rest,
    terms_played,
    yearly_value,
)
from evsim.market.offers import MODE
from evsim.market.panel import panel_utility
from evsim.market.rates import offered_rates
from evsim.market.values import Stakes
from evsim.market.ways import PARTS, is_local

WIDE = {"market": {"lines": 60}}
PATIENT = {"modes": {"rule": "chosen", "reply_steps": 50}}
GIVEN_AWAY = {"contracts": {mode: {"unit_fee": 0.0, "revenue_share": 0.0} for mode in ("alliance", "inside")}}
ALLIANCE, INSIDE = Way("alliance", "huawei"), Way("inside", "huawei")
NO_AIMS = Aims()


def world(*layers):
    return Forecast(opened(CHOSEN, WIDE, *layers).market)


@pytest.fixture(scope="module")
def forecast():
    """What no test changes; best replies to the last digit."""
    return world(PATIENT)


def stakes_of(forecast, autonomy_cost=5.0):
    return {brand.key: Stakes(autonomy_cost, 0.0) for brand in forecast.market.brands}


# Aims.


def test_with_what_it_counts_beside_fees_the_contracts_share_is_its_best(forecast):
    """Prices answer the share, members given: worth falls on both sides, and by more the further."""
    aims, contract = recovered_aims(forecast), forecast.market.scenario.contracts.alliance.revenue_share
    worth = {
        step: terms_played(forecast, [], {}, contract + step, 1.0).worth(aims)
        for step in (-0.08, -0.04, -0.01, 0.0, 0.01, 0.04, 0.08)
    }
    assert aims.car_value > 0.0
    assert worth[0.01] == pytest.approx(worth[-0.01], rel=1e-9)
    assert worth[-0.08] < worth[-0.04] < worth[-0.01] < worth[0.0] > worth[0.01] > worth[0.04] > worth[0.08]


def test_on_fees_alone_it_would_have_asked_for_more(forecast):
    contract = forecast.market.scenario.contracts.alliance.revenue_share
    steps = (-0.05, 0.0, 0.05)
    earned = [terms_played(forecast, [], {}, contract + step, 1.0).worth(NO_AIMS) for step in steps]
    assert earned == sorted(earned)


def test_with_what_it_counts_its_research_at_the_base_date_is_its_best(forecast):
    aims, market = recovered_aims(forecast), forecast.market
    now = float(market.platforms.research[market.platform_code("huawei")])
    assert best_research(forecast, aims) == now
    assert best_research(forecast, replace(aims, quality_weight=2.0 * aims.quality_weight)) == 1.25 * now
    assert best_research(forecast, replace(aims, quality_weight=0.0)) == 0.75 * now
    assert min(RESEARCH_SCALES) == 0.75 and max(RESEARCH_SCALES) == 1.25


def test_a_leader_without_a_car_on_its_stack_counts_fees_alone():
    forecast = world()
    for brand in forecast.market.brands:
        if forecast.ways[brand.key] in (ALLIANCE, INSIDE):
            forecast.follow(brand, PARTS)
    assert forecast.leader_cars(forecast.middle) == 0.0
    assert recovered_aims(forecast) == NO_AIMS


# The leader's money.


def test_the_leader_earns_fees_less_the_parts_and_shops_it_bears(forecast):
    point, market = forecast.middle, forecast.middle.market
    shares, offers = point.shares(), market.offers
    total, cars = 0.0, 0.0
    for column, row in enumerate(point.rows):
        terms = market.terms(np.array([row]))
        paid = royalty(offers.price[row], terms, 0.13)[0] - terms.parts_cost[0]
        total += point.cars * shares[column] * paid
        cars += point.cars * shares[column] * (offers.mode[row] in (MODE["alliance"], MODE["inside"]))
    assert forecast.leader_profit(point) == pytest.approx(total, rel=1e-10) and total > 0.0
    assert forecast.leader_cars(point) == pytest.approx(cars, rel=1e-10)


def test_what_quality_brings_is_the_slope_of_the_leaders_profit_in_its_stack(forecast):
    """Against the whole utility worked out anew with a better stack, prices held."""
    point, aims = forecast.middle, Aims(car_value=3.0)
    market = point.market
    leader, step = market.platform_code("huawei"), 1.0
    quality = market.platforms.quality.copy()
    quality[leader] += step
    better = replace(market, platforms=replace(market.platforms, quality=quality))
    # what owners have been promised by updates is in the outside good: prices and updates are held
    utility, _ = panel_utility(better, forecast.entries, point.rows)
    odds = point.excess * np.exp(utility - point.utility)
    parts = market.offers.mode[point.rows] == MODE["components"]
    assert not parts.any()
    risen = replace(point, excess=odds, total=odds.sum(axis=1) + point.alone)
    expected = forecast.leader_profit(risen) - forecast.leader_profit(point)
    expected += aims.car_value * (forecast.leader_cars(risen) - forecast.leader_cars(point))
    assert quality_slope(forecast, point, aims, step) == pytest.approx(expected / step, rel=1e-6)
    assert expected > 0.0


# Admission.


def test_a_partner_that_costs_the_leader_money_is_not_admitted():
    """Its stack given away, the leader bears parts and shops of every car."""
    forecast = world(GIVEN_AWAY)
    aion = brand_of(forecast.market, "Aion")
    for way in (ALLIANCE, INSIDE):
        looked = admission(forecast, aion, way, NO_AIMS)
        assert looked.gain < 0.0 and not looked.welcome
        assert admission(forecast, aion, way, Aims(car_value=500.0)).welcome
    paying = admission(world(), aion, ALLIANCE, NO_AIMS)
    assert paying.gain > 0.0 and paying.welcome


def test_an_admission_says_what_the_leader_and_each_member_gain_or_lose(forecast):
    voyah, aims, market = brand_of(forecast.market, "Voyah"), Aims(car_value=4.0), forecast.market
    looked = admission(forecast, voyah, ALLIANCE, aims)
    assert looked.brands == ["Luxeed", "AITO", "Stelato", "Avatr"]
    members = [brand_of(market, name) for name in looked.brands]
    trial = world(PATIENT)
    point = trial.middle
    before, fees, cars = trial.brand_profits(point, members), trial.leader_profit(point), trial.leader_cars(point)
    trial.follow(voyah, ALLIANCE)
    assert looked.profits == pytest.approx(before)
    assert looked.changes == pytest.approx(trial.brand_profits(point, members) - before)
    gain = trial.leader_profit(point) - fees + 4.0 * (trial.leader_cars(point) - cars)
    assert looked.gain == pytest.approx(gain)
    assert (looked.changes < 0.0).all()  # it takes buyers from each, and trust


def test_a_brand_that_the_forecast_follows_already_is_looked_at_as_if_it_did_not():
    """Its second look at a review must not find it worthless."""
    trial, aims = world(PATIENT), Aims(car_value=4.0)
    voyah = brand_of(trial.market, "Voyah")
    trial.follow(voyah, PARTS)  # at its best prices
    first = admission(trial, voyah, ALLIANCE, aims)
    trial.follow(voyah, ALLIANCE)
    again = admission(trial, voyah, ALLIANCE, aims)
    assert again.gain == pytest.approx(first.gain, rel=1e-6)
    assert again.profits == pytest.approx(first.profits, rel=1e-6) and again.brands == first.brands
    assert again.changes == pytest.approx(first.changes, rel=1e-5)


# Terms.


def test_a_higher_share_costs_the_leader_cars_and_members_profit(forecast):
    members = [brand_of(forecast.market, name) for name in ("AITO", "Luxeed")]
    cars, earned = [], []
    for share in (0.0, 0.1, 0.2, 0.3):
        played = terms_played(forecast, [], {}, share, 1.0)
        assert played.revenue_share == played.rates.revenue_share[MODE["alliance"]] == share
        assert played.rates.revenue_share[MODE["inside"]] == 0.0
        cars.append(played.cars)
        trial = forecast.copied(played.rates)
        for brand in members:
            trial.follow(brand, ALLIANCE)
        earned.append(trial.brand_profits(trial.middle, members))
    assert cars == sorted(cars, reverse=True) and cars[-1] < 0.9 * cars[0]
    assert (np.diff(np.array(earned), axis=0) < 0.0).all()


def test_a_higher_fee_costs_the_leader_cars(forecast):
    played = [terms_played(forecast, [], {}, 0.1, scale) for scale in (0.5, 1.0, 1.5)]
    assert [each.cars for each in played] == sorted((each.cars for each in played), reverse=True)
    assert played[2].rates.unit_fee == pytest.approx(3.0 * played[0].rates.unit_fee)


def test_partners_leave_as_the_share_rises(forecast):
    """Everybody free to go. A brand that is not started yet has nothing better to do than to pay, and is left out."""
    brands = [
        brand
        for brand in forecast.market.brands
        if forecast.has(forecast.middle, brand, ALLIANCE) and is_local(forecast.market, brand) and not brand.prospective
    ]
    sizes = [len(terms_played(forecast, brands, stakes_of(forecast), share, 1.0).members) for share in (0.0, 0.2, 0.6)]
    assert sizes[0] > sizes[1] > sizes[2] == 0


def test_the_best_terms_beat_every_point_of_the_grid_and_those_in_force(forecast):
    stakes, aims = stakes_of(forecast), Aims(car_value=4.0)
    brands = forecast.market.brands
    best = best_terms(forecast, brands, stakes, aims)
    responding = might_move(forecast, brands, stakes)
    for share in (0.0, 0.1, 0.2):
        for scale in (0.75, 1.25):
            assert terms_played(forecast, responding, stakes, share, scale).worth(aims) <= best.worth(aims)
    now = terms_played(forecast, responding, stakes, 0.10, 1.0)
    assert now.worth(aims) <= best.worth(aims)


def test_a_leader_that_counts_nothing_but_cars_gives_its_stack_away_and_one_that_counts_fees_does_not(forecast):
    stakes = stakes_of(forecast)
    cars, fees = (best_terms(forecast, [], stakes, aims) for aims in (Aims(car_value=1e6), NO_AIMS))
    assert (cars.revenue_share, cars.fee_scale) == (0.0, 0.75)
    assert fees.leader_profit > cars.leader_profit and fees.cars < cars.cars


def test_from_month_1_the_leader_asks_what_the_scenarios_levers_say():
    plain = opened(CHOSEN).market
    for name, values in vars(offered_rates(plain.scenario)).items():
        assert np.array_equal(values, getattr(plain.rates, name))
    moved = opened(CHOSEN, {"alliance": {"offer_share": 0.3, "offer_fee_scale": 0.5, "terms": "given"}})
    before = moved.market.rates
    assert before.revenue_share[MODE["alliance"]] == 0.10  # at the base date the contracts hold
    moved.step()
    after = moved.market.rates
    assert after.unit_fee == pytest.approx(0.5 * before.unit_fee) and after.revenue_share[MODE["inside"]] == 0.0
    assert after.revenue_share[MODE["alliance"]] == 0.3


# Who might move.


def test_bound_members_foreign_marques_and_brands_without_a_line_for_it_do_not_respond(forecast):
    market, stakes = forecast.market, stakes_of(forecast)
    found = might_move(forecast, market.brands, stakes)
    assert 0 < len(found) <= MOST_RESPONDING
    for brand in found:
        assert not bound(market, brand) and is_local(market, brand)
        assert forecast.has(forecast.middle, brand, ALLIANCE)
    later = replace(opened(CHOSEN, WIDE, {"end": "2029-12"}).market, month=60)
    names = {later.names.brands[brand.brand] for brand in might_move(Forecast(later), later.brands, stakes)}
    assert {"AITO", "Luxeed"} <= names  # free to go by then


def test_the_nearest_to_joining_respond(forecast):
    market, stakes, point = forecast.market, stakes_of(forecast), forecast.middle
    gains = {}
    for brand in market.brands:
        inside, outside = pair(market, brand)
        if not bound(market, brand) and is_local(market, brand) and forecast.has(point, brand, inside):
            joined, stays = (yearly_value(forecast, point, brand, way, stakes[brand.key]) for way in (inside, outside))
            scale = max(*(forecast.flows_at(point, brand, way).brand_profit for way in (inside, outside)), 1.0)
            gains[brand.key] = (joined - stays) / scale
    nearest = sorted(gains, key=lambda key: -gains[key])[:MOST_RESPONDING]
    assert [brand.key for brand in might_move(forecast, market.brands, stakes)] == nearest


def test_where_brands_have_settled_none_gains_by_going_alone(forecast):
    market, stakes = forecast.market, stakes_of(forecast)
    trial = forecast.copied(market.rates)
    responding = might_move(forecast, market.brands, stakes)
    rest = respond(trial, responding, stakes, rounds=20)
    assert rest.settled
    for brand, choice in zip(responding, rest.choices, strict=True):
        assert trial.ways[brand.key] == choice
        here, there = (yearly_value(trial, trial.middle, brand, way, stakes[brand.key]) for way in (
            choice, next(way for way in pair(market, brand) if way != choice)
        ))  # fmt: skip
        assert there <= here + 1e-9 * abs(here)


def test_from_both_sides_the_same_firms_end_between_the_bound_members_and_all(forecast):
    market = forecast.market
    held = sum(forecast.ways[brand.key] == ALLIANCE for brand in market.brands)
    for autonomy, sizes in ((1e4, (held, held)), (-1e4, (held + MOST_RESPONDING,) * 2)):
        stakes = stakes_of(forecast, autonomy)
        assert sizes_at_rest(forecast, market.brands, stakes) == sizes
    nobody, everybody = sizes_at_rest(forecast, market.brands, stakes_of(forecast))
    assert held <= min(nobody, everybody) and max(nobody, everybody) <= held + MOST_RESPONDING
