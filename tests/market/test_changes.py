"""From a decision to cars on sale: changes come into force, attempts succeed or fail, exits end them."""

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened

from evsim.market.brands import OUT, Way
from evsim.market.changes import (
    attempts_under_way,
    belief,
    bound,
    come_into_force,
    commit,
    in_the_brands_way,
    lines_on_sale,
    stop_attempts,
)
from evsim.market.offers import MODE
from evsim.market.rates import KCNY_PER_BN
from evsim.market.ways import PARTS, built_quality, equipped

WIDE = {"market": {"lines": 60}}
QUICK = {"modes": {"build_months_least": 5, "build_months_most": 7}}
ALLIANCE, INSIDE = Way("alliance", "huawei"), Way("inside", "huawei")
OWN, MOMENTA = Way("in_house", "GAC"), Way("supplier", "momenta")
SURE, HOPELESS = ({"modes": {"success_chance": chance}} for chance in (1.0, 0.0))


def world(*layers):
    """A world in which brands have decided nothing yet, and its books."""
    model = opened(CHOSEN, WIDE, QUICK, *layers)
    return model.market, model.books


def months(market, books, until):
    """Let months pass in which nothing but decisions comes into force."""
    while market.month < until:
        market.month += 1
        come_into_force(market, books)


def test_a_brand_goes_on_as_it_is_until_its_new_cars_are_ready():
    market, books = world()
    aion = brand_of(market, "Aion")
    rows, before = equipped(market, aion, ALLIANCE), market.offers.platform.copy()
    commit(market, books, aion, ALLIANCE, 800.0)
    assert books.investment[aion.automaker] == 800.0 and books.investment.sum() == 800.0
    assert bound(market, aion)
    months(market, books, 12)
    assert aion.way == PARTS and np.array_equal(market.offers.platform, before)
    months(market, books, 13)
    assert aion.way == ALLIANCE and aion.change is None
    assert (aion.since, aion.joined) == (13, 13)
    assert (market.offers.mode[rows] == MODE["alliance"]).all()
    others = np.setdiff1d(np.arange(len(before)), rows)
    assert np.array_equal(market.offers.platform[others], before[others])


def test_the_time_to_convert_is_the_contracts():
    market, books = world({"contracts": {"months_to_convert": 3}})
    aion = brand_of(market, "Aion")
    commit(market, books, aion, INSIDE, 0.0)
    months(market, books, 2)
    assert aion.way == PARTS
    months(market, books, 3)
    assert aion.way == INSIDE


def test_a_contract_with_the_leader_binds_for_its_years_and_no_other_does():
    market, books = world()
    aion, zeekr = brand_of(market, "Aion"), brand_of(market, "Zeekr")
    commit(market, books, aion, ALLIANCE, 0.0)
    commit(market, books, zeekr, MOMENTA, 0.0)
    free = {}
    while market.month < 60:
        months(market, books, market.month + 1)
        for brand in (aion, zeekr):
            if not bound(market, brand):
                free.setdefault(brand.key, market.month)
    assert free == {aion.key: 13 + 36, zeekr.key: 13}


def test_members_of_the_record_are_bound_from_their_first_month():
    market, _ = world()
    aito, avatr = brand_of(market, "AITO"), brand_of(market, "Avatr")
    assert bound(market, aito)
    market.month = aito.since + 36
    assert not bound(market, aito) and bound(market, avatr)


def test_who_changes_mode_on_the_leaders_platform_has_been_there_all_along():
    market, books = world({"contracts": {"years": 1}})
    aito, aion = brand_of(market, "AITO"), brand_of(market, "Aion")
    commit(market, books, aito, INSIDE, 0.0)
    commit(market, books, aion, Way("components", "huawei"), 0.0)
    months(market, books, 13)
    assert (aito.since, aito.joined) == (13, -21)
    commit(market, books, aion, ALLIANCE, 0.0)
    months(market, books, 26)
    assert (aion.since, aion.joined) == (26, 26)  # who bought parts was not on the platform


def test_a_prospective_brand_opens_when_its_car_is_ready():
    market, books = world()
    qijing = brand_of(market, "Qijing")
    rows = qijing.lines
    assert qijing.way == OUT and lines_on_sale(market, qijing) == 0
    commit(market, books, qijing, ALLIANCE, 6e6)
    months(market, books, 12)
    assert qijing.prospective and not market.offers.on_sale[rows].any()
    months(market, books, 13)
    assert not qijing.prospective and lines_on_sale(market, qijing) == len(rows) == 1
    assert (market.offers.refreshed[rows] == 13).all() and (market.offers.mode[rows] == MODE["alliance"]).all()
    assert books.investment[qijing.automaker] == 6e6
    assert qijing.resistance == market.usual_resistance  # from now on it is a brand like others


@pytest.mark.parametrize(("chance", "result"), [(SURE, [1, 0]), (HOPELESS, [0, 1])])
def test_an_attempt_costs_research_until_it_shows_whether_it_succeeds(chance, result):
    market, books = world(chance)
    aion = brand_of(market, "Aion")
    gac, maker = market.platform_code("GAC"), aion.automaker
    commit(market, books, aion, OWN, 800.0)
    monthly = market.scenario.software.own_stack_rd * KCNY_PER_BN / 12.0
    assert books.development[maker] == monthly and books.investment[maker] == 0.0
    ready = aion.change.month
    assert 5 <= ready <= 7 and attempts_under_way(market) == 1
    months(market, books, ready - 1)
    assert books.development[maker] == monthly and market.platforms.dormant[gac] and aion.way == PARTS
    expected = built_quality(market)
    months(market, books, ready)
    assert books.development[maker] == 0.0 and market.results_seen == result
    assert attempts_under_way(market) == 0 and aion.change is None
    succeeded = result == [1, 0]
    assert market.platforms.dormant[gac] == (not succeeded)
    assert aion.way == (OWN if succeeded else PARTS)
    assert books.investment[maker] == (800.0 if succeeded else 0.0)  # cars are converted to a stack that there is
    if succeeded:
        assert market.platforms.quality[gac] == pytest.approx(expected)
        assert market.platforms.research[gac] == market.scenario.software.own_stack_rd
        assert (market.offers.platform[equipped(market, aion, OWN)] == gac).all()


def test_brands_of_a_group_share_an_attempt_and_its_result():
    market, books = world(SURE)
    chery, exeed = brand_of(market, "Chery"), brand_of(market, "Exeed")
    own = Way("in_house", "Chery")
    commit(market, books, chery, own, 10.0)
    months(market, books, 2)
    commit(market, books, exeed, own, 20.0)
    assert exeed.change.month == chery.change.month and attempts_under_way(market) == 1
    assert books.development[chery.automaker] == market.scenario.software.own_stack_rd * KCNY_PER_BN / 12.0
    months(market, books, chery.change.month)
    assert chery.way == exeed.way == own and market.results_seen == [1, 0]
    assert books.development[chery.automaker] == 0.0 and books.investment[chery.automaker] == 30.0


def test_a_stack_that_its_group_has_built_is_taken_up_without_an_attempt():
    market, books = world(SURE)
    chery, exeed = brand_of(market, "Chery"), brand_of(market, "Exeed")
    own = Way("in_house", "Chery")
    commit(market, books, chery, own, 10.0)
    months(market, books, 7)
    commit(market, books, exeed, own, 20.0)
    assert not exeed.change.attempt and exeed.change.month == 7 + 13
    assert not books.development.any() and market.results_seen == [1, 0]


def test_lengths_and_results_are_as_often_as_said():
    market, books = world({"modes": {"success_chance": 0.3, "build_months_least": 10, "build_months_most": 19}})
    aion, drawn = brand_of(market, "Aion"), []
    for month in range(1, 801):
        market.month = month
        commit(market, books, aion, OWN, 0.0)
        drawn.append((aion.change.month - month, aion.change.succeeds))
        aion.change = None
    lengths, results = (np.array(column) for column in zip(*drawn, strict=True))
    counts = np.bincount(lengths - 10, minlength=10)
    assert len(counts) == 10 and np.abs(counts - 80.0).max() < 4.0 * np.sqrt(80.0)
    assert results.mean() == pytest.approx(0.3, abs=4.0 * np.sqrt(0.21 / 800))
    assert np.abs(np.corrcoef(lengths, results)[0, 1]) < 0.15


def test_every_result_seen_moves_what_all_makers_believe():
    market, books = world(HOPELESS)
    prior = belief(market)
    assert (prior.mean, prior.strength) == (pytest.approx(6 / 11), pytest.approx(11.0))
    commit(market, books, brand_of(market, "Aion"), OWN, 0.0)
    months(market, books, 7)
    assert belief(market).mean == pytest.approx(6 / 12)
    market.results_seen[0] += 3
    assert belief(market).mean == pytest.approx(9 / 15)


def test_an_exit_ends_attempts_conversions_and_plans():
    market, books = world(SURE)
    aion, qijing, exeed = (brand_of(market, name) for name in ("Aion", "Qijing", "Exeed"))
    commit(market, books, aion, OWN, 0.0)
    commit(market, books, exeed, ALLIANCE, 0.0)
    for maker in (aion.automaker, exeed.automaker, qijing.automaker):
        stop_attempts(market, books, maker)
    assert not books.development.any() and attempts_under_way(market) == 0
    assert aion.change is None and exeed.change is None and not qijing.prospective
    months(market, books, 20)
    assert aion.way == exeed.way == PARTS and market.results_seen == [0, 0]
    assert market.platforms.dormant[market.platform_code("GAC")]


def test_an_attempt_ends_for_all_who_share_it_when_its_payer_stops():
    market, books = world(SURE)
    aion, qijing = brand_of(market, "Aion"), brand_of(market, "Qijing")
    assert aion.automaker != qijing.automaker  # two makers of one group
    commit(market, books, aion, OWN, 0.0)
    commit(market, books, qijing, OWN, 0.0)
    assert books.development[aion.automaker] > 0.0 == books.development[qijing.automaker]
    stop_attempts(market, books, qijing.automaker)
    assert aion.change is not None and books.development[aion.automaker] > 0.0
    commit(market, books, qijing, OWN, 0.0)
    stop_attempts(market, books, aion.automaker)
    assert qijing.change is None and not books.development.any()


def test_a_line_that_opens_gets_what_its_brand_has():
    market, books = world()
    byd, aion = brand_of(market, "BYD"), brand_of(market, "Aion")
    for brand in (byd, aion):
        commit(market, books, brand, INSIDE, 0.0)
    months(market, books, 13)
    offers = market.offers
    dear, cheap = (
        next(row for row in byd.lines if (offers.base_price[row] >= 120.0) == wanted) for wanted in (True, False)
    )
    offers.platform[dear], offers.mode[dear] = market.platform_code("BYD"), MODE["in_house"]
    for row in (dear, cheap):
        in_the_brands_way(market, row)
    assert offers.platform[dear] == market.platform_code("huawei") and offers.mode[dear] == MODE["inside"]
    assert offers.platform[cheap] == market.platform_code("BYD")


def test_a_line_planned_on_the_leaders_stack_does_not_open_on_it_when_its_brand_has_left():
    market, books = world({"contracts": {"years": 1}})
    aito = brand_of(market, "AITO")
    commit(market, books, aito, MOMENTA, 0.0)
    months(market, books, 13)
    row = aito.lines[-1]
    market.offers.platform[row], market.offers.mode[row] = market.platform_code("huawei"), MODE["alliance"]
    in_the_brands_way(market, row)
    assert market.names.platforms[market.offers.platform[row]] == "momenta"
    assert market.offers.mode[row] == MODE["supplier"]


def test_fixed_fees_follow_brands_into_their_modes():
    market, books = world({"contracts": {"inside": {"fixed_fee": 0.12}}})
    aion, avatr = brand_of(market, "Aion"), brand_of(market, "Avatr")
    market.charge_fixed_fees(books.fixed_fee)
    assert books.fixed_fee[avatr.automaker] == pytest.approx(10_000.0) == books.fixed_fee.sum()
    commit(market, books, aion, INSIDE, 0.0)
    months(market, books, 13)
    market.charge_fixed_fees(books.fixed_fee)
    assert books.fixed_fee[aion.automaker] == pytest.approx(10_000.0)
    assert books.fixed_fee.sum() == pytest.approx(20_000.0)
