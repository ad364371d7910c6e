"""The price game evaluated at given prices: demand sums, ζ, its residual, and its derivative along a direction."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.compiled import over_blocks
from evsim.economics.price_game import PriceGame
from evsim.economics.price_kernels import demand_sums, demand_sums_derivative, fill_probabilities, kinked_replies

FAINT = 1e-290  # a Λ below this has lost digits: its sums are made relative to the product's best customer


@dataclass(frozen=True)
class PricePoint:
    """Demand and ζ at given prices."""

    prices: np.ndarray  # p, [J], kCNY
    probabilities: np.ndarray  # P, [N, J]
    inclusive: np.ndarray  # I, [N], utils
    expected: np.ndarray  # M_if = Σ_k P_ik m_fk, [N, setters + 1], kCNY; the last column is 0
    shares: np.ndarray  # s, [J]
    sums: np.ndarray  # [3, J]: s, Λ, Σ_k Γ_jk m_fk; of faint products, all three times one large factor
    target: np.ndarray  # ζ(p), [J], kCNY; p itself where the price is given
    slope_used: np.ndarray  # dq/dp in ζ, [J]; 0 where the price is held at a knot, or given

    @cached_property
    def gap(self) -> np.ndarray:
        """ζ(p) − p, `[J]`, kCNY."""
        return self.target - self.prices

    @property
    def held(self) -> np.ndarray:
        """Where ζ is a knot, or the price is given, `[J]`."""
        return self.slope_used == 0

    @cached_property
    def residual(self) -> float:
        """max_j |p_j − ζ_j(p)|, kCNY."""
        return float(np.abs(self.gap).max())

    @cached_property
    def distance(self) -> float:
        """The Euclidean norm of p − ζ(p), kCNY: what a Newton step must halve."""
        return float(np.sqrt((self.gap**2).sum()))


def evaluate(game: PriceGame, prices) -> PricePoint:
    """Demand and ζ at the posted prices p, `[J]`.

    Raises:
        ValueError: prices of the wrong shape, or not finite.
    """
    prices = np.array(prices, dtype=float)
    if prices.shape != (game.n_products,) or not np.isfinite(prices).all():
        raise ValueError(f"prices must be {game.n_products} finite numbers, one per product")
    demand, accounts, rule = game.demand, game.accounts, game.buyer_price
    buyer_prices = rule.value(prices)
    probabilities, inclusive = np.empty_like(demand.utility), np.empty(len(demand.utility))
    consumers = (demand.utility, demand.price_sensitivity, demand.outside_utility)
    margins = accounts.margins(prices)
    expected = np.empty((len(inclusive), len(accounts.rows.start)))

    def part(block):
        utility, sensitivity, outside = (column[block] for column in consumers)
        fill_probabilities(utility, sensitivity, outside, buyer_prices, probabilities[block], inclusive[block])
        weights = demand.weights[block]
        return demand_sums(probabilities[block], weights, sensitivity, accounts.rows, margins, expected[block])

    sums = np.sum(over_blocks(part, len(inclusive), game.threads), axis=0)
    shares = sums[0].copy()
    for j in np.flatnonzero(accounts.priced & ~(sums[1] > FAINT)):
        sums[:, j] = _faint_sums(demand, buyer_prices, inclusive, expected[:, accounts.rows.row_of_product[j]], j)
    target, slope_used = kinked_replies(
        prices, accounts.rows.row_of_product, accounts.own_revenue, accounts.own_cost, sums, rule.knots, rule.slopes
    )
    return PricePoint(prices, probabilities, inclusive, expected, shares, sums, target, slope_used)


def target_derivative(game: PriceGame, point: PricePoint, step) -> np.ndarray:
    """dζ/dp · step, `[J]`: 0 for prices held at a knot or given.

    From ζ = (cost + m) / A with m = (A s / d + Σ_k Γ m) / Λ:  dm = (A ds / d + d(Σ_k Γ m) − m dΛ) / Λ.
    """
    demand, accounts = game.demand, game.accounts
    steps = np.stack([step, game.buyer_price.slope_below(point.prices) * step])
    entries = np.stack([accounts.margins(point.prices), accounts.entry_revenue])

    def part(block):
        at = point.probabilities[block], point.expected[block]
        return demand_sums_derivative(
            *at, demand.weights[block], demand.price_sensitivity[block], accounts.rows, entries, steps
        )

    change = np.sum(over_blocks(part, len(demand.weights), game.threads), axis=0)
    free = point.slope_used > 0
    slope = np.where(free, point.slope_used, 1.0)
    revenue = accounts.own_revenue
    margin = revenue * point.target - accounts.own_cost
    scale = np.where(free, point.sums[1], 1.0) * revenue
    return np.where(free, (revenue * change[0] / slope + change[2] - margin * change[1]) / scale, 0.0)


def _faint_sums(demand, buyer_prices, inclusive, expected, j):
    """s, Λ and Σ_k Γ m of a product nearly nobody buys, relative to the most likely buyer's probability.

    ζ needs their ratios only, which are exact where the sums themselves underflow.
    """
    log_chance = demand.utility[:, j] - demand.price_sensitivity * buyer_prices[j] - inclusive
    buying = demand.weights > 0
    relative = np.zeros_like(log_chance)
    relative[buying] = np.exp(log_chance[buying] - log_chance[buying].max()) * demand.weights[buying]
    sensitive = relative * demand.price_sensitivity
    return relative.sum(), sensitive.sum(), (sensitive * expected).sum()
