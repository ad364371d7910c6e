"""What changes before anybody decides: software, hardware, batteries, chargers."""

import numpy as np
import pytest
from market.worlds import HISTORY, STILL, merged, opened, run_small

from evsim.market.offers import MODE
from evsim.market.progress import advance_platforms, set_drift, success_chance


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
    chance = success_chance(market, market.platforms.initial_fleet)
    expected_gain = shares @ (3.0 * chance - market.platforms.drift)
    assert expected_gain == pytest.approx(0.0, abs=1e-9 * shares.sum())
    assert (chance[market.platforms.research > 0] > 0).all()


def test_successes_come_as_often_as_their_chance():
    market = opened({"end": "2073-12", **{k: v for k, v in STILL.items() if k != "software"}}).market
    set_drift(market)
    months = 590
    start = market.platforms.quality.copy()
    for month in range(1, months + 1):
        market.month = month
        advance_platforms(market)
    chance = success_chance(market, market.platforms.fleet(months))
    successes = (market.platforms.quality - start + months * market.platforms.drift) / 2.0
    lowest = success_chance(market, np.zeros(len(market.platforms))) * months
    assert successes == pytest.approx(np.round(successes), abs=1e-6)
    assert (successes <= months * np.maximum(chance, 0) + 6.0 * np.sqrt(months * 0.1) + months * 0.05).all()
    assert (successes >= lowest - 6.0 * np.sqrt(lowest + 1.0)).all()


def test_generic_stacks_learn_nothing_from_their_fleet():
    market = opened().market
    fleet = np.full(len(market.platforms), 1e7)
    gain = success_chance(market, fleet) - success_chance(market, np.zeros(len(fleet)))
    assert (gain[~market.platforms.ecosystem] == 0).all()
    assert (gain[market.platforms.ecosystem] > 0).all()


def test_batteries_get_cheaper_with_output_and_faster_with_learning():
    slow, fast, none = (
        run_small({"battery": {"learning_rate": rate}}).headline["pack_price"] for rate in (0.1, 0.3, 0.0)
    )
    assert (np.diff(slow) < 0).all()
    assert fast.iloc[-1] < slow.iloc[-1] < none.iloc[-1] == none.iloc[0]


def test_a_cheaper_pack_makes_electric_cars_cheaper_by_its_kilowatt_hours():
    model = opened({"end": "2025-06"})
    base = model.market.costs()
    model.run_model()
    market = model.market
    saved = base - market.costs()
    fall = market.base_pack_price - market.pack_price
    assert fall > 0
    assert saved == pytest.approx(market.offers.pack_kwh * fall, abs=1e-9)
    assert (saved[market.offers.powertrain == 0] == 0).all()


def test_chargers_follow_the_electric_fleet_with_a_lag():
    prompt, lagged = (run_small({"chargers": {"lag_months": lag}}).headline["chargers"] for lag in (0.0, 12.0))
    assert prompt.iloc[0] == lagged.iloc[0] == 1.0
    assert (prompt.iloc[2:] > lagged.iloc[2:]).all()
    assert (np.diff(lagged.iloc[1:]) > 0).all()  # month 1 sees the base date's fleet


def test_hardware_of_laggards_converges_to_the_frontier():
    model = opened({"products": {"hardware_convergence": 0.05}})
    model.run_model()
    offers, months = model.market.offers, model.market.month
    since = months - np.where(offers.base_units > 0, 0, offers.refreshed - 1)
    left = np.where(offers.on_sale, offers.hardware_gap * 0.95**since, offers.hardware_gap)
    base = offers.base_units > 0
    assert (offers.hardware_gap - offers.hardware)[base] == pytest.approx(left[base], abs=1e-12)
    assert (offers.hardware >= 0).all()


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
