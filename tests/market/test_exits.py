"""Makers out of cash stop; who owns their cars is free to go; who ordered one gets it."""

import numpy as np
import pytest
from market.worlds import merged, opened, own_table

from evsim.economics.utility import lock_in_strength
from evsim.market import kernels
from evsim.market.accounts import Exit
from evsim.market.exits import age_out, close, failed, failing, orphan, still_there
from evsim.market.lines import OTHER
from evsim.market.offers import MODE
from evsim.market.progress import success_chance
from evsim.results import Run

WIDE = {"market": {"lines": 150}}


@pytest.fixture
def model():
    return opened(WIDE)


def codes(model, *names):
    return [model.market.names.automakers.index(name) for name in names]


def group_of(model, name):
    """Codes of all makers of a maker's group."""
    groups, names = model.market.groups, model.market.names.automakers
    return [code for code, other in enumerate(names) if groups.get(other, other) == groups[name]]


def move(market, rows, platform, mode):
    """Lines take another stack."""
    market.offers.platform[rows], market.offers.mode[rows] = market.platform_code(platform), MODE[mode]


def impoverish(model, name, beyond_credit=1.0):
    """Leave a maker's group `beyond_credit` kCNY short of what it may owe."""
    books, members = model.books, group_of(model, name)
    credit = model.market.scenario.accounts.credit_months * np.nansum(books.past_revenue[:, members]) / 12.0
    books.cash[members] = 0.0
    books.cash[members[0]] = -credit - beyond_credit


def test_nobody_stops_who_has_cash():
    model = opened()
    model.books.cash += 1e8  # newcomers as well
    while model.running:
        model.step()
        assert not len(failing(model.market, model.books))
    assert not model.books.gone.any() and not model.books.exits


def test_a_maker_stops_when_it_owes_more_than_its_credit_and_no_sooner(model):
    (nio,) = codes(model, "NIO")
    impoverish(model, "NIO", beyond_credit=-1.0)
    assert nio not in failing(model.market, model.books)
    impoverish(model, "NIO", beyond_credit=1.0)
    assert failing(model.market, model.books).tolist() == [nio]


def test_more_credit_keeps_more_makers():
    stopped = []
    for months in (0.0, 6.0, 24.0):
        model = opened(WIDE, {"accounts": {"credit_months": months}})
        model.books.cash = -0.5 * np.nansum(model.books.past_revenue, axis=0)  # everybody owes six months of sales
        stopped.append(set(failing(model.market, model.books)))
    assert stopped[0] > stopped[2] and stopped[0] >= stopped[1] >= stopped[2] and not stopped[2]


def test_a_parents_cash_stands_for_its_makers(model):
    baic, benz = codes(model, "BAIC", "Beijing Benz")
    model.books.cash[baic] = -1e9
    model.books.cash[benz] = 1e9
    assert not failed(model.market, model.books)[baic]
    model.books.cash[benz] = 0.0
    assert failed(model.market, model.books)[[baic, benz]].all()


def test_of_a_failed_group_the_makers_that_earn_go_on(model):
    baic, benz = codes(model, "BAIC", "Beijing Benz")
    earned = np.nansum(model.books.past_profit, axis=0)
    assert earned[baic] < 0 < earned[benz]
    impoverish(model, "BAIC")
    stopping = failing(model.market, model.books)
    assert baic in stopping and benz not in stopping
    close(model.market, model.books, baic)
    assert model.market.offers.on_sale[model.market.offers.automaker == benz].any()
    model.books.past_profit[-1, benz] = -2.0 * earned[benz]
    assert benz in failing(model.market, model.books)  # the group is still in the red, and now it loses money too


def test_small_makers_pooled_never_stop_as_one(model):
    (other,) = codes(model, OTHER)
    model.books.cash[other] = -1e12
    model.books.past_profit[:, other] = -1.0
    assert other not in failing(model.market, model.books)


def test_a_newcomer_is_judged_after_a_year_on_sale(model):
    (xiaomi,) = codes(model, "Xiaomi")
    market, books = model.market, model.books
    assert np.isnan(books.past_revenue[:, xiaomi]).all() and still_there(market)[xiaomi]
    books.cash[xiaomi] = -1e9
    books.past_revenue[1:, xiaomi], books.past_profit[1:, xiaomi] = 1.0, -1.0
    assert xiaomi not in failing(market, books)
    books.past_revenue[0, xiaomi] = 1.0
    assert xiaomi in failing(market, books)


def test_a_market_keeps_its_last_maker(tmp_path):
    model = opened({"market": {"table": own_table(tmp_path)}})
    books = model.books
    books.cash[:], books.past_profit[:] = -1e12, [-4.0, -3.0, -2.0, -3.0]
    stopping = failing(model.market, books)
    assert len(stopping) == 3 and books.past_profit[0].argmax() not in stopping
    for code in stopping:
        close(model.market, books, code)
    assert not len(failing(model.market, books))
    model.step()
    assert model.latest("units") > 0


def test_a_maker_that_stopped_sells_and_opens_nothing_and_pays_for_nothing_to_come(model):
    market, books = model.market, model.books
    (byd,) = codes(model, "BYD")
    assert any(market.offers.automaker[event.row] == byd for event in market.calendar)
    others = [event for event in market.calendar if market.offers.automaker[event.row] != byd]
    books.fixed_fee[byd] = 7.0
    close(market, books, byd)
    assert market.calendar == others and books.gone[byd] and not still_there(market)[byd]
    for _ in range(12):
        model.step()
        assert not market.offers.on_sale[market.offers.automaker == byd].any()
        assert byd not in failing(market, books)
    assert books.fixed_fee[byd] == 0.0
    assert books.past_revenue[-1, byd] == books.past_profit[-1, byd] == 0.0
    assert books.exits == [Exit(0, "BYD", "stopped"), Exit(0, "BYD", "orphaned")]


def test_cars_ordered_before_the_exit_are_still_built_and_paid_for():
    model = opened({"consumers": {"count": 20_000}, "capacity": {"headroom": 1.0, "minimum": 1.0, "expansion": 0.0}})
    market, books = model.market, model.books
    books.capacity *= 0.5
    (tesla,) = codes(model, "Tesla")
    for _ in range(4):
        model.step()
    makers = market.offers.automaker
    waiting = int((makers[books.queue.products] == tesla).sum())
    assert waiting > 3
    close(market, books, tesla)
    built = 0.0
    while model.running:
        model.step()
        built += model.last_units[makers == tesla].sum() / market.population.weight
        lines = model.recorder.parts["market"][-1]
        assert not lines["orders"][lines["automaker"] == "Tesla"].any()
    left = int((makers[books.queue.products] == tesla).sum())
    assert built == pytest.approx(waiting - left) and built > 0 and left < waiting
    Run.from_record(market.scenario, market.scenario.seed, model.record, {})  # checks the books


def owners_utility(market, platform):
    """Utility of the lines on offer for the panel as owners of one stack since three years ago, `[households, lines]`."""
    tastes, rows = market.panel.tastes, market.on_sale()
    size = len(tastes)
    shelf, world = market.shelf(rows, np.zeros(len(rows))), market.world()
    state = (
        np.full(size, -1, dtype=np.int16),
        np.full(size, platform, dtype=np.int16),
        np.full(size, -36, dtype=np.int16),
        np.full(size, -36, dtype=np.int16),
        np.zeros(size),
    )
    utility, outside = np.empty((size, len(rows))), np.empty(size)
    kernels.panel_utility(np.zeros(size, dtype=np.int64), state, market.habits, shelf, world, tastes, utility, outside)
    return utility, market.offers.platform[rows]


def test_owners_of_an_orphaned_stack_are_no_longer_locked_in(model):
    market, nio = model.market, model.market.platform_code("NIO")
    before, platform = owners_utility(market, nio)
    orphan(market, model.books, nio)
    after, _ = owners_utility(market, nio)
    lock_in = market.scenario.lock_in
    bound = lock_in.switching_cost * lock_in_strength(36.0, lock_in.tenure_months)
    assert bound > 0.5 and (platform == nio).any()
    assert (before - after)[:, platform == nio] == pytest.approx(bound)
    assert (before - after)[:, platform != nio] == pytest.approx(0.0)
    assert model.books.exits == [Exit(0, "NIO", "orphaned")]


def test_an_orphaned_stack_has_no_network_no_research_and_learns_nothing(model):
    market = model.market
    for _ in range(6):
        model.step()
    nio, platforms = market.platform_code("NIO"), market.platforms
    theirs = market.offers.platform == nio
    scale = market.scenario.lock_in.network_scale
    growth = np.log((scale + platforms.fleet(market.month)) / (scale + platforms.initial_fleet))[nio]
    before, quality = market.quality_alike(), platforms.quality.copy()
    assert growth > 0 and success_chance(market, platforms.research, platforms.fleet(market.month))[nio] > 0
    orphan(market, model.books, nio)
    lost = before - market.quality_alike()
    assert lost[theirs] == pytest.approx(market.scenario.lock_in.network_effect * growth)
    assert (lost[~theirs] == 0).all() and platforms.research[nio] == 0
    assert success_chance(market, platforms.research, platforms.fleet(market.month))[nio] == 0
    np.testing.assert_array_equal(platforms.quality, quality)
    level = quality[nio]
    model.step()
    assert platforms.quality[nio] == pytest.approx(level - platforms.drift)


def test_a_stack_lives_while_a_maker_that_goes_on_sells_cars_with_it(model):
    market, books = model.market, model.books
    geely = market.platform_code("Geely")
    makers = np.unique(market.offers.automaker[market.offers.on_sale & (market.offers.platform == geely)])
    assert len(makers) > 1
    for code in makers[:-1]:
        close(market, books, int(code))
        assert market.platforms.ecosystem[geely]
    close(market, books, int(makers[-1]))
    assert not market.platforms.ecosystem[geely] and books.exits[-1] == Exit(0, "Geely", "orphaned")


def test_the_alliances_stack_survives_a_partner_and_a_suppliers_its_customer(model):
    market, books = model.market, model.books
    for name in ("Seres", "Changan"):
        close(market, books, codes(model, name)[0])
    assert {exit.name for exit in books.exits} == {"Seres", "Changan"}
    assert market.platforms.ecosystem[market.platform_code("huawei")]


def test_a_stack_given_up_is_orphaned_when_its_support_ends(model):
    market, books = model.market, model.books
    nio = market.platform_code("NIO")
    age_out(market, books, 3)
    assert books.idle[nio] == 0
    move(market, np.flatnonzero(market.offers.platform == nio), "huawei", "inside")
    for months in (1, 2):
        age_out(market, books, 3)
        assert books.idle[nio] == months and market.platforms.ecosystem[nio]
    age_out(market, books, 3)
    assert not market.platforms.ecosystem[nio] and books.exits == [Exit(0, "NIO", "orphaned")]
    age_out(market, books, 3)
    assert len(books.exits) == 1


def test_support_starts_again_with_a_line_that_comes_back(model):
    market, books = model.market, model.books
    nio = market.platform_code("NIO")
    rows = np.flatnonzero(market.offers.platform == nio)
    move(market, rows, "huawei", "inside")
    age_out(market, books, 2)
    move(market, rows[:1], "NIO", "in_house")
    age_out(market, books, 2)
    assert books.idle[nio] == 0 and market.platforms.ecosystem[nio]


def test_a_stack_without_any_car_yet_and_one_bought_from_a_supplier_do_not_age(model):
    market, books = model.market, model.books
    xiaomi, huawei = market.platform_code("Xiaomi"), market.platform_code("huawei")
    move(market, np.flatnonzero(market.offers.platform == huawei), "supplier", "supplier")
    for _ in range(5):
        age_out(market, books, 1)
    assert books.idle[xiaomi] == -1 and market.platforms.ecosystem[[xiaomi, huawei]].all()
    assert (market.offers.mode[market.offers.platform == xiaomi] == MODE["in_house"]).all()


def test_a_run_with_exits_balances_its_books():
    model = opened(merged(WIDE, {"accounts": {"opening_cash_months": 0.0, "credit_months": 2.0}}))
    market, books = model.market, model.books
    books.cash[codes(model, "NIO")] = 0.0  # it has cash for years
    model.run_model()
    stopped = [exit.name for exit in books.exits if exit.event == "stopped"]
    assert {"NIO", "JAC"} <= set(stopped) and "FAW-VW" not in stopped
    assert model.record["exits"]["name"] == [exit.name for exit in books.exits]
    Run.from_record(market.scenario, market.scenario.seed, model.record, {})
