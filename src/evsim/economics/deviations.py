"""What a setter gains by moving one price, others held: best replies over the whole range, and the certificate.

First-order conditions can hold at a local maximum only, or at a minimum. So the profit of each setter is followed along
each of its prices, exactly: with others' prices held, N exponentials give the profit at one more price.
"""

from dataclasses import dataclass

import numpy as np

from evsim.economics.price_game import PriceGame
from evsim.economics.price_kernels import gains_along_price
from evsim.economics.price_point import PricePoint, evaluate

GRID = 48  # prices tried on either side of the present one
ZOOMS = 12  # times a best reply's bracket is narrowed, each time about eightfold


@dataclass(frozen=True)
class Deviation:
    """The largest gain found from moving one price alone."""

    gain: float  # kCNY per potential buyer and period; 0 where staying is best
    product: int  # whose price moves
    price: float  # to where, kCNY
    gains: np.ndarray  # [J], the largest for each product; 0 where the price is given
    prices: np.ndarray  # [J], where each is reached, kCNY


@dataclass(frozen=True)
class Certificate:
    """How far prices are from equilibrium, in two measures that need no trust in the solver."""

    residual: float  # first-order: max_j |p_j − ζ_j(p)|, kCNY
    gain: float  # largest gain of a unilateral deviation of one price on a grid, kCNY per potential buyer
    product: int  # of that deviation
    price: float  # of that deviation, kCNY


def profits(game: PriceGame, prices) -> np.ndarray:
    """Σ_k m_fk s_k, `[F]`, kCNY per potential buyer: what each row of A, B, F earns at these prices."""
    point = evaluate(game, prices)
    margins = game.revenue_weights * point.prices - game.cost_weights * game.marginal_costs - game.payments
    return (margins * point.shares).sum(axis=1)


def largest_gain(game: PriceGame, prices, grid=None) -> Deviation:
    """The largest gain from a unilateral deviation in a single price.

    Args:
        game: `PriceGame`.
        prices: p, `[J]`, kCNY.
        grid: prices to try, `[G]` for every product or `[J, G]`, kCNY, and the notches of the tax rule; None: about a
            hundred, spaced geometrically away from the present price both ways, to where nobody buys, and every knot.
    Returns:
        `Deviation`.
    """
    point = evaluate(game, prices)
    gains, best = np.zeros(game.n_products), point.prices.copy()
    tried = (
        None if grid is None else np.broadcast_to(np.asarray(grid, dtype=float), (game.n_products, np.shape(grid)[-1]))
    )
    for j in map(int, np.flatnonzero(game.accounts.priced)):
        knots, notches = game.rule.knots[j], game.rule.notches[j]
        candidates = candidate_prices(game, point, j) if tried is None else np.append(tried[j], knots[notches])
        along = gains_of_prices(game, point, j, candidates)
        if along.max() > 0:
            gains[j], best[j] = along.max(), candidates[along.argmax()]
    worst = int(gains.argmax())
    return Deviation(float(gains[worst]), worst, float(best[worst]), gains, best)


def certificate(game: PriceGame, solution, grid=None) -> Certificate:
    """Residual and largest unilateral gain at a solution (anything with `.prices`), or at plain prices `[J]`."""
    prices = getattr(solution, "prices", solution)
    deviation = largest_gain(game, prices, grid)
    return Certificate(evaluate(game, prices).residual, deviation.gain, deviation.product, deviation.price)


def best_reply(game: PriceGame, point: PricePoint, product: int) -> tuple[float, float]:
    """The price of one product that serves its setter best over the whole range, others held, and the gain.

    The best of `candidate_prices`, then its bracket narrowed again and again.
    """
    candidates = candidate_prices(game, point, product)
    best_price, best_gain = float(point.prices[product]), 0.0
    for _ in range(ZOOMS):
        gains = gains_of_prices(game, point, product, candidates)
        best = int(gains.argmax())
        if gains[best] > best_gain:  # kept: the next candidates need not contain it, and it may be exactly a knot
            best_price, best_gain = float(candidates[best]), float(gains[best])
        candidates = np.linspace(candidates[max(best - 1, 0)], candidates[min(best + 1, len(candidates) - 1)], 17)
    return best_price, best_gain


def candidate_prices(game: PriceGame, point: PricePoint, product: int) -> np.ndarray:
    """Prices worth trying for one product, rising, kCNY: fine near the present one, out to where nobody buys."""
    demand, accounts, rule = game.demand, game.accounts, game.rule
    price = point.prices[product]
    unit_cost = accounts.own_cost[product] / accounts.own_revenue[product]
    slope = rule.slopes[:, product].min()
    least = demand.price_sensitivity[demand.type_of[demand.weights > 0]].min()
    reach = 10.0 / (least * slope)  # e^-10 of the least sensitive are left
    distance = np.geomspace(1e-4, 1.0, GRID)
    up = price + distance * (max(price, unit_cost) - price + reach)
    down = price - distance * (price - min(price, unit_cost) + reach)
    knots = rule.knots[product]
    return np.unique(np.concatenate([down, [price, unit_cost], up, knots[np.isfinite(knots)]]))


def gains_of_prices(game: PriceGame, point: PricePoint, product: int, candidates) -> np.ndarray:
    """What its setter gains as one price goes from `point` to each candidate, `[G]`, kCNY per potential buyer."""
    panel, accounts, rule = game.panel.one_by_one, game.accounts, game.rule
    own_revenue, own_cost = accounts.own_revenue[product], accounts.own_cost[product]
    price, chance = point.prices[product], point.probabilities
    rest = np.exp(panel.outside_utility - point.inclusive)
    rest = rest + chance[:, :product].sum(axis=1) + chance[:, product + 1 :].sum(axis=1)
    margin = own_revenue * price - own_cost
    others = point.expected[:, accounts.rows.row_of_product[product]] - chance[:, product] * margin
    margins = own_revenue * np.concatenate([[price], candidates]) - own_cost
    gains = np.zeros(len(candidates))
    for rows, own_rule in zip(game.class_rows, rule.rules, strict=True):
        buyer_now = own_rule.value(point.prices)[product]
        sensitivity = panel.price_sensitivity[rows]
        log_chance = panel.utility[rows, product] - sensitivity * buyer_now - point.inclusive[rows]
        moves = own_rule.only(product).value(np.asarray(candidates)[:, None])[:, 0] - buyer_now
        own = np.stack([log_chance, sensitivity])
        gains += gains_along_price(own, rest[rows], others[rows], panel.weights[rows], margins, moves)
    return gains
