"""A month clears: who shops, who queues, who drives home."""

import numpy as np
import pandas as pd
import pytest
from market.worlds import opened, run_small, small
from pydantic import ValidationError

from evsim.market.accounts import Books, Queue
from evsim.market.population import NEVER, community_counts

FEW_PLANTS = {  # one row is 35,000 cars: every plant builds less than a row a month
    "capacity": {"headroom": 1.0, "minimum": 100.0, "expansion": 0.0, "wait_cost": 0.0},
    "pricing": {"rule": "fixed"},
    "end": "2025-06",
}


class OneLineMarket:
    """What a queue needs of a market: one row's cars, the makers of lines, how fast a full plant grows."""

    def __init__(self, weight, makers, expansion=0.0):
        self.population = type("Population", (), {"weight": weight})
        self.offers = type("Offers", (), {"automaker": np.array(makers), "__len__": lambda self: len(makers)})()
        self.scenario = type("Scenario", (), {"capacity": type("Capacity", (), {"expansion": expansion})})


def books_with(capacity):
    capacity = np.array(capacity, dtype=float)
    nothing = np.zeros(len(capacity))
    return Books(capacity, nothing.copy(), nothing, nothing)


def test_a_queue_is_served_in_its_order_and_each_maker_by_its_own_plant():
    queue, market = Queue(), OneLineMarket(10.0, [0, 0, 1])
    queue.join(np.array([7, 3, 5, 9, 4]), np.array([1, 2, 0, 2, 1]))
    books = books_with([20.0, 10.0])
    buyers, products = queue.deliver(books, market)
    assert buyers.tolist() == [7, 3, 5]
    assert products.tolist() == [1, 2, 0]
    assert queue.rows.tolist() == [9, 4]
    assert queue.waiting(10.0, 3).tolist() == [0.0, 10.0, 10.0]


@pytest.mark.parametrize("capacity", [3.0, 4.0, 10.0, 17.0])
def test_a_plant_smaller_than_a_row_builds_its_capacity_in_the_long_run(capacity):
    queue, market, books = Queue(), OneLineMarket(10.0, [0]), books_with([capacity])
    queue.join(np.arange(1_000), np.zeros(1_000, dtype=np.int64))
    months = 120
    built = sum(len(queue.deliver(books, market)[0]) for _ in range(months))
    assert abs(10.0 * built - capacity * months) <= 10.0


def test_an_idle_plant_stores_at_most_one_row():
    queue, market, books = Queue(), OneLineMarket(10.0, [0]), books_with([5.0])
    for _ in range(50):
        queue.deliver(books, market)
    queue.join(np.arange(9), np.zeros(9, dtype=np.int64))
    assert len(queue.deliver(books, market)[0]) == 1


def test_only_a_full_plant_grows():
    queue, market, books = Queue(), OneLineMarket(10.0, [0, 1], expansion=0.1), books_with([10.0, 10.0])
    queue.join(np.arange(3), np.array([0, 0, 1]))
    queue.deliver(books, market)
    assert books.capacity == pytest.approx([11.0, 10.0])


def test_a_plant_that_binds_makes_a_backlog_that_drains_when_it_may_grow():
    bound = run_small(FEW_PLANTS).market.groupby("month")["backlog"].sum()
    relaxed = run_small(FEW_PLANTS, {"capacity": {"expansion": 0.5}}).market.groupby("month")["backlog"].sum()
    assert bound.iloc[-1] > bound.iloc[3] > 0
    assert relaxed.max() > 0
    assert relaxed.iloc[-1] < 0.5 * bound.iloc[-1]


@pytest.mark.parametrize("plants", [{}, FEW_PLANTS], ids=["roomy", "tight"])
def test_cars_ordered_are_cars_delivered_plus_the_growth_of_the_backlog(plants):
    market = run_small(plants).market
    months = market.groupby("month")[["orders", "units", "backlog"]].sum().iloc[1:]
    assert months["orders"].sum() == pytest.approx(months["units"].sum() + months["backlog"].iloc[-1], rel=1e-12)
    by_product = market[market["month"] > market["month"].min()].groupby("product")
    left = by_product["orders"].sum() - by_product["units"].sum()
    assert left.to_numpy() == pytest.approx(by_product["backlog"].last().to_numpy(), abs=1e-3)


def test_plants_never_build_more_than_they_can():
    run = run_small(FEW_PLANTS)
    weight = run.diagnostics["weight"]
    totals = run.automakers.groupby("automaker")[["units", "capacity"]].sum()
    assert (totals["units"] <= totals["capacity"] + weight).all()


def test_long_queues_put_buyers_off():
    patient = run_small(FEW_PLANTS).market
    hasty = run_small(FEW_PLANTS, {"capacity": {"wait_cost": 1.0}}).market
    assert hasty["backlog"].iloc[-60:].sum() < 0.9 * patient["backlog"].iloc[-60:].sum()


def test_a_maker_without_any_plant_is_refused():
    with pytest.raises(ValidationError, match="minimum\n.*greater than 0"):
        small({"capacity": {"minimum": 0.0}})
    run = run_small({"capacity": {"minimum": 1.0}, "end": "2024-04"})  # makers to come hardly build anything: no fault
    assert (run.headline["units"] > 0).all()


def test_nobody_shops_while_waiting_for_a_car():
    model = opened(FEW_PLANTS)
    waited = 0
    while model.running:
        queued = model.books.queue.rows.copy()
        assert (model.market.population.visit[queued] == NEVER).all()
        before = model.market.population.line[queued].copy()
        model.step()
        still = np.isin(queued, model.books.queue.rows)
        assert np.array_equal(model.market.population.line[queued[still]], before[still])  # the old car is kept
        waited += int(still.sum())
    assert waited > 50
    assert (model.market.population.visit == NEVER).sum() == len(model.books.queue.rows)
    assert len(np.unique(model.books.queue.rows)) == len(model.books.queue.rows)


@pytest.mark.parametrize("plants", [{}, FEW_PLANTS], ids=["roomy", "tight"])
def test_owners_changed_are_cars_sold(plants):
    model = opened(plants)
    weight = model.market.population.weight
    while model.running:
        model.step()
        sold = model.latest("units") / weight
        assert (model.market.population.bought == model.market.month).sum() == pytest.approx(sold, abs=1e-6)
    switching, units = pd.DataFrame(model.record["switching"]), model.record["headline"]["units"][1:]
    assert switching["buyers"].sum() == pytest.approx(units.sum(), rel=1e-12)


@pytest.mark.parametrize("plants", [{}, FEW_PLANTS], ids=["roomy", "tight"])
def test_communities_count_the_cars_their_households_own(plants):
    model = opened(plants)
    model.run_model()
    market = model.market
    size = market.scenario.lock_in.community_size
    assert np.array_equal(market.community, community_counts(market.population.platform, size, len(market.platforms)))
    owners = market.population.line >= 0
    assert np.array_equal(owners, market.population.platform >= 0)


def test_a_buyer_keeps_the_tenure_of_a_platform_it_stays_on():
    model = opened({"end": "2025-12"})
    market, stayed, left = model.market, 0, 0
    while model.running:
        platform, joined = market.population.platform.copy(), market.population.joined.copy()
        model.step()
        bought = np.flatnonzero(market.population.bought == market.month)
        same = market.population.platform[bought] == platform[bought]
        newly = market.population.joined[bought] == market.month
        passed = market.population.household[bought] >= 2**40
        assert newly[~same].all()
        assert np.array_equal(market.population.joined[bought[same & ~passed]], joined[bought[same & ~passed]])
        stayed, left = stayed + int((same & ~passed).sum()), left + int((~same).sum())
    assert min(stayed, left) > 20


def test_as_many_due_rows_pass_to_newcomers_as_assumed():
    model = opened({"end": "2025-12", "consumers": {"count": 10_000}, "pricing": {"rule": "fixed"}})
    model.run_model()
    population = model.market.population
    fell_due = (population.household >= 2**40) | (population.bought > 0) | (population.due <= model.market.month)
    waiting_at_start = 0.03 * 10_000
    expected = 0.44 * (fell_due.sum() - waiting_at_start)
    assert (population.household >= 2**40).sum() == pytest.approx(expected, abs=6.0 * np.sqrt(expected))
