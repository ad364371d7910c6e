"""What a way of getting software means for lines, which ways a brand has, and that going there and back costs nothing."""

from copy import deepcopy

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened

from evsim.economics.contracts import maker_net, royalty
from evsim.market.brands import OUT, Way
from evsim.market.offers import MODE
from evsim.market.ways import (
    PARTS,
    adopt,
    built_quality,
    equipped,
    is_local,
    new_stack,
    own_stack,
    tried,
    ways,
)

WIDE = {"market": {"lines": 60}}
ALLIANCE, INSIDE = Way("alliance", "huawei"), Way("inside", "huawei")
COMPONENTS, MOMENTA = Way("components", "huawei"), Way("supplier", "momenta")
EVERYTHING = ("alliance", "inside", "components")


@pytest.fixture(scope="module")
def still():
    """A market at its base date, that no test changes."""
    return opened(CHOSEN, WIDE).market


@pytest.fixture
def market(still):
    return deepcopy(still)


def platforms(market, rows):
    return {market.names.platforms[code] for code in market.offers.platform[rows]}


def modes(market, rows):
    return {name for name, code in MODE.items() if code in market.offers.mode[rows]}


# Which lines.


def test_a_full_stack_goes_into_dear_electric_lines_and_those_of_foreign_premium_marques(still):
    offers, checked = still.offers, 0
    for brand in still.brands:
        for way in (ALLIANCE, INSIDE):
            rows = equipped(still, brand, way)
            assert (offers.base_price[rows] >= 120.0).all()
            assert (platforms(still, rows) & {"none"}) == set()
            electric, premium = offers.electric[rows] > 0, offers.premium[rows] > 0
            assert electric.all() if way == ALLIANCE else (electric | premium).all()
            checked += len(rows)
    assert checked > 50
    audi, byd = brand_of(still, "Audi"), brand_of(still, "BYD")
    assert len(equipped(still, audi, INSIDE)) == 2 and len(equipped(still, audi, ALLIANCE)) == 0  # petrol cars both
    assert set(byd.lines) > set(equipped(still, byd, ALLIANCE)) == set(equipped(still, byd, INSIDE))


def test_lines_to_come_are_equipped_as_well(still):
    aito = brand_of(still, "AITO")
    rows = equipped(still, aito, INSIDE)
    assert still.offers.on_sale[rows].any() and not still.offers.on_sale[rows].all()


def test_the_least_price_decides_which_lines_are_equipped():
    few = opened(CHOSEN, WIDE, {"modes": {"least_price": 250.0}}).market
    many = opened(CHOSEN, WIDE, {"modes": {"least_price": 0.0}}).market
    byd = [brand_of(market, "BYD") for market in (few, many)]
    counts = [len(equipped(market, brand, INSIDE)) for market, brand in zip((few, many), byd, strict=True)]
    assert counts[0] < counts[1] == (many.offers.electric[byd[1].lines] > 0).sum()


def test_what_a_brand_leaves_for_bought_parts_is_what_ran_on_its_stack(still):
    volkswagen = brand_of(still, "Volkswagen", "SAIC-VW")
    on_cariad = [row for row in volkswagen.lines if platforms(still, [row]) == {"VW (Cariad)"}]
    volkswagen_of_jac = brand_of(still, "Volkswagen", "JAC-VW")
    assert on_cariad and volkswagen.way == PARTS
    assert set(equipped(still, volkswagen, PARTS)) == set(volkswagen.lines) - set(on_cariad)
    assert set(equipped(still, volkswagen_of_jac, PARTS)) == set(volkswagen_of_jac.lines)


# There and back.


@pytest.mark.parametrize("way", [PARTS, INSIDE, MOMENTA, COMPONENTS, Way("in_house", "Seres")])
def test_a_brand_that_leaves_the_alliance_bears_parts_and_shops_itself_and_gets_them_back(market, way):
    offers, vat = market.offers, market.scenario.subsidy.vat
    rows = np.flatnonzero(offers.on_sale & (offers.mode == MODE["alliance"]))
    cost, price, terms = offers.cost[rows].copy(), offers.base_price[rows], market.terms(rows)
    shops = market.scenario.contracts.alliance.channel_share * price / (1.0 + vat)
    assert terms.parts_cost == pytest.approx(20.0 + shops, rel=1e-12) and (shops > 10.0).all()
    adopt(market, rows, way)
    after = market.terms(rows)
    fee = market.scenario.contracts.rival_fee if way == MOMENTA else 0.0
    assert offers.cost[rows] - cost == pytest.approx(terms.parts_cost - after.parts_cost + fee, rel=1e-12)
    assert after.parts_cost == pytest.approx({INSIDE: 25.0, COMPONENTS: 2.5}.get(way, 0.0))
    saved = maker_net(price, after, vat) - offers.cost[rows] - (maker_net(price, terms, vat) - cost)
    leaders_net = royalty(price, terms, vat) - terms.parts_cost - (royalty(price, after, vat) - after.parts_cost)
    assert saved == pytest.approx(leaders_net - fee, abs=1e-9)  # what the maker saves is what the leader loses
    adopt(market, rows, ALLIANCE)
    assert offers.cost[rows] == pytest.approx(cost, rel=1e-14)
    assert (offers.mode[rows] == MODE["alliance"]).all() and platforms(market, rows) == {"huawei"}


def test_a_contract_is_as_reversible_after_the_leader_has_changed_its_share(market):
    """Shops are counted by the contract, not by what the leader asks."""
    rows = equipped(market, brand_of(market, "Aion"), ALLIANCE)
    cost = market.offers.cost[rows].copy()
    adopt(market, rows, ALLIANCE)
    market.rates.revenue_share[MODE["alliance"]] = 0.2
    adopt(market, rows, PARTS)
    assert market.offers.cost[rows] == pytest.approx(cost, rel=1e-14)


def test_who_buys_parts_of_the_leader_keeps_its_software_or_falls_back_on_bought_parts(market):
    xpeng, aito = brand_of(market, "XPeng"), brand_of(market, "AITO")
    for brand, platform in ((xpeng, "XPeng"), (aito, "supplier")):
        rows = equipped(market, brand, COMPONENTS)
        adopt(market, rows, COMPONENTS)
        assert platforms(market, rows) == {platform} and modes(market, rows) == {"components"}


def test_parts_of_the_leader_close_a_part_of_the_gap_to_its_software(market):
    rows = equipped(market, brand_of(market, "Aion"), COMPONENTS)
    own, leader = market.software(rows), market.platforms.quality[market.platform_code("huawei")]
    adopt(market, rows, COMPONENTS)
    gain = market.scenario.alliance.components_gain
    assert market.software(rows) == pytest.approx(own + gain * (leader - own))
    market.platforms.quality[market.platform_code("supplier")] = leader + 5.0
    assert market.software(rows) == pytest.approx(np.full(len(rows), leader + 5.0))  # who is ahead loses nothing


def test_a_stack_of_ones_own_beside_the_leaders_parts_is_still_ones_own_to_pay_for(market):
    xpeng = brand_of(market, "XPeng")
    before = market.own_software()
    adopt(market, equipped(market, xpeng, COMPONENTS), COMPONENTS)
    assert np.array_equal(market.own_software(), before)
    assert own_stack(market, xpeng) == "XPeng"
    aion = equipped(market, brand_of(market, "Aion"), COMPONENTS)
    adopt(market, aion, COMPONENTS)
    assert not market.own_software()[aion].any()


def test_the_rival_suppliers_stack_costs_its_fee_with_the_leaders_parts_beside_it_too(market):
    rows = equipped(market, brand_of(market, "Aion"), MOMENTA)
    cost = market.offers.cost[rows].copy()
    adopt(market, rows, MOMENTA)
    assert market.offers.cost[rows] == pytest.approx(cost + market.scenario.contracts.rival_fee)
    adopt(market, rows, COMPONENTS)
    parts = market.scenario.contracts.components.parts_cost
    assert market.offers.cost[rows] == pytest.approx(cost + market.scenario.contracts.rival_fee - parts)
    assert platforms(market, rows) == {"momenta"}


def test_a_trial_leaves_the_market_as_it_is(still):
    aion = brand_of(still, "Aion")
    rows = equipped(still, aion, ALLIANCE)
    before = {name: getattr(still.offers, name).copy() for name in ("platform", "mode", "cost", "on_sale")}
    trial = tried(still, rows, ALLIANCE)
    for name, values in before.items():
        assert np.array_equal(getattr(still.offers, name), values)
    assert (trial.offers.mode[rows] == MODE["alliance"]).all() and trial.offers.on_sale[rows].all()
    others = np.setdiff1d(np.arange(len(still.offers)), rows)
    for name, values in before.items():
        assert np.array_equal(getattr(trial.offers, name)[others], values[others])


# Which ways.


def test_the_present_way_is_the_first_and_none_comes_twice(still):
    for brand in still.brands:
        found = ways(still, brand, EVERYTHING)
        assert found[0] == brand.way and len(set(found)) == len(found)


def test_the_leaders_shops_sell_no_foreign_marque(still):
    for brand in still.brands:
        found = ways(still, brand, EVERYTHING)
        if not is_local(still, brand) and brand.way != ALLIANCE:
            assert ALLIANCE not in found
    assert not is_local(still, brand_of(still, "BMW")) and INSIDE in ways(still, brand_of(still, "BMW"), EVERYTHING)
    assert is_local(still, brand_of(still, "XPeng")) and ALLIANCE in ways(still, brand_of(still, "XPeng"), EVERYTHING)


def test_what_the_leader_does_not_sell_is_no_way_to_go(still):
    for brand in still.brands:
        assert {way.mode for way in ways(still, brand, ())[1:]} <= {"in_house", "supplier"}
        assert ALLIANCE not in ways(still, brand, ("inside",))[1:]


def test_a_brand_without_a_line_to_equip_has_nothing_to_choose(still):
    for name, maker in (("Nissan", None), ("Jetta", None), ("Trumpchi", None)):
        assert ways(still, brand_of(still, name, maker), EVERYTHING) == [PARTS]


def test_a_group_has_one_stack_and_a_joint_venture_its_own(still):
    assert own_stack(still, brand_of(still, "Lynk & Co")) == own_stack(still, brand_of(still, "Zeekr")) == "Geely"
    assert new_stack(still, brand_of(still, "Lynk & Co")) is None
    assert own_stack(still, brand_of(still, "Aion")) is None
    assert new_stack(still, brand_of(still, "Aion")) == new_stack(still, brand_of(still, "Trumpchi")) == "GAC"
    assert new_stack(still, brand_of(still, "Toyota", "GAC-Toyota")) == "GAC-Toyota"
    assert own_stack(still, brand_of(still, "Volkswagen", "FAW-VW")) is None
    assert own_stack(still, brand_of(still, "Volkswagen", "SAIC-VW")) == "VW (Cariad)"


def test_a_stack_that_nobody_has_built_is_on_no_car_and_hidden_from_the_record():
    model = opened(CHOSEN, WIDE, {"end": "2024-01"})
    platforms_, offers = model.market.platforms, model.market.offers
    dormant = np.flatnonzero(platforms_.dormant)
    assert "GAC" in {platforms_.names[code] for code in dormant}
    assert not np.isin(offers.platform, dormant).any() and not platforms_.initial_fleet[dormant].any()
    model.run_model()
    assert "GAC" not in set(model.record["platforms"]["platform"])


def test_a_new_stack_is_as_good_as_the_mean_of_those_on_sale(still):
    offers = still.offers
    rows = np.flatnonzero(offers.on_sale & (offers.mode == MODE["in_house"]))
    best, worst = (
        still.platforms.quality[offers.platform[rows]].max(),
        still.platforms.quality[offers.platform[rows]].min(),
    )
    assert worst < built_quality(still) < best
    weights = offers.base_units[rows] + 1.0
    expected = (weights @ still.platforms.quality[offers.platform[rows]]) / weights.sum()
    assert built_quality(still) == pytest.approx(expected)


def test_a_prospective_brand_may_stay_out_or_go_any_way(still):
    qijing = brand_of(still, "Qijing")
    assert qijing.prospective and qijing.way == OUT and not still.offers.on_sale[qijing.lines].any()
    assert set(ways(still, qijing, EVERYTHING)) == {
        OUT, ALLIANCE, INSIDE, COMPONENTS, Way("in_house", "GAC"), MOMENTA, PARTS,
    }  # fmt: skip


def test_from_the_leaders_parts_a_brand_can_go_back(market):
    for name, back in (("Aion", PARTS), ("XPeng", Way("in_house", "XPeng"))):
        brand = brand_of(market, name)
        rows = equipped(market, brand, COMPONENTS)
        before = market.offers.platform[rows].copy(), market.offers.cost[rows].copy()
        adopt(market, rows, COMPONENTS)
        brand.way = COMPONENTS
        assert back in ways(market, brand, EVERYTHING)
        adopt(market, equipped(market, brand, back), back)
        assert np.array_equal(market.offers.platform[rows], before[0])
        assert market.offers.cost[rows] == pytest.approx(before[1], rel=1e-14)


# The base date.


def test_members_of_the_record_start_in_their_mode_with_their_date(still):
    aito, avatr, stelato = (brand_of(still, name) for name in ("AITO", "Avatr", "Stelato"))
    assert (aito.way, avatr.way, stelato.way) == (ALLIANCE, INSIDE, ALLIANCE)
    assert aito.since == aito.joined < avatr.since < 0  # AITO sold its first car in 2022-03
    assert aito.since == -21
    assert stelato.since > 0 and not still.offers.on_sale[stelato.lines].any()


def test_makers_bound_before_the_first_month_have_nothing_left_to_choose(still):
    prospective = {still.names.brands[brand.brand] for brand in still.brands if brand.prospective}
    assert "Qijing" in prospective and not {"Luxeed", "Stelato"} & prospective
    later = opened(CHOSEN, WIDE, {"modes": {"prospective": ()}}).market
    assert not [brand for brand in later.brands if brand.prospective]


def test_a_maker_that_the_market_does_not_have_starts_no_default_brand(still):
    """SAIC is not among the largest 60 lines; who names it in a list of one's own is told so."""
    assert "SAIC" not in still.names.automakers
    assert "Shangjie" not in still.names.brands
