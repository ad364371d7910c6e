"""The price game evaluated at given prices: demand sums, ζ, its residual, and its derivative along a direction.

Where consumers are classes c with buyer's prices q_cj of their own, each first-order condition adds their sums,

    A_fj s_j − Σ_c q'_cj (Λ_cj m_fj − Σ_k Γ_cjk m_fk) = 0,

which is the condition of one class with the first class's slope q'_0j, Λ_j = Σ_c (q'_cj / q'_0j) Λ_cj, and Γ alike (`folded`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.compiled import over_blocks
from evsim.economics.price_game import Accounts, Choices, Demand, PriceGame, class_types
from evsim.economics.price_kernels import (
    asked_prices,
    demand_sums,
    demand_sums_at,
    demand_sums_derivative,
    fill_expected,
    fill_odds,
    folded,
    kinked_replies,
)
from evsim.economics.price_rule import BuyerPriceByClass

FAINT = 1e-290  # a Λ below this has lost digits: its sums are made relative to the product's best customer


@dataclass(frozen=True)
class PricePoint:
    """Demand and ζ at given prices; consumers in the order of `PriceGame.panel`."""

    game: PriceGame
    prices: np.ndarray  # p, [J], kCNY
    chosen: Choices
    class_shares: np.ndarray  # what each class of consumers adds to s, [C, J]
    class_sums: np.ndarray  # [C, 3, J]: s, Λ, Σ_k Γ_jk m_fk of each class; of faint products all times one large factor
    class_slopes: np.ndarray  # dq/dp of the segment ζ lies in, or of the one below the knot that holds it, [C, J]
    target: np.ndarray  # ζ(p), [J], kCNY; p itself where the price is given
    held: np.ndarray  # where ζ is a knot, or the price is given, [J] bool

    @property
    def probabilities(self) -> np.ndarray:
        """P, `[N, J]`."""
        return self.chosen.probabilities

    @property
    def inclusive(self) -> np.ndarray:
        """I, `[N]`, utils."""
        return self.chosen.inclusive

    @cached_property
    def expected(self) -> np.ndarray:
        """M_if = Σ_k P_ik m_fk, `[N, setters + 1]`, kCNY; the last column is 0."""
        return _expected(self.chosen, self.game.accounts)

    @cached_property
    def class_curvatures(self) -> np.ndarray:
        """`[C, 3, J]`: s, Λ, Σ_k Γ_jk m_fk of each class with w α in place of w: what `demand_sums_derivative` leaves out."""
        panel, margins = self.game.panel, self.game.accounts.margins(self.prices)
        return _demand_sums(self.game, self.chosen, margins, panel.weights * panel.price_sensitivity[panel.type_of])

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
    prices = _checked(game, prices)
    accounts, rule, chosen = game.accounts, game.rule, game.known
    if chosen is None or not np.array_equal(chosen.prices, prices):
        chosen = choices_at(prices, game.panel, rule, game.threads)
    class_sums = _demand_sums(game, chosen, accounts.margins(prices), game.panel.weights)
    class_shares = class_sums[:, 0].copy()
    faint = _faint(game, class_sums)
    expected = _expected(chosen, accounts) if len(faint) else np.empty(0)
    for j in faint:
        class_sums[:, :, j] = _faint_sums(game, chosen, expected[:, accounts.rows.row_of_product[j]], j)
    target, segment, held = _replies(game, prices, class_sums)
    class_slopes = rule.slopes[:, np.arange(len(prices)), segment]
    return PricePoint(game, prices, chosen, class_shares, class_sums, class_slopes, target, held)


def zeta(game: PriceGame, prices) -> np.ndarray:
    """ζ(p), `[J]`, kCNY: each setter's price from its first-order condition, the demand sums taken at `prices`: the target of
    `evaluate`, but for rounding, without a table of what consumers choose.

    Raises:
        ValueError: prices of the wrong shape, or not finite.
    """
    prices = _checked(game, prices)
    if game.known is not None and np.array_equal(game.known.prices, prices):
        return evaluate(game, prices).target
    panel, accounts = game.panel, game.accounts
    margins, paid = accounts.margins(prices), game.rule.value(prices)

    def part(types, own_class):
        tastes = panel.utility[types], panel.price_sensitivity[types], panel.outside_utility
        states = panel.states_of(types)
        return demand_sums_at(tastes, panel.weights, states, paid[own_class], accounts.rows, game.bonded, margins)

    class_sums = sums_by_class(game, class_types(panel, game.rule), part)
    return evaluate(game, prices).target if len(_faint(game, class_sums)) else _replies(game, prices, class_sums)[0]


def _checked(game: PriceGame, prices) -> np.ndarray:
    """Prices of the game's products."""
    prices = np.array(prices, dtype=float)
    if prices.shape != (game.n_products,) or not np.isfinite(prices).all():
        raise ValueError(f"prices must be {game.n_products} finite numbers, one per product")
    return prices


def _faint(game: PriceGame, class_sums) -> np.ndarray:
    """Products with a price to set that nearly nobody buys."""
    return np.flatnonzero(game.accounts.priced & ~(class_sums[:, 1].sum(axis=0) > FAINT))


def _replies(game: PriceGame, prices, class_sums):
    """ζ, its segment of the tax rule, and whether a knot holds it, `[J]` each, from the sums at the prices."""
    accounts, rule = game.accounts, game.rule
    own = accounts.own_cost, accounts.own_revenue, accounts.rows.row_of_product
    return kinked_replies(prices, own[2], asked_prices(class_sums, rule.slopes, *own), rule.knots, rule.notches)


def choices_at(prices, demand: Demand, rule: BuyerPriceByClass, threads=1) -> Choices:
    """What consumers choose at the posted prices p, `[J]`, kCNY.

    Args:
        demand: consumers class after class of the tax rule, those of one type in one class; their weights do not matter.
        threads: no number changes a bit.
    """
    n_types, n_consumers = len(demand.utility), len(demand)
    odds, highest = np.empty(demand.utility.shape), np.empty(n_types)
    inside, staying = np.empty(n_consumers), np.empty(n_consumers)
    for types, paid in zip(class_types(demand, rule), rule.value(prices), strict=True):

        def fill(block, first=types.start, paid=paid):
            types = slice(first + block.start, first + block.stop)
            own = demand.utility[types], demand.price_sensitivity[types]
            fill_odds(
                *own,
                demand.outside_utility,
                demand.states_of(types),
                paid,
                (odds[types], highest[types], inside, staying),
            )

        over_blocks(fill, types.stop - types.start, threads)
    return Choices(prices, odds, highest, inside, staying, demand)


def _demand_sums(game: PriceGame, chosen: Choices, margins, weights) -> np.ndarray:
    """`demand_sums` of each class, `[C, 3, J]`, for margins given entry by entry of the setters' rows."""
    panel, rows = game.panel, game.accounts.rows
    consumers = weights, chosen.per_odds

    def part(types, _):
        own = chosen.odds[types], panel.price_sensitivity[types]
        return demand_sums(*own, consumers, panel.states_of(types), rows, game.bonded, margins)

    return sums_by_class(game, class_types(panel, game.rule), part)


def sums_by_class(game: PriceGame, classes, part) -> np.ndarray:
    """`[C, 3, J]`: part(block, class) `[3, J]` added up over the blocks of the rows where each class stands, in their order."""

    def of_class(own_class, rows):
        def shifted(block):
            return part(slice(rows.start + block.start, rows.start + block.stop), own_class)

        blocks = over_blocks(shifted, rows.stop - rows.start, game.threads)
        return np.sum([np.zeros((3, game.n_products)), *blocks], axis=0)

    return np.stack([of_class(own_class, rows) for own_class, rows in enumerate(classes)])


def cross_sums(game: PriceGame, point: PricePoint, entries, slopes) -> np.ndarray:
    """Σ_k Γ_jk x_fk, `[J]`, of all classes `folded` by `slopes`, for x given entry by entry of the setters' rows."""
    return folded(_demand_sums(game, point.chosen, entries, game.panel.weights), slopes)[2]


def target_derivative(game: PriceGame, point: PricePoint, step) -> np.ndarray:
    """dζ/dp · step, `[J]`: 0 for prices held at a knot or given."""
    return target_change(game, point, step, game.rule.slope_below(point.prices) * step)


def target_change(game: PriceGame, point: PricePoint, step, buyer_steps) -> np.ndarray:
    """How ζ changes, `[J]`, as posted prices change by `step` `[J]` and buyers' by `buyer_steps` `[C, J]`, to first order.

    From ζ = (cost + m) / A with m = (A s / d + Σ_k Γ m) / Λ:  dm = (A ds / d + d(Σ_k Γ m) − m dΛ) / Λ.
    """
    panel, accounts, chosen = game.panel, game.accounts, point.chosen
    entries, consumers = (
        np.stack([accounts.margins(point.prices), accounts.entry_revenue]),
        (panel.weights, chosen.per_odds),
    )

    def part(types, own_class):
        own = chosen.odds[types], panel.price_sensitivity[types]
        steps = np.stack([step, buyer_steps[own_class]])
        states = panel.states_of(types)
        return demand_sums_derivative(*own, consumers, states, accounts.rows, game.bonded, entries, steps)

    change = sums_by_class(game, class_types(panel, game.rule), part) - buyer_steps[:, None, :] * point.class_curvatures
    change = folded(change, point.class_slopes)
    slope = np.where(point.held, 1.0, point.class_slopes[0])
    revenue = accounts.own_revenue
    margin = revenue * point.target - accounts.own_cost
    scale = np.where(point.held, 1.0, point.sums[1]) * revenue
    return np.where(point.held, 0.0, (revenue * change[0] / slope + change[2] - margin * change[1]) / scale)


def _expected(chosen: Choices, accounts: Accounts) -> np.ndarray:
    """What each consumer is expected to earn each setter, `[N, setters + 1]`, kCNY."""
    expected = np.empty((len(chosen.inside), len(accounts.rows.start)))
    fill_expected(chosen.probabilities, accounts.rows, accounts.margins(chosen.prices), expected)
    return expected


def _faint_sums(game, chosen, expected, j):
    """s, Λ and Σ_k Γ m of a product nearly nobody buys, `[C, 3]`, relative to the most likely buyer's probability.

    ζ needs their ratios only, which are exact where the sums themselves underflow.
    """
    panel, rows = game.panel.one_by_one, game.class_rows
    buyer_prices = game.rule.value(chosen.prices)[:, j]
    paid = np.concatenate([np.full(part.stop - part.start, q) for part, q in zip(rows, buyer_prices, strict=True)])
    log_chance = panel.utility[:, j] - panel.price_sensitivity * paid - chosen.inclusive
    buying = panel.weights > 0
    relative = np.zeros_like(log_chance)
    relative[buying] = np.exp(log_chance[buying] - log_chance[buying].max()) * panel.weights[buying]
    sensitive = relative * panel.price_sensitivity
    return np.array([[column[part].sum() for column in (relative, sensitive, sensitive * expected)] for part in rows])
