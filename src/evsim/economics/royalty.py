"""The membership game played in prices, and the royalty that serves the leader best when the members are given.

Makers 0 … n−1 and the leader (n, with cars of its own or none) sell to one market. A member's cars run on the platform:

    V_ij = V⁰_ij + b_i A,    A = A(M) for members' and the leader's cars, A_f for maker f outside
    Π_f  = M Σ_{j of f} ((1 − r_j) p_j / (1 + v) − c_j − w_j) s_j − joining cost if a member
    Π_L  = M Σ_j (r_j p_j / (1 + v) + w_j − m_j) s_j + M Σ_{j its own} (p_j / (1 + v) − c_j) s_j

at the Bertrand–Nash prices p of that membership, terms r, w, m being those of members or of outsiders. On its own cars the
leader counts the royalties that a lower price would cost it.

At prices held a ζ and A are linear in the terms, so dp/dx solves (I − dζ/dp) dp/dx = ∂ζ/∂x exactly; the leader's
first-order condition is solved for x, not its profit maximised, which would lose half of the digits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import brentq

from evsim.economics.coalition import Payoff, as_membership, membership_code
from evsim.economics.contracts import Terms, price_weights
from evsim.economics.metrics import share_jacobian
from evsim.economics.price_game import Demand, PriceGame
from evsim.economics.price_point import evaluate, target_derivative
from evsim.economics.price_search import PriceSolution, krylov
from evsim.economics.pricing import profits, verified_prices
from evsim.economics.subsidy import BuyerPrice

GRID = 33  # royalties tried, between which local maxima are looked for

Solver = Callable[[PriceGame, np.ndarray | None], PriceSolution]


@dataclass(frozen=True)
class Offer:
    """Terms, each one number for all cars, or `[J]`."""

    revenue_share: float | np.ndarray = 0.0  # r, fraction of the price net of VAT, in [0, 1)
    unit_fee: float | np.ndarray = 0.0  # w, kCNY per car, parts included, not negative
    parts_cost: float | np.ndarray = 0.0  # m, kCNY per car, borne by the leader, not negative

    def __post_init__(self):
        share, fee, parts = (np.asarray(x, dtype=float) for x in (self.revenue_share, self.unit_fee, self.parts_cost))
        if not ((share >= 0) & (share < 1)).all():
            raise ValueError(f"revenue_share={self.revenue_share} must be in [0, 1)")
        if not all(((x >= 0) & (x < np.inf)).all() for x in (fee, parts)):
            raise ValueError(
                f"unit_fee={self.unit_fee} and parts_cost={self.parts_cost} must be finite and not negative"
            )


@dataclass(frozen=True)
class PooledQuality:
    """Quality of a platform that learns from its members' data: A(M) = base + d ln(1 + (D_L + Σ_{f in M} D_f) / D_0).

    With D_f = 1 and D_0 = 1 members are counted; with D_f a maker's fleet, cars are.
    """

    base: float  # q0, in the unit of `MembershipGame.own_quality`
    data_effect: float  # d, the same unit
    data: np.ndarray  # D_f, [n], what each maker brings
    leader_data: float = 0.0  # D_L
    scale: float = 1.0  # D_0, positive

    def __post_init__(self):
        if not ((np.asarray(self.data) >= 0).all() and self.leader_data >= 0 and self.scale > 0):
            raise ValueError("data must not be negative, and their scale be positive")

    def __call__(self, membership) -> float:
        pooled = self.leader_data + float(np.asarray(self.data, dtype=float)[np.asarray(membership, dtype=bool)].sum())
        return self.base + self.data_effect * float(np.log1p(pooled / self.scale))


@dataclass(frozen=True)
class Conduct:
    """Whose money counts when prices are set; see `contracts.price_weights`. Nobody's but one's own unless told."""

    fellow_weight: float = 0.0  # φ, of fellow members' margins
    leader_weight: float = 0.0  # φ_L, of the leader's net
    leader_sets_prices: bool = False


@dataclass(frozen=True)
class MembershipGame:
    """Everything but who is a member, and the prices."""

    demand: Demand  # V⁰: utility before price and platform quality, [N, J], utils
    marginal_costs: np.ndarray  # c, [J], kCNY, of a car without the platform; the leader's own complete
    maker: np.ndarray  # [J], whole numbers: 0 … n−1, or n: the leader's own car
    n_makers: int  # n
    quality: Callable[[np.ndarray], float]  # A(M) of a membership [n] bool; `PooledQuality`, or another
    inside: Offer = field(default_factory=Offer)  # terms of members
    outside: Offer = field(default_factory=Offer)  # terms of others, say for components
    own_quality: np.ndarray = 0.0  # type: ignore[assignment]  # A_f of makers outside, [n] or one number
    quality_value: np.ndarray = 1.0  # type: ignore[assignment]  # b, utils per unit of quality, [N] or one number
    member_saving: np.ndarray = 0.0  # type: ignore[assignment]  # by how much a member's unit cost falls, kCNY, [J] or one number
    joining_cost: np.ndarray = 0.0  # type: ignore[assignment]  # kCNY per period, [n] or one number
    conduct: Conduct = field(default_factory=Conduct)
    market_size: float = 1.0  # M, potential buyers per period
    vat: float = 0.0  # v, fraction
    buyer_price: BuyerPrice = None  # type: ignore[assignment]  # the tax rule; None: the buyer pays the posted price

    def __post_init__(self):
        object.__setattr__(self, "demand", self.demand.one_by_one)
        n_consumers, n_products = self.demand.utility.shape
        maker = np.array(self.maker, ndmin=1)
        if maker.dtype.kind not in "iu" or not ((maker >= 0) & (maker <= self.n_makers)).all() or self.n_makers < 1:
            raise ValueError(
                f"maker must be whole numbers from 0 to n_makers={self.n_makers} (the leader), one a product"
            )
        if not (self.market_size > 0 and self.vat >= 0):
            raise ValueError(f"market_size={self.market_size} must be positive and vat={self.vat} not negative")
        sizes = {"own_quality": self.n_makers, "quality_value": n_consumers, "member_saving": n_products}
        sizes |= {"joining_cost": self.n_makers, "marginal_costs": n_products, "maker": n_products}
        for name, size in sizes.items():
            value = maker if name == "maker" else np.asarray(getattr(self, name), dtype=float)
            scalar = name not in ("maker", "marginal_costs") and value.ndim == 0
            if not (scalar or value.shape == (size,)) or not np.isfinite(value).all():
                raise ValueError(f"{name} must be finite and of shape ({size},), not {value.shape}")
            object.__setattr__(self, name, np.broadcast_to(value, (size,)))
        for offer in (self.inside, self.outside):  # of one number or [J] each, or numpy says so
            np.broadcast_to(offer.revenue_share + offer.unit_fee + offer.parts_cost, (n_products,))

    def member_products(self, membership) -> np.ndarray:
        """Members' cars, `[J]` bool; never the leader's own."""
        return np.append(as_membership(membership, self.n_makers), False)[self.maker]

    def terms(self, membership) -> Terms:
        """The terms of every car under a membership."""
        member, leaders = self.member_products(membership), self.maker == self.n_makers

        def column(name):
            value = np.where(member, getattr(self.inside, name), getattr(self.outside, name))
            return np.where(leaders, 0.0, value)

        return Terms(column("revenue_share"), column("unit_fee"), column("parts_cost"), member)

    def price_game(self, membership) -> PriceGame:
        """The price game that this membership plays; the leader's row is the last."""
        return self._game(membership, self.conduct)

    def accounts(self, membership, prices) -> np.ndarray:
        """What the n makers and, last, the leader earn at given prices, `[n + 1]`, kCNY per period."""
        earned = self.market_size * profits(self._game(membership, Conduct()), prices)
        earned[:-1] -= self.joining_cost * as_membership(membership, self.n_makers)
        return earned

    def _game(self, membership, conduct):
        """Demand and costs as the membership makes them; weights and setters as `conduct` says."""
        membership = as_membership(membership, self.n_makers)
        member = self.member_products(membership)
        quality = np.append(self.own_quality, 0.0)[self.maker]
        quality = np.where(member | (self.maker == self.n_makers), self.quality(membership), quality)
        demand = replace(self.demand, utility=self.demand.utility + self.quality_value[:, None] * quality)
        revenue, cost, payments, setter = price_weights(
            self.maker,
            self.n_makers,
            self.terms(membership),
            self.vat,
            fellow_weight=conduct.fellow_weight,
            leader_weight=conduct.leader_weight,
            leader_sets_prices=conduct.leader_sets_prices,
        )
        costs = self.marginal_costs - np.where(member, self.member_saving, 0.0)
        return PriceGame(demand, costs, revenue, cost, payments, setter, self.buyer_price)


class PricePayoff:
    """Profits of a membership at its equilibrium prices; remembers every membership solved."""

    def __init__(self, game: MembershipGame, solve: Solver = verified_prices):
        self.game, self.solve = game, solve
        self.solutions: dict[int, PriceSolution] = {}

    def __call__(self, membership) -> np.ndarray:
        """Profits of the n makers and, last, the leader, `[n + 1]`, kCNY per period."""
        return self.game.accounts(membership, self.solution(membership).prices)

    def solution(self, membership) -> PriceSolution:
        """Equilibrium prices, found from those of a membership that differs by one firm, where one is known.

        Raises:
            ValueError: no equilibrium was found.
        """
        membership = as_membership(membership, self.game.n_makers)
        code = membership_code(membership)
        if code not in self.solutions:
            near = (self.solutions.get(code ^ (1 << firm)) for firm in range(self.game.n_makers))
            start = next((solution.prices for solution in near if solution is not None), None)
            self.solutions[code] = _solved(self.game, membership, self.solve, start)
        return self.solutions[code]


def price_game_payoff(game: MembershipGame, solve: Solver = verified_prices) -> PricePayoff:
    """The payoff of memberships when prices are Bertrand–Nash: for `coalition.all_memberships` and its paths.

    Args:
        game: `MembershipGame`.
        solve: (price game, start or None) → `PriceSolution`; `verified_prices` also looks for better prices far away,
            `equilibrium_prices` trusts first-order conditions and is about four times as fast.
    Returns:
        `PricePayoff`, a function of the membership. Its answers depend on the order of questions within the solver's
        tolerance only, unless the price game has several equilibria.
    """
    return PricePayoff(game, solve)


def payoffs_by_terms(game: MembershipGame, solve: Solver = verified_prices) -> Callable[[float, float], Payoff]:
    """(r, w) → payoff of the same game with these terms for members: for `coalition.royalty_curve`."""

    def payoff_of(revenue_share: float, unit_fee: float) -> Payoff:
        inside = replace(game.inside, revenue_share=revenue_share, unit_fee=unit_fee)
        return price_game_payoff(replace(game, inside=inside), solve)

    return payoff_of


@dataclass(frozen=True)
class LeaderSlope:
    """How the leader's profit moves with one of its terms x, all prices following: dΠ_L/dx."""

    direct: float  # ∂Π_L/∂x at given prices, kCNY per period and unit of x
    through_prices: np.ndarray  # ∂Π_L/∂p_j · dp_j/dx, [J]; 0 for the leader's own cars (envelope)

    @property
    def total(self) -> float:
        """dΠ_L/dx."""
        return self.direct + float(self.through_prices.sum())


@dataclass(frozen=True)
class StackelbergRoyalty:
    """The leader's best value of one of its terms, its members given, and the evidence that it is."""

    value: float  # x: r, fraction, or w, kCNY per car
    leader_profit: float  # kCNY per period
    profits: np.ndarray  # [n]
    prices: np.ndarray  # p, [J], kCNY
    shares: np.ndarray  # s, [J]
    slope: float  # dΠ_L/dx there: 0 inside unless at a kink, of one sign at a bound
    slope_by_difference: float  # the same from two more price games close by (one-sided at a bound): a check
    bound: bool  # whether the best is at a bound


def stackelberg_royalty(
    game: MembershipGame, membership, bounds, instrument="revenue_share", solve: Solver = verified_prices
) -> StackelbergRoyalty:
    """The royalty the leader sets before prices, knowing how they follow; members fixed.

        max_x Π_L(x, p(x)),    p(x) the Bertrand–Nash prices under x

    Wherever dΠ_L/dx falls through 0 between two of 33 points the root is found by Brent's method; the best of these and
    of the 33 is taken. At a kink of the tax rule profit may have a kinked maximum: the slope then jumps through 0.

    Args:
        game: `MembershipGame`, the leader with products of its own or without.
        membership: `[n]` bool, one member at least.
        bounds: lowest and highest value tried.
        instrument: `revenue_share` or `unit_fee`, the same for all members' cars; the other as in `game.inside`.
        solve: as in `price_game_payoff`.
    Returns:
        `StackelbergRoyalty`; the value to about 1e-9 of the bounds' width.
    Raises:
        ValueError: unknown instrument, no member, bounds that do not rise or are no possible terms, no equilibrium.
    Source:
        Spengler (1950), Journal of Political Economy 58(4), for a fee; Llobet & Padilla (2016), Journal of Law and
        Economics 59(1), for a revenue share beside it.
    """
    lowest, highest = (float(bound) for bound in bounds)
    if instrument not in ("revenue_share", "unit_fee"):
        raise ValueError(f"instrument={instrument!r} must be revenue_share or unit_fee")
    membership = as_membership(membership, game.n_makers)
    if not membership.any() or not lowest < highest:
        raise ValueError(f"there must be a member, and bounds={bounds} must rise")
    start: np.ndarray | None = None

    def at(value):
        """The game with this value, and its prices, found from the last ones."""
        nonlocal start
        priced = _with_term(game, instrument, value)
        solution = _solved(priced, membership, solve, start)
        start = solution.prices
        return priced, solution

    def earned(value):
        priced, solution = at(value)
        return priced.accounts(membership, solution.prices)

    def slope(value):
        priced, solution = at(value)
        return leader_slope(priced, membership, solution.prices, instrument).total

    value = _best(lambda value: earned(value)[-1], slope, lowest, highest)
    _, solution = at(value)
    profit, step = earned(value), 1e-4 * (highest - lowest)
    above, below = min(value + step, highest), max(value - step, lowest)
    difference = (earned(above)[-1] - earned(below)[-1]) / (above - below)
    evidence = (slope(value), float(difference), value in (lowest, highest))
    return StackelbergRoyalty(value, float(profit[-1]), profit[:-1], solution.prices, solution.shares, *evidence)


def leader_slope(game: MembershipGame, membership, prices, instrument="revenue_share") -> LeaderSlope:
    """dΠ_L/dx at equilibrium prices, split into what x does itself and what prices do that follow.

        dp/dx = (I − dζ/dp)⁻¹ ∂ζ/∂x;    ∂Π_L/∂p · dp = M Σ_k (A_Lk s_k dp_k + m_Lk Σ_j ∂s_k/∂q_j q'_j dp_j)

    Args:
        game: `MembershipGame` at the value x of the instrument.
        membership: `[n]` bool.
        prices: the equilibrium's, `[J]`, kCNY.
        instrument: `revenue_share` or `unit_fee`.
    """
    played, member = game.price_game(membership), game.member_products(membership)
    point = evaluate(played, prices)
    per_car = point.prices / (1.0 + game.vat) if instrument == "revenue_share" else np.ones_like(point.prices)
    direct = game.market_size * float((per_car * point.shares)[member].sum())
    push = _target_slope(game, membership, point, instrument)
    follow = push.copy()
    for _ in range(3):  # each round removes what rounding left of the one before
        missing = push - (follow - target_derivative(played, point, follow))
        follow = follow + krylov(lambda step: step - target_derivative(played, point, step), missing, relative=1e-10)
    books = game._game(membership, Conduct())
    margins = (books.revenue_weights * point.prices - books.cost_weights * books.marginal_costs - books.payments)[-1]
    jacobian = share_jacobian(point.probabilities, game.demand.price_sensitivity, game.demand.weights)
    along = books.revenue_weights[-1] * point.shares + point.slope_used * (jacobian @ margins)
    return LeaderSlope(direct, game.market_size * along * follow)


def _target_slope(game, membership, point, instrument):
    """∂ζ/∂x at given prices, `[J]`: from A ζ and A, both linear in x, so that one difference is exact."""
    value = getattr(game.inside, instrument)
    step = 0.5 * (1.0 - float(np.max(value))) if instrument == "revenue_share" else 1.0
    free = point.slope_used > 0
    slope = np.where(free, point.slope_used, 1.0)

    def numerator(priced):
        sums = evaluate(priced, point.prices).sums
        sensitive = np.where(free, sums[1], 1.0)
        return priced.accounts.own_cost + (priced.accounts.own_revenue * sums[0] / slope + sums[2]) / sensitive

    here = game.price_game(membership)
    there = _with_term(game, instrument, value + step).price_game(membership)
    revenue = here.accounts.own_revenue
    change = numerator(there) - numerator(here) - point.target * (there.accounts.own_revenue - revenue)
    return np.where(free, change / (revenue * step), 0.0)


def _solved(game, membership, solve, start):
    """Equilibrium prices of one membership."""
    solution = solve(game.price_game(membership), start)
    if not solution.converged:
        raise ValueError(f"no equilibrium prices with members {np.flatnonzero(membership)}: {solution.message}")
    return solution


def _with_term(game, instrument, value):
    """The game with one of the members' terms replaced."""
    return replace(game, inside=replace(game.inside, **{instrument: value}))


def _best(profit, slope, lowest, highest):
    """Where a function of one number is highest: at a point of a grid, or where its slope falls through 0 between two."""
    grid = [float(value) for value in np.linspace(lowest, highest, GRID)]
    slopes = [slope(value) for value in grid]
    tops = [
        float(brentq(slope, grid[k], grid[k + 1], xtol=1e-13, rtol=1e-14))
        for k in range(GRID - 1)
        if slopes[k] > 0 > slopes[k + 1]
    ]
    return max(tops + grid, key=profit)  # a top before the grid points beside it, where they tie
