"""Every yuan that is paid is received by somebody, and makers start from what is known of them."""

import numpy as np
import pandas as pd
import pytest
from market.worlds import CHOSEN, HISTORY, opened, run_small

from evsim.data import read_automakers, read_firm_figures, shipped_path
from evsim.economics.contracts import royalty
from evsim.market.accounts import base_fixed_costs, known_figures, own_research
from evsim.market.offers import MODE
from evsim.market.rates import KCNY_PER_BN
from evsim.results import Run

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
    "brands choose": CHOSEN | {"end": "2025-06"},
    "brands convert, and pay fixed fees": {
        "modes": {"rule": "chosen", "precision": 1e5, "base_change_rate": 0.99},
        "software": {"advantage_kcny": 100.0},
        "contracts": {"alliance": {"fixed_fee": 0.2}, "inside": {"fixed_fee": 0.1}},
        "end": "2025-06",
    },
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


@pytest.mark.parametrize("world", ["baseline", "leader sets prices", "brands convert, and pay fixed fees"])
def test_without_credits_marginal_costs_add_up_to_what_makers_pay_for_cars_and_fees(world):
    run = run_small(WORLDS[world], {"credits": {"rule": "off"}})
    market, firms, leader = run.market[run.market["month"] > run.base_month], run.automakers, run.orchestrator
    contracts = run.scenario.contracts
    fixed = leader["members"] * contracts.alliance.fixed_fee + leader["insiders"] * contracts.inside.fixed_fee
    cost = (market["marginal_cost"] * market["units"]).sum() + fixed.sum() * KCNY_PER_BN / 12.0
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


def test_a_maker_whose_cash_is_known_starts_with_it():
    model = opened({"market": {"lines": 150}})
    known = known_figures(model.market)["cash"].dropna()
    assert {"NIO", "XPeng", "Leapmotor", "Xiaomi"} <= set(known.index)
    for name, cash in known.items():
        assert model.books.cash[model.market.names.automakers.index(name)] == pytest.approx(cash * KCNY_PER_BN), name


def test_no_plant_starts_smaller_than_its_sales():
    model = opened()
    offers = model.market.offers
    units = np.bincount(offers.automaker, offers.base_units, len(model.books.capacity))
    assert (model.books.capacity >= units).all()


def base_window(model, name):
    """Gross profit, own research, fixed costs and revenue of a maker in the base window, from its lines and its stack."""
    market, maker = model.market, model.market.names.automakers.index(name)
    offers = market.offers
    rows = np.flatnonzero(offers.automaker == maker)
    units, price = offers.base_units[rows], offers.base_price[rows]
    gross = units @ (price / 1.13 - royalty(price, market.terms(rows), 0.13) - market.costs()[rows])
    research = own_research(market, offers.base_units)[maker]
    return gross, research, model.books.base_fixed_costs[maker], units @ price / 1.13


def base_margin(model, name):
    """Net profit over revenue of a maker's base window."""
    gross, research, fixed, revenue = base_window(model, name)
    return (gross - research - fixed) / revenue


def reported(base):
    """Net profit over revenue of each maker whose accounts are known for the base date."""
    known = read_automakers(base).set_index("automaker")
    return (known["net_profit"] / known["revenue"]).dropna()


@pytest.mark.parametrize(("base", "world"), [("2023-12", {}), ("2021-12", HISTORY)])
def test_the_base_window_repeats_every_reported_margin(base, world):
    model = opened(world, {"market": {"lines": 150}})
    margins = reported(base)
    there = [name for name in margins.index if name in model.market.names.automakers]
    assert {"NIO", "XPeng", "Seres", "BAIC"} < set(there)
    for name in there:
        maker = model.market.names.automakers.index(name)
        floored = model.books.base_fixed_costs[maker] == 0.0
        assert floored or base_margin(model, name) == pytest.approx(margins[name], abs=1e-9), name
        if not floored:
            earned = model.books.past_profit[:, maker].sum() / model.books.past_revenue[:, maker].sum()
            assert earned == pytest.approx(margins[name], abs=1e-9)


def test_makers_without_accounts_or_with_a_profit_but_no_revenue_have_a_share_of_gross_profit():
    model = opened({"market": {"lines": 150}})
    known = known_figures(model.market)
    assert known.loc["GAC", "net_profit"] == 4.43 and np.isnan(known.loc["GAC", "revenue"])
    assert known.loc["Geely"].isna().all()
    for name in ("GAC", "Geely", "Tesla"):
        gross, _, fixed, _ = base_window(model, name)
        assert fixed == pytest.approx(0.6 * gross), name


def test_accounts_of_another_date_change_no_fixed_cost():
    later = opened({"start": "2024-06", "market": {"lines": 150, "table": str(shipped_path("market_2023.csv"))}})
    assert known_figures(later.market).isna().all(axis=None)
    gross, _, fixed, _ = base_window(later, "NIO")
    assert fixed == pytest.approx(0.6 * gross)


def test_fixed_costs_are_what_the_margin_leaves_a_share_of_gross_profit_or_nothing():
    gross, research, revenue = np.array([[30.0], [5.0], [100.0]]) * np.ones(3)
    margin = np.array([-0.4, np.nan, 0.9])  # the last earns more on its sales than the model's gross profit
    assert base_fixed_costs(gross, research, revenue, margin, 0.6).tolist() == pytest.approx([65.0, 18.0, 0.0])


def test_research_that_a_scenario_raises_is_paid_out_of_profit():
    plain, eager = (opened({"software": {"own_stack_rd": rd}, "market": {"lines": 150}}) for rd in (3.0, 8.0))
    np.testing.assert_array_equal(plain.books.base_fixed_costs, eager.books.base_fixed_costs)
    assert base_margin(eager, "NIO") < base_margin(plain, "NIO") - 0.05


RECORDED = {"modes": {"rule": "timeline"}}
FEE = {"contracts": {"alliance": {"fixed_fee": 0.06}}}  # bn CNY a year: 5 000 kCNY a month


def spending():
    """A world in which Seres converts a brand in March, members pay a fixed fee, and Tesla tries a stack beside its own."""
    model = opened(RECORDED, FEE)
    names, books = model.market.names.automakers, model.books
    books.development[names.index("Tesla")] = 70_000.0
    for month in range(6):
        books.investment[names.index("Seres")] = 200_000.0 if month == 2 else 0.0
        model.step()
    return model


def test_books_balance_with_investment_attempts_and_fixed_fees():
    model, plain = spending(), opened(RECORDED)
    scenario = model.market.scenario
    run = Run.from_record(scenario, scenario.seed, model.record, {})  # checks the books
    for _ in range(6):
        plain.step()
    before = pd.DataFrame(plain.record["automakers"]).set_index(["automaker", "month"])
    firms = run.automakers.set_index(["automaker", "month"])
    assert firms.loc["Seres", "investment"].tolist() == [0.0, 0.0, 200_000.0, 0.0, 0.0, 0.0]
    assert firms["investment"].sum() == 200_000.0
    more = firms[["royalties", "rd", "profit", "cash"]] - before[["royalties", "rd", "profit", "cash"]]
    assert more.loc["Seres", "royalties"].to_numpy() == pytest.approx(np.full(6, 5_000.0))
    assert more.loc["Tesla", "rd"].to_numpy() == pytest.approx(np.full(6, 70_000.0))
    assert more.loc["Seres", "cash"].iloc[-1] == pytest.approx(-230_000.0)
    assert more.loc["Tesla", "cash"].iloc[-1] == pytest.approx(-420_000.0)
    leader = pd.DataFrame(plain.record["orchestrator"])
    fees = 5_000.0 * run.orchestrator["members"]
    assert (run.orchestrator["royalties"] - leader["royalties"]).to_numpy() == pytest.approx(fees.to_numpy())
    assert (model.books.investment == 0).all()


def test_a_maker_that_pays_before_its_first_sale_stands_in_the_accounts():
    model = opened({"market": {"lines": 150}})
    xiaomi = model.market.names.automakers.index("Xiaomi")
    cash = model.books.cash[xiaomi]
    model.books.development[xiaomi] = 9_000.0
    model.step()
    first = pd.DataFrame(model.record["automakers"]).set_index("automaker")
    assert first.loc["Xiaomi", ["units", "rd", "profit"]].tolist() == [0.0, 9_000.0, -9_000.0]
    assert first.loc["Xiaomi", "cash"] == cash - 9_000.0
    assert np.isnan(model.books.past_profit[:, xiaomi]).all()


def test_the_books_remember_the_last_twelve_months():
    model = opened()
    for _ in range(3):
        model.step()
    firms = pd.DataFrame(model.record["automakers"]).query("automaker == 'Tesla'")
    tesla = model.market.names.automakers.index("Tesla")
    books = model.books
    assert books.past_revenue[-3:, tesla].tolist() == firms["revenue"].tolist()
    assert books.past_profit[-3:, tesla].tolist() == firms["profit"].tolist()
    assert books.past_revenue.shape == books.past_profit.shape == (12, len(books.cash))
    assert len(set(books.past_revenue[:9, tesla])) == 1


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
    run = run_small(RECORDED, {"contracts": {"alliance": {"channel_share": 0.0, "parts_cost": 20.0}}})
    later = run.market[run.market["month"] > run.base_month]
    cars = later.pivot_table(index="month", columns="mode", values="units", aggfunc="sum")
    parts = (cars[["alliance", "inside"]].fillna(0.0) * [20.0, 25.0]).sum(axis=1)
    assert parts.gt(0).any()
    assert run.orchestrator.set_index("month")["parts_costs"].to_numpy() == pytest.approx(parts.to_numpy())
