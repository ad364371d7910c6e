"""The compiled loops over consumers do what their slow twins do, line by line."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from market.kernel_twins import choice_twin, outside_twin, past_line_twin, tastes_twin, utility_twin
from market.worlds import opened

from evsim.economics.utility import FIRST_CLASS, INCOME, N_TASTES, PHONE, SOFTWARE
from evsim.market import kernels
from evsim.market.calendar import NOBODY
from evsim.market.clearing import shop
from evsim.market.kernels import HOUSEHOLD_STEP
from evsim.market.owners import Past, fit_vintages, past_lines
from evsim.streams import Purpose, uniform

STRONG = {  # every term of the equation at work
    "lock_in": {
        "switching_cost": 1.7,
        "word_of_mouth": 2.0,
        "brand_loyalty": 1.1,
        "over_the_air": 0.8,
        "community_size": 50,
    },
    "consumers": {"count": 600, "overdue_cost": 0.05, "phone_share": 0.5, "phone_effect": 2.0},
    "pricing": {"rule": "fixed"},
    "software": {"success_gain": 6.0},
}
COLUMNS = ("household", "line", "platform", "bought", "joined", "due")


@pytest.fixture(scope="module")
def market():
    """A market after a year and a half in which qualities moved and cars changed hands."""
    model = opened(STRONG, {"end": "2025-06"})
    model.run_model()
    return model.market


def shelf_of(market):
    rows = market.on_sale()
    outlay = market.policy.buyer_price(market.month, rows).value(market.offers.price[rows])
    return rows, outlay, market.shelf(rows, outlay)


def state_of(market, row):
    return {name: int(getattr(market.population, name)[row]) for name in COLUMNS} | {"row": row}


def test_tastes_follow_their_laws():
    habits = opened().market.habits
    tastes = np.empty((20_000, N_TASTES))
    kernels.tastes_of(3, np.arange(20_000), habits, tastes)
    error = 5.0 / math.sqrt(20_000)
    assert np.log(tastes[:, INCOME]).mean() == pytest.approx(0.0, abs=error * habits.income_spread)
    assert np.log(tastes[:, INCOME]).std() == pytest.approx(habits.income_spread, rel=error)
    assert tastes[:, SOFTWARE].mean() == pytest.approx(1.0, abs=error)
    assert tastes[:, PHONE].mean() == pytest.approx(habits.phone_share, abs=error / 2.0)
    assert np.abs(np.corrcoef(tastes[:, FIRST_CLASS:].T) - np.eye(N_TASTES - FIRST_CLASS)).max() < error


def test_utilities_of_the_kernel_are_those_of_the_equation(market):
    rows, _, shelf = shelf_of(market)
    some = np.arange(0, 600, 29)
    population, world, seed = market.population, market.world(), market.scenario.seed
    overdue = np.linspace(0.0, 30.0, len(some))
    state = tuple(getattr(population, name)[some] for name in ("line", "platform", "bought", "joined"))
    tastes = np.empty((len(some), N_TASTES))
    kernels.tastes_of(seed, population.household[some], market.habits, tastes)
    utility, outside = np.empty((len(some), len(rows))), np.empty(len(some))
    kernels.panel_utility(some, (*state, overdue), market.habits, shelf, world, tastes, utility, outside)
    for i, row in enumerate(some.tolist()):
        own = state_of(market, row)
        twin = tastes_twin(seed, own["household"], market.habits)
        assert utility[i] == pytest.approx(utility_twin(own, twin, market.habits, shelf, world), abs=1e-12)
        assert outside[i] == pytest.approx(outside_twin(own, overdue[i], twin, market.habits, world), abs=1e-12)


def test_households_choose_what_their_slow_twins_choose(market):
    rows, _, shelf = shelf_of(market)
    world, seed, habits = market.world(), market.scenario.seed, market.habits
    some = np.arange(1, 600, 9)
    columns = tuple(getattr(market.population, name).copy() for name in COLUMNS)
    columns[-1][some[::2]] = market.month  # half of them due just now, so that some rows pass on
    choice, worth, alike = np.empty(len(some), dtype=np.int64), np.empty(len(some)), np.zeros(len(some), dtype=np.int64)
    shelf_by_class = shelf._replace(outlay=shelf.outlay[None])
    after = tuple(column.copy() for column in columns)
    kernels.pass_on(seed, some, after, habits, world.month)
    kernels.shop(seed, some, after, habits, shelf_by_class, alike, world, (choice, worth))
    passed = 0
    for k, row in enumerate(some.tolist()):
        state = {name: int(column[row]) for name, column in zip(COLUMNS, columns, strict=True)} | {"row": row}
        turnover = uniform(seed, Purpose.TURNOVER, state["due"], row, 0)
        if state["due"] >= world.month and turnover < habits.first_time_share:
            state |= {"household": state["household"] + HOUSEHOLD_STEP, "line": -1, "platform": -1}
            passed += 1
        tastes = tastes_twin(seed, state["household"], habits)
        assert choice[k] == choice_twin(seed, state, tastes, habits, shelf, world)
        assert [int(column[row]) for column in after] == [state[name] for name in COLUMNS]
    assert passed > 5
    assert len(set(choice.tolist())) > 10


def test_rows_of_one_household_share_its_tastes_and_no_draw_of_a_month(market):
    """At the base date a household of the reference sample may wait in several rows: each decides for itself."""
    rows, _, shelf = shelf_of(market)
    some, n = np.arange(600), 600
    alike = (  # household, line, platform, bought, joined, due
        np.full(n, 7),
        np.full(n, 0, dtype=np.int16),
        np.full(n, market.offers.platform[0], dtype=np.int16),
        *(np.full(n, month, dtype=np.int16) for month in (-70, -70, market.month)),
    )
    choice, worth = np.empty(n, dtype=np.int64), np.empty(n)
    world = market.world()._replace(whispers=np.zeros_like(market.whispers))
    kernels.pass_on(market.scenario.seed, some, alike, market.habits, world.month)
    one_class = (shelf._replace(outlay=shelf.outlay[None]), np.zeros(n, dtype=np.int64))
    kernels.shop(market.scenario.seed, some, alike, market.habits, *one_class, world, (choice, worth))
    passed = alike[0] >= HOUSEHOLD_STEP
    expected = market.habits.first_time_share
    assert passed.mean() == pytest.approx(expected, abs=5.0 * math.sqrt(expected * (1.0 - expected) / n))
    assert set(alike[0].tolist()) == {7, 7 + HOUSEHOLD_STEP}  # newcomers, too, differ by their draws alone
    for group in (choice[passed], choice[~passed]):
        assert len(set(group.tolist())) > 5
    tastes = tastes_twin(market.scenario.seed, 7, market.habits)
    state = {"line": 0, "platform": int(alike[2][~passed][0]), "bought": -70, "joined": -70, "row": 0}
    utility = np.array(utility_twin(state, tastes, market.habits, shelf, world))
    utility -= market.habits.median_sensitivity / tastes["income"] * shelf.outlay
    outside = outside_twin(state, 0.0, tastes, market.habits, world)
    odds = np.exp(np.append(utility, outside))
    share = odds / odds.sum()
    counts = np.bincount(np.where(choice < 0, len(rows), choice)[~passed], minlength=len(share))
    error = np.sqrt((~passed).sum() * share * (1.0 - share))
    assert (np.abs(counts - (~passed).sum() * share) < 5.0 * error + 1.0).all()


def test_waiting_rows_of_one_household_part_ways_in_month_1():
    model = opened({"consumers": {"count": 30_000}, "pricing": {"rule": "fixed"}})
    population = model.market.population
    first = population.visit == 1
    waiting = np.flatnonzero((population.due <= 0) & first)
    households, counts = np.unique(population.household[waiting], return_counts=True)
    shared = households[counts > 1]
    assert len(shared) > 10
    groups = [waiting[population.household[waiting] == household] for household in shared]
    model.step()
    queue = dict(zip(model.books.queue.rows.tolist(), model.books.queue.products.tolist(), strict=True))

    def chosen(row):
        return int(population.line[row]) if population.bought[row] == 1 else queue.get(row, -1)

    assert sum(len({chosen(row) for row in group.tolist()}) > 1 for group in groups) > 0.5 * len(groups)


def test_past_purchases_follow_the_constants_of_their_year(market):
    rows, outlay, shelf = shelf_of(market)
    seed, habits = market.scenario.seed, market.habits
    draws = np.random.default_rng(1)
    constants = draws.normal(size=(2, len(rows)))
    constants[1, ::3] = -np.inf
    households, vintage = np.arange(40), np.arange(40) % 2
    tastes, out = np.empty((40, N_TASTES)), np.empty(40, dtype=np.int16)
    kernels.tastes_of(seed, households, habits, tastes)
    kernels.past_purchases(seed, households, vintage, habits, shelf, constants, tastes, out)
    twins = [
        past_line_twin(seed, i, constants[vintage[i]], tastes_twin(seed, i, habits), habits, shelf) for i in range(40)
    ]
    assert out.tolist() == twins
    assert not (out[vintage == 1] % 3 == 0).any()


def test_a_products_draws_do_not_depend_on_what_else_is_for_sale():
    def choices(keep_every):
        market = opened(STRONG).market
        market.month = 1
        rows = market.on_sale()
        kept = np.arange(len(rows)) % keep_every == 0 if keep_every > 1 else np.ones(len(rows), dtype=bool)
        made = shop(market, rows[kept], NOBODY)
        return made.rows, np.where(made.choice >= 0, rows[kept][made.choice], -1), rows[kept]

    shoppers, chosen, _ = choices(1)
    same_shoppers, fewer, kept = choices(2)
    assert np.array_equal(shoppers, same_shoppers)
    still_there = np.isin(chosen, kept) | (chosen < 0)
    assert still_there.sum() > 5
    assert np.array_equal(chosen[still_there], fewer[still_there])  # the winner still wins
    assert (chosen[~still_there] != fewer[~still_there]).all()


def test_a_car_is_due_after_its_holding_time_on_the_shopping_clock(market):
    habits, clock = market.habits, np.arange(2_000, dtype=float)
    out = np.empty(4_000, dtype=np.int64)
    kernels.after_purchase(0, np.arange(4_000), 5, clock, habits, out)
    held = out - 5
    assert held.min() >= 1
    assert held.mean() == pytest.approx(81.0, abs=5.0 * held.std() / math.sqrt(4_000))


def test_a_keeper_shops_again_after_a_pause_of_the_assumed_mean(market):
    clock = np.arange(2_000, dtype=float)
    out = np.empty(4_000, dtype=np.int64)
    kernels.after_keeping(0, np.arange(4_000), 5, clock, market.habits, out)
    pause = out - 5
    assert pause.min() == 1
    assert pause.mean() == pytest.approx(6.0, abs=5.0 * pause.std() / math.sqrt(4_000))


def test_the_population_bought_in_each_year_what_was_sold_in_it():
    market = opened({"consumers": {"reference_size": 4_000}}).market
    rows, _, shelf = shelf_of(market)
    tastes = np.empty((4_000, N_TASTES))
    kernels.tastes_of(0, np.arange(4_000), market.habits, tastes)
    shares = np.random.default_rng(2).dirichlet(np.full(len(rows), 2.0), 2)
    shares[1, 0], shares[1] = 0.0, shares[1] / (1.0 - shares[1, 0])
    base = 2018 * 12 + 23  # two years: months −23 … 0
    vintages = fit_vintages(shares, tastes, shelf, market.habits, base)
    bought = np.where(np.arange(4_000) % 2 == 0, -20, 0)
    line = past_lines(0, np.arange(4_000), tastes, bought, Past(vintages, shelf, market.habits))
    for year in (0, 1):
        counts = np.bincount(line[year::2], minlength=len(rows))
        sold = shares[year] > 0
        assert counts[~sold].sum() == 0
        expected = 2_000 * shares[year, sold]
        assert ((counts[sold] - expected) ** 2 / expected).sum() < 2.0 * len(rows)


SHOPPING = """
import json, sys
from market.worlds import small
from evsim.model import EVMarket
layer = {"end": "2024-02", "market": {"lines": 8, "keep_brands": ["AITO"]}, "pricing": {"rule": "fixed", "survey_size": 50},
         "consumers": {"count": 300, "overdue_cost": 0.0}, "products": {"launches": "none"}}
model = EVMarket(small(layer))
model.run_model()
market = model.record["market"]
print(json.dumps([market["product"].tolist(), market["units"].tolist(), model.market.population.due.tolist()]))
"""


def test_plain_python_gives_what_the_compiled_kernels_give():
    answers = []
    for switch in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": switch, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SHOPPING],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout)
    assert answers[0] == answers[1]
    assert "AITO" in answers[0]


def test_cars_are_counted_and_moved_row_by_row():
    draws = np.random.default_rng(3)
    rows, platforms = np.sort(draws.permutation(400)[:150]), draws.integers(-1, 5, 150).astype(np.int16)
    community, expected = np.full((20, 5), 40), np.full((20, 5), 40)
    kernels.move_cars(community, rows, 20, platforms, -1)
    for row, platform in zip(rows.tolist(), platforms.tolist(), strict=True):
        expected[row // 20, platform] -= platform >= 0
    assert np.array_equal(community, expected)
    owned = np.zeros(5, dtype=np.int64)
    kernels.cars_owned(platforms, owned)
    assert owned.tolist() == [platforms.tolist().count(line) for line in range(5)]
