"""The set of consumers against Mesa's own `AgentSet` over plain agents that say the same of themselves."""

import mesa
import numpy as np
import pytest
from small_market import small_scenario

from evsim.agents import Consumer, Consumers
from evsim.agents.consumer import ATTRIBUTES, COLUMNS
from evsim.economics.utility import INCOME, N_TASTES
from evsim.market.population import NO_CAR, community_counts
from evsim.model import EVMarket
from evsim.streams import Purpose, normal, uniform

COUNT = 150


@pytest.fixture(scope="module")
def ran() -> EVMarket:
    """A market one month old, that no test changes."""
    model = EVMarket(small_scenario(), rng=11)
    model.step()
    return model


@pytest.fixture
def fresh() -> EVMarket:
    """A market to change."""
    return EVMarket(small_scenario(), rng=11)


class Plain(mesa.Agent):
    """An agent of the ordinary kind with the attributes of one consumer."""

    def __init__(self, model: mesa.Model, **attributes):
        super().__init__(model)
        vars(self).update(attributes)

    def plus(self, months: int, factor: int = 1) -> int:
        return self.due + months * factor


def described(model: EVMarket, row: int) -> dict:
    """All attributes of a row, said slowly."""
    market, population = model.market, model.market.population
    columns = {name: int(column[row]) for name, column in population.columns().items()}
    line, platform = columns["line"], columns["platform"]
    seed, spread = market.scenario.seed, market.scenario.consumers.income_spread
    income = float(np.exp(spread * normal(seed, Purpose.TASTE, 0, columns["household"], INCOME)))
    return columns | {
        "row": row,
        "car": None if line == NO_CAR else market.offers.product[line],
        "brand": None if line == NO_CAR else market.names.brands[market.offers.brand[line]],
        "platform_name": None if platform == NO_CAR else market.names.platforms[platform],
        "tenure": 0 if platform == NO_CAR else market.month - columns["joined"],
        "community": row // market.scenario.lock_in.community_size,
        "income": income,
        "price_sensitivity": market.scenario.consumers.price_sensitivity / income,
    }


@pytest.fixture(scope="module")
def plain_agents(ran) -> list[Plain]:
    """The first rows as ordinary agents, held so that Mesa's weak sets keep them."""
    model = mesa.Model(rng=1)
    return [Plain(model, **described(ran, row)) for row in range(COUNT)]


@pytest.fixture
def plain(plain_agents) -> mesa.agent.AgentSet:
    return mesa.agent.AgentSet(plain_agents, random=plain_agents[0].random)


@pytest.fixture
def ours(ran) -> Consumers:
    return ran.consumers[:COUNT]


def rows_of(agents) -> list[int]:
    return [agent.row for agent in agents]


def test_the_set_is_every_row_in_its_order(ran):
    consumers = ran.consumers
    assert len(consumers) == consumers.count() == 600
    assert rows_of(consumers) == list(range(600))
    assert all(isinstance(consumer, Consumer) and isinstance(consumer, mesa.Agent) for consumer in consumers)


@pytest.mark.parametrize("item", [0, 7, -1, np.int16(3)])
def test_a_place_gives_one_consumer(ours, plain, item):
    assert ours[item].row == list(plain)[item].row


@pytest.mark.parametrize("item", [slice(3, 9), slice(None, None, -7), slice(500, None)])
def test_a_slice_gives_a_set(ours, plain, item):
    assert isinstance(ours[item], Consumers)
    assert rows_of(ours[item]) == rows_of(list(plain)[item])


def test_a_place_beyond_the_set_is_an_error(ours):
    with pytest.raises(IndexError):
        ours[COUNT]


def test_a_set_knows_its_members_and_no_others(ran, ours, plain_agents, fresh):
    assert ours[3] in ours and ran.consumers[3] in ours
    assert ran.consumers[COUNT] not in ours
    assert fresh.consumers[3] not in ours  # of another model
    assert plain_agents[3] not in ours
    assert ours.index(ours[3]) == 3 and rows_of(reversed(ours)) == list(reversed(range(COUNT)))


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTES) - {"unique_id", "tastes"}))
def test_an_attribute_is_the_same_of_all_and_of_each(ours, plain, name):
    expected = plain.get(name)
    assert len(set(expected)) > 1  # something to get wrong
    for values in (ours.get(name).tolist(), [getattr(consumer, name) for consumer in ours]):
        assert values == (pytest.approx(expected, rel=1e-14) if isinstance(expected[0], float) else expected)


def test_tastes_are_a_row_for_each(ours):
    tastes = ours.get("tastes")
    assert tastes.shape == (COUNT, N_TASTES)
    np.testing.assert_array_equal(tastes[5], ours[5].tastes)
    np.testing.assert_array_equal(tastes[:, INCOME], ours.get("income"))


def test_several_attributes_come_as_mesa_gives_them(ours, plain):
    names = ["car", "due", "tenure"]
    assert ours.get(names) == plain.get(names)
    assert ours.get(["due", "shoes"], "default", 0) == plain.get(["due", "shoes"], "default", 0)


def test_a_missing_attribute_is_an_error_or_the_default(ours, plain):
    assert ours.get("shoes", handle_missing="default", default_value=[1]) == plain.get("shoes", "default", [1])
    with pytest.raises(AttributeError, match="no attribute 'shoes'; they have row"):
        ours.get("shoes")
    with pytest.raises(ValueError, match="'error' or 'default'"):
        ours.get("due", handle_missing="ignore")


@pytest.mark.parametrize(
    "limit", [{}, {"at_most": 7}, {"at_most": 0.25}, {"at_most": 1.0}, {"at_most": 2.5}, {"at_most": 0}]
)
@pytest.mark.parametrize("filter_func", [None, lambda consumer: consumer.due > 20 and consumer.car is not None])
def test_select_passes_those_that_mesa_passes(ours, plain, filter_func, limit):
    assert rows_of(ours.select(filter_func, **limit)) == rows_of(plain.select(filter_func, **limit))


def test_an_array_selects_as_the_function_does(ours, plain):
    chosen = ours.select(ours.get("tenure") > 12)
    assert rows_of(chosen) == rows_of(plain.select(lambda agent: agent.tenure > 12))
    assert rows_of(chosen.select(chosen.get("due") > 20)) == rows_of(
        plain.select(lambda agent: agent.tenure > 12 and agent.due > 20)
    )


@pytest.mark.parametrize("bad", [np.ones(COUNT), np.ones(COUNT - 1, dtype=bool), True])
def test_a_filter_that_is_not_yes_or_no_for_each_is_refused(ours, bad):
    with pytest.raises(ValueError, match=f"an array of {COUNT} bool"):
        ours.select(bad)


def test_select_in_place_changes_the_set_and_not_the_model(ran):
    consumers = ran.consumers
    kept = consumers.select(lambda consumer: consumer.row % 3 == 0, inplace=True)
    assert kept is consumers and len(consumers) == 200
    assert len(ran.consumers) == 600
    assert consumers.select() is not consumers and consumers.select(inplace=True) is consumers


def test_consumers_are_selected_by_their_type_or_not_at_all(ours):
    assert len(ours.select(agent_type=Consumer)) == len(ours.select(agent_type=mesa.Agent)) == COUNT
    assert len(ours.select(agent_type=Plain)) == 0


def test_count_counts_all_those_that_pass_or_one(ours, plain_agents):
    wanted = sum(agent.brand == "BYD" for agent in plain_agents)
    assert wanted > 0
    assert ours.count(ours.get("brand") == "BYD") == ours.count(lambda consumer: consumer.brand == "BYD") == wanted
    assert ours.count(ours[2]) == 1 and ours[:2].count(ours[2]) == 0


@pytest.mark.parametrize("func", [sum, min, max, np.mean, [min, max, sum]])
def test_agg_gives_what_mesa_gives(ours, plain, func):
    assert ours.agg("tenure", func) == pytest.approx(plain.agg("tenure", func), rel=1e-12)


@pytest.mark.parametrize("by", ["platform_name", "community", lambda consumer: consumer.due % 4])
def test_groups_are_those_of_mesa_in_the_same_order(ours, plain, by):
    groups, expected = ours.groupby(by), plain.groupby(by)
    assert len(groups) == len(expected) > 1
    assert list(groups.count().items()) == list(expected.count().items())
    assert [(name, rows_of(group)) for name, group in groups] == [(name, rows_of(group)) for name, group in expected]
    assert groups.agg("tenure", np.mean) == pytest.approx(expected.agg("tenure", np.mean))
    assert groups.map("agg", "tenure", max) == expected.map("agg", "tenure", max)
    assert groups.map(lambda group, more: len(group) + more, 5) == expected.map(
        lambda group, more: len(group) + more, 5
    )


def test_groups_come_as_lists_where_lists_are_wanted(ours, plain):
    groups, expected = ours.groupby("brand", result_type="list"), plain.groupby("brand", result_type="list")
    assert all(isinstance(group, list) for _, group in groups)
    assert groups.agg("tenure", sum) == expected.agg("tenure", sum)


def test_an_empty_set_has_no_groups(ours):
    assert len(ours[:0].groupby("brand")) == 0


def test_groups_do_something_each_and_stay_themselves(ours):
    seen = []
    groups = ours.groupby("community")
    assert groups.do(lambda group, word: seen.append((word, len(group))), "of") is groups
    assert groups.do("shuffle") is groups
    assert seen == [("of", 50)] * 3


def test_map_and_do_call_each_in_turn(ours, plain):
    assert ours.map(Plain.plus, 3, factor=2) == plain.map("plus", 3, factor=2)
    assert ours.map("__repr__")[:2] == [repr(ours[0]), repr(ours[1])]
    seen = []
    assert ours.do(lambda consumer, more: seen.append(consumer.row + more), 1) is ours
    assert ours[:2].do("decide").rows.tolist() == [0, 1]
    assert seen == list(range(1, COUNT + 1))


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("key", ["tenure", "income", lambda consumer: consumer.due % 5])
def test_sort_orders_as_mesa_does_ties_included(ours, plain, key, ascending):
    assert rows_of(ours.sort(key, ascending=ascending)) == rows_of(plain.sort(key, ascending=ascending))


def test_a_shuffle_orders_by_the_keyed_draws_of_the_month(ran, ours):
    draws = [uniform(ran.market.scenario.seed, Purpose.SHUFFLE, ran.market.month, row, 0) for row in range(COUNT)]
    expected = sorted(range(COUNT), key=draws.__getitem__)
    seen = []
    ours.shuffle_do(lambda consumer: seen.append(consumer.row))
    assert seen == rows_of(ours.shuffle()) == expected != rows_of(ours)
    assert rows_of(ours[::-1].shuffle(inplace=True)) == expected  # whatever the order before


def test_shuffles_differ_by_month_and_leave_mesas_generators_alone(fresh):
    orders = []
    for _ in range(2):
        before = fresh.random.getstate(), fresh.rng.bit_generator.state
        orders.append(rows_of(fresh.consumers.shuffle()))
        fresh.consumers[:5].shuffle_do("decide")
        assert before == (fresh.random.getstate(), fresh.rng.bit_generator.state)
        fresh.step()
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])


def test_columns_are_read_and_written_without_a_view_of_each(fresh, monkeypatch):
    consumers = fresh.consumers

    def refuse(self, model, row):
        raise AssertionError("a view was made")

    monkeypatch.setattr(Consumer, "__init__", refuse)
    for name in ATTRIBUTES:
        assert len(consumers.get(name)) == 600
    late = consumers.select(consumers.get("due") < 10)
    late.set("due", 10)
    assert consumers.agg("due", min) == 10
    assert sum(consumers.groupby("brand").count().values()) == 600
    assert len(consumers.sort("income").shuffle()) == 600


def test_set_writes_one_value_or_one_each(fresh):
    consumers = fresh.consumers
    assert consumers[10:20].set("due", 33) is not None
    assert fresh.market.population.due[10:20].tolist() == [33] * 10
    consumers[[20, 21][0] : 22].set("visit", np.array([4, 5]))
    assert fresh.market.population.visit[20:22].tolist() == [4, 5]
    consumers[3].bought = -7
    assert fresh.market.population.bought[3] == -7
    assert fresh.market.population.due.dtype == np.int16


def test_a_car_set_on_another_platform_is_counted_in_its_community(fresh):
    market, consumers = fresh.market, fresh.consumers
    consumers[5:90].set("platform", 1)
    consumers[40:60].set("platform", NO_CAR)
    consumers[70].platform = 2
    counts = community_counts(market.population.platform, 50, len(market.platforms))
    np.testing.assert_array_equal(market.community, counts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("due", 3.0),
        ("due", "soon"),
        ("due", True),
        ("due", [1, 2, 3]),
        ("due", 40_000),
        ("line", -2),
        ("line", 10_000),
        ("platform", 1_000),
        ("bought", 1),
        ("joined", 1),
        ("visit", 0),
        ("household", -1),
    ],
)
def test_what_a_column_cannot_hold_is_refused_in_one_line_and_changes_nothing(fresh, name, value):
    before = {column: values.copy() for column, values in fresh.market.population.columns().items()}
    with pytest.raises(ValueError, match=f"^{name} takes whole numbers from .*, not ") as refusal:
        fresh.consumers.set(name, value)
    assert "\n" not in str(refusal.value)
    assert set(before) == set(COLUMNS)
    for column, values in fresh.market.population.columns().items():
        np.testing.assert_array_equal(values, before[column])


@pytest.mark.parametrize("name", ["car", "income", "shoes", "row"])
def test_only_columns_can_be_set(fresh, name):
    with pytest.raises(AttributeError, match=f"cannot set '{name}' of consumers: only household, line"):
        fresh.consumers.set(name, 1)
    with pytest.raises(AttributeError, match=f"cannot set '{name}'"):
        setattr(fresh.consumers[0], name, 1)
