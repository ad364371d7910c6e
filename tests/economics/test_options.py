"""Build, join or wait; the investment threshold: closed forms, brute force over histories, theorems."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from evsim.economics import options
from evsim.economics.options import (
    BUILD,
    JOIN,
    WAIT,
    Belief,
    Route,
    Stopping,
    build_join_or_wait,
    build_join_or_wait_for_ever,
    lasting_threshold,
    outcomes,
    threshold_mean,
)

CHANCES = st.floats(0.02, 0.98)


def problem(**changes):
    """Building costs 20 an attempt and a success is worth up to 206; joining costs 10 and is worth up to 101."""
    terms = {
        "build": Route(20.0, lump_sum=150.0, flow=10.0, delay=2),
        "join": Route(10.0, lump_sum=30.0, flow=8.0, delay=1),
        "wait_flow": 2.0,
        "discount": 0.9,
        "rival_attempts": 0,
    }
    return Stopping(**{**terms, **changes})


def patient(rivals, discount=0.99):
    """Alone a firm is near indifference between building and joining at a chance of 0.31; with rivals it may wait."""
    build, join = Route(60.0, lump_sum=300.0), Route(0.0, lump_sum=100.0)
    return Stopping(build, join, wait_flow=0.0, discount=discount, rival_attempts=rivals)


def belief_examples():
    return [Belief.known(0.3), Belief.beta(1.0, 2.0), Belief.beta(0.4, 0.6), Belief.beta(6.0, 5.0)]


# Brute force: trees of single results, nothing shared between branches, belief by Bayes' rule on each branch.


def worth_twin(route, game, to_go):
    """What a success is worth, period by period."""
    total = game.discount**route.delay * route.lump_sum
    for period in range(to_go):
        total += game.discount**period * (game.wait_flow if period < route.delay else route.flow)
    return total


def values_twin(game, prior, to_go, wins=0, losses=0):
    """Values of build, join and wait in one state, from every history that can follow."""

    def chance(won, lost):
        return prior.mean if math.isinf(prior.strength) else (prior.mean * prior.strength + won) / (
            prior.strength + won + lost
        )  # fmt: skip

    def later(won, lost):
        """Expected value once the rivals' results are seen."""
        if to_go == 1:
            return 0.0
        total = 0.0
        for results in itertools.product((1, 0), repeat=game.rival_attempts):
            probability, w, lo = 1.0, won, lost
            for result in results:
                p = chance(w, lo)
                probability *= p if result else 1.0 - p
                w, lo = w + result, lo + 1 - result
            total += probability * max(values_twin(game, prior, to_go - 1, w, lo))
        return total

    p = chance(wins, losses)
    success = worth_twin(game.build, game, to_go - 1)
    if game.free_disposal:
        success = max(success, later(wins, losses + 1))
    expected = p * success + (1.0 - p) * later(wins, losses + 1)
    return (
        game.wait_flow - game.build.cost + game.discount * expected,
        worth_twin(game.join, game, to_go) - game.join.cost,
        game.wait_flow + game.discount * later(wins, losses),
    )


@pytest.mark.parametrize(("rivals", "periods"), [(0, 6), (1, 4), (2, 3)])
@pytest.mark.parametrize("prior", belief_examples())
def test_values_are_those_of_the_tree_of_all_histories(rivals, periods, prior):
    unwanted = problem(build=Route(5.0, flow=1.0), rival_attempts=rivals, free_disposal=True)
    for game in (problem(rival_attempts=rivals), patient(rivals), unwanted):
        values = build_join_or_wait(game, prior, periods).values
        assert values[0, 0, 0] == pytest.approx(values_twin(game, prior, periods), abs=1e-10)
        later = values_twin(game, prior, periods - 1, 0, rivals + 1)
        assert values[1, 0, rivals + 1] == pytest.approx(later, abs=1e-10)


@pytest.mark.parametrize("prior", belief_examples())
@pytest.mark.parametrize("join_cost", [10.0, 60.0, 95.0, math.inf])
def test_no_plan_of_actions_by_number_of_failures_does_better(prior, join_cost):
    """Without rivals a policy is a sequence of actions: build, wait, …, until it joins or the horizon comes."""
    game, periods = problem(join=Route(join_cost, lump_sum=30.0, flow=8.0, delay=1)), 5
    best = -math.inf
    for plan in itertools.product((BUILD, JOIN, WAIT), repeat=periods):
        value, alive, losses = 0.0, 1.0, 0
        for t, action in enumerate(plan):
            now = game.discount**t * alive
            if action == JOIN:
                value += now * (worth_twin(game.join, game, periods - t) - game.join.cost)
                break
            value += now * game.wait_flow
            if action == BUILD:
                p = float(prior.chance(0, losses))
                value += now * (game.discount * p * worth_twin(game.build, game, periods - t - 1) - game.build.cost)
                alive, losses = alive * (1.0 - p), losses + 1
        best = max(best, value)
    assert build_join_or_wait(game, prior, periods).values[0, 0, 0].max() == pytest.approx(best, abs=1e-10)


def test_values_with_fractions_are_exact():
    """Two periods, Beta(1, 1), β = 1/2, in rational numbers: only rounding separates the code from them."""
    half = Fraction(1, 2)
    second = max(1 - 3 + half * half * 40, Fraction(7), Fraction(1))  # π = 1/2 after waiting
    after_failure = max(1 - 3 + half * Fraction(1, 3) * 40, Fraction(7))
    build = 1 - 3 + half * (half * 40 + half * after_failure)
    game = Stopping(Route(3.0, lump_sum=40.0), Route(1.0, lump_sum=8.0), 1.0, 0.5)
    values = build_join_or_wait(game, Belief.beta(1, 1), 2).values[0, 0, 0]
    assert values == pytest.approx([float(build), 7.0, float(1 + half * second)], abs=1e-14)


# Closed forms.


@given(CHANCES, st.integers(1, 60), st.floats(0.3, 0.99))
def test_building_with_a_known_chance_and_no_alternative_is_a_geometric_sum(chance, periods, discount):
    game = problem(build=Route(5.0, lump_sum=500.0), join=Route(math.inf), wait_flow=0.0, discount=discount)
    per_attempt = -5.0 + discount * chance * 500.0
    values = build_join_or_wait(game, Belief.known(chance), periods).values
    survives = discount * (1.0 - chance)
    expected = per_attempt * (1.0 - survives**periods) / (1.0 - survives)
    assert values[0, 0, 0].max() == pytest.approx(max(expected, 0.0), rel=1e-11, abs=1e-11)


def test_without_horizon_a_known_chance_is_worth_its_annuity():
    game = problem(build=Route(5.0, lump_sum=500.0), join=Route(math.inf), wait_flow=3.0, discount=0.95)
    solution = build_join_or_wait_for_ever(game, Belief.known(0.2))
    expected = (3.0 - 5.0 + 0.95 * 0.2 * 500.0) / (1.0 - 0.95 * 0.8)
    assert solution.values[0, 0, BUILD] == pytest.approx(expected, rel=1e-14)
    assert solution.values[0, 0, WAIT] == pytest.approx(3.0 + 0.95 * expected, rel=1e-14)


def test_a_firm_that_only_ever_builds_is_worth_the_mean_over_known_chances():
    """Nothing to learn for, so the value is linear in the belief: the integral over the Beta density."""
    game = Stopping(Route(0.0, lump_sum=100.0), Route(math.inf), 0.0, 0.9)
    solution = build_join_or_wait_for_ever(game, Belief.beta(2.0, 3.0), tolerance=1e-11)
    expected, _ = integrate.quad(
        lambda p: stats.beta.pdf(p, 2.0, 3.0) * 90.0 * p / (1.0 - 0.9 * (1.0 - p)), 0.0, 1.0, epsabs=1e-12
    )
    assert solution.converged and solution.error[0, 0] <= 1e-11
    assert solution.values[0, 0, BUILD] == pytest.approx(expected, abs=1e-9)


def test_a_route_brings_the_old_flow_until_its_market_and_then_its_own():
    assert Route(0.0, lump_sum=100.0, flow=7.0, delay=3).worth(0.9, 2.0, 5) == pytest.approx(
        2.0 * (1 + 0.9 + 0.81) + 0.9**3 * 100.0 + 7.0 * (0.9**3 + 0.9**4)
    )
    assert Route(0.0, flow=7.0, delay=3).worth(0.9, 2.0, 2) == pytest.approx(2.0 * 1.9)  # too late for the horizon
    assert Route(0.0, flow=7.0, delay=3).worth(0.9, 2.0, math.inf) == pytest.approx(2.0 * 2.71 + 7.0 * 0.9**3 / 0.1)


# Without horizon: the bounds, and the theorem of the monotone case.


@pytest.mark.parametrize("rivals", [0, 1, 3])
@pytest.mark.parametrize("prior", belief_examples()[1:])
def test_bounds_meet_and_values_satisfy_bellmans_equation_in_every_state(rivals, prior):
    game = problem(rival_attempts=rivals)
    solution = build_join_or_wait_for_ever(game, prior, results=12, tolerance=1e-10)
    assert solution.converged
    values, best = solution.values, solution.values.max(axis=-1)
    if not rivals:
        best = np.maximum(best, 2.0 / 0.1)  # waiting for ever
    won = game.build.worth(0.9, 2.0, math.inf)

    def later(s, f):
        """E over rivals' results, by the beta-binomial distribution."""
        a, b = prior.mean * prior.strength + s, (1.0 - prior.mean) * prior.strength + f
        law = stats.betabinom(rivals, a, b).pmf(range(rivals + 1))
        return sum(law[k] * best[s + k, f + rivals - k] for k in range(rivals + 1))

    for s, f in [(0, 0), (2, 1), (0, 5), (4, 0)]:
        chance = float(prior.chance(s, f))
        build = -20.0 + 2.0 + 0.9 * (chance * won + (1.0 - chance) * later(s, f + 1))
        assert values[s, f, BUILD] == pytest.approx(build, abs=1e-8)
        assert values[s, f, WAIT] == pytest.approx(2.0 + 0.9 * later(s, f), abs=1e-8)


@pytest.mark.parametrize("rivals", [0, 1])
def test_a_long_horizon_is_none(rivals):
    game = problem(
        build=Route(20.0, lump_sum=160.0), join=Route(10.0, lump_sum=80.0), wait_flow=0.0, discount=0.7,
        rival_attempts=rivals,
    )  # fmt: skip
    for prior in belief_examples():
        long = build_join_or_wait(game, prior, 80).values[0, 0, 0]
        lasting = build_join_or_wait_for_ever(game, prior, tolerance=1e-11).values[0, 0]
        assert long == pytest.approx(lasting, abs=1e-8)  # 0.7^80 of 160 is 6e-11


@given(
    cost=st.floats(1.0, 60.0), join=st.floats(0.0, 120.0), wait_flow=st.floats(-3.0, 6.0), strength=st.floats(0.5, 20.0)
)
def test_without_rivals_the_threshold_is_one_number_however_much_is_known(cost, join, wait_flow, strength):
    game = problem(build=Route(cost, lump_sum=200.0), join=Route(0.0, lump_sum=join), wait_flow=wait_flow)
    threshold = lasting_threshold(game)
    for mean, builds in ((threshold - 1e-6, False), (threshold + 1e-6, True)):
        if 0.0 < mean < 1.0:
            for prior in (Belief.known(mean), Belief(mean, strength)):
                solution = build_join_or_wait_for_ever(game, prior)
                assert (solution.policy[0, 0] == BUILD) == builds


@pytest.mark.parametrize("rivals", [1, 2, 4])
def test_a_patient_firm_that_can_watch_rivals_waits_where_alone_it_would_act(rivals):
    """At the lone firm's threshold building and joining are equally good, and waiting is worse by (1 − β) of that."""
    prior = Belief(lasting_threshold(patient(0)), 2.0)
    lone, fewer, watching = (build_join_or_wait_for_ever(patient(n), prior) for n in (0, rivals - 1, rivals))
    assert lone.values[0, 0] == pytest.approx([100.0, 100.0, 99.0], abs=1e-8)
    assert watching.converged and watching.policy[0, 0] == WAIT
    assert watching.values[0, 0, WAIT] > fewer.values[0, 0, WAIT] + 0.1


def test_with_a_known_chance_rivals_teach_nothing():
    for chance in (0.05, 0.2, 0.5):
        values = [
            build_join_or_wait(problem(rival_attempts=rivals), Belief.known(chance), 6).values[0, 0, 0]
            for rivals in (0, 3)
        ]
        assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_bounds_that_do_not_meet_are_said_to():
    patient = Stopping(Route(0.0, lump_sum=1e6), Route(math.inf), 0.0, 0.99999, 1)
    solution = build_join_or_wait_for_ever(patient, Belief.beta(0.01, 10.0), results=0, tolerance=1e-9)
    assert not solution.converged and solution.error[0, 0] > 1e-9


# Thresholds, comparative statics.


@pytest.mark.parametrize("strength", [0.7, 5.0, math.inf])
@pytest.mark.parametrize(("rivals", "periods"), [(0, 1), (0, 8), (2, 8)])
def test_below_the_threshold_a_firm_joins_or_waits_and_above_it_builds(strength, rivals, periods):
    game = problem(rival_attempts=rivals)
    threshold = threshold_mean(game, strength, periods)
    for mean in np.linspace(0.01, 0.99, 29):
        solution = build_join_or_wait(game, Belief(mean, strength), periods)
        assert (solution.policy[0, 0, 0] == BUILD) == (mean > threshold)
    values = build_join_or_wait(game, Belief(threshold, strength), periods).values[0, 0, 0]
    assert values[BUILD] == pytest.approx(max(values[JOIN], values[WAIT]), abs=1e-9)


def test_the_threshold_of_one_period_is_the_break_even_chance():
    """With one period left building pays −K + u₀ + β π lump: against joining at 31.6, all by hand."""
    game = problem(build=Route(20.0, lump_sum=100.0), join=Route(0.0, lump_sum=31.6), wait_flow=0.0)
    assert threshold_mean(game, 4.0, 1) == pytest.approx((20.0 + 31.6) / 90.0, abs=1e-13)
    assert threshold_mean(problem(build=Route(20.0, lump_sum=1.0)), 4.0, 3) == math.inf
    assert threshold_mean(problem(build=Route(0.0, lump_sum=200.0), join=Route(math.inf)), math.inf, 3) == 0.0


@pytest.mark.parametrize(
    ("change", "direction"),
    [
        ({"build": Route(25.0, lump_sum=150.0, flow=10.0, delay=2)}, +1),
        ({"build": Route(20.0, lump_sum=150.0, flow=11.0, delay=2)}, -1),
        ({"build": Route(20.0, lump_sum=150.0, flow=10.0, delay=4)}, +1),
        ({"join": Route(15.0, lump_sum=30.0, flow=8.0, delay=1)}, -1),
        ({"join": Route(10.0, lump_sum=30.0, flow=9.0, delay=1)}, +1),
        ({"join": Route(10.0, lump_sum=30.0, flow=8.0, delay=4)}, -1),
    ],
)
def test_the_threshold_rises_with_the_cost_of_building_and_with_what_joining_brings(change, direction):
    for solve in (lasting_threshold, lambda game: threshold_mean(game, 4.0, 10)):
        assert np.sign(solve(problem(**change)) - solve(problem())) == direction


def test_failures_never_bring_a_firm_back_to_building():
    policy = build_join_or_wait_for_ever(problem(), Belief.beta(3.0, 3.0), results=30).policy[0]
    assert policy[0] == BUILD and policy[30] == JOIN
    assert (np.diff((policy == BUILD).astype(int)) <= 0).all()


def test_the_option_premium_is_nothing_where_no_route_pays_and_waiting_is_chosen_exactly_when_it_is_not_earned():
    hopeless = problem(build=Route(1e6), join=Route(math.inf))
    assert build_join_or_wait(hopeless, Belief.beta(1, 1), 6).option_premium[0, 0, 0] == pytest.approx(0.0, abs=1e-12)
    game = problem(rival_attempts=1, build=Route(30.0, lump_sum=70.0, flow=10.0, delay=1))
    solution = build_join_or_wait(game, Belief.beta(1.0, 2.0), 8)
    stay = 2.0 * (1.0 - 0.9**8) / 0.1
    gains = solution.values[0, 0, 0, :WAIT] - stay
    assert (gains > 0).any() and solution.option_premium[0, 0, 0] > 0
    possible = solution.policy >= 0
    assert (solution.option_premium[possible] >= -1e-12).all()
    assert (solution.policy[0, 0, 0] == WAIT) == (gains.max() < solution.option_premium[0, 0, 0])


# Outcomes.


def outcomes_twin(game, prior, to_go, wins=0, losses=0):
    """[built …, joined …, neither] from every history, each decision by `values_twin`."""
    end = np.zeros(2 * to_go + 1)
    if to_go == 0:
        end[0] = 1.0
        return end
    values = values_twin(game, prior, to_go, wins, losses)
    action, p = int(np.argmax(values)), float(prior.chance(wins, losses))
    if action == JOIN:
        end[to_go] = 1.0
        return end
    goes_on = 1.0
    if action == BUILD:
        end[0], goes_on, losses = p, 1.0 - p, losses + 1
    for results in itertools.product((1, 0), repeat=game.rival_attempts):
        probability, w, lo = goes_on, wins, losses
        for result in results:
            chance = float(prior.chance(w, lo))
            probability *= chance if result else 1.0 - chance
            w, lo = w + result, lo + 1 - result
        later = outcomes_twin(game, prior, to_go - 1, w, lo)
        end[1:to_go] += probability * later[: to_go - 1]
        end[to_go + 1 :] += probability * later[to_go - 1 :]
    return end


@pytest.mark.parametrize(("rivals", "periods"), [(0, 6), (1, 4), (2, 3)])
@pytest.mark.parametrize("prior", belief_examples())
def test_outcomes_are_those_of_the_tree_of_all_histories(rivals, periods, prior):
    for game in (problem(rival_attempts=rivals), patient(rivals)):
        end = outcomes(build_join_or_wait(game, prior, periods))
        found = np.array([*end.built, *end.joined, end.neither])
        assert found == pytest.approx(outcomes_twin(game, prior, periods), abs=1e-13)
        assert found.sum() == pytest.approx(1.0, abs=1e-13)


def test_outcomes_with_a_true_chance_are_geometric_until_patience_ends():
    game = problem(join=Route(10.0, lump_sum=70.0))
    solution = build_join_or_wait(game, Belief.beta(3.0, 3.0), 12)
    tries = int((solution.policy[np.arange(12), 0, np.arange(12)] != BUILD).argmax())  # failing each time
    assert 0 < tries < 12
    end = outcomes(solution, true_chance=0.2)
    assert end.built == pytest.approx(np.where(np.arange(12) < tries, 0.2 * 0.8 ** np.arange(12), 0.0), abs=1e-14)
    assert end.joined[tries] == pytest.approx(0.8**tries, abs=1e-14)
    assert end.neither == pytest.approx(0.0, abs=1e-14)


def test_given_results_of_rivals_averaged_over_their_law_are_the_drawn_outcomes():
    solution = build_join_or_wait(patient(1), Belief(0.32, 2.0), 5)
    assert (np.unique(solution.policy[solution.policy >= 0]) == [BUILD, JOIN, WAIT]).all()
    drawn, average = outcomes(solution, true_chance=0.4), np.zeros(11)
    for results in itertools.product((0, 1), repeat=5):
        end = outcomes(solution, true_chance=0.4, rival_successes=results)
        average += 0.4 ** sum(results) * 0.6 ** (5 - sum(results)) * np.append([*end.built, *end.joined], end.neither)
    assert average == pytest.approx(np.append([*drawn.built, *drawn.joined], drawn.neither), abs=1e-14)


def test_rivals_failures_send_a_firm_to_the_alliance():
    game = problem(rival_attempts=2)
    solution = build_join_or_wait(game, Belief.beta(1.5, 2.0), 8)
    failing = outcomes(solution, true_chance=0.3, rival_successes=[0] * 8)
    winning = outcomes(solution, true_chance=0.3, rival_successes=[2] * 8)
    assert failing.joined.sum() > winning.joined.sum() + 0.2


# Belief.


@given(st.floats(0.1, 30.0), st.floats(0.1, 30.0), st.integers(0, 40), st.integers(0, 40))
def test_a_belief_updated_at_once_or_result_by_result_is_the_same_and_a_martingale(a, b, wins, losses):
    prior = Belief.beta(a, b)
    assert prior.updated(wins, losses).mean == pytest.approx((a + wins) / (a + b + wins + losses), rel=1e-12)
    one = prior.updated(wins, 0).updated(0, losses)
    assert one.mean == pytest.approx(prior.updated(wins, losses).mean, rel=1e-12)
    expected = prior.mean * prior.updated(1, 0).mean + (1.0 - prior.mean) * prior.updated(0, 1).mean
    assert expected == pytest.approx(prior.mean, rel=1e-12)


# The choice.


def test_logit_choice_follows_the_logit_and_its_shocks():
    values = np.array([[10.0, 30.0, 20.0], [5.0, -np.inf, 5.0]])
    chances, taken = options.logit_choice(values, 0.1)
    odds = np.exp([1.0, 3.0, 2.0])
    assert chances[0] == pytest.approx(odds / odds.sum(), abs=1e-15)
    assert chances[1] == pytest.approx([0.5, 0.0, 0.5], abs=1e-15)
    assert taken.tolist() == [1, 0]
    shocks = np.array([[2.5, 0.0, 0.0], [0.0, 99.0, 0.1]])
    assert options.logit_choice(values, 0.1, shocks)[1].tolist() == [0, 2]
    assert options.logit_choice(values, 0.0)[0][0] == pytest.approx(np.full(3, 1 / 3))
    assert options.logit_choice(1e6 * values, 1.0)[0][0].tolist() == [0.0, 1.0, 0.0]


def test_gumbel_shocks_choose_as_often_as_the_chances_say():
    values = np.array([0.0, 8.0, 5.0])
    shocks = np.random.default_rng(3).gumbel(size=(40_000, 3))
    chances, taken = options.logit_choice(np.broadcast_to(values, (40_000, 3)), 0.2, shocks)
    observed = np.bincount(taken, minlength=3) / 40_000
    assert np.abs(observed - chances[0]).max() < 4.5 * 0.5 / 200.0


# A success that need not be used.


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(-5.0, 30.0), st.integers(1, 8))
def test_better_chances_never_make_an_attempt_worth_less_where_a_success_need_not_be_used(one, other, flow, periods):
    game = problem(build=Route(3.0, flow=flow, delay=1), free_disposal=True)
    low, high = (build_join_or_wait(game, Belief.known(chance), periods) for chance in sorted((one, other)))
    assert (high.values[0, 0, 0] >= low.values[0, 0, 0] - 1e-9).all()


def test_without_disposal_better_chances_of_a_bad_stack_do_make_it_worth_less():
    """Whoever succeeds is stuck with it, whoever fails joins."""
    bad = problem(build=Route(3.0, flow=0.0))
    values = [build_join_or_wait(bad, Belief.known(chance), 6).values[0, 0, 0, BUILD] for chance in (0.1, 0.9)]
    assert values[1] < values[0] - 1.0
    free = [
        build_join_or_wait(problem(build=Route(3.0, flow=0.0), free_disposal=True), Belief.known(chance), 6).values[
            0, 0, 0
        ]
        for chance in (0.1, 0.9)
    ]
    assert free[0] == pytest.approx(free[1], abs=1e-12)
    assert free[0][BUILD] == pytest.approx(free[0][WAIT] - 3.0, abs=1e-12)


def test_disposal_changes_nothing_where_a_success_is_worth_more_than_all_else():
    plain, free = (build_join_or_wait(problem(free_disposal=way), Belief.beta(2.0, 3.0), 6) for way in (False, True))
    assert np.array_equal(plain.values, free.values, equal_nan=True)


# What keeps a firm where it is.


@given(st.lists(st.floats(-50.0, 50.0), min_size=2, max_size=7), st.floats(0.01, 2.0), st.floats(0.001, 0.6))
def test_with_the_constant_of_staying_a_firm_moves_as_often_as_it_did(values, precision, rate):
    constant = options.staying_constant(values, precision, rate)
    before = np.array(values)
    after = before + np.array([constant / precision] + [0.0] * (len(values) - 1))
    moving = 1.0 - options.logit_choice(after, precision)[0][0]
    unaided = 1.0 - options.logit_choice(before, precision)[0][0]
    assert moving == pytest.approx(min(rate, unaided), rel=1e-6, abs=1e-12)
    assert constant >= 0.0 and (constant > 0.0) == (unaided > rate * (1.0 + 1e-12))


def test_ways_that_are_closed_pull_nobody():
    values = np.array([1.0, -np.inf, 9.0, -np.inf])
    assert options.staying_constant(values, 0.5, 0.02) == pytest.approx(
        options.staying_constant(values[[0, 2]], 0.5, 0.02), rel=1e-14
    )
    assert options.staying_constant([3.0, -np.inf], 0.5, 0.02) == 0.0
    assert options.staying_constant([3.0], 0.5, 0.02) == 0.0


def test_two_ways_alike_are_kept_apart_by_the_log_odds_of_staying():
    assert options.staying_constant([4.0, 4.0], 7.0, 0.02) == pytest.approx(math.log(0.98 / 0.02), rel=1e-14)
    assert options.staying_constant([0.0, 1e6], 1.0, 0.5) == pytest.approx(1e6)  # no exponential overflows


# Investment under uncertainty.

MARKETS = [(0.0, 0.2, 0.04), (0.02, 0.1, 0.08), (-0.03, 0.3, 0.05), (0.01, 0.4, 0.011), (0.03, 0.0, 0.05)]


def test_the_threshold_of_dixit_and_pindycks_example_is_twice_the_cost():
    """Their base case: α = 0, σ = 0.2, ρ = δ = 0.04, I = 1: β₁ = 2, V* = 2 and F(1) = 1/4."""
    assert options.investment_threshold(1.0, 0.0, 0.2, 0.04) == pytest.approx(2.0, abs=1e-14)
    assert options.investment_option(1.0, 1.0, 0.0, 0.2, 0.04) == pytest.approx(0.25, abs=1e-14)


@pytest.mark.parametrize(("drift", "volatility", "rate"), MARKETS)
def test_the_root_solves_the_quadratic_and_is_the_larger_one(drift, volatility, rate):
    root = 1.0 + options.excess_root(drift, volatility, rate)
    assert 0.5 * volatility**2 * root * (root - 1.0) + drift * root - rate == pytest.approx(0.0, abs=1e-14)
    if volatility:
        assert root == pytest.approx(
            np.roots([0.5 * volatility**2, drift - 0.5 * volatility**2, -rate]).max(), rel=1e-9
        )


@pytest.mark.parametrize(("drift", "volatility", "rate"), MARKETS)
def test_the_option_satisfies_its_equation_and_meets_the_payoff_smoothly(drift, volatility, rate):
    cost = 100.0
    threshold = options.investment_threshold(cost, drift, volatility, rate)

    def option(value):
        return float(options.investment_option(value, cost, drift, volatility, rate))

    value, step = 0.6 * threshold, 1e-3 * threshold
    first = (option(value + step) - option(value - step)) / (2.0 * step)
    second = (option(value + step) - 2.0 * option(value) + option(value - step)) / step**2
    residual = 0.5 * volatility**2 * value**2 * second + drift * value * first - rate * option(value)
    assert residual == pytest.approx(0.0, abs=2e-4 * rate * option(value))
    near = 1e-7 * threshold
    assert option(threshold - near) == pytest.approx(threshold - cost, abs=2.0 * near)
    assert (option(threshold) - option(threshold - near)) / near == pytest.approx(1.0, abs=1e-5)
    assert option(0.0) == 0.0 and option(2.0 * threshold) == 2.0 * threshold - cost


@pytest.mark.parametrize(("drift", "volatility", "rate"), MARKETS)
def test_no_other_threshold_is_worth_more(drift, volatility, rate):
    """Brute force: invest at any v, worth (v − I) E e^(−ρ T_v)."""
    best = optimize.minimize_scalar(
        lambda log_v: -(np.exp(log_v) - 1.0) * options.discounted_arrival(0.5, np.exp(log_v), drift, volatility, rate),
        bounds=(0.01, 6.0), method="bounded", options={"xatol": 1e-12},
    )  # fmt: skip
    assert -best.fun == pytest.approx(options.investment_option(0.5, 1.0, drift, volatility, rate), abs=1e-9)
    assert np.exp(best.x) == pytest.approx(options.investment_threshold(1.0, drift, volatility, rate), rel=1e-5)


@pytest.mark.parametrize(("drift", "volatility", "rate"), [(0.0, 0.2, 0.04), (0.02, 0.1, 0.08), (0.06, 0.2, 0.07)])
def test_arrivals_are_those_of_the_inverse_gaussian_law(drift, volatility, rate):
    distance, speed = math.log(2.0 / 0.7), drift - 0.5 * volatility**2

    def density(t):
        spread = volatility * math.sqrt(t)
        return (
            distance / (spread * t * math.sqrt(2 * math.pi)) * math.exp(-0.5 * ((distance - speed * t) / spread) ** 2)
        )

    def expect(weight):
        return sum(integrate.quad(lambda t: weight(t) * density(t), *ends, epsabs=1e-13, limit=400)[0] for ends in CUTS)

    discounted = expect(lambda t: math.exp(-rate * t))
    assert options.discounted_arrival(0.7, 2.0, drift, volatility, rate) == pytest.approx(discounted, abs=1e-9)
    if speed:  # at 0 the law's tail is too long for quadrature
        assert options.arrival_probability(0.7, 2.0, drift, volatility) == pytest.approx(
            expect(lambda t: 1.0), abs=1e-8
        )
    if speed > 0:
        assert options.expected_arrival(0.7, 2.0, drift, volatility) == pytest.approx(expect(lambda t: t), rel=1e-8)
    else:
        assert options.expected_arrival(0.7, 2.0, drift, volatility) == math.inf


CUTS = [(1e-9, 5.0), (5.0, 50.0), (50.0, 500.0), (500.0, 5e3), (5e3, 5e4)]


def test_without_risk_a_value_that_does_not_grow_is_invested_in_at_its_cost():
    gaps = [options.investment_threshold(100.0, -0.02, sigma, 0.05) - 100.0 for sigma in (0.2, 0.02, 0.002, 0.0)]
    assert gaps[0] > 5.0 > gaps[1] > gaps[2] > gaps[3] == 0.0
    assert gaps[2] == pytest.approx(0.5 * 0.002**2 / 0.02 * 100.0, rel=1e-3)  # 1/(β₁ − 1) → σ² / 2|α|


def test_without_risk_a_value_that_grows_is_waited_for_until_its_yield_is_the_interest_on_the_cost():
    for sigma in (1e-4, 1e-8, 0.0):
        threshold = options.investment_threshold(100.0, 0.03, sigma, 0.05)
        assert threshold == pytest.approx(0.05 * 100.0 / 0.02, rel=1e-6)
    assert options.investment_option(150.0, 100.0, 0.03, 0.0, 0.05) == pytest.approx(
        max((150.0 * math.exp(0.03 * t) - 100.0) * math.exp(-0.05 * t) for t in np.linspace(0, 60, 600_001)), abs=1e-9
    )


def test_risk_makes_a_firm_wait_longer():
    thresholds = [options.investment_threshold(1.0, 0.01, sigma, 0.05) for sigma in (0.0, 0.1, 0.2, 0.4)]
    assert (np.diff(thresholds) > 0.05).all()


# What is refused.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Belief(1.2, 3.0), "mean=1.2"),
        (lambda: Belief(0.2, 0.0), "strength=0.0"),
        (lambda: Belief.beta(0.0, 1.0), "a=0.0"),
        (lambda: Route(-1.0), "cost=-1.0"),
        (lambda: Route(1.0, lump_sum=math.inf), "finite"),
        (lambda: Route(1.0, delay=1.5), "delay=1.5"),
        (lambda: problem(discount=1.0), "discount=1.0"),
        (lambda: problem(wait_flow=-math.inf), "wait_flow"),
        (lambda: problem(rival_attempts=-1), "rival_attempts=-1"),
        (lambda: build_join_or_wait(problem(), Belief.known(0.5), 0), "periods=0"),
        (lambda: build_join_or_wait(problem(rival_attempts=9), Belief.known(0.5), 120), "longer periods"),
        (lambda: build_join_or_wait_for_ever(problem(), Belief.known(0.5), results=-1), "results=-1"),
        (lambda: outcomes(build_join_or_wait(problem(), Belief.known(0.5), 3), true_chance=2.0), "true_chance=2.0"),
        (lambda: outcomes(build_join_or_wait(problem(), Belief.known(0.5), 3), None, [1, 0, 0]), "rival_successes"),
        (lambda: options.logit_choice([1.0, 2.0], -1.0), "precision=-1.0"),
        (lambda: options.logit_choice([-np.inf, -np.inf], 1.0), "at least one action"),
        (lambda: build_join_or_wait_for_ever(problem(free_disposal=True), Belief.known(0.5)), "finite horizon"),
        (lambda: options.staying_constant([1.0, 2.0], 1.0, 0.0), "rate=0.0"),
        (lambda: options.staying_constant([1.0, 2.0], 1.0, 1.0), "rate=1.0"),
        (lambda: options.staying_constant([-np.inf, 2.0], 1.0, 0.1), "present way must be open"),
        (lambda: options.excess_root(0.05, 0.2, 0.05), "must be above drift"),
        (lambda: options.excess_root(0.0, -0.2, 0.05), "volatility=-0.2"),
        (lambda: options.investment_threshold(0.0, 0.0, 0.2, 0.05), "cost=0.0"),
        (lambda: options.investment_option(-1.0, 1.0, 0.0, 0.2, 0.05), "value must not"),
        (lambda: options.arrival_probability(1.0, 2.0, 0.0, 0.0), "volatility=0.0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
