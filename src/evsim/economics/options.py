"""Build, join or wait: optimal stopping under a Beta belief; and the investment threshold of Dixit and Pindyck.

A firm without the new product earns u₀ a period. Each period it may *build*: pay K_b for an attempt that succeeds with
a chance it does not know, learnt at the period's end; *join*: pay K_j and have the partner's product after its time to
market; or *wait*. It believes the chance to be Beta(a, b) and counts its own failures and the results of rivals' n_r
attempts a period, drawn from the same chance. With s successes and f failures seen, π = (a + s)/(a + b + s + f) and

    build = −K_b + u₀ + β (π W_b' + (1 − π) E V'(s, f + 1)),   join = −K_j + W_j,   wait = u₀ + β E V'(s, f),

V the largest of the three, W the worth of a route from its success on, E over rivals' results. Success and joining end the
problem. The future is decided without shocks: `logit_choice` adds them to the decision of today only.

Without rivals and horizon every attempt can only make a firm more pessimistic, so that one step of foresight is enough
(the monotone case) and the threshold of π does not depend on how much is known. Rivals' results make waiting worth more.

Source: DeGroot (1970), Optimal Statistical Decisions, chapter 13; Chow, Robbins & Siegmund (1971), on the monotone case;
Dixit & Pindyck (1994), Investment under Uncertainty, chapter 5. The investment part is at the end of the file.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from evsim.economics.choice import choice_probabilities

BUILD, JOIN, WAIT = 0, 1, 2
ACTIONS = ("build", "join", "wait")
MOST_CELLS = 30_000_000  # numbers in a table of values; above, the answer would not fit an ordinary memory
MOST_RESULTS = 6_000  # results followed in the problem without horizon


@dataclass(frozen=True)
class Belief:
    """What a firm believes of the chance that one attempt succeeds: Beta(mean · strength, (1 − mean) · strength)."""

    mean: float  # expected chance, fraction
    strength: float  # the attempts the belief is worth, a + b; inf: the chance is known

    def __post_init__(self):
        if not 0.0 <= self.mean <= 1.0:
            raise ValueError(f"mean={self.mean} must be a chance, in [0, 1]")
        if not self.strength > 0:
            raise ValueError(f"strength={self.strength} must be positive; inf for a known chance")

    @classmethod
    def beta(cls, a, b) -> "Belief":
        """Beta(a, b), both positive: as if a successes and b failures had been seen."""
        if not (0 < a < math.inf and 0 < b < math.inf):
            raise ValueError(f"a={a} and b={b} of a Beta belief must be positive and finite")
        return cls(a / (a + b), a + b)

    @classmethod
    def known(cls, chance) -> "Belief":
        """A chance that nothing seen can change."""
        return cls(chance, math.inf)

    def chance(self, successes, failures):
        """π after these results, in their shape: (a + s) / (a + b + s + f)."""
        seen = np.add(successes, failures, dtype=float)
        if math.isinf(self.strength):
            return np.full(seen.shape, float(self.mean))
        return (self.mean * self.strength + successes) / (self.strength + seen)

    def updated(self, successes, failures) -> "Belief":
        """The belief after these results."""
        return Belief(float(self.chance(successes, failures)), self.strength + successes + failures)


@dataclass(frozen=True)
class Route:
    """A way to the market: what it costs, and what it brings from the day it succeeds."""

    cost: float  # K, kCNY, for one attempt, or on joining; inf: not open to this firm
    lump_sum: float = 0.0  # kCNY on reaching the market, for all that follows, also after the horizon
    flow: float = 0.0  # kCNY a period on the market, until the horizon
    delay: int = 0  # T, periods from success to market, in which the firm earns u₀

    def __post_init__(self):
        if not self.cost >= 0:
            raise ValueError(f"cost={self.cost} must not be negative")
        if not (math.isfinite(self.lump_sum) and math.isfinite(self.flow)):
            raise ValueError("lump_sum and flow must be finite")
        if not 0 <= self.delay < math.inf or self.delay != int(self.delay):
            raise ValueError(f"delay={self.delay} must be a whole number of periods, not negative")

    def worth(self, discount, wait_flow, periods) -> float:
        """W, kCNY, with this many periods to go: u₀ until the market is reached, then the lump sum and the flow.

        W = u₀ Σ_{τ < min(T, n)} β^τ + β^T lump + flow Σ_{T ≤ τ < n} β^τ
        """
        earlier = annuity(discount, min(self.delay, periods))
        return (
            wait_flow * earlier
            + discount**self.delay * self.lump_sum
            + self.flow * (annuity(discount, periods) - earlier)
        )


@dataclass(frozen=True)
class Stopping:
    """The problem {build, join, wait}."""

    build: Route
    join: Route
    wait_flow: float  # u₀, kCNY a period while the firm has nothing better; negative: waiting costs
    discount: float  # β, a period, in [0, 1)
    rival_attempts: int = 0  # n_r: results of rivals seen each period
    free_disposal: bool = (
        False  # a success that is worth less than going on without it is left unused; finite horizon only
    )

    def __post_init__(self):
        if not math.isfinite(self.wait_flow):
            raise ValueError("wait_flow must be finite: waiting is always open")
        if not 0.0 <= self.discount < 1.0:
            raise ValueError(f"discount={self.discount} must be in [0, 1)")
        if self.rival_attempts < 0 or self.rival_attempts != int(self.rival_attempts):
            raise ValueError(f"rival_attempts={self.rival_attempts} must be a whole number, not negative")

    def worths(self, periods) -> tuple[float, float, float]:
        """(W_b, W_j − K_j, the worth of waiting for ever), kCNY, with this many periods to go."""
        return (
            self.build.worth(self.discount, self.wait_flow, periods),
            self.join.worth(self.discount, self.wait_flow, periods) - self.join.cost,
            self.wait_flow * annuity(self.discount, periods),
        )


@dataclass(frozen=True)
class StoppingSolution:
    """The value of each action in each state."""

    problem: Stopping
    belief: Belief  # at the start
    values: np.ndarray  # [T, S, F, 3], kCNY: period, successes and failures seen, action; NaN where not yet possible

    @property
    def policy(self) -> np.ndarray:
        """The best action, `[T, S, F]`: 0 build, 1 join, 2 wait (the first of equals); −1 where not yet possible."""
        return _best_action(self.values)

    @property
    def option_premium(self) -> np.ndarray:
        """What acting today must bring above waiting for ever before it is better than waiting, `[T, S, F]`, kCNY.

        The value of waiting, with every later chance, less that of waiting for ever; 0 where no chance is worth anything.
        """
        to_go = len(self.values) - np.arange(len(self.values))
        stay = np.array([self.problem.wait_flow * annuity(self.problem.discount, n) for n in to_go])
        return self.values[..., WAIT] - stay[:, None, None]


@dataclass(frozen=True)
class LastingSolution:
    """The value of each action without horizon, in every state within some results."""

    values: np.ndarray  # [S, F, 3], kCNY: successes and failures seen, action; NaN beyond the results asked for
    error: np.ndarray  # [S, F], kCNY: the value is within this of the truth, by bounds from both sides
    converged: bool  # the error at the start is within the tolerance

    @property
    def policy(self) -> np.ndarray:
        """The best action, `[S, F]`: 0 build, 1 join, 2 wait; −1 beyond the results asked for."""
        return _best_action(self.values)


@dataclass(frozen=True)
class Outcomes:
    """How it ends when the policy is followed; the chances sum to 1."""

    built: np.ndarray  # [T], chance that building succeeds in this period
    joined: np.ndarray  # [T], chance that the firm joins in this period
    neither: float  # chance that at the horizon it has done neither


def _best_action(values):
    """The first of the largest along the last axis; −1 where there is no value."""
    possible = ~np.isnan(values[..., WAIT])
    return np.where(possible, np.where(possible[..., None], values, 0.0).argmax(axis=-1), -1)


def annuity(discount, periods) -> float:
    """Σ_{τ < n} β^τ = (1 − β^n) / (1 − β), n = inf allowed."""
    return (1.0 - discount**periods) / (1.0 - discount)


def build_join_or_wait(problem: Stopping, belief: Belief, periods: int) -> StoppingSolution:
    """Values of building, joining and waiting in every state, by backward induction: exact but for rounding.

    Args:
        problem: `Stopping`.
        belief: at the start.
        periods: T, in which the firm may decide; afterwards only lump sums on their way arrive.
    Returns:
        `StoppingSolution`, S = n_r (T − 1) + 1 and F = (n_r + 1) (T − 1) + 1 states of the evidence.
    Raises:
        ValueError: no period, or a table too large for memory.
    """
    if periods < 1 or periods != int(periods):
        raise ValueError(f"periods={periods} must be a whole number, at least 1")
    rivals, last = problem.rival_attempts, periods - 1
    shape = (periods, rivals * last + 1, (rivals + 1) * last + 1, len(ACTIONS))
    if math.prod(shape) > MOST_CELLS:
        raise ValueError(f"periods={periods} with rival_attempts={rivals} needs a table {shape}: take longer periods")
    values = np.full(shape, np.nan)
    after = np.zeros((rivals * periods + 1, (rivals + 1) * periods + 1))
    chances = belief.chance(*np.ogrid[: after.shape[0], : after.shape[1]])
    for t in range(last, -1, -1):
        for _ in range(rivals):
            chance = chances[: after.shape[0] - 1, : after.shape[1] - 1]
            after = chance * after[1:, :-1] + (1.0 - chance) * after[:-1, 1:]  # E over the next result
        won = problem.build.worth(problem.discount, problem.wait_flow, last - t)
        joined = problem.join.worth(problem.discount, problem.wait_flow, periods - t) - problem.join.cost
        now = values[t, : rivals * t + 1, : (rivals + 1) * t + 1]
        chance = chances[: rivals * t + 1, : (rivals + 1) * t + 1]
        now[..., BUILD] = _build_value(problem, chance, won, after[:, 1:])
        now[..., JOIN] = joined
        now[..., WAIT] = problem.wait_flow + problem.discount * after[:, :-1]
        after = now.max(axis=-1)
    return StoppingSolution(problem, belief, values)


def _build_value(problem, chance, won, after_failure):
    """−K_b + u₀ + β (π W_b' + (1 − π) E V' after a failure)."""
    won = np.maximum(won, after_failure) if problem.free_disposal else won
    expected = chance * won + (1.0 - chance) * after_failure
    return -problem.build.cost + problem.wait_flow + problem.discount * expected


def build_join_or_wait_for_ever(problem: Stopping, belief: Belief, results=20, tolerance=1e-9) -> LastingSolution:
    """Values without horizon, between two bounds.

    States are followed up to N results. There the value is at least that of joining or waiting for ever now, at most that
    with a first attempt sure to succeed; induction carries both bounds back, and N is doubled until they meet at the
    start. Waiting without rivals leaves the state as it is: who waits, waits for ever. So does knowing the chance.

    Args:
        problem: `Stopping`.
        belief: at the start.
        results: states with more results than this are left out of the answer.
        tolerance: half the distance of the bounds at the start that is accepted, kCNY.
    Returns:
        `LastingSolution`; `converged` is False where 6,000 results were not enough.
    """
    if results < 0 or results != int(results):
        raise ValueError(f"results={results} must be a whole number, not negative")
    if problem.free_disposal:
        raise ValueError("free_disposal is for a finite horizon: use build_join_or_wait")
    if math.isinf(belief.strength):
        values = _known_values(problem, belief.mean)
        return LastingSolution(values[None, None, :], np.zeros((1, 1)), True)
    horizon = max(64, 2 * results)
    while True:
        values, error = _between_bounds(problem, belief, results, horizon)
        if error[0, 0] <= tolerance or horizon >= MOST_RESULTS:
            return LastingSolution(values, error, bool(error[0, 0] <= tolerance))
        horizon = min(2 * horizon, MOST_RESULTS)


def _known_values(problem, chance):
    """Build, join, wait with a known chance: trying until success is worth (u₀ − K + β p W) / (1 − β (1 − p))."""
    won, joined, stay = problem.worths(math.inf)
    trying = _build_value(problem, chance, won, 0.0) / (1.0 - problem.discount * (1.0 - chance))
    best = max(trying, joined, stay)
    wait = problem.wait_flow + problem.discount * best
    return np.array([_build_value(problem, chance, won, best), joined, wait])


def _between_bounds(problem, belief, results, horizon):
    """Values within `results` and half their uncertainty, when `horizon` results are followed."""
    won, joined, stay = problem.worths(math.inf)
    rivals, discount = problem.rival_attempts, problem.discount
    lowest = max(joined, stay)
    highest = max(lowest, problem.wait_flow - problem.build.cost + discount * won)
    bounds = np.array([[lowest], [highest]])
    after = {n: np.repeat(bounds, n + 1, axis=1) for n in range(horizon, horizon + rivals + 1)}  # by successes
    values = np.full((results + 1, results + 1, len(ACTIONS)), np.nan)
    error = np.full((results + 1, results + 1), np.nan)
    for n in range(horizon - 1, -1, -1):
        successes = np.arange(n + 1)
        chance = belief.chance(successes, n - successes)
        after_failure = _before_results(belief, after[n + rivals + 1], rivals)[:, :-1]
        build = _build_value(problem, chance, won, after_failure)
        if rivals:
            wait = problem.wait_flow + discount * _before_results(belief, after[n + rivals], rivals)
            after[n] = np.maximum(np.maximum(build, joined), wait)
        else:
            after[n] = np.maximum(np.maximum(build, joined), stay)
            wait = problem.wait_flow + discount * after[n]
        del after[n + rivals + 1]
        if n <= results:
            cell = successes, n - successes
            values[(*cell, BUILD)], values[(*cell, WAIT)] = build.mean(axis=0), wait.mean(axis=0)
            values[(*cell, JOIN)], error[cell] = joined, 0.5 * (after[n][1] - after[n][0])
    return values, error


def _before_results(belief, after, count):
    """E over this many results of bounds by successes, `[2, n + 1]` of n results, to `[2, n + 1 − count]`."""
    for _ in range(count):
        n = after.shape[1] - 2
        chance = belief.chance(np.arange(n + 1), n - np.arange(n + 1))
        after = chance * after[:, 1:] + (1.0 - chance) * after[:, :-1]
    return after


def lasting_threshold(problem: Stopping) -> float:
    """π above which a firm builds, without horizon and rivals, whether the chance is known or a Beta belief.

        π* = (K_b − u₀ + (1 − β) S) / (β (W_b − S)),   S = max(W_j − K_j, u₀ / (1 − β))

    Returns:
        π*; 0: it builds at any belief; inf: at none.
    """
    won, joined, stay = problem.worths(math.inf)
    stop = max(joined, stay)
    if not problem.discount * (won - stop) > 0:
        return math.inf
    needed = problem.build.cost - problem.wait_flow + (1.0 - problem.discount) * stop
    threshold = needed / (problem.discount * (won - stop))
    return max(threshold, 0.0) if threshold <= 1.0 else math.inf


def threshold_mean(problem: Stopping, strength, periods: int) -> float:
    """The belief's mean at which a firm is indifferent between building now and the better of joining and waiting.

    Below it joins or waits, whichever the solution says. Right to 1e-13 for beliefs of this strength.

    Returns:
        The mean; 0: it builds at any belief; inf: at none.
    """

    def advantage(mean):
        values = build_join_or_wait(problem, Belief(mean, strength), periods).values[0, 0, 0]
        return values[BUILD] - max(values[JOIN], values[WAIT])

    if not advantage(1.0) >= 0:
        return math.inf
    if advantage(0.0) >= 0:
        return 0.0
    return brentq(advantage, 0.0, 1.0, xtol=1e-14, rtol=1e-14)


def outcomes(solution: StoppingSolution, true_chance=None, rival_successes=None) -> Outcomes:
    """Chance of each outcome in each period, when the solution's policy is followed.

    Args:
        solution: of `build_join_or_wait`.
        true_chance: of every attempt, own and rivals'; None: results come as the firm believes.
        rival_successes: successes of rivals in each period, `[T]`, from 0 to n_r, known to the caller; None: drawn.
    Returns:
        `Outcomes`.
    Raises:
        ValueError: a chance outside [0, 1], or more successes than attempts.
    """
    rivals, periods = solution.problem.rival_attempts, len(solution.values)
    if true_chance is not None and not 0.0 <= true_chance <= 1.0:
        raise ValueError(f"true_chance={true_chance} must be in [0, 1]")
    seen = None if rival_successes is None else np.asarray(rival_successes)
    if seen is not None and (seen.shape != (periods,) or not np.isin(seen, np.arange(rivals + 1)).all()):
        raise ValueError(f"rival_successes must be {periods} whole numbers from 0 to {rivals}")
    policy, draw = solution.policy, solution.belief if true_chance is None else Belief.known(true_chance)
    built, joined, mass = np.zeros(periods), np.zeros(periods), np.ones((1, 1))
    for t in range(periods):
        action = policy[t, : mass.shape[0], : mass.shape[1]]
        chance = draw.chance(*np.ogrid[: mass.shape[0], : mass.shape[1]])
        building = np.where(action == BUILD, mass, 0.0)
        built[t], joined[t] = (building * chance).sum(), mass[action == JOIN].sum()
        following = np.zeros((mass.shape[0], mass.shape[1] + 1))
        following[:, :-1] += np.where(action == WAIT, mass, 0.0)
        following[:, 1:] += building * (1.0 - chance)
        mass = _after_results(draw, following, rivals, None if seen is None else int(seen[t]))
    return Outcomes(built, joined, float(mass.sum()))


def _after_results(draw, mass, rivals, successes):
    """Chances of each state once rivals' results are known, given or drawn."""
    if successes is not None:
        return np.pad(mass, ((successes, rivals - successes), (rivals - successes, successes)))
    for _ in range(rivals):
        chance = draw.chance(*np.ogrid[: mass.shape[0], : mass.shape[1]])
        mass = np.pad(mass * chance, ((1, 0), (0, 1))) + np.pad(mass * (1.0 - chance), ((0, 1), (1, 0)))
    return mass


def logit_choice(values, precision, shocks=None):
    """How likely each action is, and which one is taken for given shocks.

        P_a = exp(λ v_a) / Σ_b exp(λ v_b),   taken: the a with the largest λ v_a + ε_a

    Args:
        values: v, `[..., A]`, kCNY; −inf: not open.
        precision: λ, per kCNY, not negative; 0: all open actions are equally likely.
        shocks: ε, `[..., A]`, standard Gumbel, drawn outside; None: all 0, the best action.
    Returns:
        (P `[..., A]`, the action taken `[...]`).
    Raises:
        ValueError: a negative or infinite precision, a NaN value, or no action open.
    Source:
        McKelvey & Palfrey (1995), Games and Economic Behavior 10(1); Train (2009), section 3.1.
    """
    values = np.asarray(values, dtype=float)
    if not 0.0 <= precision < np.inf:
        raise ValueError(f"precision={precision} must be finite and not negative")
    opened = values > -np.inf
    if np.isnan(values).any() or not opened.any(axis=-1).all():
        raise ValueError("values must be numbers, with at least one action open (not -inf)")
    utility = np.where(opened, precision * np.where(opened, values, 0.0), -np.inf)
    chances = choice_probabilities(utility.reshape(-1, utility.shape[-1]), -np.inf).reshape(utility.shape)
    drawn = np.where(opened, values, -np.inf) if shocks is None else utility + np.asarray(shocks, dtype=float)
    return chances, drawn.argmax(axis=-1)


def staying_constant(values, precision, rate):
    """What must keep a firm where it is, if it is seen to move with this chance: the constant of staying in a logit.

        k = ln( Σ_{a > 0} exp(λ (v_a − v_0)) · (1 − rate) / rate ),   at least 0

    so that exp(λ v_0 + k) / (exp(λ v_0 + k) + Σ_{a > 0} exp(λ v_a)) = 1 − rate, as a share is inverted for its mean utility.

    Args:
        values: v, `[A]`, kCNY, the present way's first; −inf: not open.
        precision: λ, per kCNY, not negative.
        rate: chance to move, in (0, 1).
    Returns:
        k, utils; 0 where it would move less often anyway, or has nowhere to go.
    Raises:
        ValueError: a rate that is no chance, or a present way that is not open.
    Source:
        Berry (1994), RAND Journal of Economics 25(2), for the inversion.
    """
    values = np.asarray(values, dtype=float)
    if not 0.0 < rate < 1.0:
        raise ValueError(f"rate={rate} must be between 0 and 1")
    if not math.isfinite(values[0]):
        raise ValueError("the present way must be open")
    others = values[1:][np.isfinite(values[1:])]
    if not len(others):
        return 0.0
    pull = float(np.logaddexp.reduce(precision * (others - values[0])))
    return max(pull + math.log1p(-rate) - math.log(rate), 0.0)


# Investment under uncertainty: dV = α V dt + σ V dz, discounted at ρ = α + δ; the right to pay I for V, at any time.


def excess_root(drift, volatility, rate) -> float:
    """β₁ − 1, positive, β₁ the larger root of ½ σ² β (β − 1) + α β − ρ = 0; exact also where β₁ is near 1.

        β₁ − 1 = 2 δ / (b + √(b² + 2 σ² δ)),   b = α + σ²/2,   δ = ρ − α

    Args:
        drift: α, growth of V a period.
        volatility: σ, a square root of a period; 0: V grows for sure.
        rate: ρ, a period; above α, or nobody would ever invest.
    Returns:
        β₁ − 1; inf: V never rises, so that the right to wait is worth nothing.
    Raises:
        ValueError: δ is not positive, or the volatility negative.
    Source:
        Dixit & Pindyck (1994), chapter 5, the fundamental quadratic with α = ρ − δ.
    """
    shortfall = rate - drift  # δ
    if not (shortfall > 0 and math.isfinite(shortfall)):
        raise ValueError(f"rate={rate} must be above drift={drift}, or waiting is always better")
    if not 0 <= volatility < math.inf:
        raise ValueError(f"volatility={volatility} must be finite and not negative")
    variance = volatility**2
    half = drift + 0.5 * variance
    root = math.sqrt(half**2 + 2.0 * variance * shortfall)
    if half > 0:
        return 2.0 * shortfall / (half + root)
    return (root - half) / variance if variance > 0 else math.inf


def investment_threshold(cost, drift, volatility, rate) -> float:
    """V* = β₁ / (β₁ − 1) I, kCNY: the value at which to invest; I itself would be the rule of net present value.

    With σ → 0 it falls to I where V does not grow, else to ρ I / δ: then it is time, not risk, that is worth waiting for.

    Source:
        Dixit & Pindyck (1994), chapter 5; McDonald & Siegel (1986), Quarterly Journal of Economics 101(4).
    """
    if not 0 < cost < math.inf:
        raise ValueError(f"cost={cost} must be positive and finite")
    return cost * (1.0 + 1.0 / excess_root(drift, volatility, rate))


def investment_option(value, cost, drift, volatility, rate):
    """F(V), kCNY, in the shape of `value`: (V* − I) (V / V*)^β₁ below V*, V − I from there on.

    F(V) − max(V − I, 0) is the premium that investing now gives up.
    """
    value = np.asarray(value, dtype=float)
    if not (value >= 0).all():
        raise ValueError("value must not be negative")
    threshold = investment_threshold(cost, drift, volatility, rate)
    reached = discounted_arrival(value, threshold, drift, volatility, rate)
    return np.where(value >= threshold, value - cost, (threshold - cost) * reached)


def discounted_arrival(value, threshold, drift, volatility, rate):
    """E e^(−ρ T), T the first time V reaches the threshold from below: (V / V*)^β₁; 1 at or above it."""
    ratio = np.minimum(np.asarray(value, dtype=float) / threshold, 1.0)
    return ratio ** (1.0 + excess_root(drift, volatility, rate))


def arrival_probability(value, threshold, drift, volatility):
    """Chance that V ever reaches the threshold: 1 where ln V drifts upward, else (V / V*)^(1 − 2 α / σ²).

    Source:
        Harrison (1985), Brownian Motion and Stochastic Flow Systems, chapter 1.
    """
    if not volatility > 0:
        raise ValueError(f"volatility={volatility} must be positive")
    ratio = np.minimum(np.asarray(value, dtype=float) / threshold, 1.0)
    return ratio ** max(1.0 - 2.0 * drift / volatility**2, 0.0)


def expected_arrival(value, threshold, drift, volatility):
    """Expected periods until V reaches the threshold: ln(V* / V) / (α − σ²/2); inf unless ln V drifts upward."""
    distance = np.log(np.maximum(threshold / np.asarray(value, dtype=float), 1.0))
    speed = drift - 0.5 * volatility**2
    return np.divide(distance, speed) if speed > 0 else np.where(distance > 0, np.inf, 0.0)
