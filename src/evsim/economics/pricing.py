"""Bertrand–Nash prices under mixed logit, with a certificate.

The first-order condition of product j, f its setter, Λ_j = Σ_i w_i α_i P_ij, Γ_jk = Σ_i w_i α_i P_ij P_ik, is

    A_fj s_j − q'_j (Λ_j m_fj − Σ_k Γ_jk m_fk) = 0,    m_fk = A_fk p_k − B_fk c_k − F_fk.

Solved for the margin it is the map of Morrow and Skerlos, m_fj ← (A_fj s_j / q'_j + Σ_k Γ_jk m_fk) / Λ_j: ζ(p), a price
in kCNY, whose fixed points are the solutions. Where the market is nearly covered the textbook's iteration, p ← c plus
markup, runs away; ζ does not. At a knot of the buyer's price where the slope rises the condition is an inclusion: the
price rests at the knot while p(slope below) ≥ knot ≥ p(slope above), and counts as solved. Where the slope falls there
may be two local maxima, so that profits are compared.

At a notch (a ceiling above which a benefit is lost) the buyer's price jumps. Products bunch there: a price rests at the
ceiling while p(slope below) ≥ ceiling, and its setter compares it with the best price above. Best replies then jump as
rivals' prices move, so that there may be no equilibrium in pure strategies, and where several exist the start selects.
With consumers alike and firms of one product one always exists: profits are log-supermodular in the buyers' prices,
whatever rule turns posted prices into them (Milgrom & Roberts 1990).

The game itself is in `price_game`, ζ and its derivative in `price_point`, the search in `price_search`, unilateral
deviations in `deviations`; their public names can be had from here.

Source: Morrow & Skerlos (2011), Operations Research 59(2); Caplin & Nalebuff (1991), Econometrica 59(1), and Milgrom &
Roberts (1990), Econometrica 58(6), on existence.
"""

import numpy as np

from evsim.economics.deviations import Certificate, Deviation, certificate, gains_of_prices, largest_gain, profits
from evsim.economics.price_game import Demand, PriceGame, bertrand
from evsim.economics.price_kernels import folded
from evsim.economics.price_point import FAINT, cross_sums, evaluate, zeta
from evsim.economics.price_search import JUMPS, PriceSolution, Search, krylov

__all__ = [
    "Certificate", "Demand", "Deviation", "PriceGame", "PriceSolution", "bertrand", "best_response_steps",
    "certificate", "costs_from_prices", "equilibrium_prices", "first_order_residual", "largest_gain", "nash_prices",
    "profits", "verified_prices", "zeta",
]  # fmt: skip


def first_order_residual(game: PriceGame, prices) -> float:
    """max_j |p_j − ζ_j(p)|, kCNY: 0 at a solution, also where prices rest at a knot."""
    return evaluate(game, prices).residual


def best_response_steps(game: PriceGame, prices, steps: int) -> np.ndarray:
    """Prices after a number of ζ steps, all setters at once: firms that adjust, without solving the game.

    Where the tax rule has notches, one setter after the other then looks whether its price had better be on the other
    side of one: ζ alone sees its own side.
    """
    prices = np.array(prices, dtype=float)
    for _ in range(steps):
        prices = zeta(game, prices)
        if game.rule.notches.any():
            search = Search(game, evaluate(game, prices), 0.0, 0)
            search.jump_each(_near_a_second_maximum(search.point, game))
            prices = search.point.prices
    return prices


def nash_prices(  # noqa: PLR0913 - the door for plain arrays; what travels together is in Demand and PriceGame
    utility,
    price_sensitivity,
    weights,
    marginal_costs,
    revenue_weights,
    cost_weights,
    *,
    payments=None,
    setter=None,
    buyer_price=None,
    start=None,
) -> PriceSolution:
    """Bertrand–Nash prices from plain arrays: `Demand`, `PriceGame` and `verified_prices` in one call.

    Args:
        utility: V, utility before price, `[N, J]`, utils; the outside good is 0.
        price_sensitivity: α, `[N]`, utils per kCNY, positive.
        weights: w, `[N]`; None: all alike.
        marginal_costs: c, `[J]`, kCNY.
        revenue_weights, cost_weights: A and B, `[F, J]`.
        payments: F, `[F, J]`, kCNY per vehicle; None: 0.
        setter: the row that sets each price, `[J]`; −1: given by `start`; None: the row with the largest A.
        buyer_price: `BuyerPrice`; None: the buyer pays the posted price.
        start: p to start from, `[J]`, kCNY; None: unit costs.
    Returns:
        `PriceSolution`.
    """
    demand = Demand(utility, price_sensitivity, weights)
    game = PriceGame(demand, marginal_costs, revenue_weights, cost_weights, payments, setter, buyer_price)
    return verified_prices(game, start)


def equilibrium_prices(game: PriceGame, start=None, tolerance=1e-10, max_iterations=500) -> PriceSolution:
    """Prices from which no setter's first-order condition asks to move.

    Args:
        game: `PriceGame`.
        start: p to start from, `[J]`, kCNY; needed where a price is given (setter −1); None: unit costs.
        tolerance: largest |p − ζ(p)| accepted, kCNY; never less than rounding, 4e-15 of the largest price.
        max_iterations: evaluations of demand allowed.
    Returns:
        `PriceSolution`; `converged` and `message` say how it ended. `certificate` tells whether a price has a better
        reply far away, which first-order conditions cannot see.
    Raises:
        ValueError: a price is given but `start` is not, or is not finite.
    """
    search = Search(game, evaluate(game, _start(game, start)), tolerance, max_iterations)
    return _settle(search, _near_a_second_maximum)


def verified_prices(game: PriceGame, start=None, tolerance=1e-10, max_iterations=2000) -> PriceSolution:
    """`equilibrium_prices`, and no setter has a better price for any one product, near or far.

    With consumers that differ much a first-order solution may leave a better price far away (for few who hardly mind).
    Here each price is tried over the whole range; where a setter gains, the search goes on from there. That costs about
    a hundred exponentials for each consumer and product. Where it never ends there may be no equilibrium in pure
    strategies: prices that solve the first-order conditions are returned, and `converged` is False.
    """
    search = Search(game, evaluate(game, _start(game, start)), tolerance, max_iterations)
    return _settle(search, lambda point, game: np.flatnonzero(game.accounts.priced))


def _near_a_second_maximum(point, game):
    """Products whose setter may have a second local maximum: where the slope falls, at a notch, and above one that pays.

    A benefit moves the best posted price up, if at all: from above a notch it is enough to look at the notch itself. One
    below the product's cost never pays.
    """
    rule, accounts = game.rule, game.accounts
    falling = (np.diff(rule.slopes, axis=2) < 0).any(axis=(0, 2))
    unit_cost = accounts.own_cost / accounts.own_revenue
    worth = rule.notches & (rule.knots > unit_cost[:, None])
    at = (worth & (rule.knots == point.prices[:, None])).any(axis=1)
    above = (worth & (rule.knots < point.prices[:, None])) & (accounts.priced & ~falling & ~at)[:, None]
    pays = [
        j
        for j in map(int, np.flatnonzero(above.any(axis=1)))
        if gains_of_prices(game, point, j, rule.knots[j, above[j]]).max() > 0
    ]
    return np.union1d(np.flatnonzero((falling | at) & accounts.priced), np.array(pays, dtype=int))


def _settle(search, watched):
    """Solve, and jump to a better maximum in one of the watched prices, until there is none.

    With notches many prices may have to jump, so each gets its turn before the game is solved again.
    """
    jump = search.jump_each if search.game.rule.notches.any() else search.jump
    search.solve()
    for _ in range(JUMPS):
        local = search.point
        if not search.solved() or not jump(watched(search.point, search.game)):
            return search.solution()
        search.solve()
        if not search.solved():
            search.point = local
            break
    return search.solution(
        "a setter gains by a better price far away, after which others move too: there may be no "
        "equilibrium; these prices solve the first-order conditions"
    )


def costs_from_prices(game: PriceGame, prices) -> np.ndarray:
    """Marginal costs under which given prices satisfy every first-order condition, so that the game returns them.

        B_fj c_j − Σ_k Γ_jk B_fk c_k / Λ_j = a_j − Σ_k Γ_jk a_k / Λ_j − A_fj s_j / (q'_j Λ_j),    a_k = A_fk p_k − F_fk

    At a knot of the buyer's price q' is taken as the mean of the slopes on its two sides: the price then rests at the
    knot, as it would for every cost in an interval. (Where the slope falls no cost makes a setter stay at the knot; at a
    notch the cost is the lowest that would, or above it where the slope rises too.)

    Args:
        game: `PriceGame`; of its `marginal_costs` only those of products without setter (or buyer) count, and are kept.
        prices: p, `[J]`, kCNY.
    Returns:
        c, `[J]`, kCNY; negative where demand is too inelastic for the price.
    Raises:
        ValueError: nobody buys a product at its price, or its setter does not bear its cost (B = 0).
    Source:
        Nevo (2001), Econometrica 69(2), section 3.3, for A = B = H and q = p.
    """
    point, accounts = evaluate(game, prices), game.accounts
    priced, rows, weight = accounts.priced, accounts.rows, accounts.own_cost_weight
    if not (point.shares[priced] > FAINT).all():
        raise ValueError("nobody buys some product at its price, so that its cost cannot be told from it")
    if (weight[priced] == 0).any():
        raise ValueError(
            "a setter does not bear the cost of its product (B = 0), so that its price does not tell the cost"
        )
    slopes = 0.5 * (game.rule.slope_below(point.prices) + game.rule.slope_above(point.prices))
    sensitive = np.where(priced, folded(point.class_sums, slopes)[1], 1.0)

    def less_cross_effect(own, entries):
        """x_j − Σ_k Γ_jk x_fk / Λ_j where a price is set, x_j itself elsewhere."""
        return own - np.where(priced, cross_sums(game, point, entries, slopes), 0.0) / sensitive

    def costs_effect(costs):
        return less_cross_effect(
            np.where(priced, weight * costs, costs),
            accounts.entry_cost_weight * np.where(priced, costs, 0.0)[rows.product],
        )

    given = np.where(priced, 0.0, game.marginal_costs)
    entries = accounts.margins(point.prices) + accounts.entry_cost_weight * (game.marginal_costs - given)[rows.product]
    own = accounts.own_revenue * point.prices - (accounts.own_cost - weight * game.marginal_costs)
    right_side = less_cross_effect(own, entries) - accounts.own_revenue * point.shares / (slopes[0] * sensitive)
    right_side = np.where(priced, right_side, given)
    costs = np.where(priced, right_side / np.where(priced, weight, 1.0), given)
    for _ in range(4):  # each round removes what rounding left of the one before
        costs = costs + krylov(costs_effect, right_side - costs_effect(costs), relative=1e-10)
    return costs


def _start(game, start):
    """Prices to start from: unit costs, unless given."""
    if start is not None:
        return start
    if (game.setter < 0).any():
        raise ValueError("start must give the prices of products without setter")
    return game.accounts.own_cost / game.accounts.own_revenue
