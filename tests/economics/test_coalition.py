"""All memberships, their stability, the paths of firms that move one at a time, and the leader's terms on a grid."""

from itertools import permutations
from math import comb

import numpy as np
import pytest

from evsim.economics.coalition import (
    all_memberships,
    best_stable,
    from_everybody,
    from_nobody,
    membership_hysteresis,
    myopic_path,
    royalty_curve,
    settle,
    worst_stable,
)


def alike(inside, outside):
    """The payoff of firms that are alike: what a member and an outsider earn with k members."""

    def payoff(membership):
        k = int(membership.sum())
        return np.where(membership, inside(k), outside(k))

    return payoff


def price_leadership(n_firms):
    """d'Aspremont et al.: a cartel sets the price, a fringe with cost q²/2 takes it; demand n (1 − p).

    By hand p = 2n² / (4n² − k²), an outsider earns p²/2, a member p²/2 (1 − k²/4n²).
    """
    squeeze = lambda k: 1.0 - k**2 / (4.0 * n_firms**2)  # noqa: E731
    return alike(lambda k: 0.125 / squeeze(k), lambda k: 0.125 / squeeze(k) ** 2)


def abatement(n_firms, benefit=0.37, slope=1.9):
    """Barrett's public good: everyone gains b Q, abating costs c q²/2; members maximise their sum: q = k b/c."""
    total = lambda k: (k**2 + n_firms - k) * benefit / slope  # noqa: E731
    return alike(
        lambda k: benefit * total(k) - 0.5 * slope * (k * benefit / slope) ** 2,
        lambda k: benefit * total(k) - 0.5 * slope * (benefit / slope) ** 2,
    )


def network(gain, cost):
    """Members share what all members bring: gain × ln(1 + k) − cost; outsiders earn nothing."""
    return alike(lambda k: gain * np.log1p(k) - cost, lambda k: 0.0)


def random_payoff(n_firms, seed):
    table = np.random.default_rng(seed).normal(size=(2**n_firms, n_firms + 1))
    return lambda membership: table[int(membership @ (1 << np.arange(n_firms)))]


# Known stable sizes.


@pytest.mark.parametrize("n_firms", [3, 4, 7, 9])
def test_three_firms_make_the_stable_cartel_under_price_leadership(n_firms):
    table = all_memberships(price_leadership(n_firms), n_firms)
    assert table.stable_sizes == [3]
    assert table.stable.sum() == comb(n_firms, 3)
    assert membership_hysteresis(price_leadership(n_firms), n_firms).from_everybody.membership.sum() == 3
    assert from_nobody(price_leadership(n_firms), n_firms).membership.sum() == 3


def test_outsiders_of_a_cartel_earn_more_than_its_members():
    table = all_memberships(price_leadership(5), 5)
    mixed = table.members.any(axis=1) & ~table.members.all(axis=1)
    least_outside = np.where(table.members, np.inf, table.profits)[mixed].min(axis=1)
    assert (least_outside > np.where(table.members, table.profits, 0.0)[mixed].max(axis=1)).all()


@pytest.mark.parametrize(("n_firms", "sizes"), [(2, [0, 2]), (3, [0, 1]), (6, [0, 1])])
def test_a_merger_in_cournot_is_stable_for_two_firms_only(n_firms, sizes):
    """A cartel of k splits 1/(n − k + 2)²; outsiders earn it whole. A cartel of one is no cartel: a tie moves nobody."""
    split = lambda k: 1.0 / (n_firms - max(k, 1) + 2) ** 2  # noqa: E731
    assert all_memberships(alike(lambda k: split(k) / max(k, 1), split), n_firms).stable_sizes == sizes


def test_ties_move_nobody_so_that_agreements_of_two_and_three_are_both_stable():
    """At three members a leaver gains exactly 0, but for rounding; so does the first to join: 0 is stable as well."""
    assert all_memberships(abatement(6), 6).stable_sizes == [0, 2, 3]
    assert from_nobody(abatement(6), 6).membership.sum() == 0
    assert from_everybody(abatement(6), 6).membership.sum() == 3


@pytest.mark.parametrize(("cost", "sizes"), [(0.6, [5]), (1.0, [0, 5]), (1.7, [0, 5]), (1.9, [0])])
def test_a_network_worth_joining_only_together_has_two_stable_sizes(cost, sizes):
    """Alone a member earns ln 2 − cost, in full company ln 6 − cost."""
    assert all_memberships(network(1.0, cost), 5).stable_sizes == sizes
    ends = membership_hysteresis(network(1.0, cost), 5)
    assert [ends.from_nobody.membership.sum(), ends.from_everybody.membership.sum()] == [sizes[0], sizes[-1]]
    assert ends.differs == (len(sizes) == 2) and ends.width == sizes[-1] - sizes[0]


@pytest.mark.parametrize("seed", range(20))
def test_alike_firms_always_have_a_stable_size_and_paths_end_at_the_smallest_and_the_largest(seed):
    """The existence theorem of d'Aspremont et al. (1983), for any payoffs of alike firms."""
    inside, outside = np.random.default_rng(seed).normal(size=(2, 8))
    payoff = alike(lambda k: inside[k], lambda k: outside[k])
    sizes = all_memberships(payoff, 7).stable_sizes
    ends = membership_hysteresis(payoff, 7, order=np.random.default_rng(seed).permutation(7))
    assert ends.from_nobody.settled and ends.from_nobody.membership.sum() == sizes[0]
    assert ends.from_everybody.settled and ends.from_everybody.membership.sum() == sizes[-1]


# A slow twin.


@pytest.mark.parametrize("seed", range(5))
def test_stability_is_what_sets_and_loops_say(seed):
    payoff, firms = random_payoff(4, seed), range(4)

    def earns(firm, members):
        return payoff(np.array([i in members for i in firms]))[firm]

    table = all_memberships(payoff, 4)
    for row in range(16):
        members = {i for i in firms if row >> i & 1}
        assert set(np.flatnonzero(table.members[row])) == members and table.row(table.members[row]) == row
        assert table.internal[row] == all(earns(i, members) >= earns(i, members - {i}) for i in members)
        assert table.external[row] == all(earns(i, members) >= earns(i, members | {i}) for i in set(firms) - members)
        assert table.profits[row] == pytest.approx([earns(i, members) for i in firms], abs=0)
        assert table.gains[row] == pytest.approx([earns(i, members ^ {i}) - earns(i, members) for i in firms], abs=0)
        assert table.leader_profits[row] == earns(4, members)


@pytest.mark.parametrize("seed", range(5))
def test_a_settled_path_ends_at_a_stable_membership_and_every_move_pays(seed):
    payoff = random_payoff(5, seed)
    table = all_memberships(payoff, 5)
    for order in list(permutations(range(5)))[::17]:
        path = myopic_path(payoff, [1, 0, 1, 0, 0], order)
        assert path.settled != path.cycled
        assert table.stable[table.row(path.membership)] or not path.settled
        for before, after, mover in zip(path.steps[:-1], path.steps[1:], path.movers, strict=True):
            assert np.flatnonzero(before != after).tolist() == [mover]
            assert table.gains[table.row(before), mover] > 0


def test_neighbours_are_asked_for_one_after_the_other():
    asked = []

    def payoff(membership):
        asked.append(membership.copy())
        return np.zeros(5)

    all_memberships(payoff, 5)
    assert len(asked) == 32 and (np.abs(np.diff(np.array(asked, dtype=int), axis=0)).sum(axis=1) == 1).all()


# Two firms, by hand.


def test_in_a_game_of_chicken_the_first_to_decide_joins():
    payoff = alike(lambda k: [np.nan, 3.0, -1.0][k], lambda k: [0.0, 1.0, np.nan][k])
    assert all_memberships(payoff, 2).stable_sizes == [1]
    assert from_nobody(payoff, 2).membership.tolist() == [True, False]
    assert from_nobody(payoff, 2, order=[1, 0]).membership.tolist() == [False, True]
    assert from_everybody(payoff, 2).membership.tolist() == [False, True]  # the first to decide leaves


def imitation(membership):
    """Firm 0 wants to be where firm 1 is, firm 1 where firm 0 is not; the leader earns 1 a member."""
    same = float(membership[0] == membership[1])
    return np.array([same, 1.0 - same, membership.sum()])


def test_a_pursuit_never_ends_and_says_so():
    assert all_memberships(imitation, 2).stable_sizes == []
    path = from_nobody(imitation, 2)
    assert path.cycled and not path.settled
    assert path.steps.astype(int).tolist() == [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0], [0, 1]]
    assert not best_stable(imitation, 2).settled


def test_a_path_that_runs_out_of_rounds_is_not_settled():
    path = from_everybody(network(1.0, 1.9), 4, max_rounds=1)
    assert path.rounds == 1 and not path.settled and not path.cycled and not path.membership.any()
    assert from_everybody(network(1.0, 1.9), 4, max_rounds=2).settled


def test_a_gain_within_the_tolerance_moves_nobody():
    payoff = alike(lambda k: 100.0 + 1e-6, lambda k: 100.0)
    assert from_nobody(payoff, 3).membership.all()
    assert not from_nobody(payoff, 3, tolerance=1e-7).membership.any()


# Choices of any kind, made one at a time.


def following(player, choices):
    """Everybody takes what the one before has; the first keeps its own."""
    return choices[max(player - 1, 0)]


@pytest.mark.parametrize("seed", range(5))
def test_settling_on_memberships_is_the_myopic_path(seed):
    payoff, order = random_payoff(5, seed), list(np.random.default_rng(seed).permutation(5))

    def better(firm, members):
        there = np.array(members)
        there[firm] = not there[firm]
        return bool(there[firm] if payoff(there)[firm] > payoff(np.array(members))[firm] else members[firm])

    path = myopic_path(payoff, [0, 1, 0, 1, 0], order)
    rest = settle(better, [False, True, False, True, False], order)
    assert [list(step) for step in rest.steps] == path.steps.tolist()
    assert list(rest.choices) == path.membership.tolist()
    assert (rest.movers, rest.rounds) == (path.movers.tolist(), path.rounds)
    assert (rest.settled, rest.cycled) == (path.settled, path.cycled)


def test_choices_may_be_any_names_and_a_round_is_taken_in_order():
    rest = settle(following, ["inside", "alliance", "out"], [2, 1, 0])
    assert rest.choices == ("inside", "inside", "inside")
    assert rest.steps[1] == ("inside", "alliance", "alliance")  # the last to stand in line moves first
    assert rest.movers == [2, 1, 2] and rest.rounds == 3 and rest.settled and not rest.cycled
    quick = settle(following, ["inside", "alliance", "out"], [0, 1, 2])
    assert quick.choices == rest.choices and quick.movers == [1, 2] and quick.rounds == 2


def test_where_it_settled_nobody_would_choose_otherwise():
    rest = settle(following, list("abcd"), [3, 2, 1, 0])
    assert rest.settled
    assert all(following(player, rest.choices) == choice for player, choice in enumerate(rest.choices))


def test_a_pursuit_of_choices_goes_round_and_says_so():
    def pursuit(player, choices):
        return choices[1] if player == 0 else (choices[0] + 1) % 3

    rest = settle(pursuit, [0, 0], [0, 1])
    assert rest.cycled and not rest.settled
    assert rest.steps[0] in rest.steps[1:]


def test_rounds_run_out_before_choices_rest():
    rest = settle(following, list("abcd"), [3, 2, 1, 0], max_rounds=2)
    assert rest.rounds == 2 and not rest.settled and not rest.cycled


def test_with_nobody_to_choose_everything_rests():
    rest = settle(following, [], [])
    assert rest.settled and rest.choices == () and rest.rounds == 1 and not rest.movers


# The leader's terms.

WORTH = np.array([10.0, 8.0, 5.0, 1.0])  # what membership is worth to each firm, before a price of 40


def paying(revenue_share, unit_fee):
    """Firms join while it is worth its cost; the leader earns what they pay."""
    fee = unit_fee + 40.0 * revenue_share
    return lambda membership: np.append(np.where(membership, WORTH - fee, 0.0), fee * membership.sum())


def test_the_leader_takes_the_fee_at_which_fee_times_members_is_largest():
    fees = np.linspace(0.0, 12.0, 25)
    curve = royalty_curve(paying, 4, 0.0, fees)
    members = (WORTH[None, :] > fees[:, None]).sum(axis=1)
    assert curve.members[0].sum(axis=1).tolist() == members.tolist()
    assert curve.leader_profits[0] == pytest.approx(fees * members, abs=1e-12)
    assert curve.best == (0, int((fees * members).argmax())) == (0, 15)
    left = [fees[np.flatnonzero(curve.departures(axis=1)[0, :, firm])].tolist() for firm in range(4)]
    assert left == [[10.0], [8.0], [5.0], [1.0]]


def test_a_share_and_a_fee_of_the_same_size_are_the_same_terms_here():
    curve = royalty_curve(paying, 4, [0.0, 0.1, 0.2], [0.0, 4.0, 8.0])
    assert curve.leader_profits == pytest.approx(curve.leader_profits.T)
    assert (curve.departures(axis=0) == np.swapaxes(curve.departures(axis=1), 0, 1)).all()


def networked(revenue_share, unit_fee):
    members_only = network(1.0, unit_fee + 40.0 * revenue_share)
    return lambda membership: np.append(members_only(membership), unit_fee * membership.sum())


def test_from_everybody_partners_stay_longer_and_the_leader_asks_more():
    fees = np.linspace(0.05, 2.0, 40)
    up, down, best, worst = (
        royalty_curve(networked, 5, 0.0, fees, rule)
        for rule in (from_nobody, from_everybody, best_stable, worst_stable)
    )
    assert fees[up.best[1]] == pytest.approx(0.65)  # the last below ln 2
    assert fees[down.best[1]] == pytest.approx(1.75)  # the last below ln 6
    assert best.leader_profits == pytest.approx(down.leader_profits)
    assert worst.leader_profits == pytest.approx(up.leader_profits)


def test_points_where_membership_never_rests_are_not_the_leaders_choice():
    restless = royalty_curve(lambda r, w: imitation if w > 1 else paying(r, w), 2, 0.0, [2.0, 3.0])
    with pytest.raises(ValueError, match="come to rest"):
        _ = restless.best
    mixed = royalty_curve(lambda r, w: imitation if w > 1 else lambda m: np.zeros(3), 2, 0.0, [1.0, 3.0])
    assert mixed.best == (0, 0)


# Bad input.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: all_memberships(network(1, 1), 0), "n_firms=0"),
        (lambda: all_memberships(network(1, 1), 21), "n_firms=21"),
        (lambda: all_memberships(lambda m: np.zeros(7), 3), "3 finite profits"),
        (lambda: all_memberships(lambda m: np.full(3, np.nan), 3), "3 finite profits"),
        (lambda: all_memberships(network(1, 1), 3, tolerance=-1.0), "tolerance"),
        (lambda: myopic_path(network(1, 1), [0, 1, 0], order=[0, 1, 1]), "each of 3 firms once"),
        (lambda: myopic_path(network(1, 1), [0, 1, 0], max_rounds=0), "max_rounds=0"),
        (lambda: myopic_path(network(1, 1), [0, 2, 0]), "a membership must say"),
        (lambda: settle(following, ["a", "b"], [0]), "each of 2 firms once"),
        (lambda: settle(following, ["a", "b"], [0, 1], max_rounds=0), "max_rounds=0"),
        (lambda: all_memberships(network(1, 1), 3).row([True]), "a membership must say"),
        (lambda: best_stable(network(1, 1), 3), "leader's last"),
        (lambda: royalty_curve(lambda r, w: network(1, 1), 3, 0.0, 0.0), "leader's last"),
        (lambda: royalty_curve(paying, 4, [0.1, 0.0], 0.0), "rising"),
        (lambda: royalty_curve(paying, 4, 0.0, []), "rising"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
