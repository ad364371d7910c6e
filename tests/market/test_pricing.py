"""Prices of a month by each rule."""

import numpy as np
import pytest
from market.worlds import opened, run_small

from evsim.economics.contracts import maker_net
from evsim.economics.pricing import equilibrium_prices
from evsim.market.offers import MODE
from evsim.market.pricing import margins, price_game

HALF_YEAR = {"end": "2024-06"}


def by_rule(rule, **pricing):
    return run_small(HALF_YEAR, {"pricing": {"rule": rule, **pricing}})


def prices(run):
    return run.market.pivot(index="month", columns="product", values="price")


def test_nash_prices_solve_the_game_of_their_month():
    model = opened(HALF_YEAR, {"pricing": {"rule": "nash", "tolerance": 1e-9}})
    for _ in range(5):
        model.step()
    assert max(part["price_residual"][0] for part in model.recorder.parts["headline"]) < 1e-9
    market, rows = model.market, model.market.on_sale()
    market.month += 1
    solution = equilibrium_prices(price_game(market, rows), market.offers.price[rows])
    assert solution.converged
    assert solution.prices == pytest.approx(market.offers.price[rows], rel=0.05)  # a month later: near


def test_fixed_prices_never_move():
    moved = prices(by_rule("fixed")).diff().iloc[1:]
    assert (moved.fillna(0.0) == 0.0).all(axis=None)


def test_cost_plus_keeps_every_margin():
    run = by_rule("cost_plus")
    market = run.market[~run.market["mode"].isin(["alliance", "inside"])]
    ratio = (market["price"] / market["marginal_cost"]).groupby(market["product"])
    assert (ratio.max() - ratio.min()).max() < 1e-9
    model = opened(HALF_YEAR, {"pricing": {"rule": "cost_plus"}})
    model.run_model()
    offers, rows = model.market.offers, model.market.on_sale()
    terms = model.market.terms(rows)
    net = offers.price[rows] / 1.13 * (1.0 - terms.revenue_share) - terms.unit_fee
    at_launch = offers.base_price[rows] / 1.13 * (1.0 - terms.revenue_share) - terms.unit_fee
    assert net / model.market.costs()[rows] == pytest.approx(at_launch / offers.cost[rows], abs=1e-9)


def test_cost_plus_keeps_the_makers_margin_over_its_cost_when_the_contract_changes():
    model = opened(HALF_YEAR, {"pricing": {"rule": "cost_plus"}, "modes": {"rule": "none"}})
    offers, vat = model.market.offers, model.market.scenario.subsidy.vat
    rows = np.flatnonzero(offers.on_sale & (offers.mode == MODE["alliance"]))
    cost, kept = offers.cost[rows].copy(), maker_net(offers.price[rows], model.market.terms(rows), vat)
    model.step()
    assert (model.market.terms(rows).revenue_share == 0).all()
    assert (offers.cost[rows] > cost + 10.0).all()  # shops and parts are its own now
    now = maker_net(offers.price[rows], model.market.terms(rows), vat)
    assert now / model.market.costs()[rows] == pytest.approx(kept / cost, rel=1e-12)


def test_best_response_is_near_the_equilibrium_and_nearer_with_more_steps():
    equilibrium = prices(by_rule("nash"))
    errors = [
        (prices(by_rule("best_response", steps=steps)) / equilibrium - 1.0).abs().max(axis=None) for steps in (1, 20)
    ]
    assert errors[1] < 0.2 * errors[0] < 0.01


def test_pooled_lines_keep_the_base_margin_under_every_rule():
    for rule in ("nash", "cost_plus", "best_response"):
        market = by_rule(rule).market
        pooled = market[market["automaker"] == "Other makers"]
        ratio = pooled["price"] / pooled["marginal_cost"]
        assert ratio.max() - ratio.min() < 1e-9


def test_a_price_war_takes_its_part_of_every_margin_and_then_ends():
    war = {"war_start": "2024-02", "war_end": "2024-03", "war_cut": 0.4}
    no_learning = {"battery": {"learning_rate": 0.0}}  # else more sales make cheaper batteries
    calm, fought = (
        run_small(HALF_YEAR, no_learning, {"pricing": {"rule": "cost_plus", **dates}}) for dates in ({}, war)
    )
    change = prices(fought) / prices(calm) - 1.0
    assert (change.loc[["2023-12", "2024-01", "2024-04", "2024-06"]].fillna(0.0) == 0.0).all(axis=None)
    assert (change.loc[["2024-02", "2024-03"]].stack().dropna() < 0).all()
    one = calm.market[(calm.market["month"] == "2024-02") & (calm.market["mode"] == "supplier")]
    cut = fought.market.loc[one.index, "price"]
    break_even = 1.13 * one["marginal_cost"]
    assert (cut - break_even).to_numpy() == pytest.approx(0.6 * (one["price"] - break_even).to_numpy(), abs=1e-9)


def test_a_margin_counts_vat_fees_and_royalty():
    market = opened().market
    rows = market.on_sale()
    price = market.offers.price[rows]
    terms = market.terms(rows)
    kept = price / 1.13 * (1.0 - terms.revenue_share) - terms.unit_fee - market.costs()[rows]
    assert margins(market, rows, price) == pytest.approx(np.maximum(kept * 1.13 / (1.0 - terms.revenue_share), 0.0))
    assert (margins(market, rows, 0.1 * price) == 0).all()


def test_the_survey_is_the_same_for_every_number_of_consumers():
    few, many = opened().market, opened({"consumers": {"count": 3_000}}).market
    assert np.array_equal(few.panel.tastes, many.panel.tastes)
    assert np.array_equal(few.panel.owners.line, many.panel.owners.line)
