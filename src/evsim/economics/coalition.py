"""Who joins: all memberships of an alliance, those that are stable, how firms get there, and what the leader then earns.

A payoff is any function of a membership M, `[n]` bool, that returns the n firms' profits, or n + 1 with the leader's last.
`royalty.price_game_payoff` makes one from the price game. A firm moves if that raises its profit by more than a
`tolerance` of the larger of the two profits' size: noise of a solver is no reason to leave, and a tie keeps things as they are.

    internally stable: π_i(M) ≥ π_i(M \\ {i}) for every i in M
    externally stable: π_i(M) ≥ π_i(M ∪ {i}) for every i outside M

Where firms are alike a stable membership always exists; where they differ there may be none, and a path may go round for
ever. Alike firms that start from nobody end at the smallest stable size, from everybody at the largest.

Source: d'Aspremont, Jacquemin, Gabszewicz & Weymark (1983), Canadian Journal of Economics 16(1).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-9  # of the larger profit's size: a smaller gain moves nobody
MOST_FIRMS = 20  # a million memberships

Payoff = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Memberships:
    """Every membership; row k has firm i as a member where bit i of k is 1, so row 0 is nobody, the last everybody."""

    members: np.ndarray  # [2^n, n] bool
    profits: np.ndarray  # [2^n, n], the payoff's unit (kCNY)
    leader_profits: np.ndarray | None  # [2^n]; None where the payoff tells no leader's
    gains: np.ndarray  # [2^n, n]: what each firm would gain by joining or leaving alone
    internal: np.ndarray  # [2^n] bool: no member gains by leaving
    external: np.ndarray  # [2^n] bool: no outsider gains by joining

    @property
    def stable(self) -> np.ndarray:
        """Internally and externally stable, `[2^n]` bool."""
        return self.internal & self.external

    @property
    def stable_sizes(self) -> list[int]:
        """Numbers of members of the stable memberships, rising."""
        return np.unique(self.members[self.stable].sum(axis=1)).tolist()

    def row(self, membership) -> int:
        """The row of a membership."""
        return membership_code(as_membership(membership, self.members.shape[1]))


@dataclass(frozen=True)
class Rest:
    """A membership, what firms earn there, and whether they would stay."""

    membership: np.ndarray  # [n] bool
    profits: np.ndarray  # [n]
    leader_profit: float | None
    settled: bool


@dataclass(frozen=True)
class Path(Rest):
    """Firms moving one at a time; the fields of `Rest` describe where they ended."""

    steps: np.ndarray  # [S + 1, n] bool: the start, and the membership after each move
    movers: np.ndarray  # [S], the firm that moved
    rounds: int  # rounds begun, the last without a move if `settled`
    cycled: bool  # a round began where an earlier one did: it would go on for ever


@dataclass(frozen=True)
class Hysteresis:
    """Where the same firms, in the same order, end from nobody and from everybody."""

    from_nobody: Path
    from_everybody: Path

    @property
    def differs(self) -> bool:
        """Whether history decides who is a member."""
        return bool((self.from_nobody.membership != self.from_everybody.membership).any())

    @property
    def width(self) -> int:
        """Members from everybody less members from nobody."""
        return int(self.from_everybody.membership.sum()) - int(self.from_nobody.membership.sum())


def all_memberships(payoff: Payoff, n_firms: int, tolerance=TOLERANCE) -> Memberships:
    """Profits of all 2^n memberships, and which of them are stable.

    The payoff is asked in Gray-code order: each membership differs from the one before by one firm, so that a payoff that
    remembers its last solution has a near one to start from.

    Args:
        payoff: membership `[n]` bool → profits `[n]` or `[n + 1]`, the leader's last.
        n_firms: n, 1 to 20.
        tolerance: relative gain that moves nobody.
    Returns:
        `Memberships`.
    Raises:
        ValueError: n out of range, or profits that are not n or n + 1 finite numbers.
    Source:
        d'Aspremont et al. (1983), definitions of section II; Gray (1953), US patent 2632058.
    """
    if not 1 <= n_firms <= MOST_FIRMS:
        raise ValueError(f"n_firms={n_firms} must be from 1 to {MOST_FIRMS}: there are 2^n memberships")
    codes = np.arange(2**n_firms)
    bits = 1 << np.arange(n_firms)
    members = (codes[:, None] & bits) > 0
    answers = {int(k): _answer(payoff, members[k]) for k in codes ^ (codes >> 1)}
    profits = np.array([answers[k][0] for k in range(len(codes))])
    leader = [answers[k][1] for k in range(len(codes))]
    switched = profits[codes[:, None] ^ bits, np.arange(n_firms)]
    moves = gains_enough(profits, switched, tolerance)
    internal, external = ~(moves & members).any(axis=1), ~(moves & ~members).any(axis=1)
    leader_profits = None if None in leader else np.array(leader, dtype=float)
    return Memberships(members, profits, leader_profits, switched - profits, internal, external)


def gains_enough(profits, switched, tolerance=TOLERANCE) -> np.ndarray:
    """Whether `switched` exceeds `profits` by more than the tolerance of the larger of their sizes; any one shape."""
    profits, switched = np.asarray(profits, dtype=float), np.asarray(switched, dtype=float)
    if not tolerance >= 0:
        raise ValueError(f"tolerance={tolerance} must not be negative")
    return switched - profits > tolerance * np.maximum(np.abs(profits), np.abs(switched))


def myopic_path(payoff: Payoff, start, order: Sequence[int] | None = None, max_rounds=100, tolerance=TOLERANCE) -> Path:
    """Firms join and leave one at a time, others' modes given, until nobody moves or the rounds are used up.

    Args:
        payoff: membership `[n]` bool → profits `[n]` or `[n + 1]`; asked once for each membership met.
        start: membership to start from, `[n]` bool.
        order: in which firms decide, the same every round, `[n]`; None: 0, 1, …
        max_rounds: bound on rounds, at least 1.
        tolerance: relative gain that moves nobody.
    Returns:
        `Path`; `settled` is False if it cycled or ran out of rounds.
    Raises:
        ValueError: order is not each firm once, no rounds, or a faulty payoff.
    """
    current = as_membership(start, np.size(start))
    n_firms = len(current)
    order = list(range(n_firms)) if order is None else [int(firm) for firm in order]
    known: dict[int, tuple[np.ndarray, float | None]] = {}

    def choose(firm: int, members: tuple) -> bool:
        here = np.array(members)
        there = here.copy()
        there[firm] = not there[firm]
        stays, moves = _look_up(payoff, here, known)[0], _look_up(payoff, there, known)[0]
        return bool(there[firm] if gains_enough(stays[firm], moves[firm], tolerance) else here[firm])

    rest = settle(choose, current.tolist(), order, max_rounds)
    steps = np.array(rest.steps, dtype=bool)
    profits, leader_profit = _look_up(payoff, steps[-1], known)
    movers = np.array(rest.movers, dtype=np.int64)
    return Path(steps[-1], profits, leader_profit, rest.settled, steps, movers, rest.rounds, rest.cycled)


@dataclass(frozen=True)
class Settlement:
    """Where choices made one at a time came to rest."""

    choices: tuple  # [n], what each has at the end
    steps: list[tuple]  # the start, and the choices after each move
    movers: list[int]  # who moved
    rounds: int  # rounds begun, the last without a move if `settled`
    settled: bool  # in the last round nobody moved
    cycled: bool  # a round began where an earlier one did: it would go on for ever


def settle(
    choose: Callable[[int, tuple], Hashable], start: Sequence, order: Sequence[int], max_rounds=100
) -> Settlement:
    """Players choose one at a time, the others' choices given, until nobody moves or the rounds are used up.

    Args:
        choose: (player, everybody's choices) → the player's choice; for the same choices it must answer the same.
        start: choices to start from, `[n]`.
        order: in which players decide, the same every round: each of n once.
        max_rounds: bound on rounds, at least 1.
    Returns:
        `Settlement`.
    Raises:
        ValueError: order is not each player once, or no rounds.
    """
    current = tuple(start)
    if sorted(order) != list(range(len(current))) or max_rounds < 1:
        raise ValueError(
            f"order must name each of {len(current)} firms once, and max_rounds={max_rounds} be at least 1"
        )
    steps, began = [current], set()
    movers: list[int] = []
    rounds, settled, cycled = 0, False, False
    while rounds < max_rounds and not (settled or cycled):
        began.add(current)
        rounds, before = rounds + 1, len(movers)
        for player in order:
            choice = choose(player, current)
            if choice != current[player]:
                current = (*current[:player], choice, *current[player + 1 :])
                steps.append(current)
                movers.append(player)
        settled = len(movers) == before
        cycled = not settled and current in began
    return Settlement(current, steps, movers, rounds, settled, cycled)


def from_nobody(payoff: Payoff, n_firms: int, order=None, max_rounds=100, tolerance=TOLERANCE) -> Path:
    """`myopic_path` that starts without members."""
    return myopic_path(payoff, np.zeros(n_firms, dtype=bool), order, max_rounds, tolerance)


def from_everybody(payoff: Payoff, n_firms: int, order=None, max_rounds=100, tolerance=TOLERANCE) -> Path:
    """`myopic_path` that starts with every firm a member."""
    return myopic_path(payoff, np.ones(n_firms, dtype=bool), order, max_rounds, tolerance)


def membership_hysteresis(payoff: Payoff, n_firms: int, order=None, max_rounds=100, tolerance=TOLERANCE) -> Hysteresis:
    """Both outcomes, from nobody and from everybody, in one order of moves."""
    settings = (n_firms, order, max_rounds, tolerance)
    return Hysteresis(from_nobody(payoff, *settings), from_everybody(payoff, *settings))


def best_stable(payoff: Payoff, n_firms: int, tolerance=TOLERANCE) -> Rest:
    """The stable membership the leader likes best (the first in row order if several); 2^n profits are computed.

    Where none is stable, `settled` is False and the membership is nobody.

    Raises:
        ValueError: the payoff does not tell the leader's profit.
    """
    return _stable_by(payoff, n_firms, tolerance, 1.0)


def worst_stable(payoff: Payoff, n_firms: int, tolerance=TOLERANCE) -> Rest:
    """The stable membership the leader likes least: what it can count on, whatever the history; else as `best_stable`."""
    return _stable_by(payoff, n_firms, tolerance, -1.0)


@dataclass(frozen=True)
class RoyaltyCurve:
    """The leader's profit over its terms, members responding: R revenue shares by W fees per car."""

    revenue_shares: np.ndarray  # r, [R], fraction
    unit_fees: np.ndarray  # w, [W], kCNY per car
    members: np.ndarray  # [R, W, n] bool
    profits: np.ndarray  # [R, W, n]
    leader_profits: np.ndarray  # [R, W]
    settled: np.ndarray  # [R, W] bool: whether the members at this point would stay

    @property
    def best(self) -> tuple[int, int]:
        """Row and column of the leader's highest profit among settled points."""
        if not self.settled.any():
            raise ValueError("at no point of the grid does membership come to rest, so that no terms are best")
        profits = np.where(self.settled, self.leader_profits, -np.inf)
        row, column = np.unravel_index(int(profits.argmax()), profits.shape)
        return int(row), int(column)

    def departures(self, axis=0) -> np.ndarray:
        """Members at the point before that are none here, `[R, W, n]` bool, along r (axis 0) or w (axis 1)."""
        left = np.zeros_like(self.members)
        here, before = (slice(1, None), slice(None, -1)) if axis == 0 else (np.s_[:, 1:], np.s_[:, :-1])
        left[here] = self.members[before] & ~self.members[here]
        return left


def royalty_curve(
    payoff_of: Callable[[float, float], Payoff],
    n_firms: int,
    revenue_shares,
    unit_fees,
    select: Callable[[Payoff, int], Rest] = from_nobody,
) -> RoyaltyCurve:
    """The leader's profit at every pair of terms on a grid, membership being what the firms make of it.

    The leader moves first; at each point the firms' membership game is played anew, and `select` says where it rests.

    Args:
        payoff_of: (r, w) → payoff with the leader's profit; `royalty.payoffs_by_terms` makes one from the price game.
        n_firms: n.
        revenue_shares, unit_fees: r, fractions, and w, kCNY per car, rising; one number: held there.
        select: (payoff, n) → `Rest`: `from_nobody`, `from_everybody`, `best_stable`, `worst_stable`, or another.
    Returns:
        `RoyaltyCurve`; `best` is the leader's choice.
    Raises:
        ValueError: grids that do not rise, or a payoff that does not tell the leader's profit.
    """
    grids = [np.array(grid, dtype=float, ndmin=1) for grid in (revenue_shares, unit_fees)]
    if not all(
        grid.ndim == 1 and grid.size and np.isfinite(grid).all() and (np.diff(grid) > 0).all() for grid in grids
    ):
        raise ValueError("revenue_shares and unit_fees must each be a rising list of finite numbers, or one number")
    rests = [[select(payoff_of(float(r), float(w)), n_firms) for w in grids[1]] for r in grids[0]]
    if any(rest.leader_profit is None for row in rests for rest in row):
        raise ValueError("the payoff must return n + 1 profits, the leader's last")
    return RoyaltyCurve(
        grids[0],
        grids[1],
        np.array([[rest.membership for rest in row] for row in rests]),
        np.array([[rest.profits for rest in row] for row in rests]),
        np.array([[rest.leader_profit for rest in row] for row in rests], dtype=float),
        np.array([[rest.settled for rest in row] for row in rests]),
    )


def as_membership(membership, n_firms: int) -> np.ndarray:
    """A membership as an array of its own, `[n]` bool.

    Raises:
        ValueError: not n truth values, or no firm.
    """
    array = np.array(membership, ndmin=1)
    if array.shape != (n_firms,) or n_firms < 1 or not np.isin(array, (0, 1)).all():
        raise ValueError(f"a membership must say of each of {n_firms} firms whether it is a member, not {membership!r}")
    return array.astype(bool)


def membership_code(membership) -> int:
    """Σ_i 2^i over members i: the membership's row among all."""
    return sum(1 << i for i, member in enumerate(membership) if member)


def _stable_by(payoff, n_firms, tolerance, sign):
    table = all_memberships(payoff, n_firms, tolerance)
    if table.leader_profits is None:
        raise ValueError("the payoff must return n + 1 profits, the leader's last")
    liking = np.where(table.stable, sign * table.leader_profits, -np.inf)
    row = int(liking.argmax())
    return Rest(
        table.members[row], table.profits[row], float(table.leader_profits[row]), settled=bool(table.stable[row])
    )


def _look_up(payoff, membership, known):
    code = membership_code(membership)
    if code not in known:
        known[code] = _answer(payoff, membership)
    return known[code]


def _answer(payoff, membership):
    """Profits `[n]` and the leader's, or None."""
    values = np.array(payoff(membership.copy()), dtype=float, ndmin=1)
    n_firms = len(membership)
    if values.shape not in ((n_firms,), (n_firms + 1,)) or not np.isfinite(values).all():
        raise ValueError(
            f"a payoff must return {n_firms} finite profits, or {n_firms + 1} with the leader's, not {values}"
        )
    return values[:n_firms], float(values[n_firms]) if len(values) > n_firms else None
