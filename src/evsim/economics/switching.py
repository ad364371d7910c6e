"""Bargain, then ripoff: prices of two periods when buyers of the first are dear to win over in the second.

One product a firm, the same consumers in both periods. In the first nobody owns anything; in the second, who owns o's
product (a share b_o; a fraction ν has been replaced by newcomers) has utility from j

    U_oj = v_j − α p_j − κ 1{j ≠ o} + γ 1{j = o},   U_o0 = U_0,   κ switching cost, γ gain of staying,

and newcomers v_j − α p_j. Each firm has one price for all. The second period is Bertrand–Nash with F + 1 types of
consumers (`pricing`). In the first, firm j counts what its customers will be worth, prices p²(b) responding:

    s_j + (p_j − c_j) ds_j/dp_j + β (1 − ν) Σ_o dπ²_j/db_o ds_o/dp_j = 0,   b = (1 − ν) s,
    dπ²_j/db_o = m_j (P_oj − P_uj) + Σ_{k ≠ j} m_j ∂s²_j/∂p_k dp²_k/db_o,   dp²/db = −(∂G/∂p)⁻¹ ∂G/∂b,

G the first-order conditions of the second period, u newcomers. Myopic consumers (β_c = 0) choose by first prices alone;
forward-looking ones add β_c (1 − ν) W_o(b) to product o, W the value of the second period's choice to an owner of o, and
know that who has more customers will be dearer.

Where everybody buys, κ and γ are the same thing, and either makes the first price fall and the second rise. With an outside
good γ still does; κ also drives rivals' customers out of the market, and while it is small may lower the second price.

First-order conditions find a local solution; with strong lock-in a firm may gain by leaving it for newcomers or for its
own customers alone, and there may be no equilibrium in pure strategies: `deviation_gains` tells.

Source: Klemperer (1987), Quarterly Journal of Economics 102(2); (1995), Review of Economic Studies 62(4); Farrell &
Klemperer (2007), Handbook of Industrial Organization 3, chapter 31.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from evsim.economics.choice import choice_probabilities, inclusive_value
from evsim.economics.deviations import largest_gain
from evsim.economics.pricing import Demand, PriceGame, bertrand, equilibrium_prices

STEP = 1e-4  # of 1 / α: price change of the differences in Newton's matrix, which steers the search and is no result
CANDIDATES = np.concatenate([-np.geomspace(6.0, 0.02, 12), np.geomspace(0.02, 12.0, 12)])  # in 1 / α: prices tried


@dataclass(frozen=True)
class SwitchingMarket:
    """Firms, consumers, and what it takes to change one's mind."""

    qualities: np.ndarray  # v, [F], utils before price
    marginal_costs: np.ndarray  # c, [F], kCNY, both periods
    price_sensitivity: float  # α, utils per kCNY
    switching_cost: float = 0.0  # κ, utils: to buy another product than the one owned; the outside good is free
    staying_gain: float = 0.0  # γ, utils: of buying the owned product again
    turnover: float = 0.0  # ν, fraction of consumers replaced by newcomers between the periods
    discount: float = 1.0  # β, firms', of the second period
    consumer_discount: float = 0.0  # β_c, consumers'; 0: myopic
    outside_utility: float = 0.0  # U_0, utils; -inf: everybody buys

    def __post_init__(self):
        qualities, costs = np.array(self.qualities, dtype=float), np.array(self.marginal_costs, dtype=float)
        if qualities.ndim != 1 or qualities.shape != costs.shape or not np.isfinite([qualities, costs]).all():
            raise ValueError("qualities and marginal_costs must be finite, one of each for every firm")
        if len(qualities) < (2 if self.outside_utility == -math.inf else 1):
            raise ValueError("a single firm without outside good has no best price: give outside_utility")
        if not 0 < self.price_sensitivity < math.inf:
            raise ValueError(f"price_sensitivity={self.price_sensitivity} must be positive and finite")
        if not (0 <= self.switching_cost < math.inf and 0 <= self.staying_gain < math.inf):
            raise ValueError("switching_cost and staying_gain must be finite and not negative")
        for name in ("turnover", "discount", "consumer_discount"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be a fraction, in [0, 1]")
        if not self.outside_utility < math.inf:
            raise ValueError("outside_utility must be finite, or -inf where everybody buys")
        object.__setattr__(self, "qualities", qualities)
        object.__setattr__(self, "marginal_costs", costs)

    @property
    def n_firms(self) -> int:
        """F."""
        return len(self.qualities)

    @property
    def utility(self) -> np.ndarray:
        """Second-period utility before price, `[F + 1, F]`, utils: a row for owners of each product, newcomers last."""
        own = np.eye(self.n_firms + 1, self.n_firms)
        lock_in = self.staying_gain * own - self.switching_cost * (1.0 - own)
        lock_in[-1] = 0.0
        return self.qualities + lock_in


@dataclass(frozen=True)
class SecondPeriod:
    """The second period's equilibrium for given customer bases, and how it moves with them."""

    prices: np.ndarray  # p², [F], kCNY
    shares: np.ndarray  # s², [F], of all consumers
    profits: np.ndarray  # π², [F], kCNY per consumer
    probabilities: np.ndarray  # P, [F + 1, F]: what owners of each product, and newcomers, buy
    worth: np.ndarray  # W, [F + 1], utils: value of the choice to each of them
    price_response: np.ndarray  # dp²_k/db_o, [F, F], kCNY: row k; an owner more is a newcomer less
    base_value: np.ndarray  # dπ²_j/db_o, [F, F], kCNY per customer: row j
    worth_response: np.ndarray  # dW/db_o, [F + 1, F], utils
    residual: float  # largest |p − ζ(p)|, kCNY
    converged: bool


@dataclass(frozen=True)
class TwoPeriodSolution:
    """Prices of both periods, and how the search ended."""

    prices: np.ndarray  # p¹, [F], kCNY
    shares: np.ndarray  # s¹, [F]
    second: SecondPeriod  # at the bases that these leave
    profits: np.ndarray  # π¹ + β π², [F], kCNY per consumer
    residual: float  # of the first-order conditions of both periods, kCNY
    iterations: int  # Newton steps
    converged: bool
    message: str


def second_period_game(market: SwitchingMarket, bases) -> PriceGame:
    """The second period as a price game: F + 1 types of consumers, weighted by the bases.

    Args:
        market: `SwitchingMarket`.
        bases: b, `[F]`, owners of each product, fractions of all consumers; the rest are newcomers.
    Raises:
        ValueError: negative bases, or more owners than consumers.
    """
    bases = np.asarray(bases, dtype=float)
    if bases.shape != (market.n_firms,) or not (bases >= 0).all() or not bases.sum() <= 1.0 + 1e-9:
        raise ValueError(f"bases must be {market.n_firms} fractions of all consumers, with a sum of at most 1")
    weights = np.append(bases, max(1.0 - bases.sum(), 0.0))
    sensitivity = np.full(len(weights), market.price_sensitivity)
    demand = Demand(market.utility, sensitivity, weights, np.asarray(market.outside_utility))
    return bertrand(demand, market.marginal_costs, np.arange(market.n_firms))


def second_period(market: SwitchingMarket, bases, start=None) -> SecondPeriod:
    """Bertrand–Nash prices given the bases, to 1e-12 kCNY, and their derivatives by the implicit function theorem.

    Args:
        market: `SwitchingMarket`.
        bases: b, `[F]`, as in `second_period_game`.
        start: prices to start from, `[F]`, kCNY; None: unit costs.
    """
    game, alpha = second_period_game(market, bases), market.price_sensitivity
    solution = equilibrium_prices(game, start, tolerance=1e-12)
    margins, weights = solution.prices - market.marginal_costs, game.demand.weights
    utility = market.utility - alpha * solution.prices
    chances = choice_probabilities(utility, market.outside_utility)
    spread = chances * (1.0 - chances)
    own = np.eye(market.n_firms)
    slopes = alpha * chances[:, :, None] * (chances[:, None, :] - own)  # ∂P_oj/∂p_k, [o, j, k]
    share_slopes = np.einsum("o,ojk->jk", weights, slopes)
    condition_slopes = (
        share_slopes
        - alpha * np.diag(weights @ spread)
        - alpha * margins[:, None] * np.einsum("oj,ojk->jk", weights[:, None] * (1.0 - 2.0 * chances), slopes)
    )
    by_type = chances - alpha * margins * spread
    response = -np.linalg.solve(condition_slopes, (by_type[:-1] - by_type[-1]).T)
    cross = margins[:, None] * np.where(own == 1, 0.0, share_slopes)
    return SecondPeriod(
        prices=solution.prices,
        shares=solution.shares,
        profits=margins * solution.shares,
        probabilities=chances,
        worth=inclusive_value(utility, market.outside_utility),
        price_response=response,
        base_value=margins[:, None] * (chances[:-1] - chances[-1]).T + cross @ response,
        worth_response=-alpha * chances @ response,
        residual=solution.residual,
        converged=solution.converged,
    )


@dataclass(frozen=True)
class _FirstPeriod:
    """The first period at given prices."""

    prices: np.ndarray  # p¹, [F], kCNY
    shares: np.ndarray  # s¹, [F]
    slopes: np.ndarray  # ds_k/dp_j, [F, F]: row k; consumers' expectations included
    second: SecondPeriod
    target: np.ndarray  # each firm's price from its first-order condition, [F], kCNY

    @property
    def gap(self):
        return self.target - self.prices


def _first_period(market, prices, guess=None) -> _FirstPeriod:
    """Shares that consumers' expectations bear out, the second period they lead to, and the price each firm would set.

    Expectations are solved by Newton steps on s = logit(v − α p + β_c (1 − ν) W((1 − ν) s)).
    """
    alpha, stay = market.price_sensitivity, 1.0 - market.turnover
    utility, patience = market.qualities - alpha * prices, market.consumer_discount * stay
    shares = _logit(utility, market.outside_utility) if guess is None or patience == 0 else guess.shares
    second = second_period(market, stay * shares, None if guess is None else guess.second.prices)
    identity = np.eye(market.n_firms)
    feedback = np.zeros_like(identity)
    for _ in range(50 if patience else 0):
        expected = patience * second.worth
        bought = _logit(utility + expected[:-1], market.outside_utility + expected[-1])
        change = patience * stay * (second.worth_response[:-1] - second.worth_response[-1])
        feedback = bought[:, None] * (change - bought @ change)
        step = np.linalg.solve(identity - feedback, bought - shares)
        shares = np.clip(shares + step, 0.0, 1.0)
        shares = shares / max(shares.sum(), 1.0)
        second = second_period(market, stay * shares, second.prices)
        if np.abs(step).max() < 1e-14:
            break
    direct = alpha * shares[:, None] * (shares - identity)
    slopes = np.linalg.solve(identity - feedback, direct)
    later = market.discount * stay * np.einsum("jo,oj->j", second.base_value, slopes)
    target = market.marginal_costs - (shares + later) / np.diag(slopes)
    return _FirstPeriod(prices, shares, slopes, second, target)


def _logit(utility, outside):
    """Choice probabilities of one type of consumer, `[F]`."""
    return choice_probabilities(utility[None, :], outside)[0]


def two_period_prices(market: SwitchingMarket, start=None, tolerance=1e-10, max_iterations=100) -> TwoPeriodSolution:
    """Subgame-perfect prices of both periods, by first-order conditions.

    Newton steps on the first period's conditions, halved until they shrink them; the second period is solved anew, to
    1e-12 kCNY, at every price.

    Args:
        market: `SwitchingMarket`.
        start: p¹ to start from, `[F]`, kCNY; None: the prices without lock-in.
        tolerance: largest |p − target| accepted in the first period, kCNY.
        max_iterations: Newton steps allowed.
    Returns:
        `TwoPeriodSolution`; `converged` and `message` say how it ended. See `deviation_gains` for large deviations.
    """
    if start is None:
        free = replace(market, switching_cost=0.0, staying_gain=0.0)
        start = second_period(free, np.zeros(market.n_firms)).prices
    point, step_size = _first_period(market, np.array(start, dtype=float)), STEP / market.price_sensitivity
    steps = 0
    while np.abs(point.gap).max() > tolerance and steps < max_iterations:
        steps += 1
        matrix = np.empty((market.n_firms, market.n_firms))
        for k, move in enumerate(step_size * np.eye(market.n_firms)):
            rise, fall = (_first_period(market, point.prices + way * move, point).gap for way in (1.0, -1.0))
            matrix[:, k] = (rise - fall) / (2.0 * step_size)
        trial = _shorter_until_better(market, point, -np.linalg.solve(matrix, point.gap))
        if trial is None:
            break
        point = trial
    return _solution(market, point, steps, tolerance)


def _shorter_until_better(market, point, step):
    """The first of ever shorter steps that brings the conditions nearer to holding; None if none does."""
    for _ in range(12):
        trial = _first_period(market, point.prices + step, point)
        if np.linalg.norm(trial.gap) < np.linalg.norm(point.gap):
            return trial
        step = 0.5 * step
    return None


def _solution(market, point, steps, tolerance):
    first, second = float(np.abs(point.gap).max()), point.second
    message = "first-order conditions of both periods hold"
    if not second.converged:
        message = f"the second period has no equilibrium near these prices: |p − ζ(p)| is {second.residual:.3g} kCNY"
    elif first > tolerance:
        message = f"no equilibrium found: the first period's conditions are off by {first:.3g} kCNY after {steps} steps"
    profits = (point.prices - market.marginal_costs) * point.shares + market.discount * second.profits
    residual = max(first, second.residual)
    converged = second.converged and first <= tolerance
    return TwoPeriodSolution(point.prices, point.shares, second, profits, residual, steps, converged, message)


def deviation_gains(market: SwitchingMarket, solution: TwoPeriodSolution) -> tuple[float, float]:
    """The largest gain found from another price of one firm, (first period, second period), kCNY per consumer.

    In the first period two dozen prices a firm are tried, from 6 / α below to 12 / α above its own, and the second
    period is solved after each; in the second about a hundred. 0: no firm gains.
    """
    gain = 0.0
    for j in range(market.n_firms):
        for candidate in solution.prices[j] + CANDIDATES / market.price_sensitivity:
            prices = np.where(np.arange(market.n_firms) == j, candidate, solution.prices)
            point = _first_period(market, prices)
            margin = candidate - market.marginal_costs[j]
            profit = margin * point.shares[j] + market.discount * point.second.profits[j]
            gain = max(gain, float(profit - solution.profits[j]))
    game = second_period_game(market, (1.0 - market.turnover) * solution.shares)
    return gain, largest_gain(game, solution.second.prices).gain


def covered_duopoly_margins(market: SwitchingMarket) -> tuple[float, float]:
    """Margins (first period, second period), kCNY, of two like firms where everybody buys: in closed form.

        m² = 1 / (2 α Q),   Q = (1 − ν) q + ν / 4,   q = e^k / (1 + e^k)²,   k = κ + γ,   h = tanh(k / 2)
        m¹ = (2 D − β (1 − ν) h / (3 Q)) / α,   D = 1 + β_c (1 − ν)² h² / (6 Q)

    With ν = 0 and myopic consumers: m¹ = (2 − ⅔ β sinh k) / α, m² = (1 + cosh k) / α.

    Raises:
        ValueError: the firms are not two, not alike, or somebody may stay out.
    Source:
        The conditions at the head of this file, linearised at the symmetric point.
    """
    alike = np.ptp(market.qualities) == 0 and np.ptp(market.marginal_costs) == 0
    if market.n_firms != 2 or market.outside_utility > -math.inf or not alike:
        raise ValueError("the closed form is for two like firms without outside good (outside_utility=-inf)")
    stay, alpha, lock_in = 1.0 - market.turnover, market.price_sensitivity, market.switching_cost + market.staying_gain
    excess = math.tanh(0.5 * lock_in)
    spread = stay * 0.25 / math.cosh(0.5 * lock_in) ** 2 + 0.25 * market.turnover
    caution = 1.0 + market.consumer_discount * (stay * excess) ** 2 / (6.0 * spread)
    first = 2.0 * caution - market.discount * stay * excess / (3.0 * spread)
    return first / alpha, 0.5 / (alpha * spread)


def hotelling_margins(transport_cost, locked_share, discount=1.0, consumer_discount=0.0) -> tuple[float, float]:
    """Margins (first period, second period), kCNY, on Hotelling's line with firms at its ends and full switching costs.

    A share λ of consumers is tied in the second period to the firm it bought from; the others draw new places on the line.

        m² = t / (1 − λ),   m¹ = t (1 + (2/3) (β_c λ² − β λ) / (1 − λ))

    Args:
        transport_cost: t, kCNY for the length of the line.
        locked_share: λ, fraction in [0, 1).
        discount, consumer_discount: β and β_c, in [0, 1].
    Raises:
        ValueError: a number outside its range.
    Source:
        Klemperer (1987), RAND Journal of Economics 18(1), for tied consumers on a line; reduced to two kinds of consumers.
    """
    if not transport_cost > 0:
        raise ValueError(f"transport_cost={transport_cost} must be positive")
    if not 0 <= locked_share < 1:
        raise ValueError(f"locked_share={locked_share} must be in [0, 1): somebody has to be free to choose")
    if not (0 <= discount <= 1 and 0 <= consumer_discount <= 1):
        raise ValueError("discount and consumer_discount must be fractions, in [0, 1]")
    free = 1.0 - locked_share
    gain = 2.0 / 3.0 * (consumer_discount * locked_share**2 - discount * locked_share) / free
    return transport_cost * (1.0 + gain), transport_cost / free
