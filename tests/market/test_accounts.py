"""Every yuan that is paid is received by somebody, and makers start from what is known of them."""

import numpy as np
import pandas as pd
import pytest
from market.worlds import HISTORY, opened, run_small

from evsim.data import read_firm_figures
from evsim.market.accounts import KCNY_PER_BN, own_research
from evsim.market.offers import MODE

WORLDS = {
    "baseline": {},
    "history": HISTORY,
    "leader sets prices": {"alliance": {"price_setter": "leader", "fellow_weight": 1.0, "leader_weight": 1.0}},
    "own benefits": {
        "subsidy": {
            "instruments": (
                {"kind": "per_unit", "name": "a", "start": "2024-01", "amount_kcny": 12.0},
                {"kind": "ad_valorem", "name": "b", "start": "2024-03", "rate": 0.1, "cap_kcny": 15.0},
                {"kind": "tax_exemption", "name": "c", "start": "2024-02", "powertrains": ("ice",), "cap_kcny": 5.0},
            )
        }
    },
    "tight plants": {"capacity": {"headroom": 1.0, "minimum": 100.0, "expansion": 0.0}},
    "every maker on the stack": {"modes": {"rule": "open"}, "software": {"advantage_kcny": 60.0}},
}


@pytest.mark.parametrize("world", WORLDS)
def test_money_balances_every_month(world):
    run = run_small(WORLDS[world])  # `Run` itself checks the books to 1e-9; here they are added up once more, by hand
    market, firms, leader, state = run.market, run.automakers, run.orchestrator, run.government
    market = market[market["month"] > run.base_month]
    paid = (market["buyer_price"] * market["units"]).sum()
    received = firms["revenue"].sum() + state["net"].sum()
    assert received == pytest.approx(paid, rel=1e-9)
    assert firms["royalties"].sum() == pytest.approx(leader["royalties"].sum(), rel=1e-9)
    net = (market["price"] * market["units"]).sum() / 1.13
    assert firms["revenue"].sum() == pytest.approx(net, rel=1e-9)
    assert state["vat"].sum() == pytest.approx(0.13 * net, rel=1e-9)
    assert (state["purchase_tax"] + state["tax_waived"]).sum() == pytest.approx(0.10 * net, rel=1e-9)
    cost = (market["marginal_cost"] * market["units"]).sum()
    assert (firms["costs"] + firms["royalties"]).sum() == pytest.approx(cost, rel=1e-9)


def test_cash_moves_by_profit():
    model = opened()
    before = model.books.cash.copy()
    model.run_model()
    firms = pd.DataFrame(model.record["automakers"])
    profit = firms.groupby("automaker")["profit"].sum()
    for name, moved in zip(model.market.names.automakers, model.books.cash - before, strict=True):
        assert moved == pytest.approx(profit.get(name, 0.0), rel=1e-9, abs=1.0)


def test_plants_start_as_large_as_is_known_and_cash_as_months_of_revenue():
    model = opened()
    names, offers = model.market.names.automakers, model.market.offers
    figures = read_firm_figures().query("base == '2023-12' and item == 'capacity'").set_index("automaker")["value"]
    tesla = names.index("Tesla")
    assert model.books.capacity[tesla] == pytest.approx(figures["Tesla"] / 12.0)
    revenue = (offers.base_units * offers.base_price)[offers.automaker == tesla].sum() / 1.13
    assert model.books.cash[tesla] == pytest.approx(12.0 * revenue)


def test_no_plant_starts_smaller_than_its_sales():
    model = opened()
    offers = model.market.offers
    units = np.bincount(offers.automaker, offers.base_units, len(model.books.capacity))
    assert (model.books.capacity >= units).all()


def test_a_groups_stack_is_paid_for_once_by_the_largest_maker_on_it():
    market = opened({"market": {"lines": 150}}).market
    offers, platforms = market.offers, market.platforms
    paid = own_research(market, offers.base_units)
    in_house = offers.on_sale & (offers.mode == MODE["in_house"])
    stacks = np.unique(offers.platform[in_house])
    assert paid.sum() == pytest.approx(platforms.research[stacks].sum() * KCNY_PER_BN / 12.0)
    shared = 0
    for code in stacks:
        cars = np.bincount(offers.automaker, np.where(in_house & (offers.platform == code), offers.base_units, 0.0))
        assert paid[cars.argmax()] >= platforms.research[code] * KCNY_PER_BN / 12.0 - 1e-6
        smaller = np.flatnonzero((cars > 0) & (cars < cars.max()))
        shared += len(smaller)
        others = np.setdiff1d(offers.platform[in_house & np.isin(offers.automaker, smaller)], [code])
        assert len(others) or (paid[smaller] == 0).all()
    assert shared > 0


def test_a_stack_that_another_maker_sells_most_of_is_paid_for_by_that_maker():
    market = opened({"market": {"lines": 150}}).market
    offers = market.offers
    makers = np.unique(offers.automaker[offers.on_sale & (offers.mode == MODE["in_house"])])
    for maker in makers:
        units = np.where(offers.automaker == maker, 1.0, 0.0)
        stacks = np.unique(
            offers.platform[(offers.automaker == maker) & offers.on_sale & (offers.mode == MODE["in_house"])]
        )
        assert own_research(market, units)[maker] == pytest.approx(
            market.platforms.research[stacks].sum() * KCNY_PER_BN / 12.0
        )


def test_research_on_the_alliances_stack_ends_with_the_alliance_and_no_other_does():
    with_, without = (run_small({"modes": {"rule": rule}}) for rule in ("timeline", "none"))
    assert (with_.orchestrator["rd"] > 0).all() and (without.orchestrator["rd"] == 0).all()
    assert without.automakers.groupby("month")["rd"].sum().min() > 0


def test_the_leader_bears_parts_only_for_cars_sold_with_its_stack():
    run = run_small({"modes": {"rule": "none"}})
    assert (run.orchestrator[["royalties", "parts_costs", "members", "insiders"]] == 0).all(axis=None)
    run = run_small()
    later = run.market[run.market["month"] > run.base_month]
    cars = later[later["mode"].isin(["alliance", "inside"])].groupby("month")["units"].sum()
    assert run.orchestrator.set_index("month")["parts_costs"].to_numpy() == pytest.approx(20.0 * cars.to_numpy())
