"""Fixed points of the logit urn: all of them, by index theory and by search, and the law that goes to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from evsim.economics.hysteresis import rest_points
from evsim.economics.logit_urn import logit_chances, logit_fixed_points, logit_tipping_points
from evsim.economics.urns import urn_law


def index_of(shares, feedback):
    """Sign of the determinant of 1 − slope, on the shares that sum to 1: +1 or −1 of a rest point of dx/dt = P(x) − x."""
    slope = feedback * (np.diag(shares) - np.outer(shares, shares))
    basis = np.linalg.qr(np.column_stack([np.ones(len(shares)), np.eye(len(shares))[:, 1:]]))[0][:, 1:]
    return np.sign(np.linalg.det(basis.T @ (np.eye(len(shares)) - slope) @ basis))


@given(n_colours=st.integers(2, 7), feedback=st.floats(0.0, 40.0))
def test_no_fixed_point_is_missing(n_colours, feedback):
    """Shares flow inwards at the edge, so that the indices of all fixed points, copies included, sum to 1 (Poincaré–Hopf)."""
    points = logit_fixed_points(feedback, np.zeros(n_colours))
    folds = [abs(feedback - edge) for edge in (*logit_tipping_points(n_colours), float(n_colours))]
    if min(folds) < 1e-3:
        return
    for shares in points.shares:
        assert logit_chances(shares, feedback) == pytest.approx(shares, abs=1e-13)
    indices = [index_of(shares, feedback) for shares in points.shares]
    copies = points.copies if n_colours > 2 else np.ones(len(points.shares))
    assert np.dot(copies, indices) == 1
    assert all(index == 1 for index, stable in zip(indices, points.stable, strict=True) if stable)


@pytest.mark.parametrize("n_colours", [3, 4, 6])
@pytest.mark.parametrize("over", [0.5, 0.98, 1.02, 1.5])
def test_shares_let_loose_anywhere_come_to_rest_at_a_stable_point_that_is_listed(n_colours, over):
    feedback = over * logit_tipping_points(n_colours)[1]
    points = logit_fixed_points(feedback, np.zeros(n_colours))
    random = np.random.default_rng(1)
    shares = np.concatenate([random.dirichlet(np.full(n_colours, spread), size=30) for spread in (0.4, 1e4)])
    for _ in range(6000):
        shares = 0.5 * shares + 0.5 * logit_chances(shares, feedback)
    found = {tuple(np.round(np.sort(row)[::-1], 6)) for row in shares}
    assert found == {tuple(row) for row in np.round(points.shares[points.stable], 6)}


@pytest.mark.parametrize("n_colours", [2, 3, 5, 9])
def test_between_the_tipping_points_a_lead_and_an_even_split_can_both_last(n_colours):
    lead, split = logit_tipping_points(n_colours)

    def stable(feedback):
        points = logit_fixed_points(feedback, np.zeros(n_colours))
        even = np.ptp(points.shares, axis=1) < 1e-6
        return points.stable[even].any(), points.stable[~even].any()

    assert stable(lead * (1 - 1e-6)) == (True, False)
    assert stable(split * (1 + 1e-6)) == (False, True)
    if n_colours == 2:
        assert (lead, split) == (2.0, 2.0)
    else:
        assert lead < split - 0.1 and stable(0.5 * (lead + split)) == (True, True)


def test_just_when_a_lead_can_last_its_two_fixed_points_are_one():
    lead, _ = logit_tipping_points(4)
    assert len(logit_fixed_points(lead, np.zeros(4)).shares) == 2
    above = logit_fixed_points(lead * (1 + 1e-9), np.zeros(4)).shares
    assert len(above) == 3 and above[1] == pytest.approx(above[2], abs=1e-3)


def test_the_even_split_at_its_own_threshold_is_listed_once_and_not_stable():
    points = logit_fixed_points(5.0, np.zeros(5))
    even = np.ptp(points.shares, axis=1) < 1e-9
    assert even.sum() == 1 and not points.stable[even].any()


@given(feedback=st.floats(-10.0, 20.0), advantage=st.floats(-6.0, 6.0))
def test_two_colours_are_the_mean_field_logit(feedback, advantage):
    points = logit_fixed_points(feedback, [advantage, 0.0])
    shares, stable = rest_points(advantage, 2.0 * feedback)
    assert points.shares[::-1, 0] == pytest.approx(shares, abs=1e-14)
    assert points.shares.sum(axis=1) == pytest.approx(np.ones(len(shares)), abs=1e-12)
    assert (points.stable[::-1] == stable).all()


def test_a_long_urn_is_near_its_stable_points_and_away_from_the_unstable_one():
    feedback, advantages, draws = 4.0, np.array([0.1, 0.0]), 2000
    law = urn_law(draws, [5, 5], lambda counts: logit_chances(counts, feedback, advantages))
    share = np.arange(draws + 1) / draws
    points = logit_fixed_points(feedback, advantages)
    upper, middle, lower = points.shares[:, 0]
    assert law[(np.abs(share - upper) < 0.1) | (np.abs(share - lower) < 0.1)].sum() > 0.9
    assert law[np.abs(share - middle) < 0.02].sum() < 0.02
    assert law[share > middle].sum() > law[share < middle].sum() + 0.05


def test_chances_of_counts_are_a_softmax_of_shares():
    assert logit_chances([[1, 3]], 2.0, [0.5, 0.0])[0, 0] == pytest.approx(special.expit(0.5 - 1.0), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: logit_fixed_points(3.0, [0.0, 0.0, 0.1]), "two colours, or for more"),
        (lambda: logit_fixed_points(3.0, [0.0]), "two colours"),
        (lambda: logit_fixed_points(np.inf, [0.0, 0.0, 0.0]), "two colours"),
        (lambda: logit_tipping_points(1), "n_colours=1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
