"""The value table behind a decision: each part on its own, and what waiting and building are worth."""

from dataclasses import replace

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened

from evsim.economics.contracts import exit_cost, holdup
from evsim.economics.options import Belief, annuity
from evsim.economics.valuation import annuity_value, phased, present_value, yearly
from evsim.market.brands import OUT, Way
from evsim.market.forecast import Forecast
from evsim.market.rates import KCNY_PER_BN
from evsim.market.values import (
    PARTS_OF_VALUE,
    Means,
    Stakes,
    leaving_cost,
    owners_there,
    solved_table,
    table_of,
    value_table,
)
from evsim.market.ways import PARTS, equipped, ways

WIDE = {"market": {"lines": 60}}
ALLIANCE, INSIDE, COMPONENTS = Way("alliance", "huawei"), Way("inside", "huawei"), Way("components", "huawei")
MOMENTA = Way("supplier", "momenta")
EVERYTHING = ("alliance", "inside", "components")
STAKES = Stakes(autonomy_cost=5.0, volume_weight=0.0)
RICH = Means(EVERYTHING, Belief.beta(6.0, 5.0), rival_attempts=0, cash=1e9)
NAMES = ["Aion", "AITO", "Avatr", "XPeng", "Voyah", "BMW", "Qijing", "Exeed"]


@pytest.fixture(scope="module")
def forecast():
    return Forecast(opened(CHOSEN, WIDE).market)


def world(*layers):
    return Forecast(opened(CHOSEN, WIDE, *layers).market)


def table(forecast, name, stakes=STAKES, means=RICH):
    """Rows of a brand's table by way."""
    rows = value_table(forecast, brand_of(forecast.market, name), stakes, means)
    return {row.way: row for row in rows}


def pv(forecast, brand, way, months, name):
    """Present value of a flow that is the present way's until the change."""
    modes, rate = forecast.market.scenario.modes, forecast.market.scenario.pricing.discount_rate
    before, after = (
        yearly(modes.forecast_years, [getattr(flow, name) for flow in forecast.flows(brand, each)], modes.horizon_years)
        for each in (brand.way, way)
    )
    return present_value(phased(before, after, months / 12.0), rate)


# Parts.


@pytest.mark.parametrize("name", NAMES)
def test_parts_sum_to_the_value_and_the_present_way_comes_first(forecast, name):
    brand = brand_of(forecast.market, name)
    rows = value_table(forecast, brand, STAKES, RICH)
    assert [row.way for row in rows] == ways(forecast.market, brand, EVERYTHING)
    assert len(rows) > 3
    for row in rows:
        assert row.value == pytest.approx(sum(getattr(row, part) for part in PARTS_OF_VALUE), rel=1e-12)
        assert row.royalty <= 0.0 and row.fixed <= 0.0 and row.autonomy <= 0.0 <= row.invested


@pytest.mark.parametrize("name", NAMES)
def test_profit_and_royalty_are_the_makers_with_the_old_cars_until_the_new_are_ready(forecast, name):
    brand = brand_of(forecast.market, name)
    for way, row in table(forecast, name).items():
        assert row.months == (0 if way == brand.way else 51 if row.build else 13) or row.build
        if not row.build:
            assert row.market_profit == pytest.approx(pv(forecast, brand, way, row.months, "market_profit"))
            assert row.royalty == pytest.approx(-pv(forecast, brand, way, row.months, "royalty"))
            assert row.brand_profit == pytest.approx(pv(forecast, brand, way, row.months, "brand_profit"))


def test_a_slower_change_brings_less_of_the_new_and_more_of_the_old():
    slow, fast = (world({"contracts": {"months_to_convert": months}}) for months in (60, 6))
    for part in ("market_profit", "royalty"):
        rows = [table(each, "Aion") for each in (slow, fast)]
        stays, late, soon = (getattr(row, part) for row in (rows[0][PARTS], rows[0][ALLIANCE], rows[1][ALLIANCE]))
        assert abs(late - stays) < abs(soon - stays)
        assert getattr(rows[1][PARTS], part) == stays


def test_autonomy_counts_cars_on_the_full_stack_half_where_the_brand_keeps_its_name(forecast):
    aion, avatr = brand_of(forecast.market, "Aion"), brand_of(forecast.market, "Avatr")
    rows, dear = table(forecast, "Aion"), table(forecast, "Aion", Stakes(15.0, 0.0))
    cars = {way: pv(forecast, aion, way, 13, "leader_cars") for way in (ALLIANCE, INSIDE)}
    assert rows[ALLIANCE].autonomy == pytest.approx(-5.0 * cars[ALLIANCE])
    assert rows[INSIDE].autonomy == pytest.approx(-2.5 * cars[INSIDE])
    for way, row in rows.items():
        assert dear[way].autonomy == pytest.approx(3.0 * row.autonomy)
        assert (row.autonomy == 0.0) == (way not in (ALLIANCE, INSIDE))
    leaving = table(forecast, "Avatr")[PARTS].autonomy  # until its new cars are ready it depends on the leader
    ahead = pv(forecast, avatr, INSIDE, 0, "leader_cars")
    assert -2.5 * ahead < leaving < 0.0


def test_volume_counts_all_cars_of_the_maker(forecast):
    aion = brand_of(forecast.market, "Aion")
    for way, row in table(forecast, "Aion", Stakes(5.0, 3.0)).items():
        if not row.build:
            assert row.volume == pytest.approx(3.0 * pv(forecast, aion, way, row.months, "cars"))


# Costs of a change.


def test_a_change_costs_its_conversion_line_by_line_and_the_alliance_the_brands_shops(forecast):
    market, contracts = forecast.market, forecast.market.scenario.contracts
    voyah, rows = brand_of(market, "Voyah"), table(forecast, "Voyah")
    lines = int(market.offers.on_sale[equipped(market, voyah, INSIDE)].sum())
    assert lines == 3
    assert rows[PARTS].invested == 0.0
    for way in (INSIDE, COMPONENTS, MOMENTA):
        assert rows[way].invested == pytest.approx(lines * contracts.conversion_cost * KCNY_PER_BN)
    shops = contracts.channel_cost * forecast.flows(voyah, PARTS)[0].brand_cars
    assert rows[ALLIANCE].invested - rows[INSIDE].invested == pytest.approx(shops) and shops > 0.0


def test_a_new_brand_costs_its_launch_in_whatever_mode(forecast):
    rows = table(forecast, "Qijing")
    launch = forecast.market.scenario.contracts.launch_cost * KCNY_PER_BN
    assert rows[OUT].invested == 0.0 and rows[OUT].brand_profit == 0.0
    assert {row.invested for way, row in rows.items() if way != OUT} == {launch}


def test_leaving_the_leaders_platform_costs_more_with_years_and_with_owners():
    model = opened(CHOSEN, WIDE, {"consumers": {"count": 20_000}})
    market, contracts = model.market, model.market.scenario.contracts
    aito, avatr = brand_of(market, "AITO"), brand_of(market, "Avatr")
    owners = owners_there(market, aito)
    leader = market.platform_code("huawei")
    theirs = (market.population.platform == leader) & np.isin(market.population.line, aito.lines)
    assert owners == pytest.approx(market.population.weight * theirs.sum()) and owners > 50_000
    expected = exit_cost(21.0 / 12.0, owners, contracts.exit_cost * KCNY_PER_BN, contracts.exit_cost_owner)
    assert leaving_cost(market, aito) == pytest.approx(expected)
    later = replace(market, month=24)
    assert leaving_cost(later, aito) == pytest.approx(expected + 2.0 * contracts.exit_cost * KCNY_PER_BN)
    rows = table(Forecast(market), "Avatr")
    lines = int(market.offers.on_sale[equipped(market, avatr, MOMENTA)].sum())
    conversion = lines * contracts.conversion_cost * KCNY_PER_BN
    assert rows[MOMENTA].invested == pytest.approx(conversion + leaving_cost(market, avatr))
    assert rows[ALLIANCE].invested < rows[MOMENTA].invested + 10.0 * 12.0 * market.offers.base_units.sum()
    shops = contracts.channel_cost * Forecast(market).flows(avatr, INSIDE)[0].brand_cars
    assert rows[ALLIANCE].invested == pytest.approx(conversion + shops)  # it stays on the platform


def test_fixed_fees_and_conversion_lower_the_value_one_for_one():
    plain, paying = world(), world({"contracts": {"inside": {"fixed_fee": 0.5}, "conversion_cost": 1.8}})
    before, after = table(plain, "Voyah")[INSIDE], table(paying, "Voyah")[INSIDE]
    ones, rate = np.ones(8), 0.08
    fees = present_value(phased(0.0 * ones, 0.5 * KCNY_PER_BN * ones, 13.0 / 12.0), rate)
    assert before.fixed - after.fixed == pytest.approx(fees + 3.0 * KCNY_PER_BN)
    assert before.value - after.value == pytest.approx(fees + 3.0 * KCNY_PER_BN)


# Hold-up.


def test_a_member_expects_to_be_asked_for_part_of_what_leaving_has_come_to_cost(forecast):
    market, contracts = forecast.market, forecast.market.scenario.contracts
    voyah = brand_of(market, "Voyah")
    cars = yearly((1.0, 3.0, 6.0), [flow.brand_cars for flow in forecast.flows(voyah, INSIDE)], 8)
    there = np.maximum(np.arange(8) - 13.0 / 12.0, 0.0)
    owners = np.cumsum(cars) * (there > 0)
    costs = exit_cost(there, owners, contracts.exit_cost * KCNY_PER_BN, contracts.exit_cost_owner)
    asked = present_value(holdup([3, 6], costs, contracts.holdup), 0.08)
    row = table(forecast, "Voyah")[INSIDE]
    assert row.fixed == pytest.approx(-row.invested - asked) and asked > 0.0
    assert table(forecast, "Voyah")[COMPONENTS].fixed == -table(forecast, "Voyah")[COMPONENTS].invested


def test_the_longer_the_leader_is_bound_the_less_is_expected_to_be_asked():
    fixed = []
    for years in (1, 2, 4, 8):
        rows = table(world({"alliance": {"commitment_years": years}}), "Voyah")
        fixed.append(rows[ALLIANCE].fixed)
        assert rows[MOMENTA].fixed == -rows[MOMENTA].invested
    assert fixed == sorted(fixed) and fixed[0] < fixed[-1]
    assert fixed[-1] == pytest.approx(-rows[ALLIANCE].invested)  # bound for the whole horizon: nothing is asked


def test_without_holdup_nothing_is_asked():
    row = table(world({"contracts": {"holdup": 0.0}}), "Voyah")[ALLIANCE]
    assert row.fixed == -row.invested


# Research.


def test_giving_up_ones_stack_saves_its_research_once_its_cars_are_gone(forecast):
    rows, research = table(forecast, "XPeng"), 3.0 * KCNY_PER_BN
    ones = np.ones(8)
    assert rows[Way("in_house", "XPeng")].fixed == pytest.approx(-present_value(research * ones, 0.08))
    kept = present_value(phased(research * ones, 0.0 * ones, 13.0 / 12.0), 0.08)
    assert rows[MOMENTA].fixed == pytest.approx(-kept - rows[MOMENTA].invested)


def test_who_keeps_its_stack_beside_the_leaders_parts_goes_on_paying_for_it(forecast):
    rows = table(forecast, "XPeng")
    stays = rows[Way("in_house", "XPeng")].fixed
    assert rows[COMPONENTS].fixed == pytest.approx(stays - rows[COMPONENTS].invested)


def test_a_stack_that_sister_brands_use_is_paid_for_whatever_one_brand_does(forecast):
    """Denza runs on BYD's stack, which BYD goes on using."""
    for way, row in table(forecast, "Denza").items():
        if way.mode in ("in_house", "supplier", "components"):
            assert row.fixed == -row.invested


# Building.


def own(row_of):
    (way,) = [way for way, row in row_of.items() if row.build]
    return row_of[way]


def test_building_is_closed_to_who_has_not_the_cash_and_says_what_it_takes(forecast):
    cost = present_value(3.0 * KCNY_PER_BN * np.array([1.0, 1.0, 1.0, 1.0, 51.5 / 12.0 - 4.0]), 0.08)
    enough, short = (own(table(forecast, "Aion", means=replace(RICH, cash=cost + gap))) for gap in (1.0, -1.0))
    assert not enough.closed
    assert f"{cost / KCNY_PER_BN:.1f} bn CNY" in short.closed
    rows = table(forecast, "Aion", means=replace(RICH, cash=0.0))
    assert [row.way for row in rows.values() if row.closed] == [own(rows).way]


def test_the_hurdle_is_a_multiple_of_the_cost():
    for hurdle, closed in ((0.0, False), (3.0, True)):
        row = own(table(world({"modes": {"cash_hurdle": hurdle}}), "Aion", means=replace(RICH, cash=2e7)))
        assert bool(row.closed) == closed


def promising(*layers):
    """A forecast in which stacks built in house are far ahead, and cost little: one of one's own would pay."""
    market = opened(CHOSEN, WIDE, {"software": {"own_stack_rd": 0.2}}, *layers).market
    market.platforms.quality[np.unique(market.offers.platform[market.own_software()])] += 60.0
    return Forecast(market)


def test_building_is_worth_more_the_likelier_it_is_to_succeed():
    forecast = promising()
    for name in ("Voyah", "Aion", "Hongqi"):
        values = [
            own(table(forecast, name, means=replace(RICH, belief=Belief.known(chance)))).value
            for chance in (0.0, 0.3, 1.0)
        ]
        assert values[0] < values[1] < values[2]


@pytest.mark.parametrize("name", ["Voyah", "Aion", "Hongqi", "Exeed"])
def test_a_stack_that_would_not_pay_is_left_in_the_drawer_however_likely_it_is(forecast, name):
    """Else better chances would make an attempt worth less."""
    cost = present_value(3.0 * KCNY_PER_BN * np.array([1.0, 1.0, 1.0, 1.0, 51.5 / 12.0 - 4.0]), 0.08)
    for chance in (0.0, 0.5, 1.0):
        rows = table(forecast, name, means=replace(RICH, belief=Belief.known(chance)))
        assert own(rows).value == pytest.approx(rows[PARTS].value - cost * 1.08**-0.5, rel=1e-9)


def test_a_sure_attempt_without_alternatives_is_worth_its_flow_from_the_day_it_is_ready():
    forecast = promising({"modes": {"build_months_least": 36, "build_months_most": 36}})
    voyah = brand_of(forecast.market, "Voyah")
    way = Way("in_house", "Dongfeng")
    flows = {each: forecast.flows(voyah, each) for each in (PARTS, way)}
    rows = table_of(forecast, voyah, STAKES, replace(RICH, belief=Belief.known(1.0)), flows)
    beta, research = 1.0 / 1.08, 0.2 * KCNY_PER_BN
    paths = [
        annuity_value(yearly((1.0, 3.0, 6.0), [flow.market_profit for flow in flows[each]], 8), 0.08) for each in flows
    ]
    level = paths[0] * annuity(beta, 3) + (paths[1] - research) * (annuity(beta, 8) - annuity(beta, 3))
    attempt = present_value(np.full(3, research), 0.08)
    expected = (level - attempt - beta**3 * rows[1].invested) * beta**0.5  # lines are converted when it has succeeded
    assert rows[1].value == pytest.approx(expected, rel=1e-9) and rows[1].value > rows[0].value


# Waiting.


@pytest.mark.parametrize("name", [*NAMES, "BYD", "Tesla", "Audi", "iCar", "Denza"])
def test_waiting_never_costs_anything(forecast, name):
    brand = brand_of(forecast.market, name)
    for means in (RICH, replace(RICH, cash=0.0), replace(RICH, rival_attempts=3)):
        rows = value_table(forecast, brand, STAKES, means)
        assert rows[0].option >= 0.0 and rows[0].way == brand.way
        assert all(row.option == 0.0 for row in rows[1:] if not row.build)


def test_where_nothing_else_is_open_waiting_is_worth_nothing(forecast):
    tesla = brand_of(forecast.market, "Tesla")
    flows = {way: forecast.flows(tesla, way) for way in (tesla.way, INSIDE, COMPONENTS)}
    rows = table_of(forecast, tesla, STAKES, RICH, flows)  # to a US marque the leader may not sell
    assert [bool(row.closed) for row in rows] == [False, True, True]
    assert rows[0].option == pytest.approx(0.0, abs=1e-9 * rows[0].value)
    (alone,) = table_of(forecast, tesla, STAKES, RICH, {tesla.way: flows[tesla.way]})
    assert alone.option == pytest.approx(0.0, abs=1e-9 * alone.value)


@pytest.mark.parametrize("name", ["Aion", "Voyah", "Exeed", "BMW"])
def test_without_building_waiting_is_worth_the_best_later_year_to_go(forecast, name):
    """By hand: stay until year t, then the best other way, its flow level at its discounted mean."""
    brand, beta, horizon = brand_of(forecast.market, name), 1.0 / 1.08, 8
    flows = {
        way: forecast.flows(brand, way)
        for way in ways(forecast.market, brand, EVERYTHING)
        if way.mode != "in_house" or way == brand.way
    }
    rows = table_of(forecast, brand, Stakes(0.0, 0.0), RICH, flows)
    worth = {row.way: row.value - row.option for row in rows}
    stay = worth[brand.way] / (annuity(beta, horizon) * beta**0.5)
    best = max(value for way, value in worth.items() if way != brand.way)
    later = annuity(beta, horizon) - annuity(beta, 1)  # it is there after a year
    gain = (best / beta**0.5 - stay * annuity(beta, 1)) / later - stay
    options = [beta**0.5 * beta**t * gain * (annuity(beta, horizon - t) - annuity(beta, 1)) for t in range(1, horizon)]
    assert rows[0].option == pytest.approx(max(0.0, *options), rel=1e-9, abs=1e-6)


def test_watching_rivals_makes_waiting_worth_no_less(forecast):
    alone, watching = (
        table(forecast, "Voyah", means=replace(RICH, rival_attempts=rivals))[PARTS].option for rivals in (0, 4)
    )
    assert watching >= alone * (1.0 - 1e-12)


# Who may.


def test_a_marque_from_a_barred_country_may_not_buy_from_the_leader(forecast):
    rows = table(forecast, "Tesla")
    assert {way.mode for way, row in rows.items() if row.closed} == {"inside", "components"}
    assert "US" in rows[INSIDE].closed
    free = table(world({"alliance": {"barred_origins": []}}), "Tesla")
    assert not any(row.closed for row in free.values())


@pytest.mark.parametrize("name", ["Aion", "Voyah", "XPeng"])
def test_the_short_cut_values_ways_nearly_as_the_full_game_does(forecast, name):
    brand = brand_of(forecast.market, name)
    short, full = (find(forecast, brand, STAKES, RICH) for find in (value_table, solved_table))
    scale = max(row.brand_profit for row in short)
    for one, other in zip(short, full, strict=True):
        assert one.way == other.way and one.closed == other.closed
        assert one.value == pytest.approx(other.value, abs=0.05 * scale)
