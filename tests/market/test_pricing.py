"""Prices of a month by each rule."""

from dataclasses import replace

import numpy as np
import pytest
from market.worlds import opened, run_small

from evsim.economics.contracts import maker_net
from evsim.economics.price_point import choices_at, evaluate
from evsim.economics.price_rule import BuyerPriceByClass
from evsim.economics.pricing import equilibrium_prices, zeta
from evsim.economics.use_cost import with_outlay
from evsim.market.offers import MODE
from evsim.market.panel import panel_demand, panel_entries, priced_demand
from evsim.market.pricing import margins, price_game, set_prices

HALF_YEAR = {"end": "2024-06"}


def by_rule(rule, **pricing):
    return run_small(HALF_YEAR, {"pricing": {"rule": rule, **pricing}})


def prices(run):
    return run.market.pivot(index="month", columns="product", values="price")


def test_nash_prices_solve_the_game_of_their_month():
    model = opened(HALF_YEAR, {"pricing": {"rule": "nash", "tolerance": 1e-9}})
    for _ in range(5):
        model.step()
    assert max(part["price_residual"] for part in model.recorder.parts["headline"]) < 1e-9
    market, rows = model.market, model.market.on_sale()
    market.month += 1
    solution = equilibrium_prices(price_game(market, rows), market.offers.price[rows])
    assert solution.converged
    assert solution.prices == pytest.approx(market.offers.price[rows], rel=0.05)  # a month later: near


def test_visits_follow_from_choices_at_other_prices_as_from_the_prices_themselves():
    model = opened(HALF_YEAR, {"consumers": {"overdue_cost": 0.05}})
    for _ in range(3):
        model.step()
    market, rows = model.market, model.market.on_sale()
    market.month += 1
    start = market.offers.price[rows].copy()
    start[::7] *= 1.15
    demand, rule, chosen = priced_demand(market, rows, start)
    entries, (plain, known) = panel_entries(market), panel_demand(market, rows)
    class_of = known.class_of if isinstance(known, BuyerPriceByClass) else np.zeros(len(entries), dtype=int)
    order = np.lexsort((np.arange(len(entries)) % (len(entries) // 2), class_of))
    assert np.array_equal(rule.class_of, class_of[order])
    assert len(demand.utility) < len(demand) == len(entries)
    assert demand.one_by_one.utility == pytest.approx(plain.utility[order], rel=1e-13, abs=1e-13)
    assert np.array_equal(demand.one_by_one.price_sensitivity, plain.price_sensitivity[order])
    assert np.array_equal(demand.outside_utility, plain.outside_utility[order])
    assert demand.weights == pytest.approx(plain.weights[order], rel=1e-12)
    far, _, _ = priced_demand(market, rows, start - 0.9 * start.min())  # from where prices rise manifold, all of them
    assert far.weights == pytest.approx(demand.weights, rel=1e-11)
    fresh = choices_at(start, demand, rule)
    assert np.array_equal(chosen.probabilities, fresh.probabilities)


def test_fixed_prices_never_move():
    moved = prices(by_rule("fixed")).diff().iloc[1:]
    assert (moved.fillna(0.0) == 0.0).all(axis=None)


def test_cost_plus_keeps_every_margin():
    run = by_rule("cost_plus")
    market = run.market[~run.market["mode"].isin(["alliance", "inside"])]
    ratio = (market["price"] / market["marginal_cost"]).groupby(market["product"])
    assert (ratio.max() - ratio.min()).max() < 1e-9
    model = opened(HALF_YEAR, {"pricing": {"rule": "cost_plus"}, "modes": {"rule": "timeline"}})
    costs = model.market.costs()
    model.run_model()
    offers, rows = model.market.offers, model.market.on_sale()
    terms = model.market.terms(rows)
    net = offers.price[rows] / 1.13 * (1.0 - terms.revenue_share) - terms.unit_fee
    at_launch = offers.base_price[rows] / 1.13 * (1.0 - terms.revenue_share) - terms.unit_fee
    assert net / model.market.costs()[rows] == pytest.approx(at_launch / costs[rows], abs=1e-9)


def test_cost_plus_keeps_the_makers_margin_over_its_cost_when_the_contract_changes():
    model = opened(HALF_YEAR, {"pricing": {"rule": "cost_plus"}, "modes": {"rule": "none"}})
    offers, vat = model.market.offers, model.market.scenario.subsidy.vat
    rows = np.flatnonzero(offers.on_sale & (offers.mode == MODE["alliance"]))
    cost, kept = model.market.costs()[rows], maker_net(offers.price[rows], model.market.terms(rows), vat)
    model.step()
    assert (model.market.terms(rows).revenue_share == 0).all()
    assert (model.market.costs()[rows] > cost + 10.0).all()  # shops and parts are its own now
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


def handed_in(market, **by_brand):
    """A price by hand for every line of some brands, until it is taken back."""
    market.given_price = np.full(len(market.offers), np.nan)
    for brand, price in by_brand.items():
        market.given_price[market.offers.brand == market.names.brands.index(brand)] = price
    return market


@pytest.mark.parametrize("rule", ["nash", "best_response", "cost_plus", "fixed"])
def test_a_price_handed_in_is_the_price_under_every_rule_even_in_a_war(rule):
    war = {"war_start": "2024-01", "war_end": "2024-02"}
    market = handed_in(opened(HALF_YEAR, {"pricing": {"rule": rule, **war}}).market, Tesla=199.5, BYD=88.25)
    market.month = 1
    rows, given = market.on_sale(), market.given_price
    set_prices(market, rows)
    kept = rows[~np.isnan(given[rows])]
    assert len(kept) >= 3
    assert np.array_equal(market.offers.price[kept], given[kept])


ALIKE = {  # one kind of household: the plain logit, where prices are strategic complements
    "consumers": dict.fromkeys(
        [f"{taste}_spread" for taste in ("income", "software_taste", "electric_taste", "class_taste", "premium_taste")],
        0.0,
    )
    | {"phone_effect": 0.0, "price_sensitivity": 0.05},
    "lock_in": {"switching_cost": 0.0, "brand_loyalty": 0.0, "word_of_mouth": 0.0, "community_size": 50},
}


def replies(cut, *layers):
    """How much rivals' prices change when BYD's are handed in at a fraction less, `[J]`, and whose prices are theirs."""
    alone, other = opened(HALF_YEAR, *layers).market, opened(HALF_YEAR, *layers).market
    rows, offers = alone.on_sale(), other.offers
    byd = offers.brand == other.names.brands.index("BYD")
    other.given_price = np.where(byd, (1.0 - cut) * offers.price, np.nan)
    alone.given_price = np.where(byd, offers.price, np.nan)
    for market in (alone, other):
        market.month = 1
        assert set_prices(market, rows) < 1e-3
    reply = zeta(price_game(other, rows), offers.price[rows])
    assert np.array_equal(reply[byd[rows]], offers.price[byd & offers.on_sale])
    rivals = ~byd[rows] & ~offers.pooled[rows]
    return (offers.price - alone.offers.price)[rows][rivals]


def test_rivals_reply_to_a_price_handed_in_and_follow_a_cut_where_households_are_alike():
    """Where they differ a cut takes away those who mind the price, and rivals may well charge the others more."""
    assert (replies(0.3, ALIKE) < -1e-3).all()
    assert (np.abs(replies(0.3)) > 1e-2).all()


def test_a_maker_with_a_line_priced_by_hand_still_counts_its_margin():
    """A dear flagship spares the maker's other lines a rival of their own."""
    market = opened(HALF_YEAR).market
    rows, offers = market.on_sale(), market.offers
    mine = rows[offers.brand[rows] == market.names.brands.index("BYD")]
    market.given_price = np.full(len(offers), np.nan)
    market.given_price[mine[0]] = offers.price[mine[0]]
    game = price_game(market, rows)
    assert game.setter[rows == mine[0]] == -1
    assert (game.revenue_weights[:, rows == mine[0]] > 0).any()
    solution = equilibrium_prices(game, offers.price[rows])
    assert solution.prices == pytest.approx(offers.base_price[rows], abs=1e-6)  # nothing changed, so nothing moves


def test_a_price_taken_back_is_set_by_the_rule_again():
    market = opened(HALF_YEAR).market
    rows = market.on_sale()
    market.month = 1
    set_prices(market, rows)
    free = market.offers.price.copy()
    handed_in(market, Tesla=400.0)
    set_prices(market, rows)
    assert (market.offers.price != free).any()
    market.given_price = np.empty(0)
    set_prices(market, rows)
    assert market.offers.price[rows] == pytest.approx(free[rows], abs=0.1)  # visits are reckoned at last month's prices


def test_every_price_may_be_handed_in():
    market = opened(HALF_YEAR).market
    rows = market.on_sale()
    market.given_price = 1.1 * market.offers.price
    assert set_prices(market, rows) == 0.0
    assert np.array_equal(market.offers.price[rows], market.given_price[rows])


def test_pass_through_is_how_prices_move_when_a_line_gets_a_little_more():
    """Against the equilibrium computed anew with one line's buyers 0.01 kCNY better off."""
    model = opened(HALF_YEAR, {"pricing": {"rule": "nash", "tolerance": 1e-9}})
    for _ in range(2):
        model.step()
    market, rows, step = model.market, model.market.on_sale(), 0.01
    found = model.pass_through()
    assert found["product"].tolist() == [market.offers.product[row] for row in rows]
    game = price_game(market, rows)
    before = equilibrium_prices(game, market.offers.price[rows], tolerance=1e-11).prices
    free = [place for place in range(len(rows)) if not found["held"][place]]
    assert len(free) >= 8
    sold = evaluate(game, before).class_shares
    for place in free[:3] + free[-3:]:
        better = replace(game, buyer_price=with_outlay(game.buyer_price, -step * (np.arange(len(rows)) == place)))
        after = equilibrium_prices(better, before, tolerance=1e-11).prices
        assert (after[place] - before[place]) / step == pytest.approx(found["to_maker"][place], abs=2e-3)
        less = (game.rule.value(before) - better.rule.value(after))[:, place] @ sold[:, place] / sold[:, place].sum()
        assert less / step == pytest.approx(found["to_buyers"][place], abs=2e-3)
    pooled = found[market.offers.pooled[rows]]
    assert pooled["held"].all() and (pooled["to_buyers"] == 1.0).all()
    assert (pooled["to_maker"] == 0.0).all() and not np.signbit(pooled["to_maker"]).any()
