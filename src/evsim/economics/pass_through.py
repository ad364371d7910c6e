"""How equilibrium prices follow a cost or a tax: the pass-through matrix, exact by the implicit function theorem.

At equilibrium p = ζ(p, τ), so that in a neighbourhood without kinks

    dp/dτ_k = (I − dζ/dp)⁻¹ ∂ζ/∂τ_k.

A price held at a knot of the tax rule, or given, does not follow at all. In every table the row is the product that is
taxed, the column the price that responds.

Source: Weyl & Fabinger (2013), Journal of Political Economy 121(3); Froeb, Tschantz & Werden (2005), International
Journal of Industrial Organization 23(9–10), on differentiated products.
"""

from dataclasses import dataclass

import numpy as np

from evsim.economics.price_game import PriceGame
from evsim.economics.price_point import PricePoint, cross_sums, evaluate, target_change, target_derivative

SOLVED = 1e-6  # kCNY: the residual up to which prices count as an equilibrium's


@dataclass(frozen=True)
class PassThrough:
    """What one kCNY more on each product does to all prices; row: the product, column: the price that responds."""

    posted_prices: np.ndarray  # dp_j/dτ_k at [k, j], [J, J], kCNY per kCNY
    buyer_prices: np.ndarray  # dq_cj/dτ_k at [c, k, j], [C, J, J]: C = 1 where all consumers pay alike
    held: np.ndarray  # prices at a knot, or given, [J] bool: their columns of `posted_prices` are 0

    @property
    def own(self) -> np.ndarray:
        """dp_j/dτ_j, `[J]`."""
        return np.diag(self.posted_prices)


def pass_through(game: PriceGame, prices) -> PassThrough:
    """What one kCNY more of unit cost of each product does to all prices: a tax on makers, or parts that cost more.

    Args:
        game: `PriceGame`; whoever counts a product's cost (B) counts the change.
        prices: the equilibrium's, `[J]`, kCNY.
    Returns:
        `PassThrough`.
    Raises:
        ValueError: the prices are not an equilibrium's: a first-order condition asks for another.
    """
    point = _solved(game, prices)
    pushes = np.stack([_cost_push(game, point, step) for step in np.eye(game.n_products)])
    posted = _follow(game, point, pushes)
    return PassThrough(posted, game.rule.slope_below(point.prices)[:, None] * posted, point.held)


def buyer_tax_pass_through(game: PriceGame, prices) -> PassThrough:
    """What one kCNY more of tax on the buyers of each product (or less of subsidy) does to all prices.

    Args, Raises: as in `pass_through`.
    Returns:
        `PassThrough`: where buyers pay the posted price, makers' taxes less the tax itself: dp/dτ' = dp/dτ − I, dq/dτ' =
        dp/dτ. A subsidy's part that stays with the makers is −dp/dτ'.
    """
    point, n_classes = _solved(game, prices), len(game.rule.rules)
    still = np.zeros(game.n_products)
    pushes = [target_change(game, point, still, np.tile(step, (n_classes, 1))) for step in np.eye(game.n_products)]
    posted = _follow(game, point, np.stack(pushes))
    buyers = game.rule.slope_below(point.prices)[:, None] * posted + np.eye(game.n_products)
    return PassThrough(posted, buyers, point.held)


def _cost_push(game: PriceGame, point: PricePoint, step) -> np.ndarray:
    """∂ζ/∂c · step at given prices, `[J]`: from A ζ = B c + F + (A s / d + Σ_k Γ m) / Λ, where dm = −B dc."""
    accounts, held = game.accounts, point.held
    cross = cross_sums(game, point, -accounts.entry_cost_weight * step[accounts.rows.product], point.class_slopes)
    own = accounts.own_cost_weight * step + cross / np.where(held, 1.0, point.sums[1])
    return np.where(held, 0.0, own / accounts.own_revenue)


def _follow(game: PriceGame, point: PricePoint, pushes) -> np.ndarray:
    """Row k: (I − dζ/dp)⁻¹ of row k of the pushes, `[J, J]`."""
    response = np.stack([target_derivative(game, point, step) for step in np.eye(game.n_products)])  # row: what moves
    return np.linalg.solve(np.eye(game.n_products) - response.T, pushes.T).T


def _solved(game, prices):
    """The game at the equilibrium's prices."""
    point = evaluate(game, prices)
    if not point.residual <= SOLVED:
        raise ValueError(
            f"prices must be the equilibrium's, but a first-order condition asks to move one by {point.residual:.3g} kCNY"
        )
    return point
