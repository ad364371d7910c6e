"""The market as it would be: nothing written, and what is tried is what would be."""

import dataclasses
from copy import deepcopy

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, merged, opened
from numpy.testing import assert_allclose

from evsim.agents.chair import Chair, choosing
from evsim.economics.best_reply import Margins, best_reply
from evsim.economics.contracts import price_for_net, royalty
from evsim.economics.pricing import Demand, equilibrium_prices
from evsim.market.brands import OUT, Way
from evsim.market.changes import commit
from evsim.market.forecast import Forecast
from evsim.market.leadership import admission, best_research, best_terms, recovered_aims, sizes_at_rest
from evsim.market.offers import MODE
from evsim.market.panel import panel_utility
from evsim.market.pricing import whole_game
from evsim.market.ways import FULL_STACK, PARTS, equipped, ways

WIDE = {"market": {"lines": 60}}
PATIENT = {"modes": {"rule": "chosen", "reply_steps": 50}}  # best replies to the last digit
TODAY = {"modes": {"rule": "chosen", "forecast_years": (0.03, 3.0)}, "products": {"ageing": 0.0}}
ALLIANCE, INSIDE, COMPONENTS = Way("alliance", "huawei"), Way("inside", "huawei"), Way("components", "huawei")
EVERYTHING = ("alliance", "inside", "components")


def fingerprint(thing):
    """Everything a state holds, bit for bit."""
    if isinstance(thing, np.ndarray):
        return thing.dtype.str, thing.shape, thing.tobytes() if thing.dtype != object else tuple(thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = [field.name for field in dataclasses.fields(thing) if field.compare]  # others keep what was worked out
        return tuple((name, fingerprint(getattr(thing, name))) for name in fields)
    if isinstance(thing, dict):
        return tuple((key, fingerprint(value)) for key, value in thing.items())
    if isinstance(thing, list | tuple):
        return tuple(fingerprint(value) for value in thing)
    return repr(thing)


@pytest.fixture(scope="module")
def patient():
    """A market at its base date and its forecast, that no test changes."""
    market = opened(PATIENT, WIDE).market
    return market, Forecast(market)


def column(point, rows):
    return point.place[rows]


def nets(forecast, brand, way):
    """Profit less royalties of the brand's maker at every point."""
    return np.array([flow.market_profit - flow.royalty for flow in forecast.flows(brand, way)])


# Nothing is written.


def test_a_review_of_everything_leaves_the_market_bit_for_bit_as_it_is():
    model = opened(CHOSEN, WIDE)
    for _ in range(2):
        model.step()
    market = model.market
    before, books = fingerprint(market), fingerprint(model.books)
    forecast, brands = Forecast(market), choosing(market)
    chair = Chair(model, forecast, brands)
    for brand in brands:
        chair.review_of(brand, model.automakers[brand.automaker])
        forecast.flows(brand, brand.way, full=True)
    stakes = {brand.key: model.automakers[brand.automaker].stakes(market.scenario.modes) for brand in brands}
    aims = recovered_aims(forecast)
    best_terms(forecast, brands, stakes, aims)
    best_research(forecast, aims)
    sizes_at_rest(forecast, brands, stakes)
    forecast.follow(brand_of(market, "Aion"), ALLIANCE)
    assert fingerprint(market) == before and fingerprint(model.books) == books


def test_trying_and_looking_leave_the_forecast_bit_for_bit_as_it_is(patient):
    market, forecast = patient
    before = [fingerprint(point) for point in forecast.points], dict(forecast.ways)
    aion = brand_of(market, "Aion")
    for way in ways(market, aion, EVERYTHING):
        forecast.flows(aion, way)
        forecast.moved(forecast.middle, aion, way)
    admission(forecast, aion, ALLIANCE, recovered_aims(forecast))
    other = forecast.copied(market.rates)
    other.follow(aion, ALLIANCE)
    assert ([fingerprint(point) for point in forecast.points], dict(forecast.ways)) == before
    assert forecast.ways[aion.key] == PARTS and other.ways[aion.key] == ALLIANCE


# Today.


@pytest.mark.parametrize("owner_value", [0.0, 0.5])
def test_a_forecast_of_today_has_todays_prices_and_sales(owner_value):
    """Costs were recovered from today's prices, so that nobody would set another."""
    market = opened(TODAY, {"pricing": {"owner_value": owner_value}}).market
    forecast = Forecast(market)
    point, units = forecast.points[0], market.offers.base_units
    for brand in market.brands:
        if market.offers.on_sale[brand.lines].any():
            reply = forecast.reply(point, brand, brand.way)
            assert reply.prices == pytest.approx(market.offers.price[reply.rows], abs=1e-6)
            whole = forecast.solved(point, brand, brand.way)
            assert whole.prices == pytest.approx(reply.prices, abs=0.05)
    shares = point.shares()
    assert shares.sum() < 1.0
    assert point.cars * shares.sum() == pytest.approx(12.0 * units.sum(), rel=0.02)
    listed = np.corrcoef(point.cars * shares, units[point.rows])[0, 1]
    assert listed > 0.98  # a panel of a hundred households


def test_shares_and_the_outside_good_sum_to_one(patient):
    for point in patient[1].points:
        shares = point.shares()
        alone = float(point.weights @ (point.alone / point.total))
        assert (shares[point.market.offers.on_sale[point.rows]] > 0).all()
        assert (shares[~point.market.offers.on_sale[point.rows]] == 0).all()
        assert shares.sum() < 1.0 and shares.sum() + alone == pytest.approx(1.0, abs=1e-12)


# What is known ahead.


def test_launches_of_a_year_are_known_and_later_ones_are_not():
    market = opened(CHOSEN, WIDE, {"end": "2025-12"}).market
    opening = {event.row: event.month for event in market.calendar if event.event == "opens"}
    assert max(opening.values()) > 13
    for years, point in zip((1.0, 3.0, 6.0), Forecast(market).points, strict=True):
        assert point.years == years and point.month == round(12 * years)
        selling = set(np.flatnonzero(point.market.offers.on_sale))
        expected = {row for row, month in opening.items() if month <= 12} | set(market.on_sale())
        assert selling == expected


def test_what_brands_are_preparing_is_in_force_when_it_is_ready_and_attempts_are_not_counted_on():
    model = opened(CHOSEN, WIDE)
    market, aion, zeekr = model.market, *(brand_of(model.market, name) for name in ("Aion", "Voyah"))
    commit(market, model.books, aion, ALLIANCE, 0.0)
    commit(market, model.books, zeekr, Way("in_house", "Dongfeng"), 0.0)
    near, _, far = Forecast(market).points  # 12 and 72 months ahead, the conversion takes 13
    rows = equipped(market, aion, ALLIANCE)
    rows = rows[near.place[rows] >= 0]
    assert (near.market.offers.mode[rows] == MODE["supplier"]).all()
    assert (far.market.offers.mode[rows] == MODE["alliance"]).all()
    assert not np.isin(far.market.offers.platform, market.platform_code("Dongfeng")).any()


def test_software_is_expected_to_go_on_as_its_chances_say(patient):
    market, forecast = patient
    rises = np.array([point.market.platforms.quality - market.platforms.quality for point in forecast.points])
    awake = ~market.platforms.dormant
    per_month = rises / np.array([point.years * 12.0 for point in forecast.points])[:, None]
    assert per_month[:, awake] == pytest.approx(np.tile(per_month[0, awake], (3, 1)), abs=1e-12)
    assert per_month[0, market.platform_code("huawei")] > per_month[0, market.platform_code("supplier")]


def test_benefits_announced_to_end_have_ended_by_then():
    """The purchase tax on new-energy cars, waived in 2024 up to 30 kCNY, is due in full by 2029."""
    near, _, far = Forecast(opened(CHOSEN, WIDE).market).points
    petrol = near.market.offers.powertrain[near.rows] == 0
    price = near.market.offers.price[near.rows]
    rise = far.rule.value(price) - near.rule.value(price)
    assert (rise[petrol] == 0.0).all()
    assert rise[~petrol] == pytest.approx(np.minimum(0.1 * price[~petrol] / 1.13, 30.0), rel=0.05)


# What is tried is what would be.


@pytest.mark.parametrize("name", ["Aion", "Chery", "XPeng", "Qijing", "AITO"])
def test_a_way_tried_earns_what_it_earns_once_followed(patient, name):
    market, forecast = patient
    brand = brand_of(market, name)
    for way in ways(market, brand, EVERYTHING):
        trial = Forecast(market)
        tried = trial.flows(brand, way)
        trial.follow(brand, way)
        followed = trial.flows(brand, way)
        for one, other in zip(tried, followed, strict=True):
            assert np.array(one) == pytest.approx(np.array(other), rel=1e-6, abs=1e-3)
        for flows, point in zip(followed, trial.points, strict=True):
            earned = trial.brand_profits(point, [brand])[0]
            assert earned == pytest.approx(flows.brand_profit, rel=1e-6, abs=1e-3)


def test_the_present_way_tried_is_the_point_as_it_stands_at_the_makers_best_prices(patient):
    market, forecast = patient
    for name in ("Aion", "BYD", "Qijing"):
        brand = brand_of(market, name)
        reply = forecast.reply(forecast.middle, brand, brand.way)
        assert reply.trial.market is forecast.middle.market
        assert np.array_equal(reply.trial.utility, forecast.middle.utility[:, column(forecast.middle, reply.rows)])


@pytest.mark.parametrize("name", ["Aion", "Chery", "XPeng", "AITO"])  # Luxeed, a member, is Chery's too
def test_utilities_of_a_way_followed_are_those_of_a_market_in_which_the_brand_had_gone_it(patient, name):
    """The sums by stack, with phone, network, lock-in and lent trust, against the kernel on the whole market."""
    market, _ = patient
    brand, checked = brand_of(market, name), 0
    for way in ways(market, brand, EVERYTHING):
        if market.platforms.dormant[market.platform_code(way.platform)]:
            continue
        trial = Forecast(market)
        trial.follow(brand, way)
        for point in trial.points:
            rows = point.rows[point.market.offers.on_sale[point.rows]]
            afresh, outside = panel_utility(point.market, trial.entries, rows)
            assert_allclose(point.utility[:, column(point, rows)], afresh, rtol=0.0, atol=1e-9)
            assert np.array_equal(point.outside, outside)
            paid = point.rule_of(column(point, rows)).value(point.market.offers.price[rows])
            odds = np.exp(afresh - trial.entries.sensitivity[:, None] * paid - point.reference[:, None])
            assert_allclose(point.excess[:, column(point, rows)], odds, rtol=1e-8, atol=1e-12)
            assert_allclose(point.total, odds.sum(axis=1) + point.alone, rtol=1e-9)
            checked += 1
    assert checked >= 9


@pytest.mark.parametrize("name", ["Aion", "Chery", "XPeng", "Qijing", "AITO"])
def test_going_there_and_back_returns_the_point(patient, name):
    market, _ = patient
    brand = brand_of(market, name)
    for way in ways(market, brand, EVERYTHING)[1:]:
        stays, returns = Forecast(market), Forecast(market)
        stays.follow(brand, brand.way)
        returns.follow(brand, way)
        returns.follow(brand, brand.way)
        assert returns.ways == stays.ways
        for one, other in zip(stays.points, returns.points, strict=True):
            assert np.array_equal(one.market.offers.platform, other.market.offers.platform)
            assert np.array_equal(one.market.offers.mode, other.market.offers.mode)
            assert np.array_equal(one.market.offers.on_sale, other.market.offers.on_sale)
            assert other.market.offers.cost == pytest.approx(one.market.offers.cost, rel=1e-13)
            selling = one.market.offers.on_sale
            assert other.market.offers.price[selling] == pytest.approx(one.market.offers.price[selling], abs=1e-6)
            assert_allclose(other.utility, one.utility, rtol=0.0, atol=1e-9)
            assert_allclose(other.total, one.total, rtol=1e-7)
            assert other.shares() == pytest.approx(one.shares(), abs=1e-9)


def test_ways_followed_by_others_are_those_a_brand_sees(patient):
    market, _ = patient
    trial = Forecast(market)
    aion, voyah = brand_of(market, "Aion"), brand_of(market, "Voyah")
    alone = nets(trial, voyah, INSIDE)
    trial.follow(aion, INSIDE)
    assert (nets(trial, voyah, INSIDE) < alone).all()  # a rival as good takes buyers away


def test_a_brand_that_is_not_started_sells_nothing_and_started_it_takes_from_its_sisters(patient):
    market, forecast = patient
    qijing = brand_of(market, "Qijing")
    out, started = forecast.flows(qijing, OUT), forecast.flows(qijing, ALLIANCE)
    for nothing, something in zip(out, started, strict=True):
        assert nothing.brand_cars == nothing.brand_profit == 0.0 < something.brand_cars
        sisters = something.cars - something.brand_cars
        assert sisters < nothing.cars


@pytest.mark.parametrize("name", ["Aion", "Luxeed", "Qijing"])  # from outside, from inside, and one that is not sold
def test_what_is_kept_of_where_makers_stand_is_what_would_be_worked_out_anew(patient, name):
    """After a move and after new terms: the same with and without what was kept, bit for bit."""
    market, _ = patient
    trial, brand = Forecast(market), brand_of(market, name)
    watched = [brand, *(brand_of(market, other) for other in ("AITO", "Chery", "Voyah"))]

    def seen(forget):
        for point in trial.points:
            if forget:
                point.stands.clear()
        return [trial.flows(each, way) for each in watched for way in (each.way, INSIDE, COMPONENTS)]

    start = seen(forget=False)
    for way in ways(market, brand, EVERYTHING)[1:]:
        trial.follow(brand, way)
        moved = seen(forget=False)
        assert moved == seen(forget=True) and moved != start
    before = seen(forget=False)
    for point in trial.points:
        point.market = dataclasses.replace(
            point.market, rates=dataclasses.replace(market.rates, unit_fee=2.0 * market.rates.unit_fee)
        )
    dearer = seen(forget=False)
    assert dearer == seen(forget=True) and dearer != before


# The short cut.


@pytest.mark.parametrize("weight", [0.0, 0.5])
@pytest.mark.parametrize("name", ["Aion", "Luxeed", "Qijing", "XPeng", "AITO"])
def test_an_answer_is_that_of_the_market_in_which_the_brand_had_gone_the_way(patient, name, weight):
    """The compiled trial against its slow twin: the whole market in that way, and `best_reply`."""
    market, _ = patient
    counted = merged(market.scenario.model_dump(), {"pricing": {"owner_value": weight}})
    rng = np.random.default_rng(0)
    owner_value = rng.uniform(-5.0, 5.0, (len(market.names.automakers) + 1, len(market.offers)))
    market = dataclasses.replace(market, scenario=type(market.scenario)(**counted), owner_value=owner_value)
    forecast, brand, vat = Forecast(market), brand_of(market, name), market.scenario.subsidy.vat
    alpha = forecast.entries.sensitivity
    for way in ways(market, brand, EVERYTHING):
        for point in forecast.points:
            answer, trial = forecast.answer(point, brand, way), forecast.reply(point, brand, way).trial
            rows, terms, before = trial.rows, trial.terms, point.market
            assert np.array_equal(answer.rows, rows) and answer.lent_trust == trial.market.lent_trust()
            others = np.setdiff1d(point.rows[before.offers.on_sale[point.rows]], point.stand(brand.automaker).rows)
            sold = np.zeros(len(alpha))
            for line in point.stand(brand.automaker).columns:
                sold += point.excess[:, line]
            members = point.excess[:, point.place[others[before.offers.mode[others] == MODE["alliance"]]]].sum(axis=1)
            change = np.expm1(trial.lent_trust - before.lent_trust())
            covering = price_for_net(before.costs(), before.terms(np.arange(len(before.offers))), vat)[rows]
            start = before.offers.price[rows] + price_for_net(trial.costs, terms, vat) - covering
            prices, shares = best_reply(
                trial.utility - point.reference[:, None],
                alpha,
                point.weights,
                np.maximum(point.total - sold + change * members, point.alone),
                Margins(
                    (1.0 - terms.revenue_share) / (1.0 + vat),
                    trial.costs + terms.unit_fee - weight * owner_value[brand.automaker, rows],
                ),
                point.rule_of(point.place[rows]),
                np.maximum(start, 1.0),
                market.scenario.modes.reply_steps,
            )
            assert_allclose(answer.prices, prices, rtol=1e-11)
            assert_allclose(answer.cars, point.cars * shares, rtol=1e-11)
            assert np.array_equal(answer.costs, trial.costs)
            assert np.array_equal(answer.fees, (terms.revenue_share, terms.unit_fee))
            assert np.array_equal(answer.modes, trial.market.offers.mode[rows])


@pytest.mark.parametrize("name", ["Aion", "Luxeed", "Qijing"])
def test_flows_are_the_sums_over_what_a_maker_sells(patient, name):
    market, forecast = patient
    brand, vat = brand_of(market, name), market.scenario.subsidy.vat
    found = ways(market, brand, EVERYTHING)
    assert forecast.table(brand, found) == {way: forecast.flows(brand, way) for way in found}
    for way in found:
        for point, flows in zip(forecast.points, forecast.flows(brand, way), strict=True):
            reply = forecast.reply(point, brand, way)
            offers, rows, cars, trial = reply.trial.market.offers, reply.rows, reply.cars, reply.trial
            margin, fees = reply.prices / (1.0 + vat) - trial.costs, royalty(reply.prices, trial.terms, vat)
            own, inside = offers.brand[rows] == brand.brand, FULL_STACK[offers.mode[rows]]
            profit = [cars @ margin, cars @ fees, cars.sum(), cars[inside].sum()]
            assert tuple(flows) == pytest.approx(
                (*profit, cars[own] @ (margin - fees)[own], cars[own].sum()), rel=1e-12
            )


@pytest.mark.parametrize("name", ["Aion", "Voyah", "Exeed", "AITO"])
def test_the_short_cut_is_the_full_game_with_everybody_elses_prices_held(patient, name):
    market, forecast = patient
    brand, point = brand_of(market, name), forecast.middle
    for way in (brand.way, INSIDE, COMPONENTS):
        reply = forecast.reply(point, brand, way)
        trial = reply.trial.market
        rows = point.rows[trial.offers.on_sale[point.rows]]
        own = np.searchsorted(rows, reply.rows)
        utility = point.utility[:, column(point, rows)].copy()
        utility[:, own] = reply.trial.utility
        fellows = (trial.offers.mode[rows] == MODE["alliance"]) & ~np.isin(np.arange(len(rows)), own)
        utility[:, fellows] += trial.lent_trust() - point.market.lent_trust()
        demand = Demand(utility, forecast.entries.sensitivity, point.weights, point.outside)
        game = whole_game(trial, rows, demand, point.rule_of(column(point, rows)))
        setter = np.where(np.isin(np.arange(len(rows)), own), game.setter, -1)
        start = trial.offers.price[rows].copy()
        start[own] = reply.prices + 1.0
        solution = equilibrium_prices(dataclasses.replace(game, setter=setter), start)
        assert solution.converged
        assert solution.prices[own] == pytest.approx(reply.prices, abs=1e-5)
        assert point.cars * solution.shares[own] == pytest.approx(reply.cars, rel=1e-7)


def test_a_single_step_is_near_enough_to_the_best_reply():
    """Profit errs by the square of what prices err."""
    quick, slow = (
        Forecast(opened(merged(PATIENT, WIDE, {"modes": {"reply_steps": steps}})).market) for steps in (1, 50)
    )
    for name in ("Aion", "Voyah", "XPeng"):
        brand = brand_of(quick.market, name)
        for way in (brand.way, INSIDE, COMPONENTS):
            assert nets(quick, brand, way) == pytest.approx(nets(slow, brand, way), rel=5e-3)


def test_threads_change_no_bit_of_a_forecast():
    one, two = (deepcopy(opened(CHOSEN, WIDE).market) for _ in range(2))
    two.threads = 2
    ways_tried = [("Aion", ALLIANCE), ("Voyah", INSIDE), ("AITO", COMPONENTS)]
    for name, way in ways_tried:
        flows = [Forecast(market).flows(brand_of(market, name), way) for market in (one, two)]
        assert flows[0] == flows[1]


# Dilution.


@pytest.mark.parametrize("elasticity", [0.0, 0.25, 1.0])
def test_a_new_member_takes_trust_from_the_others_and_gives_it_back_when_it_goes(elasticity):
    market = opened(PATIENT, WIDE, {"alliance": {"dilution": elasticity}}).market
    forecast, aion, aito = Forecast(market), brand_of(market, "Aion"), brand_of(market, "AITO")
    point = forecast.middle
    members = point.market.members()
    rows = np.array([row for row in aito.lines if point.market.offers.on_sale[row]])
    before, trust = point.utility[:, column(point, rows)].copy(), point.market.lent_trust()
    forecast.follow(aion, ALLIANCE)
    fall = trust * (1.0 - (members / (members + 1)) ** elasticity)
    assert before - point.utility[:, column(point, rows)] == pytest.approx(np.full(before.shape, fall), abs=1e-9)
    assert point.market.members() == members + 1 and (fall > 0.0) == (elasticity > 0.0)
    forecast.follow(aion, PARTS)
    assert point.utility[:, column(point, rows)] == pytest.approx(before, abs=1e-9)


def test_who_buys_the_stack_inside_takes_no_trust_from_members(patient):
    market, _ = patient
    forecast = Forecast(market)
    trust = forecast.middle.market.lent_trust()
    forecast.follow(brand_of(market, "Aion"), INSIDE)
    assert forecast.middle.market.lent_trust() == trust
