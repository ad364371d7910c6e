"""Who wins for ever: recursion, a theta series, Fourier inversion, and what must be so."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from evsim.economics.fixation import fixation_chances
from evsim.economics.urns import feedback_chances, urn_law


@pytest.mark.parametrize(
    ("start", "exponent"),
    [((1, 2), 1.1), ((1, 2), 3.0), ((0.4, 0.9), 1.5), ((20, 24), 2.0), ((3, 7), 6.0), ((1, 2, 3), 1.5)],
)
def test_the_chances_are_the_same_after_some_draws_as_before(start, exponent):
    """Who wins from the start is who wins from where some draws lead to: a martingale, summed over the exact law."""
    draws, start = 2 if len(start) == 3 else 4, np.array(start, dtype=float)
    law = urn_law(draws, start, lambda counts: feedback_chances(counts, exponent))
    later = np.zeros(len(start))
    for drawn in np.ndindex(law.shape):
        if sum(drawn) <= draws:
            later += law[drawn] * fixation_chances(start + [*drawn, draws - sum(drawn)], exponent)
    assert fixation_chances(start, exponent) == pytest.approx(later, abs=1e-11)


def test_with_feedback_two_the_chance_from_one_and_two_is_an_integral_of_theta_series():
    """S₁(t) = 2 Σ (−1)^(m−1) e^(−m² t); without the first wait, S₂(t) = 2 Σ (−1)^m (m² − 1) e^(−m² t)."""
    m = np.arange(1, 60)
    sign = (-1.0) ** (m - 1)

    def first_wins(t):
        fade = np.exp(-(m**2) * t)
        return (2 * sign * m**2 * fade).sum() * (2 * -sign * (m**2 - 1) * fade).sum()

    found, error = integrate.quad(first_wins, 0.02, 60.0, epsabs=1e-13, epsrel=1e-13, limit=400)
    assert error < 1e-12
    assert fixation_chances([1, 2], 2.0)[0] == pytest.approx(found, abs=1e-12)


def gil_pelaez(first, second):
    """P(T₁ < T₂) with γ = 2, from F(s) = Γ(a + i√s) Γ(a − i√s) / Γ(a)²: ½ − (1/π) ∫ Im φ(e^x) dx, φ of T₁ − T₂."""

    def log_transform(count, s):
        root = 1j * np.sqrt(s)
        return special.loggamma(count + root) + special.loggamma(count - root) - 2 * special.gammaln(count)

    step = 0.02
    u = np.exp(np.arange(-45.0, 18.0, step))
    phase = np.exp(log_transform(first, -1j * u) + log_transform(second, 1j * u))
    return 0.5 - step * phase.imag.sum() / math.pi


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 2), (0.3, 0.5), (7, 5), (50, 53), (200, 230)])
def test_two_colours_agree_with_fourier_inversion_of_the_closed_transform(first, second):
    assert fixation_chances([first, second], 2.0)[0] == pytest.approx(gil_pelaez(first, second), abs=1e-11)


@settings(max_examples=10)
@given(start=st.lists(st.floats(0.05, 30.0), min_size=1, max_size=4), exponent=st.floats(1.02, 8.0))
def test_the_chances_are_chances_and_more_at_the_start_is_better(start, exponent):
    chances = fixation_chances(start, exponent)
    assert chances.sum() == pytest.approx(1.0, abs=1e-12) and (chances >= 0).all()
    assert (np.diff(chances[np.argsort(start)]) >= -1e-10).all()


def test_the_stronger_the_feedback_the_surer_the_leader():
    leader = [fixation_chances([2, 3], exponent)[1] for exponent in (1.05, 1.5, 3.0, 20.0)]
    assert (np.diff(leader) > 0.01).all() and leader[-1] < 1.0


def test_like_colours_win_alike_and_one_alone_always():
    assert fixation_chances([3] * 7, 1.7) == pytest.approx(np.full(7, 1 / 7), abs=1e-12)
    assert fixation_chances([3], 1.7) == pytest.approx([1.0], abs=1e-15)


def test_with_boundless_feedback_the_first_draw_decides():
    """From (1, 2) the weaker has to be drawn first, chance 1/(1 + 2^γ), and then they are even."""
    assert fixation_chances([1, 2], 20.0)[0] == pytest.approx(0.5 / (1.0 + 2.0**20), abs=1e-12)
    assert fixation_chances([1, 2], 500.0)[0] == pytest.approx(0.0, abs=1e-12)


def test_with_little_feedback_the_chances_are_nearly_those_of_the_linear_urn_to_lead():
    """As γ falls to 1 the winner is who leads in the Beta law of shares: P(Beta(1, 2) > ½) = ¼."""
    assert fixation_chances([1, 2], 1.0001)[0] == pytest.approx(0.25, abs=1e-4)


def test_a_large_market_with_a_small_lead_is_told_too():
    """Nearly Gaussian: the difference of two sums of a very large number of short waits."""
    first, second = 1e6, 1.001e6
    means = [special.zeta(2, a) for a in (first, second)]
    spread = math.sqrt(special.zeta(4, first) + special.zeta(4, second))
    normal = special.ndtr((means[1] - means[0]) / spread)
    assert fixation_chances([first, second], 2.0)[0] == pytest.approx(normal, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fixation_chances([1, 2], 1.0), "exponent=1.0"),
        (lambda: fixation_chances([1, 2], math.inf), "exponent=inf"),
        (lambda: fixation_chances([1, 0], 2.0), "finite and positive"),
        (lambda: fixation_chances([], 2.0), "one count a colour"),
        (lambda: fixation_chances([1e14, 1.0000001e14], 2.0), "too extreme"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
