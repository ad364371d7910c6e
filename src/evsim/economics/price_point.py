"""The price game evaluated at given prices: demand sums, ζ, its residual, and its derivative along a direction.

Where consumers are classes c with buyer's prices q_cj of their own, each first-order condition adds their sums,

    A_fj s_j − Σ_c q'_cj (Λ_cj m_fj − Σ_k Γ_cjk m_fk) = 0,

which is the condition of one class with the first class's slope q'_0j, Λ_j = Σ_c (q'_cj / q'_0j) Λ_cj, and Γ alike (`folded`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.compiled import over_blocks
from evsim.economics.price_game import Choices, PriceGame, class_rows
from evsim.economics.price_kernels import (
    asked_prices,
    demand_sums,
    demand_sums_derivative,
    fill_probabilities,
    folded,
    kinked_replies,
)
from evsim.economics.price_rule import BuyerPriceByClass

FAINT = 1e-290  # a Λ below this has lost digits: its sums are made relative to the product's best customer


@dataclass(frozen=True)
class PricePoint:
    """Demand and ζ at given prices; consumers in the order of `PriceGame.panel`."""

    prices: np.ndarray  # p, [J], kCNY
    probabilities: np.ndarray  # P, [N, J]
    inclusive: np.ndarray  # I, [N], utils
    expected: np.ndarray  # M_if = Σ_k P_ik m_fk, [N, setters + 1], kCNY; the last column is 0
    class_shares: np.ndarray  # what each class of consumers adds to s, [C, J]
    class_sums: np.ndarray  # [C, 3, J]: s, Λ, Σ_k Γ_jk m_fk of each class; of faint products all times one large factor
    class_slopes: np.ndarray  # dq/dp of the segment ζ lies in, or of the one below the knot that holds it, [C, J]
    target: np.ndarray  # ζ(p), [J], kCNY; p itself where the price is given
    held: np.ndarray  # where ζ is a knot, or the price is given, [J] bool

    @cached_property
    def shares(self) -> np.ndarray:
        """s, `[J]`."""
        return self.class_shares.sum(axis=0)

    @cached_property
    def sums(self) -> np.ndarray:
        """`[3, J]`: s, Λ, Σ_k Γ_jk m_fk of all classes, `folded`; of faint products, all three times one large factor."""
        return folded(self.class_sums, self.class_slopes)

    @cached_property
    def slope_used(self) -> np.ndarray:
        """dq/dp of the first class in ζ, `[J]`; 0 where the price is held."""
        return np.where(self.held, 0.0, self.class_slopes[0])

    @cached_property
    def gap(self) -> np.ndarray:
        """ζ(p) − p, `[J]`, kCNY."""
        return self.target - self.prices

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
    panel, accounts, rule = game.panel, game.accounts, game.rule
    buyer_prices, margins = rule.value(prices), accounts.margins(prices)
    if game.known is not None and np.array_equal(game.known.prices, prices):
        chosen = game.known
    else:
        columns = panel.utility, panel.price_sensitivity, panel.outside_utility
        chosen = choices_at(prices, *columns, rule, game.threads)
    probabilities, inclusive = chosen.probabilities, chosen.inclusive
    expected = np.empty((len(inclusive), len(accounts.rows.start)))

    def part(block, _):
        sensitivity, weights = panel.price_sensitivity[block], panel.weights[block]
        return demand_sums(probabilities[block], weights, sensitivity, accounts.rows, margins, expected[block])

    class_sums = sums_by_class(game, part)
    class_shares = class_sums[:, 0].copy()
    for j in np.flatnonzero(accounts.priced & ~(class_sums[:, 1].sum(axis=0) > FAINT)):
        own_margins = expected[:, accounts.rows.row_of_product[j]]
        class_sums[:, :, j] = _faint_sums(game, buyer_prices[:, j], inclusive, own_margins, j)
    own = accounts.own_cost, accounts.own_revenue, accounts.rows.row_of_product
    target, segment, held = kinked_replies(
        prices, own[2], asked_prices(class_sums, rule.slopes, *own), rule.knots, rule.notches
    )
    class_slopes = rule.slopes[:, np.arange(len(prices)), segment]
    return PricePoint(prices, probabilities, inclusive, expected, class_shares, class_sums, class_slopes, target, held)


def choices_at(prices, utility, price_sensitivity, outside_utility, rule: BuyerPriceByClass, threads=1) -> Choices:
    """What consumers choose at the posted prices p, `[J]`, kCNY.

    Args:
        utility, price_sensitivity, outside_utility: as in `Demand`, class after class of the tax rule.
        threads: no number changes a bit.
    """
    probabilities, inclusive = np.empty_like(utility), np.empty(len(utility))
    columns = utility, price_sensitivity, outside_utility, probabilities, inclusive
    for rows, paid in zip(class_rows(rule), rule.value(prices), strict=True):

        def fill(block, rows=rows, paid=paid):
            tastes, alpha, outside, chances, value = (column[rows][block] for column in columns)
            fill_probabilities(tastes, alpha, outside, paid, chances, value)

        over_blocks(fill, rows.stop - rows.start, threads)
    return Choices(prices, probabilities, inclusive)


def sums_by_class(game: PriceGame, part) -> np.ndarray:
    """`[C, 3, J]`: part(block of rows of the panel, class) `[3, J]` added up over each class's blocks, in their order."""

    def of_class(own_class, rows):
        def shifted(block):
            return part(slice(rows.start + block.start, rows.start + block.stop), own_class)

        blocks = over_blocks(shifted, rows.stop - rows.start, game.threads)
        return np.sum([np.zeros((3, game.n_products)), *blocks], axis=0)

    return np.stack([of_class(own_class, rows) for own_class, rows in enumerate(game.class_rows)])


def cross_sums(game: PriceGame, point: PricePoint, entries, slopes) -> np.ndarray:
    """Σ_k Γ_jk x_fk, `[J]`, of all classes `folded` by `slopes`, for x given entry by entry of the setters' rows."""
    panel, scratch = game.panel, np.empty_like(point.expected)
    sums = [
        demand_sums(
            point.probabilities[rows], panel.weights[rows], panel.price_sensitivity[rows], game.accounts.rows, entries,
            scratch[rows],
        )
        for rows in game.class_rows
    ]  # fmt: skip
    return folded(np.stack(sums), slopes)[2]


def target_derivative(game: PriceGame, point: PricePoint, step) -> np.ndarray:
    """dζ/dp · step, `[J]`: 0 for prices held at a knot or given."""
    return target_change(game, point, step, game.rule.slope_below(point.prices) * step)


def target_change(game: PriceGame, point: PricePoint, step, buyer_steps) -> np.ndarray:
    """How ζ changes, `[J]`, as posted prices change by `step` `[J]` and buyers' by `buyer_steps` `[C, J]`, to first order.

    From ζ = (cost + m) / A with m = (A s / d + Σ_k Γ m) / Λ:  dm = (A ds / d + d(Σ_k Γ m) − m dΛ) / Λ.
    """
    panel, accounts = game.panel, game.accounts
    entries = np.stack([accounts.margins(point.prices), accounts.entry_revenue])

    def part(block, own_class):
        steps = np.stack([step, buyer_steps[own_class]])
        at = point.probabilities[block], point.expected[block]
        return demand_sums_derivative(
            *at, panel.weights[block], panel.price_sensitivity[block], accounts.rows, entries, steps
        )

    change = folded(sums_by_class(game, part), point.class_slopes)
    slope = np.where(point.held, 1.0, point.class_slopes[0])
    revenue = accounts.own_revenue
    margin = revenue * point.target - accounts.own_cost
    scale = np.where(point.held, 1.0, point.sums[1]) * revenue
    return np.where(point.held, 0.0, (revenue * change[0] / slope + change[2] - margin * change[1]) / scale)


def _faint_sums(game, buyer_prices, inclusive, expected, j):
    """s, Λ and Σ_k Γ m of a product nearly nobody buys, `[C, 3]`, relative to the most likely buyer's probability.

    ζ needs their ratios only, which are exact where the sums themselves underflow.
    """
    panel, rows = game.panel, game.class_rows
    paid = np.concatenate([np.full(part.stop - part.start, q) for part, q in zip(rows, buyer_prices, strict=True)])
    log_chance = panel.utility[:, j] - panel.price_sensitivity * paid - inclusive
    buying = panel.weights > 0
    relative = np.zeros_like(log_chance)
    relative[buying] = np.exp(log_chance[buying] - log_chance[buying].max()) * panel.weights[buying]
    sensitive = relative * panel.price_sensitivity
    return np.array([[column[part].sum() for column in (relative, sensitive, sensitive * expected)] for part in rows])
