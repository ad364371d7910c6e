"""Announced changes of policy move visits: a surge before a benefit ends, a cliff after it."""

import numpy as np
import pytest
from market.worlds import STILL, opened, run_small

from evsim.economics.timing import month_chances
from evsim.market import calendar
from evsim.market.calendar import shift_visits

MANY = {"end": "2024-12", "consumers": {"count": 30_000, "reference_size": 2_000, "horizon_months": 6}}
EXPIRY, LAST = "2024-06", 6
SALES_BONUS = {
    "kind": "per_unit",
    "name": "bonus",
    "start": "2023-01",
    "end": EXPIRY,
    "amount_kcny": 30.0,
    "powertrains": ("bev", "phev", "erev"),
}
TO_COME = SALES_BONUS | {"start": "2024-07", "end": None, "announced": "2024-01"}
WINDOW = range(LAST - 3, LAST + 5)


def world(*instruments, horizon=6, shift_cost=2.0, **more):
    """A market in which nothing changes but these benefits, and buyers look so many months ahead."""
    policy = {"timeline": "none", "hold_from": None, "instruments": instruments}
    return STILL, MANY, {"subsidy": policy, "consumers": {"horizon_months": horizon, "shift_cost": shift_cost}}, more


def orders(run, electric=None):
    """Cars ordered by month of the run."""
    market = run.market[run.market["month"] > run.base_month]
    if electric is not None:
        market = market[(market["powertrain"] != "ice") == electric]
    return market.groupby("month")["orders"].sum().to_numpy()


@pytest.mark.parametrize(
    "policy",
    [
        {"hold_from": "2024-01"},
        {"timeline": "none"},
        {"instruments": (SALES_BONUS | {"start": "2024-07", "end": None},)},
    ],
    ids=["held", "none", "a surprise"],
)
def test_where_nothing_is_announced_nothing_moves_bit_for_bit(policy):
    layer = {"subsidy": {"timeline": "none", "hold_from": None} | policy, "end": "2024-12"}
    near, far = (run_small(layer, {"consumers": {"horizon_months": months}}) for months in (0, 12))
    assert near.digest == far.digest


def test_an_announced_expiry_makes_orders_surge_before_and_fall_after():
    with_horizon, blind = (orders(run_small(*world(SALES_BONUS, horizon=months))) for months in (6, 0))
    ratio = with_horizon / blind
    assert ratio[LAST - 1] > 1.15
    assert (ratio[LAST : LAST + 3] < 0.97).all()
    assert np.array_equal(with_horizon[: LAST - 1], blind[: LAST - 1])  # the last month is best for all who come sooner
    assert with_horizon.sum() == pytest.approx(blind.sum(), rel=0.02)


def test_the_surge_is_of_those_who_get_the_benefit():
    ahead, blind = (run_small(*world(SALES_BONUS, horizon=months)) for months in (6, 0))
    electric, petrol = (orders(ahead, which)[LAST - 1] / orders(blind, which)[LAST - 1] for which in (True, False))
    assert electric > petrol > 1.0  # who comes for an electric car may yet buy another


def test_an_announced_gain_is_waited_for():
    with_horizon, blind = (orders(run_small(*world(TO_COME, horizon=months))) for months in (6, 0))
    ratio = with_horizon / blind
    assert ratio[LAST] > 1.1
    assert ratio[LAST - 1] < 0.9
    assert (np.diff(ratio[LAST - 4 : LAST]) < 0.03).all()  # the nearer, the more wait


@pytest.mark.parametrize(("name", "low", "high"), [("shift_cost", 8.0, 0.5), ("horizon", 1, 6)])
def test_cheaper_shifts_and_a_longer_view_make_a_larger_surge(name, low, high):
    small, large = (orders(run_small(*world(SALES_BONUS, **{name: value})))[LAST - 1] for value in (low, high))
    assert large > 1.05 * small


def test_a_larger_benefit_makes_a_larger_surge():
    surge = []
    for amount in (5.0, 15.0, 30.0):
        layers = world(SALES_BONUS | {"amount_kcny": amount})
        blind = world(SALES_BONUS | {"amount_kcny": amount}, horizon=0)
        surge.append(orders(run_small(*layers))[LAST - 1] / orders(run_small(*blind))[LAST - 1])
    assert (np.diff(surge) > 0.02).all()


def at_expiry(**terms):
    """The market at the last month of the benefit, before anybody shops; its visits as they were."""
    model = opened(*world(SALES_BONUS | terms))
    while model.market.month < LAST - 1:
        model.step()
    model.market.month = LAST
    return model


def test_as_many_come_early_as_the_law_of_costs_says():
    """Σ over households of the chance that their cost of a month is low enough, by `timing.month_chances`."""
    market = at_expiry().market
    owners, rows = market.population, market.on_sale()
    near = np.flatnonzero((owners.visit >= LAST) & (owners.visit <= LAST + 6))
    due = owners.visit[near] - LAST
    values = calendar.inclusive_values(market, owners, near, rows, LAST + np.arange(7))
    chance, out = np.empty(len(near)), np.empty(7)
    for k in range(len(near)):
        month_chances(values[k], int(due[k]), 2.0, out)
        chance[k] = out[0] if due[k] > 0 else 0.0
    early = shift_visits(market, owners, rows)
    assert len(early.rows) == pytest.approx(chance.sum(), abs=5.0 * np.sqrt((chance * (1.0 - chance)).sum()))
    assert len(early.rows) > 200
    assert (owners.visit[early.rows] == LAST).all()


def test_who_came_early_and_kept_the_car_comes_again_on_the_old_date():
    model = at_expiry()
    market, population = model.market, model.market.population
    market.month = LAST - 1
    before = population.visit.copy()
    household = population.household.copy()
    model.step()
    came = (before > LAST) & ((population.visit != before) | (population.bought == LAST))
    queued = np.isin(np.arange(len(population)), model.books.queue.rows)
    assert ((population.bought == LAST) | queued)[came].all()  # everybody else has the old date
    passed = (before > LAST) & (population.household != household) & ~came
    assert passed.sum() > 3
    assert (population.due[passed] == LAST).all()  # a newcomer who kept on without a car is passed on no more
    later = population.household[passed].copy()
    while model.running:
        model.step()
    assert market.month >= before[passed].max()
    assert np.array_equal(population.household[passed], later)


def test_a_visit_put_off_is_made_when_the_benefit_begins_and_the_row_may_still_pass_on():
    model = opened(*world(TO_COME))
    while model.market.month < LAST:
        model.step()
    market, population = model.market, model.market.population
    waiting = np.flatnonzero((population.visit == LAST + 1) & (population.due == LAST + 1))
    due = np.flatnonzero(opened(*world(TO_COME, horizon=0)).market.population.due == LAST + 1)
    put_off = np.setdiff1d(waiting, due)
    assert len(put_off) > 100
    household = population.household[put_off].copy()
    model.step()
    passed = (population.household[put_off] != household).mean()
    expected = market.habits.first_time_share
    assert passed == pytest.approx(expected, abs=5.0 * np.sqrt(expected * (1.0 - expected) / len(put_off)))


def test_the_pricing_panel_comes_early_too_and_hears_its_own_talk():
    layers = (
        *world(SALES_BONUS),
        {"consumers": {"count": 200}, "lock_in": {"word_of_mouth": 1.0, "community_size": 50}},
    )
    model = opened(*layers, {"pricing": {"survey_size": 3_000}})  # a panel larger than the population
    panel = model.market.panel.owners
    while model.market.month < LAST - 1:
        model.step()
    due = panel.visit.copy()
    model.step()
    early = (due > LAST) & (panel.bought == LAST)
    assert early.sum() > 10


def test_a_visit_in_several_months_is_worth_what_it_is_in_each_by_itself():
    market = at_expiry().market
    owners, rows = market.population, market.on_sale()
    near = np.flatnonzero((owners.visit >= LAST) & (owners.visit <= LAST + 3))
    together = calendar.inclusive_values(market, owners, near, rows, LAST + np.arange(4))
    alone = [calendar.inclusive_values(market, owners, near, rows, [LAST + ahead]) for ahead in range(4)]
    assert np.array_equal(together, np.column_stack(alone))
    assert np.array_equal(together[:, 0], calendar.visits(market, owners, near, rows).worth)
    assert (together[:, 0] > together[:, 1]).all()  # the benefit ends
