"""What the state pays, buyer by buyer, and what is left of its budgets."""

import numpy as np
import pandas as pd
import pytest
from market.worlds import opened, run_small

from evsim.market.calendar import people_of

BUDGET_BN = 12.0
FIXED = {"pricing": {"rule": "fixed"}, "products": {"launches": "none"}}
GIFT = {
    "kind": "per_unit",
    "name": "gift",
    "start": "2024-01",
    "amount_kcny": 10.0,
    "powertrains": ("bev", "phev", "erev"),
}
SHARE = {
    "kind": "ad_valorem",
    "name": "share",
    "start": "2024-01",
    "rate": 0.1,
    "cap_kcny": 18.0,
    "requires": "trade_in",
}
WAIVER = {"kind": "tax_exemption", "name": "waiver", "start": "2024-01", "share": 0.7, "powertrains": ("ice", "bev")}
TESTED = {"kind": "per_unit", "name": "poor", "start": "2024-02", "amount_kcny": 6.0, "income_below": 1.0}


def state(*instruments, **terms):
    """A state that gives these, and nothing of the record."""
    return {"subsidy": {"timeline": "none", "instruments": instruments} | terms}


def paid(run, name="gift"):
    """kCNY an instrument paid, by month."""
    table = run.tables["benefits"]
    return table[table["name"] == name].set_index("month")["paid"]


def test_every_buyer_pays_tax_less_what_is_waived_and_gets_what_it_may_claim():
    """A slow twin: buyer by buyer, with no classes."""
    model = opened(FIXED, state(SHARE, WAIVER, TESTED), {"end": "2024-08", "consumers": {"count": 4_000}})
    market, seen = model.market, {"share": 0, "waiver": 0, "poor": 0}
    while model.running:
        rows, month = np.arange(len(market.population)), market.month + 1
        before = people_of(market, market.population, rows, month)
        tastes_before, line = market.population.household.copy(), market.population.line.copy()
        model.step()
        tax = waived = subsidies = 0.0
        for row in np.flatnonzero(market.population.bought == month).tolist():
            newcomer = market.population.household[row] != tastes_before[row]
            income = people_of(market, market.population, np.array([row])).income[0]
            age = -1 if newcomer or line[row] < 0 else before.car_age[row]
            price = market.offers.price[market.population.line[row]]
            kind = market.offers.powertrain[market.population.line[row]]
            full = 0.10 * price / 1.13
            spared = 0.7 * full if kind in (0, 1) else 0.0
            gets = {
                "share": min(0.1 * price, 18.0) if kind > 0 and 0 <= age < 120 else 0.0,
                "poor": 6.0 if kind > 0 and income < 1.0 and month >= 2 else 0.0,
            }
            tax, waived, subsidies = tax + full - spared, waived + spared, subsidies + sum(gets.values())
            for name, worth in (gets | {"waiver": spared}).items():
                seen[name] += worth > 0
        weight, booked = market.population.weight, model.recorder.parts["government"][-1]
        assert weight * tax == pytest.approx(booked["purchase_tax"], rel=1e-9)
        assert weight * waived == pytest.approx(booked["tax_waived"], rel=1e-9)
        assert weight * subsidies == pytest.approx(booked["subsidies"], rel=1e-9)
    assert min(seen.values()) > 20
    table = pd.DataFrame(model.record["benefits"]).groupby("name")["cars"].sum()
    assert (table / market.population.weight).round(6).to_dict() == pytest.approx(seen)


@pytest.mark.parametrize("rule", ["fixed", "nash"])
def test_books_balance_with_every_kind_of_benefit_and_a_budget_that_ends(rule):
    budget = GIFT | {"budget_bn": BUDGET_BN, "household_share": 0.5}
    run = run_small({"pricing": {"rule": rule}}, state(budget, SHARE, WAIVER, TESTED))  # checked when a run is made
    subsidies = run.government["subsidies"].sum()
    assert sum(paid(run, name).sum() for name in ("gift", "share", "poor")) == pytest.approx(subsidies, rel=1e-9)
    assert paid(run, "waiver").sum() == pytest.approx(run.government["tax_waived"].sum(), rel=1e-9)


def test_a_budget_is_spent_to_within_a_car_and_then_the_instrument_is_over():
    run = run_small(FIXED, state(GIFT | {"budget_bn": BUDGET_BN}), {"consumers": {"count": 10_000}})
    gifts, one_row = paid(run), 10.0 * run.diagnostics["weight"]
    assert BUDGET_BN * 1e6 - one_row < gifts.sum() <= BUDGET_BN * 1e6 * (1.0 + 1e-12)
    assert len(gifts) >= 2
    last = gifts.index[-1]
    months = run.market[run.market["powertrain"] != "ice"].groupby("month")["units"].sum()
    assert 0.0 < gifts[last] < 10.0 * months[last]  # spent within the month: some electric cars got it
    assert gifts.iloc[:-1].to_numpy() == pytest.approx(10.0 * months[gifts.index[:-1]].to_numpy(), rel=1e-9)
    assert last < run.headline["month"].iloc[-1]


def test_at_fixed_prices_a_larger_budget_never_reduces_outlay():
    budgets = [0.0, 0.5, 1.0, 3.0, 4.0, 9.0, 30.0, None]
    totals = [paid(run_small(FIXED, state(GIFT | {"budget_bn": budget}))).sum() for budget in budgets]
    assert totals[0] == 0.0
    assert (np.diff(totals) >= 0).all()
    assert totals[-1] > totals[2] > 0.0


def test_a_budget_of_nothing_is_a_world_without_the_instrument():
    assert run_small(state(GIFT | {"budget_bn": 0.0})).digest == run_small(state()).digest


def test_a_budget_so_large_that_it_never_ends_changes_no_bit():
    assert run_small(state(GIFT | {"budget_bn": 1e6})).digest == run_small(state(GIFT)).digest


def test_the_scale_multiplies_budgets():
    run = run_small(FIXED, state(GIFT | {"budget_bn": BUDGET_BN, "amount_kcny": 20.0}, scale=0.5))
    assert paid(run).sum() <= 0.5 * BUDGET_BN * 1e6
    assert paid(run).sum() > 0.5 * BUDGET_BN * 1e6 - 10.0 * run.diagnostics["weight"]


def test_two_instruments_of_one_name_one_after_the_other_have_a_budget_each():
    first = GIFT | {"end": "2024-03", "budget_bn": 2.0}
    run = run_small(FIXED, state(first, first | {"start": "2024-04", "end": None}))
    gifts, row = paid(run), 10.0 * run.diagnostics["weight"]
    for months in (gifts[gifts.index < "2024-04"], gifts[gifts.index >= "2024-04"]):
        assert 2e6 - row < months.sum() <= 2e6


def test_the_price_of_a_car_is_the_mean_of_what_its_buyers_paid():
    run = run_small(FIXED, state(SHARE))
    months = run.market[(run.market["month"] > run.base_month) & (run.market["units"] > 0)]
    full = months["price"] * (1.0 + 0.10 / 1.13)
    given = (full - months["buyer_price"]) / np.minimum(0.1 * months["price"], 18.0)
    electric = months["powertrain"] != "ice"
    assert given[~electric].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert given[electric].between(-1e-9, 1.0 + 1e-9).all()
    traders = np.average(given[electric], weights=months["units"][electric])
    assert 0.1 < traders < 0.9  # some have no car, some too old a one


def test_waiving_the_same_tax_twice_waives_it_once():
    once = run_small(FIXED, state(WAIVER | {"share": 1.0}))
    twice = run_small(FIXED, state(WAIVER | {"share": 1.0}, WAIVER | {"share": 0.5, "name": "more"}))
    taxed = twice.government[["purchase_tax", "tax_waived"]].to_numpy()
    assert taxed == pytest.approx(once.government[["purchase_tax", "tax_waived"]].to_numpy(), rel=1e-9, abs=1e-3)
