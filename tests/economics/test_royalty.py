"""The membership game played in prices, and the leader's best royalty with members given."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import lambertw

from evsim.economics.coalition import all_memberships, membership_hysteresis, royalty_curve
from evsim.economics.pricing import Demand, bertrand, equilibrium_prices
from evsim.economics.royalty import (
    Conduct,
    MembershipGame,
    Offer,
    PooledQuality,
    leader_slope,
    payoffs_by_terms,
    price_game_payoff,
    stackelberg_royalty,
)
from evsim.economics.subsidy import compose

ALPHA = 0.03
OFFER = Offer(revenue_share=0.08, unit_fee=20.0, parts_cost=12.0)


def alike(n_makers=4, **settings):
    """Makers that are alike, one car each, sold to one type of consumer."""
    fields = {
        "demand": Demand(np.full((1, n_makers), 3.5), np.array([ALPHA])),
        "marginal_costs": np.full(n_makers, 100.0),
        "maker": np.arange(n_makers),
        "n_makers": n_makers,
        "quality": PooledQuality(0.8, 0.3, np.ones(n_makers)),
        "inside": OFFER,
    }
    return MembershipGame(**{**fields, **settings})


def varied(own_cars=2, seed=3, **settings):
    """Three makers of two cars each, and the leader's own, sold to 60 consumers."""
    draws, maker = np.random.default_rng(seed), np.append(np.repeat([0, 1, 2], 2), np.full(own_cars, 3))
    sensitivity = ALPHA * np.exp(0.4 * draws.standard_normal(60))
    utility = draws.normal(-1.0, 0.7, (60, len(maker))) + 150.0 * sensitivity[:, None]
    fields = {
        "demand": Demand(utility, sensitivity, draws.uniform(0.5, 1.5, 60)),
        "marginal_costs": draws.uniform(80.0, 120.0, len(maker)),
        "maker": maker,
        "n_makers": 3,
        "quality": PooledQuality(0.5, 0.3, np.array([2.0, 1.0, 0.5]), leader_data=1.0, scale=2.0),
        "inside": OFFER,
        "outside": Offer(0.0, 5.0, 3.0),
        "own_quality": np.array([0.2, 0.0, 0.1]),
        "quality_value": draws.uniform(0.5, 1.5, 60),
        "member_saving": 8.0,
        "joining_cost": np.array([0.3, 0.2, 0.1]),
        "vat": 0.13,
    }
    return MembershipGame(**{**fields, **settings})


def with_term(game, **terms):
    return replace(game, inside=replace(game.inside, **terms))


# The payoff of a membership.


@pytest.mark.parametrize("k", range(5))
def test_profits_with_k_alike_members_are_what_two_scalar_equations_say(k):
    """s = s₀ exp(V − α p), p = c' + 1/(α (1 − s)): one root for each kind given s₀, one for s₀."""
    game = alike(market_size=1000.0, vat=0.13, joining_cost=40.0)
    gain = 0.8 + 0.3 * np.log1p(k)
    cost = {True: (100.0 + 20.0) * 1.13 / 0.92, False: 113.0}  # cost over own share of the posted price

    def share(member, outside):
        def excess(s):
            return s - outside * np.exp(3.5 + gain * member - ALPHA * cost[member] - 1.0 / (1.0 - s))

        return brentq(excess, 0.0, 1.0 - 1e-3, xtol=1e-16, rtol=1e-14)

    rest = brentq(
        lambda s0: s0 + k * share(True, s0) + (4 - k) * share(False, s0) - 1.0, 1e-9, 1.0, xtol=1e-16, rtol=1e-14
    )
    earned = price_game_payoff(game)(np.arange(4) < k)
    for maker in range(4):
        member = maker < k
        s = share(member, rest)
        margin = (0.92 if member else 1.0) / 1.13 / (ALPHA * (1.0 - s))
        assert earned[maker] == pytest.approx(1000.0 * margin * s - 40.0 * member, rel=1e-10)
    if k:
        s = share(True, rest)
        per_car = 0.08 / 1.13 * (cost[True] + 1.0 / (ALPHA * (1.0 - s))) + 20.0 - 12.0
        assert earned[4] == pytest.approx(1000.0 * k * per_car * s, rel=1e-10)
    else:
        assert earned[4] == 0.0


@pytest.mark.parametrize("conduct", [Conduct(), Conduct(0.5, 0.3), Conduct(1.0, 1.0, True)])
def test_the_books_balance_whoever_sets_prices(conduct):
    """All profits together: what buyers pay net of VAT, less cars, parts and joining."""
    game, membership = varied(conduct=conduct, market_size=7.0), np.array([True, False, True])
    payoff = price_game_payoff(game)
    earned, solution = payoff(membership), payoff.solution(membership)
    member = np.append(membership, False)[game.maker]
    cost = game.marginal_costs - 8.0 * member + np.where(member, 12.0, np.where(game.maker < 3, 3.0, 0.0))
    total = 7.0 * ((solution.prices / 1.13 - cost) * solution.shares).sum() - 0.3 - 0.1
    assert earned.sum() == pytest.approx(total, rel=1e-12)


def test_all_memberships_from_near_starts_are_those_from_cold_starts():
    game = varied()
    table = all_memberships(price_game_payoff(game), 3)
    for members, found, leader in zip(table.members, table.profits, table.leader_profits, strict=True):
        assert price_game_payoff(game)(members) == pytest.approx(np.append(found, leader), rel=1e-9)


def test_a_partner_that_brings_data_raises_the_sales_of_partners_and_of_the_leader():
    many = varied(quality=PooledQuality(0.5, 0.3, np.array([2.0, 9.0, 0.5]), 1.0, 2.0))
    few = varied(quality=PooledQuality(0.5, 0.3, np.array([2.0, 0.0, 0.5]), 1.0, 2.0))
    everybody = np.ones(3, dtype=bool)
    more = price_game_payoff(many).solution(everybody).shares - price_game_payoff(few).solution(everybody).shares
    assert more.sum() > 0 and more[6:].sum() > 0


def test_pooled_quality_counts_members_data_and_the_leaders():
    quality = PooledQuality(0.5, 0.3, np.array([2.0, 1.0, 0.5]), leader_data=1.0, scale=2.0)
    assert quality([1, 0, 1]) == pytest.approx(0.5 + 0.3 * np.log(1.0 + 3.5 / 2.0), rel=1e-15)
    assert quality([0, 0, 0]) == pytest.approx(0.5 + 0.3 * np.log(1.5), rel=1e-15)


# Neutrality.


def owned(revenue_share, maker):
    """Four cars, of one maker or of several, all of it or them members on these terms; platform quality adds nothing."""
    demand = Demand(np.array([[3.0, 3.5, 4.0, 2.5]]), np.array([ALPHA]))
    costs = np.array([90.0, 100.0, 130.0, 70.0])
    n_makers = int(np.max(maker)) + 1
    game = MembershipGame(demand, costs, maker, n_makers, lambda m: 0.0, Offer(revenue_share, 10.0))
    return demand, costs, price_game_payoff(game).solution(np.ones(n_makers, dtype=bool)).prices


@pytest.mark.parametrize("maker", [[0, 0, 0, 0], [0, 0, 1, 2]])
def test_a_uniform_royalty_is_the_same_as_dearer_cars(maker):
    demand, costs, prices = owned(0.3, maker)
    dearer = equilibrium_prices(bertrand(demand, (costs + 10.0) / 0.7, maker)).prices
    assert prices == pytest.approx(dearer, abs=1e-9)


def test_a_royalty_on_some_of_a_makers_cars_is_more_than_dearer_cars():
    """The maker steers buyers to the cars it keeps all of: the others are dearer than their cost over 1 − r explains."""
    share = np.array([0.3, 0.3, 0.0, 0.0])
    demand, costs, prices = owned(share, [0, 0, 0, 0])
    dearer = equilibrium_prices(bertrand(demand, (costs + 10.0) / (1.0 - share), [0, 0, 0, 0])).prices
    assert (prices - dearer)[:2].min() > 1.0


# Comparative statics.


def test_a_higher_fee_never_adds_members_of_alike_makers():
    sizes = []
    for fee in np.linspace(0.0, 60.0, 13):
        ends = membership_hysteresis(price_game_payoff(with_term(alike(), revenue_share=0.0, unit_fee=fee)), 4)
        sizes.append([ends.from_nobody.membership.sum(), ends.from_everybody.membership.sum()])
    assert (np.diff(sizes, axis=0) <= 0).all()
    assert sizes[0] == [4, 4] and sizes[-1] == [0, 0]


def test_a_dearer_joining_never_adds_members_and_better_quality_never_loses_any():
    dear = [len_stable(alike(joining_cost=cost)) for cost in (0.0, 0.05, 0.2, 2.0)]
    good = [len_stable(alike(quality=PooledQuality(q, 0.3, np.ones(4)))) for q in (0.2, 0.6, 1.0, 2.0)]
    assert (np.diff(dear) <= 0).all() and dear[0] > dear[-1]
    assert (np.diff(good) >= 0).all() and good[0] < good[-1]


def len_stable(game):
    """The largest stable number of members."""
    return all_memberships(price_game_payoff(game), 4).stable_sizes[-1]


# The leader's best royalty.


def downstream(**offer):
    """One maker, a member, alone in the market."""
    demand = Demand(np.array([[4.0]]), np.array([ALPHA]))
    return MembershipGame(demand, np.array([90.0]), [0], 1, lambda m: 0.5, Offer(**offer), vat=0.13, market_size=50.0)


def test_the_best_fee_on_a_logit_monopolist_is_what_lambert_w_says():
    """With W + log W = V − α c (1+v) − 1, s = W/(1 + W): the leader's condition is α (1+v) (w − m) = (1 + W)²."""
    net = 1.13 * ALPHA

    def condition(w):
        return np.log(w) + w + (1.0 + w) ** 2 - (4.5 - net * (90.0 + 12.0) - 1.0)

    w = brentq(condition, 1e-6, 10.0, xtol=1e-16, rtol=1e-15)
    best = stackelberg_royalty(downstream(parts_cost=12.0), [True], (0.0, 300.0), "unit_fee")
    assert best.value == pytest.approx(12.0 + (1.0 + w) ** 2 / net, abs=1e-8)
    assert best.leader_profit == pytest.approx(50.0 * (1.0 + w) ** 2 / net * w / (1.0 + w), rel=1e-12)
    assert abs(best.slope) < 1e-9 and not best.bound


def test_the_best_revenue_share_on_a_logit_monopolist_is_what_lambert_w_says():
    def condition(r):
        """dΠ_L/dr / M, from p = c'/(1 − r) + (1 + W)/α and s = W/(1 + W)."""
        cost = 90.0 * 1.13
        w = lambertw(np.exp(4.5 - ALPHA * cost / (1.0 - r) - 1.0)).real
        dw = -ALPHA * cost / (1.0 - r) ** 2 * w / (1.0 + w)
        p, s = cost / (1.0 - r) + (1.0 + w) / ALPHA, w / (1.0 + w)
        dp, ds = cost / (1.0 - r) ** 2 + dw / ALPHA, dw / (1.0 + w) ** 2
        return p * s / 1.13 + r * dp * s / 1.13 + (r * p / 1.13 - 12.0) * ds

    r = brentq(condition, 0.05, 0.7, xtol=1e-16, rtol=1e-15)
    best = stackelberg_royalty(downstream(parts_cost=12.0), [True], (0.0, 0.8))
    assert best.value == pytest.approx(r, abs=1e-10)


@pytest.mark.parametrize("own_cars", [0, 2])
@pytest.mark.parametrize(("instrument", "bounds"), [("revenue_share", (0.0, 0.6)), ("unit_fee", (0.0, 150.0))])
def test_no_other_royalty_earns_the_leader_more_among_rivals(own_cars, instrument, bounds):
    game, membership = varied(own_cars), np.array([True, True, False])

    def profit(value):
        return price_game_payoff(with_term(game, **{instrument: value}))(membership)[-1]

    best = stackelberg_royalty(game, membership, bounds, instrument)
    twin = minimize_scalar(lambda value: -profit(value), bounds=bounds, method="bounded", options={"xatol": 1e-9})
    width = bounds[1] - bounds[0]
    assert best.value == pytest.approx(twin.x, abs=1e-6 * width)  # a maximiser sees half of the digits
    assert best.leader_profit >= -twin.fun - 1e-12 * best.leader_profit
    assert best.leader_profit >= max(profit(value) for value in np.linspace(*bounds, 40))
    scale = best.leader_profit / width
    assert abs(best.slope) < 1e-10 * scale and abs(best.slope_by_difference) < 1e-5 * scale and not best.bound


@pytest.mark.parametrize("instrument", ["revenue_share", "unit_fee"])
@pytest.mark.parametrize("conduct", [Conduct(), Conduct(0.5, 0.3), Conduct(1.0, 1.0, True)])
def test_the_leaders_slope_is_the_difference_of_solved_games(instrument, conduct):
    """Five points: exact to h⁴."""
    game, membership = varied(conduct=conduct), np.array([True, True, False])
    value, step = (0.08, 2e-3) if instrument == "revenue_share" else (20.0, 0.5)

    def profit(times):
        payoff = price_game_payoff(with_term(game, **{instrument: value + times * step}), equilibrium_prices)
        return payoff(membership)[-1]

    difference = (8.0 * (profit(1) - profit(-1)) - (profit(2) - profit(-2))) / (12.0 * step)
    prices = price_game_payoff(game, equilibrium_prices).solution(membership).prices
    assert leader_slope(game, membership, prices, instrument).total == pytest.approx(difference, rel=1e-7)


def test_the_envelope_theorem_holds_on_the_leaders_own_cars():
    """The leader has set their prices for its own profit, fees included: moving them changes nothing to first order."""
    game, membership = varied(), np.array([True, True, False])
    slope = leader_slope(game, membership, price_game_payoff(game).solution(membership).prices)
    assert np.abs(slope.through_prices[game.maker == 3]).max() < 1e-9 * abs(slope.direct)
    assert np.abs(slope.through_prices[game.maker < 3]).min() > 1e-4 * abs(slope.direct)


def test_a_leader_that_lives_on_royalties_asks_more_for_its_own_cars():
    """Each buyer it wins from a member costs it a fee."""
    everybody = np.ones(3, dtype=bool)
    with_fee = price_game_payoff(varied()).solution(everybody).prices
    costs_alone = (with_term(varied(), revenue_share=0.0, unit_fee=12.0), everybody)  # the fee pays the parts, no more
    neutral = price_game_payoff(costs_alone[0]).solution(everybody)
    game = with_term(varied(), revenue_share=0.0, unit_fee=60.0)
    dear = price_game_payoff(game).solution(everybody).prices
    deaf = game.price_game(everybody)  # the same terms, but the leader counts its own cars only
    revenue, payments = deaf.revenue_weights.copy(), deaf.payments.copy()
    revenue[-1, :6] = payments[-1, :6] = 0.0
    alone = equilibrium_prices(replace(deaf, revenue_weights=revenue, payments=payments)).prices
    assert (dear[6:] > alone[6:] + 1.0).all()
    assert neutral.prices[6:].mean() < with_fee[6:].mean() < dear[6:].mean()


def test_a_leader_that_sets_members_prices_takes_all_it_may():
    """The royalty is then a mere transfer: prices do not move, and profit rises in r to the bound."""
    game = varied(conduct=Conduct(leader_sets_prices=True), outside=Offer(), own_cars=0)
    best = stackelberg_royalty(game, np.array([True, True, True]), (0.0, 0.4))
    assert best.value == 0.4 and best.bound and best.slope > 0
    assert best.slope == pytest.approx(best.slope_by_difference, rel=1e-7)


@pytest.mark.parametrize(("cap", "at_knot"), [(15.0, False), (18.7, True), (20.0, True), (20.5, False)])
def test_the_best_royalty_under_a_capped_exemption_is_found_also_where_prices_leave_the_cap(cap, at_knot):
    """While prices rest at the cap's kink a higher fee loses no sale; past it the leader's slope jumps below 0."""
    rule = compose([("tax_exemption", np.ones(4, dtype=bool), 0.0, 1.0, cap, 1.0)], 4)
    game, everybody = alike(buyer_price=rule, inside=Offer(0.0, 20.0, 12.0)), np.ones(4, dtype=bool)
    best = stackelberg_royalty(game, everybody, (0.0, 120.0), "unit_fee")
    payoffs = payoffs_by_terms(game)
    assert best.leader_profit >= max(payoffs(0.0, fee)(everybody)[-1] for fee in np.linspace(0.0, 120.0, 121))
    assert (np.abs(best.prices - 11.3 * cap) < 1e-6).all() == at_knot
    assert at_knot or abs(best.slope) < 1e-10


def test_the_grid_with_members_responding_stops_where_partners_leave_short_of_the_stackelberg_royalty():
    """Were they bound to stay, the leader would ask more."""
    game = alike(inside=Offer(0.0, 0.0, 5.0))
    curve = royalty_curve(payoffs_by_terms(game, equilibrium_prices), 4, 0.0, np.linspace(0.0, 60.0, 21))
    bound = stackelberg_royalty(game, np.ones(4, dtype=bool), (0.0, 150.0), "unit_fee")
    fee = curve.unit_fees[curve.best[1]]
    assert 5.0 < fee < bound.value
    assert curve.members[curve.best].any() and curve.departures(axis=1)[0, curve.best[1] + 1].any()
    assert bound.leader_profit > curve.leader_profits[curve.best]


def test_where_nobody_would_leave_the_grid_finds_the_stackelberg_royalty():
    game = alike(2, quality=PooledQuality(12.0, 0.0, np.ones(2)), inside=Offer(0.0, 0.0, 5.0))
    fees = np.linspace(0.0, 400.0, 21)
    curve = royalty_curve(payoffs_by_terms(game), 2, 0.0, fees)
    best = stackelberg_royalty(game, [True, True], (0.0, 400.0), "unit_fee")
    assert curve.members[0, : curve.best[1] + 2].all()
    assert abs(fees[curve.best[1]] - best.value) <= 20.0
    assert best.leader_profit >= curve.leader_profits.max()


# Bad input.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Offer(revenue_share=1.0), "revenue_share=1.0"),
        (lambda: Offer(unit_fee=-1.0), "unit_fee=-1.0"),
        (lambda: Offer(parts_cost=np.nan), "parts_cost=nan"),
        (lambda: PooledQuality(0.0, 1.0, np.array([-1.0])), "data"),
        (lambda: PooledQuality(0.0, 1.0, np.ones(2), scale=0.0), "scale"),
        (lambda: alike(maker=np.array([0, 1, 2, 5])), "maker must be whole numbers"),
        (lambda: alike(maker=np.arange(3)), "maker must be finite and of shape"),
        (lambda: alike(joining_cost=np.ones(3)), "joining_cost must be finite and of shape"),
        (lambda: alike(own_quality=np.nan), "own_quality must be finite"),
        (lambda: alike(market_size=0.0), "market_size=0.0"),
        (lambda: alike(inside=Offer(np.full(3, 0.1))), "broadcast"),
        (lambda: price_game_payoff(alike())([True, False]), "a membership must say"),
        (lambda: stackelberg_royalty(alike(), np.ones(4), (0.0, 0.5), "royalty"), "instrument='royalty'"),
        (lambda: stackelberg_royalty(alike(), np.zeros(4), (0.0, 0.5)), "there must be a member"),
        (lambda: stackelberg_royalty(alike(), np.ones(4), (0.5, 0.1)), "must rise"),
        (lambda: stackelberg_royalty(alike(), np.ones(4), (0.0, 1.0)), "must be in"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_a_price_game_that_is_not_solved_is_an_error_not_a_payoff():
    def hasty(game, start):
        return equilibrium_prices(game, start, max_iterations=1)

    with pytest.raises(ValueError, match=r"no equilibrium prices with members \[0 2\]"):
        price_game_payoff(alike(), hasty)([True, False, True, False])
