"""What the market is worth to households: log-sums by hand, groups, benefits for some, CO2."""

from dataclasses import replace

import numpy as np
import pytest
from market.worlds import opened, run_small
from small_market import small_scenario

from evsim.economics.utility import INCOME
from evsim.economics.welfare import income_bounds
from evsim.market import clearing
from evsim.market.calendar import visits
from evsim.market.surplus import GROUPS, month_surplus
from evsim.market.use import monthly_tons
from evsim.model import EVMarket


def watched(monkeypatch, model):
    """One month of a model: its shoppers, what each would pay to shop by its own chances, and the month's surplus."""
    seen = {}

    def look(market, rows, visits):
        consumers = [model.consumers[int(row)] for row in visits.rows]
        seen["each"] = np.array([-np.log(one.chances()[None]) / one.price_sensitivity for one in consumers])
        seen["group"] = np.array([np.sum(one.income > bounds(market)) for one in consumers])
        seen["surplus"] = month_surplus(market, rows, visits)
        return seen["surplus"]

    monkeypatch.setattr(clearing, "month_surplus", look)
    model.step()
    return seen


def bounds(market):
    return income_bounds(market.habits.income_spread, GROUPS)


def test_surplus_is_what_each_shopper_would_pay_not_to_have_kept_its_car(monkeypatch):
    """ln(1 + Σ exp(V − V_0)) = −ln P(keep)."""
    model = EVMarket(small_scenario(), rng=3)
    seen, weight = watched(monkeypatch, model), model.market.population.weight
    assert len(seen["each"]) > 10
    expected = weight * np.bincount(seen["group"], seen["each"], GROUPS)
    assert seen["surplus"].surplus == pytest.approx(expected, rel=1e-9)
    assert seen["surplus"].shoppers == pytest.approx(weight * np.bincount(seen["group"], minlength=GROUPS))


def test_the_groups_are_fifths_of_the_population():
    tastes = opened({"pricing": {"survey_size": 4_000}}).market
    income = tastes.panel.tastes[:, INCOME]
    shares = np.bincount(np.searchsorted(bounds(tastes), income), minlength=GROUPS) / len(income)
    assert shares == pytest.approx(np.full(GROUPS, 0.2), abs=4.0 * np.sqrt(0.16 / len(income)))


def test_a_month_in_which_nobody_shops_has_no_surplus():
    market = opened().market
    rows = market.on_sale()
    month = month_surplus(market, rows, visits(market, market.population, rows[:0], rows))
    assert not np.any([month.shoppers, month.surplus, month.staying]) and len(month.surplus) == GROUPS


def test_who_owns_nothing_that_holds_gains_nothing_by_staying():
    free = {"lock_in": {"switching_cost": 0.0, "brand_loyalty": 0.0}}
    runs = [run_small(layer) for layer in (free, {}, {"lock_in": {"switching_cost": 3.0}})]
    staying = [run.households["staying"].sum() for run in runs]
    assert staying[0] == 0.0 < staying[1] < staying[2]
    for run in runs:
        assert (run.households["staying"] <= run.households["surplus"]).all()


def test_a_benefit_for_low_incomes_reaches_the_lower_fifths_alone():
    gift = {"kind": "per_unit", "name": "gift", "start": "2024-01", "amount_kcny": 10.0, "income_below": 0.6}
    run = run_small({"subsidy": {"timeline": "none", "instruments": [gift]}, "end": "2024-06"})
    by_group = run.households.groupby("income_group")["benefits"].sum()
    assert by_group[1] > 0.0
    assert (by_group[[3, 4, 5]] == 0.0).all()  # half of the population earn the median or more
    assert by_group.sum() == pytest.approx(run.benefits["paid"].sum())


def test_a_larger_benefit_is_worth_more_to_every_fifth_and_costs_the_state():
    gift = {"kind": "per_unit", "name": "gift", "start": "2024-01", "powertrains": ["ice", "bev", "phev", "erev"]}
    less, more = (
        run_small(
            {
                "subsidy": {"timeline": "none", "instruments": [gift | {"amount_kcny": amount}]},
                "pricing": {"rule": "fixed"},
                "consumers": {"horizon_months": 0},
                "end": "2024-03",
            }
        ).welfare()
        for amount in (1.0, 6.0)
    )
    gain = more.minus(less)
    assert (gain.consumer_surplus > 0.0).all()
    assert gain.outlay > 0.0
    parts = gain.consumer_surplus.sum() + gain.producer_surplus.sum() + gain.leader_profit + gain.state
    assert gain.total == pytest.approx(parts, rel=1e-12)


def test_tons_are_kilometres_times_what_each_car_takes():
    market = opened({"use": {"distance": 10_000.0}}).market
    petrol = market.offers.powertrain == 0
    lines = market.population.line[market.population.line >= 0]
    burnt = market.consumption.litres_per_km[lines].sum() * market.population.weight * 10_000.0 / 12.0  # litres a month
    assert monthly_tons(market) * 1000.0 > 2.0 * burnt  # more than two kg a litre, and power
    use = market.scenario.use.model_copy(update={"distance": 5_000.0})
    half = replace(market, scenario=market.scenario.model_copy(update={"use": use}))
    assert monthly_tons(half) == pytest.approx(0.5 * monthly_tons(market), rel=1e-12)
    market.population.line[:] = np.flatnonzero(petrol)[0]
    all_petrol = monthly_tons(market)
    market.population.line[:] = np.flatnonzero(market.offers.powertrain == 1)[0]
    assert 0.0 < monthly_tons(market) < all_petrol
