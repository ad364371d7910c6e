"""Bargain, then ripoff: closed forms, slow twins by brute force, derivatives, and what theory says of lock-in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from evsim.economics.pricing import Demand, bertrand, equilibrium_prices, profits
from evsim.economics.switching import (
    SwitchingMarket,
    covered_duopoly_margins,
    deviation_gains,
    hotelling_margins,
    second_period,
    second_period_game,
    two_period_prices,
)


def market(n_firms=3, **changes):
    """Firms that differ in quality and cost."""
    terms = {
        "qualities": np.linspace(5.0, 6.0, n_firms),
        "marginal_costs": np.linspace(110.0, 90.0, n_firms),
        "price_sensitivity": 0.03,
        "switching_cost": 0.8,
        "staying_gain": 0.4,
        "turnover": 0.1,
        "discount": 0.9,
    }
    return SwitchingMarket(**{**terms, **changes})


def duopoly(**changes):
    """Two like firms, everybody buys."""
    alike = {"qualities": [2.0, 2.0], "marginal_costs": [100.0, 100.0], "outside_utility": -math.inf}
    return market(2, **{**alike, **changes})


KINDS = {
    "a duopoly": market(2),
    "a duopoly, everybody buys": market(2, outside_utility=-math.inf),
    "three firms": market(3, turnover=0.0),
    "four firms": market(4, switching_cost=1.5),
    "forward-looking consumers": market(3, consumer_discount=0.9),
    "forward-looking consumers who all buy": market(2, consumer_discount=0.7, outside_utility=-math.inf),
}
kinds = pytest.mark.parametrize("game", KINDS.values(), ids=KINDS)


# A slow twin: loops over owners and products, scipy's solver, fixed points by plain iteration.


def chances_twin(game, prices, owner):
    """What an owner of a product (−1: a newcomer) buys."""
    odds = np.zeros(game.n_firms)
    for j in range(game.n_firms):
        utility = game.qualities[j] - game.price_sensitivity * prices[j]
        if owner == j:
            utility += game.staying_gain
        elif owner >= 0:
            utility -= game.switching_cost
        odds[j] = math.exp(utility)
    total = odds.sum() + math.exp(game.outside_utility)
    return odds / total, math.log(total)


def second_prices_twin(game, bases):
    """Prices at which nobody's profit has a slope."""
    owners = [*range(game.n_firms), -1]
    weights = np.append(bases, 1.0 - bases.sum())

    def conditions(prices):
        result = np.zeros(game.n_firms)
        for owner, weight in zip(owners, weights, strict=True):
            chances, _ = chances_twin(game, prices, owner)
            margins = prices - game.marginal_costs
            result += weight * chances * (1.0 - game.price_sensitivity * margins * (1.0 - chances))
        return result * 10.0

    answer = optimize.root(conditions, game.marginal_costs + 2.0 / game.price_sensitivity, tol=1e-14)
    assert np.abs(conditions(answer.x)).max() < 1e-12
    return answer.x


def profits_twin(game, prices):
    """Profit of each firm over both periods at given first prices, what follows solved from scratch."""
    stay, shares = 1.0 - game.turnover, np.full(game.n_firms, 0.5 / game.n_firms)
    for _ in range(400):
        later = second_prices_twin(game, stay * shares)
        worth = [chances_twin(game, later, owner)[1] for owner in [*range(game.n_firms), -1]]
        utility = game.qualities - game.price_sensitivity * prices
        odds = np.exp(utility + game.consumer_discount * stay * (np.array(worth[:-1]) - worth[-1]))
        bought = odds / (odds.sum() + math.exp(game.outside_utility))
        done = np.abs(bought - shares).max() < 1e-14
        shares = 0.5 * (shares + bought) if game.consumer_discount else bought
        if done:
            break
    later = second_prices_twin(game, stay * shares)
    owners, weights = [*range(game.n_firms), -1], np.append(stay * shares, 1.0 - stay * shares.sum())
    sold = sum(w * chances_twin(game, later, owner)[0] for owner, w in zip(owners, weights, strict=True))
    return (prices - game.marginal_costs) * shares + game.discount * (later - game.marginal_costs) * sold


@kinds
def test_second_prices_are_those_of_the_twin(game):
    bases = np.linspace(0.1, 0.25, game.n_firms)
    found = second_period(game, bases)
    assert found.converged and found.residual <= 1e-10
    assert found.prices == pytest.approx(second_prices_twin(game, bases), abs=1e-8)
    assert found.profits == pytest.approx(profits(second_period_game(game, bases), found.prices), abs=1e-12)


@kinds
def test_responses_to_the_bases_are_the_slopes_of_what_they_move(game):
    bases, step = np.linspace(0.1, 0.25, game.n_firms), 1e-4
    at = second_period(game, bases)
    for o in range(game.n_firms):
        move = step * (np.arange(game.n_firms) == o)
        more, fewer = second_period(game, bases + move), second_period(game, bases - move)
        for response, after, before in (
            (at.price_response[:, o], more.prices, fewer.prices),
            (at.base_value[:, o], more.profits, fewer.profits),
            (at.worth_response[:, o], more.worth, fewer.worth),
        ):
            assert response == pytest.approx((after - before) / (2.0 * step), rel=1e-5, abs=2e-6)


@kinds
def test_at_first_prices_no_firms_profit_over_both_periods_has_a_slope(game):
    solution = two_period_prices(game)
    assert solution.converged and solution.residual <= 1e-10, solution.message
    step = 0.02
    assert solution.profits == pytest.approx(profits_twin(game, solution.prices), abs=1e-9)
    for j in range(game.n_firms):
        move = step * (np.arange(game.n_firms) == j)
        ends = [profits_twin(game, solution.prices + times * move)[j] for times in (-2.0, -1.0, 1.0, 2.0)]
        slope = (8.0 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12.0 * step)
        assert slope == pytest.approx(0.0, abs=1e-8)


@kinds
def test_no_firm_gains_by_a_price_far_away_either(game):
    first, second = deviation_gains(game, two_period_prices(game))
    assert first == 0.0
    assert second < 1e-12


# Closed forms.


@pytest.mark.parametrize("n_firms", [1, 2, 4])
@pytest.mark.parametrize("outside", [0.0, 2.0, -math.inf])
def test_without_lock_in_both_periods_are_the_static_game(n_firms, outside):
    if n_firms == 1 and outside == -math.inf:
        return
    game = market(n_firms, switching_cost=0.0, staying_gain=0.0, consumer_discount=0.8, outside_utility=outside)
    demand = Demand(game.qualities[None, :], np.array([0.03]), None, np.asarray(outside))
    static = equilibrium_prices(bertrand(demand, game.marginal_costs, np.arange(n_firms)))
    solution = two_period_prices(game)
    assert solution.prices == pytest.approx(static.prices, abs=1e-9)
    assert solution.second.prices == pytest.approx(static.prices, abs=1e-9)
    assert solution.shares == pytest.approx(static.shares, abs=1e-11)


@given(
    switching_cost=st.floats(0.0, 1.2), staying_gain=st.floats(0.0, 1.2), turnover=st.floats(0.0, 1.0),
    discount=st.floats(0.0, 1.0), consumer_discount=st.floats(0.0, 1.0),
)  # fmt: skip
def test_a_covered_duopoly_has_the_closed_form(switching_cost, staying_gain, turnover, discount, consumer_discount):
    game = duopoly(
        switching_cost=switching_cost, staying_gain=staying_gain, turnover=turnover, discount=discount,
        consumer_discount=consumer_discount,
    )  # fmt: skip
    solution = two_period_prices(game)
    first, second = covered_duopoly_margins(game)
    assert solution.converged
    assert solution.prices - 100.0 == pytest.approx([first, first], abs=1e-8)
    assert solution.second.prices - 100.0 == pytest.approx([second, second], abs=1e-9)


def test_the_closed_form_is_hyperbolic_where_consumers_are_myopic_and_stay():
    game = duopoly(switching_cost=1.0, staying_gain=0.0, turnover=0.0, discount=0.9)
    first, second = covered_duopoly_margins(game)
    assert first == pytest.approx((2.0 - 0.6 * math.sinh(1.0)) / 0.03, rel=1e-14)
    assert second == pytest.approx((1.0 + math.cosh(1.0)) / 0.03, rel=1e-14)


# Hotelling's line.


def hotelling_twin(transport, locked, discount, consumer_discount):
    """First and second margins by brute force: profits on the line, maximised; costs 0."""

    def later(share):
        """Margins at which each firm's is its best reply, by iteration; then profits."""
        margins = np.array([transport, transport])
        for _ in range(200):
            for f, base in ((0, share), (1, 1.0 - share)):
                rival = margins[1 - f]
                best = locked * base + (1 - locked) * (0.5 + 0.5 * rival / transport)  # sales at a price of 0
                margins[f] = best / (2.0 * (1 - locked) * 0.5 / transport)
        sales = locked * share + (1 - locked) * (0.5 + 0.5 * (margins[1] - margins[0]) / transport)
        return margins, margins[0] * sales

    def share_at(own, rival):
        def excess(share):
            dearer = np.subtract(*later(share)[0])
            return 0.5 + 0.5 * (rival - own - consumer_discount * locked * dearer) / transport - share

        return optimize.brentq(excess, -5.0, 6.0, xtol=1e-15, rtol=1e-15)

    def total(own, rival):
        share = share_at(own, rival)
        return own * share + discount * later(share)[1]

    def slope(margin, step=0.05 * transport):
        return (total(margin + step, margin) - total(margin - step, margin)) / (2.0 * step)  # exact: a parabola

    return optimize.brentq(slope, -9.0 * transport, 9.0 * transport, xtol=1e-13), later(0.5)[0][0]


@pytest.mark.parametrize("locked", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("discount", "consumer_discount"), [(0.0, 0.0), (0.9, 0.0), (0.9, 0.9), (0.5, 1.0)])
def test_hotelling_margins_are_those_of_brute_force(locked, discount, consumer_discount):
    found = hotelling_margins(40.0, locked, discount, consumer_discount)
    assert found == pytest.approx(hotelling_twin(40.0, locked, discount, consumer_discount), abs=1e-7)
    if locked == 0.0:
        assert found == (40.0, 40.0)


# What theory says.


def like_firms(n_firms, outside, **changes):
    """Like firms without lock-in, unless told otherwise."""
    terms = {"switching_cost": 0.0, "staying_gain": 0.0, "outside_utility": outside, **changes}
    return market(n_firms, qualities=np.full(n_firms, 5.0), marginal_costs=np.full(n_firms, 100.0), **terms)


@pytest.mark.parametrize("n_firms", [2, 3, 4])
@pytest.mark.parametrize(
    ("kind", "outside"), [("switching_cost", -math.inf), ("staying_gain", -math.inf), ("staying_gain", 0.0)]
)
def test_lock_in_makes_a_bargain_then_a_ripoff(n_firms, outside, kind):
    """Firms patient, consumers myopic: the more lock-in, the cheaper at first and the dearer later."""
    paths = [two_period_prices(like_firms(n_firms, outside, **{kind: k})) for k in (0.0, 0.4, 0.8, 1.2)]
    assert all(path.converged for path in paths)
    assert (np.diff([path.prices[0] for path in paths]) < -0.5).all()
    assert (np.diff([path.second.prices[0] for path in paths]) > 0.3).all()


def test_where_buyers_may_stay_out_a_cost_of_switching_is_a_ripoff_only_once_it_is_large():
    """It also drives rivals' customers out of the market: while it is small each firm sells less and cuts its price."""
    paths = [two_period_prices(like_firms(2, 0.0, switching_cost=k)) for k in (0.0, 0.4, 1.2, 2.4)]
    assert (np.diff([path.prices[0] for path in paths]) < -0.5).all()
    later = [path.second.prices[0] for path in paths]
    assert later[1] < later[0] - 0.01 and later[0] + 1.0 < later[2] < later[3] - 1.0


def test_who_has_more_customers_is_dearer_later_and_a_rival_with_more_is_softer():
    for outside in (0.0, -math.inf):
        even = like_firms(2, outside, switching_cost=0.8, staying_gain=0.4)
        found = second_period(even, np.array([0.5, 0.2]))
        assert found.prices[0] > found.prices[1] + 3.0
        assert found.base_value[0, 0] > found.base_value[0, 1] + 1.0
        assert (np.diag(found.price_response) > 0).all()


@pytest.mark.parametrize("n_firms", [2, 3, 4])
def test_forward_looking_consumers_are_not_bargained_for_as_hard(n_firms):
    """They foresee that who has more customers will be dearer, and answer less to a low first price."""
    games = [like_firms(n_firms, -math.inf, switching_cost=1.2, consumer_discount=b) for b in (0.0, 0.5, 1.0)]
    assert (np.diff([two_period_prices(game).prices[0] for game in games]) > 0.1).all()


def test_firms_that_do_not_look_ahead_give_no_bargain():
    blind = two_period_prices(market(3, discount=0.0))
    static = two_period_prices(market(3, switching_cost=0.0, staying_gain=0.0))
    assert blind.prices == pytest.approx(static.prices, abs=1e-9)
    assert (two_period_prices(market(3)).prices < blind.prices - 3.0).all()


def test_newcomers_temper_both_the_bargain_and_the_ripoff():
    paths = [two_period_prices(duopoly(turnover=share)) for share in (0.0, 0.3, 0.6, 1.0)]
    assert (np.diff([path.prices[0] for path in paths]) > 1.0).all()
    assert (np.diff([path.second.prices[0] for path in paths]) < -1.0).all()
    static = two_period_prices(duopoly(switching_cost=0.0, staying_gain=0.0)).prices
    assert paths[-1].prices == pytest.approx(static, abs=1e-9)


def test_with_strong_lock_in_a_firm_would_leave_the_local_solution_and_it_is_told():
    solution = two_period_prices(duopoly(switching_cost=5.0, staying_gain=0.0))
    assert solution.converged
    first, second = deviation_gains(duopoly(switching_cost=5.0, staying_gain=0.0), solution)
    assert first > 1.0 and second > 1.0


def test_a_search_that_is_cut_short_says_so():
    solution = two_period_prices(market(3), max_iterations=0)
    assert not solution.converged and "no equilibrium found" in solution.message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: market(2, qualities=[1.0]), "one of each for every firm"),
        (lambda: market(1, outside_utility=-math.inf), "single firm without outside good"),
        (lambda: market(2, price_sensitivity=0.0), "price_sensitivity=0.0"),
        (lambda: market(2, switching_cost=-1.0), "not negative"),
        (lambda: market(2, turnover=1.5), "turnover=1.5"),
        (lambda: market(2, discount=-0.1), "discount=-0.1"),
        (lambda: market(2, consumer_discount=2.0), "consumer_discount=2.0"),
        (lambda: market(2, outside_utility=math.inf), "outside_utility"),
        (lambda: second_period(market(2), [0.8, 0.5]), "sum of at most 1"),
        (lambda: second_period(market(2), [0.8, -0.5]), "bases must be 2 fractions"),
        (lambda: covered_duopoly_margins(market(3)), "two like firms"),
        (lambda: covered_duopoly_margins(market(2)), "two like firms"),
        (lambda: hotelling_margins(0.0, 0.5), "transport_cost=0.0"),
        (lambda: hotelling_margins(1.0, 1.0), "locked_share=1.0"),
        (lambda: hotelling_margins(1.0, 0.5, 1.2), "fractions"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
