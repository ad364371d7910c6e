"""Bass's diffusion: the curve, its recursion, and the finite market whose limit they are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, linalg, optimize, special, stats

from evsim.economics.birth_death import first_passage_time
from evsim.economics.diffusion import (
    adoption_law,
    adoption_moments,
    bass_hazard,
    bass_moments,
    bass_peak,
    bass_rate,
    bass_share,
    diffusion_recursion,
    monthly_adoption_law,
)

P, Q = 0.003, 0.06
MONTHS = np.array([0.0, 6.0, 24.0, 60.0, 120.0])


def test_the_curve_is_the_textbooks():
    t = np.linspace(0, 200, 41)
    fade = np.exp(-(P + Q) * t)
    assert bass_share(t, P, Q) == pytest.approx((1 - fade) / (1 + Q / P * fade), rel=1e-12)
    assert bass_rate(t, P, Q) == pytest.approx((P + Q) ** 2 / P * fade / (1 + Q / P * fade) ** 2, rel=1e-12)


@given(p=st.floats(0.0, 0.1), q=st.floats(0.0, 0.3), start=st.floats(0.0, 0.99))
def test_the_curve_solves_its_equation_from_any_start(p, q, start):
    flow = integrate.solve_ivp(
        lambda _, x: (p + q * x) * (1 - x), (0.0, 60.0), [start], rtol=1e-11, atol=1e-13, t_eval=[13.0, 60.0]
    )
    assert bass_share([13.0, 60.0], p, q, start) == pytest.approx(flow.y[0], abs=1e-9)


def test_without_innovation_it_is_logistic_and_without_imitation_exponential():
    t = np.linspace(0, 100, 11)
    assert bass_share(t, 0.0, Q, 0.02) == pytest.approx(special.expit(special.logit(0.02) + Q * t), rel=1e-12)
    assert bass_share(t, P, 0.0) == pytest.approx(-np.expm1(-P * t), rel=1e-13)
    assert (bass_share(t, 0.0, Q) == 0).all() and (bass_share(t, 0.0, 0.0, 0.3) == 0.3).all()
    assert (bass_share(t, P, Q, 1.0) == 1).all() and bass_share(0.0, P, Q, 0.4) == pytest.approx(0.4, abs=1e-15)


@pytest.mark.parametrize(("p", "q", "start"), [(P, Q, 0.0), (P, Q, 0.2), (0.0, Q, 0.01), (0.02, 0.021, 0.0)])
def test_the_peak_is_where_most_adopt(p, q, start):
    months, rate = bass_peak(p, q, start)
    found = optimize.minimize_scalar(
        lambda t: -bass_rate(t, p, q, start), bounds=(0, 300), method="bounded", options={"xatol": 1e-9}
    )
    assert months == pytest.approx(found.x, abs=1e-3)
    assert bass_rate(months, p, q, start) == pytest.approx(rate, rel=1e-13) and rate == pytest.approx(
        -found.fun, rel=1e-12
    )


def test_where_adoption_only_falls_the_peak_is_at_once_and_without_a_beginning_never():
    assert bass_peak(Q, P) == (0.0, Q) and bass_peak(P, Q, 0.9) == (0.0, pytest.approx(0.1 * (P + 0.9 * Q)))
    assert bass_peak(0.0, Q) == (math.inf, Q / 4) and bass_peak(0.0, 0.0) == (0.0, 0.0)


def test_the_recursion_tends_to_the_curve_as_its_steps_shorten():
    errors = []
    for steps in (1, 2, 4, 8):
        path = diffusion_recursion(60 * steps, lambda x, n=steps: bass_hazard(x, P, Q) / n)
        errors.append(np.abs(path[::steps] - bass_share(np.arange(61), P, Q)).max())
    assert np.array(errors[:-1]) / errors[1:] == pytest.approx([2.0, 2.0, 2.0], rel=0.05)


def generator(hazards):
    rates = np.arange(len(hazards) - 1, -1, -1) * hazards
    return np.diag(rates[:-1], 1) - np.diag(rates)


@pytest.mark.parametrize("start", [0, 3])
def test_the_finite_markets_law_is_the_exponential_of_its_generator(start):
    hazards = bass_hazard(np.arange(41) / 40, P, Q)
    law = adoption_law(MONTHS, hazards, start)
    for k, t in enumerate(MONTHS):
        assert law[k] == pytest.approx(linalg.expm(generator(hazards) * t)[start], abs=1e-13)


def test_times_may_come_in_any_order_and_twice():
    hazards = bass_hazard(np.arange(21) / 20, P, Q)
    mixed = adoption_law([60.0, 6.0, 60.0, 0.0], hazards)
    assert mixed == pytest.approx(adoption_law([0.0, 6.0, 60.0], hazards)[[2, 1, 2, 0]], abs=1e-15)


def test_without_imitation_adopters_are_binomial_at_any_size_of_market():
    n = 3000
    mean, variance = bass_moments(MONTHS, n, 0.02, 0.0)
    share = -np.expm1(-0.02 * MONTHS)
    assert mean == pytest.approx(n * share, rel=1e-10) and variance == pytest.approx(n * share * (1 - share), abs=1e-7)
    law = adoption_law(24.0, np.full(n + 1, 0.02))[0]
    assert law == pytest.approx(stats.binom.pmf(np.arange(n + 1), n, share[2]), abs=1e-12)


def test_two_consumers_can_be_done_by_hand():
    """From nobody at rate 2 p, from one at rate p + q/2."""
    first, second, t = 2 * P, P + Q / 2, 20.0
    law = adoption_law(t, bass_hazard(np.array([0, 0.5, 1]), P, Q))[0]
    one = first * (math.exp(-first * t) - math.exp(-second * t)) / (second - first)
    assert law[:2] == pytest.approx([math.exp(-first * t), one], rel=1e-13)


def test_the_curve_is_the_limit_of_large_markets():
    sizes = np.array([100, 200, 400, 800])
    curve = bass_share(MONTHS, P, Q)
    gaps, spreads = [], []
    for n in sizes:
        mean, variance = bass_moments(MONTHS, int(n), P, Q)
        gaps.append(np.abs(mean / n - curve).max())
        spreads.append(variance.max() / n)
    assert np.array(gaps) * sizes == pytest.approx(np.full(4, gaps[-1] * 800), rel=0.04)  # like 1/N
    assert min(spreads) > 1.0 and max(spreads) < 1.6  # the variance over N has a limit, so that over N² tends to 0


def test_word_of_mouth_by_chance_makes_the_small_market_slower_than_the_large():
    mean, _ = bass_moments(MONTHS[1:], 50, P, Q)
    assert (mean / 50 < bass_share(MONTHS[1:], P, Q)).all()


def test_the_time_to_an_adopter_is_what_the_chains_rates_say():
    """E T_n = ∫ P(fewer than n have adopted) dt."""
    hazards = bass_hazard(np.arange(31) / 30, 0.02, 0.1)
    rates = np.arange(30, -1, -1) * hazards
    t = np.linspace(0, 600, 6001)
    still = adoption_law(t, hazards)[:, :12].sum(axis=1)
    expected = first_passage_time(rates, np.zeros(31), 0, 12)
    assert integrate.simpson(still, x=t) == pytest.approx(expected, rel=1e-8)


def months_twin(hazards, periods):
    """Every consumer decides apart, and all that may come of it is enumerated."""
    n = len(hazards) - 1
    law = np.eye(n + 1)[0]
    for _ in range(periods):
        after = np.zeros(n + 1)
        for adopters, weight in enumerate(law):
            for decisions in itertools.product((0, 1), repeat=n - adopters):
                new = sum(decisions)
                after[adopters + new] += (
                    weight * hazards[adopters] ** new * (1 - hazards[adopters]) ** (n - adopters - new)
                )
        law = after
    return law


def test_month_by_month_everybody_decides_apart():
    hazards = np.array([0.1, 0.3, 0.0, 0.5, 1.0, 0.7])
    assert monthly_adoption_law(4, hazards)[-1] == pytest.approx(months_twin(hazards, 4), abs=1e-14)
    assert monthly_adoption_law(1, [1.0, 1.0, 0.0])[-1].tolist() == [0.0, 0.0, 1.0]


def test_the_recursion_is_the_limit_of_large_markets_month_by_month_for_any_hazard():
    def hazard(share):
        return special.expit(-4.0 + 3.0 * np.asarray(share))  # a logit with word of mouth

    path, gaps = diffusion_recursion(60, hazard), []
    for n in (100, 200, 400):
        mean, variance = adoption_moments(monthly_adoption_law(60, hazard(np.arange(n + 1) / n)))
        gaps.append(np.abs(mean / n - path).max() * n)
        assert variance.max() / n < 2.0
    assert gaps == pytest.approx([gaps[-1]] * 3, rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bass_share(1.0, -0.1, Q), "innovation=-0.1"),
        (lambda: bass_share(1.0, P, math.inf), "imitation=inf"),
        (lambda: bass_share(1.0, P, Q, 1.1), "start=1.1"),
        (lambda: bass_share([-1.0], P, Q), "months must not be negative"),
        (lambda: bass_moments(1.0, 0, P, Q), "n_consumers=0"),
        (lambda: diffusion_recursion(-1, lambda x: 0.0), "periods=-1"),
        (lambda: diffusion_recursion(3, lambda x: 1.5), "must be a chance"),
        (lambda: adoption_law([-1.0], [0.1, 0.1]), "finite and not negative"),
        (lambda: adoption_law([1.0], [0.1]), "N ≥ 1"),
        (lambda: adoption_law([1.0], [0.1, -0.1]), "not negative"),
        (lambda: adoption_law([1.0], [0.1, 0.1], 2), "start=2"),
        (lambda: monthly_adoption_law(2, [1.2, 0.1]), "must be chances"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
