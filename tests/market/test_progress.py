"""What changes before anybody decides: software, hardware, batteries, chargers."""

import numpy as np
import pytest
from market.worlds import HISTORY, STILL, merged, opened, run_small

from evsim.market.offers import MODE
from evsim.market.progress import advance_platforms, set_drift, stack_research, success_chance


def advantages(*layers):
    return run_small({"end": "2024-06"}, *layers).headline["software_advantage"].to_numpy()


@pytest.mark.parametrize("advantage", [-40.0, 0.0, 30.0, 200.0])
@pytest.mark.parametrize("rule", ["timeline", "none", "open"])
def test_the_advantage_of_the_scenario_is_that_of_month_1(advantage, rule):
    series = advantages({"software": {"advantage_kcny": advantage}, "modes": {"rule": rule}})
    assert series[1] == pytest.approx(advantage, abs=1e-9)
    assert series[0] == advantages()[0]


def test_the_calibrated_advantage_is_that_of_the_evidence():
    assert advantages()[0] == pytest.approx(12.0, abs=3.0)


def test_the_gap_closes_in_its_month_and_stays_closed_while_the_alliance_keeps_its_own():
    layer = {"software": {"advantage_kcny": 30.0, "advantage_until": "2024-04"}}
    closed, open_ = (
        run_small({"end": "2024-06"}, layer),
        run_small({"end": "2024-06"}, {"software": {"advantage_kcny": 30.0}}),
    )
    assert closed.headline["software_advantage"].iloc[3] > 20.0
    assert (closed.headline["software_advantage"].iloc[4:] <= 1e-9).all()
    quality = closed.platforms.pivot(index="month", columns="platform", values="quality")
    theirs = open_.platforms.pivot(index="month", columns="platform", values="quality")["huawei"]
    assert quality["huawei"].to_numpy() == pytest.approx(theirs.to_numpy(), abs=1e-12)
    assert (quality.loc["2024-04":].to_numpy() >= quality.loc["2024-04":, ["huawei"]].to_numpy() - 1e-12).all()


def test_a_leap_takes_the_rival_above_the_alliance_in_that_month_only():
    layer = {"software": {"leap_platform": "Tesla", "leap_month": "2024-03", "leap_kcny": 25.0}}
    quality = run_small({"end": "2024-06"}, layer).platforms.pivot(index="month", columns="platform", values="quality")
    lead = quality["Tesla"] - quality["huawei"]
    assert lead["2024-03"] == pytest.approx(25.0, abs=1e-9)
    assert (lead[:"2024-02"] < 0).all()
    moves = quality.diff().iloc[1:].round(9)
    assert len(np.unique(moves["Tesla"])) <= 3  # the leap, and afterwards drift with or without a success


def test_the_drift_holds_the_sales_weighted_mean_of_quality_in_expectation():
    market = opened({"software": {"success_gain": 3.0}}).market
    set_drift(market)
    shares = np.bincount(market.offers.platform, market.offers.base_units, len(market.platforms))
    platforms = market.platforms
    assert platforms.base_research.tolist() == platforms.research.tolist()
    chance = success_chance(market, platforms.research, platforms.initial_fleet)
    expected_gain = shares @ (3.0 * chance - platforms.drift)
    assert expected_gain == pytest.approx(0.0, abs=1e-9 * shares.sum())
    assert (chance[platforms.research > 0] > 0).all()


@pytest.mark.parametrize("lever", ["supplier_rd", "own_stack_rd", "alliance_rd"])
def test_what_one_platform_spends_moves_its_own_chances_and_not_the_frontier(lever):
    plain, changed = opened().market, opened({"software": {lever: 50.0}}).market
    assert changed.platforms.drift == plain.platforms.drift > 0
    chances = [success_chance(market, market.platforms.research, np.zeros(1)) for market in (plain, changed)]
    moved = changed.platforms.research != plain.platforms.research
    assert 0 < moved.sum() < len(moved)
    assert (chances[1][moved] > chances[0][moved]).all()
    assert np.array_equal(chances[1][~moved], chances[0][~moved])


def test_successes_come_as_often_as_their_chance():
    market = opened({"end": "2073-12", **{k: v for k, v in STILL.items() if k != "software"}}).market
    set_drift(market)
    months = 590
    start = market.platforms.quality.copy()
    for month in range(1, months + 1):
        market.month = month
        advance_platforms(market)
    research = market.platforms.research
    chance = success_chance(market, research, market.platforms.fleet(months))
    successes = (market.platforms.quality - start + months * market.platforms.drift) / 2.0
    lowest = success_chance(market, research, np.zeros(len(research))) * months
    assert successes == pytest.approx(np.round(successes), abs=1e-6)
    assert (successes <= months * np.maximum(chance, 0) + 6.0 * np.sqrt(months * 0.1) + months * 0.05).all()
    assert (successes >= lowest - 6.0 * np.sqrt(lowest + 1.0)).all()


def test_generic_stacks_learn_nothing_from_their_fleet():
    market = opened().market
    fleet = np.full(len(market.platforms), 1e7)
    research = market.platforms.research
    gain = success_chance(market, research, fleet) - success_chance(market, research, np.zeros(len(fleet)))
    assert (gain[~market.platforms.ecosystem] == 0).all()
    assert (gain[market.platforms.ecosystem] > 0).all()


def test_a_makers_research_follows_what_its_group_sells_and_halves_while_it_owes_money():
    model = opened({"market": {"lines": 60}, "software": {"rd_elasticity": 0.5}})
    market, books = model.market, model.books
    nio, code = market.names.automakers.index("NIO"), market.platform_code("NIO")
    assert stack_research(market, books, code) == market.platforms.research[code] == 3.0  # in the first year, as it was
    market.month = 13
    books.cash[nio] = 1e6
    base = books.past_revenue[:, nio].copy()
    for growth, budget in ((1.0, 3.0), (4.0, 6.0), (0.25, 1.5)):
        books.past_revenue[:, nio] = growth * base
        assert stack_research(market, books, code) == pytest.approx(budget, rel=1e-9)
    books.cash[nio] = -1.0
    assert stack_research(market, books, code) == pytest.approx(0.75, rel=1e-9)


def test_the_largest_maker_on_a_stack_pays_for_it():
    market = opened({"market": {"lines": 150}}).market
    offers, payers = market.offers, market.stack_payers(market.offers.base_units)
    own = offers.on_sale & market.own_software()
    assert np.flatnonzero(payers >= 0).tolist() == np.unique(offers.platform[own]).tolist()
    for stack in np.flatnonzero(payers >= 0):
        cars = {}
        for row in np.flatnonzero(own & (offers.platform == stack)).tolist():
            cars[int(offers.automaker[row])] = cars.get(int(offers.automaker[row]), 0.0) + offers.base_units[row]
        assert cars[int(payers[stack])] == max(cars.values())
    assert market.names.automakers[payers[market.platform_code("Geely")]] == "Geely"


def test_batteries_get_cheaper_with_output_and_faster_with_learning():
    slow, fast, none = (
        run_small({"battery": {"learning_rate": rate}}).headline["pack_price"] for rate in (0.1, 0.3, 0.0)
    )
    assert slow.iloc[0] == slow.iloc[1]  # the base month counts as experience already made
    assert (np.diff(slow.iloc[1:]) < 0).all()
    assert fast.iloc[-1] < slow.iloc[-1] < none.iloc[-1] == none.iloc[0]


def test_a_cheaper_pack_makes_electric_cars_cheaper_by_its_kilowatt_hours():
    model = opened({"end": "2025-06"})
    base = model.market.car_costs()
    model.run_model()
    market = model.market
    saved = base - market.car_costs()
    fall = market.base_pack_price - market.pack_price
    assert fall > 0
    assert saved == pytest.approx(market.offers.pack_kwh * fall, abs=1e-9)
    assert (saved[market.offers.powertrain == 0] == 0).all()


def test_chargers_follow_the_electric_fleet_with_a_lag():
    prompt, lagged = (run_small({"chargers": {"lag_months": lag}}).headline["chargers"] for lag in (0.0, 12.0))
    assert prompt.iloc[0] == lagged.iloc[0] == 1.0
    assert (prompt.iloc[2:] > lagged.iloc[2:]).all()
    assert (np.diff(lagged.iloc[1:]) > 0).all()  # month 1 sees the base date's fleet


def test_hardware_of_laggards_converges_to_the_frontier_in_lines_on_sale_and_to_come():
    model = opened({"products": {"hardware_convergence": 0.05}})
    for months in range(1, 13):
        model.step()
        offers = model.market.offers
        left = offers.hardware_gap * 0.95**months
        assert offers.hardware_gap - offers.hardware == pytest.approx(left, abs=1e-12)
    assert (offers.hardware_gap > 0).any() and (offers.hardware_gap == 0).any()


def test_the_base_fleet_is_on_the_road_at_month_0():
    market = opened(HISTORY).market
    assert market.platforms.initial_fleet.sum() == pytest.approx(12.0 * 4.0 * market.offers.base_units.sum(), rel=0.02)
    assert market.platforms.fleet(0) == pytest.approx(market.platforms.initial_fleet)
    assert market.quality_alike()[market.on_sale()] == pytest.approx(
        (market.offers.quality + np.log(market.offers.nameplates))[market.on_sale()]
        + 0.8 * (market.offers.mode == MODE["alliance"])[market.on_sale()],
        abs=1e-12,
    )


def test_settings_merge_group_by_group():
    assert merged({"a": {"x": 1}}, {"a": {"y": 2}, "b": 3}) == {"a": {"x": 1, "y": 2}, "b": 3}
