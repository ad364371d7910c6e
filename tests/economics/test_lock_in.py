"""When alike platforms tip."""

import math

import numpy as np
import pytest

from evsim.economics.lock_in import excess_repeat, tips


def test_excess_repeat_is_what_a_logit_with_lock_in_adds():
    kappa, platforms = 1.3, 4
    stay = math.exp(kappa) / (math.exp(kappa) + platforms - 1)
    leave = 1.0 / (math.exp(kappa) + platforms - 1)
    assert excess_repeat(kappa, platforms) == pytest.approx(stay - leave, rel=1e-14)


def share_map(share, theta, kappa):
    """Next share of the first of two platforms: owners by share, logit with network effect ln(share) and lock-in."""
    pull = theta * (math.log(share) - math.log(1.0 - share))
    stay = 1.0 / (1.0 + math.exp(-pull - kappa))
    come = 1.0 / (1.0 + math.exp(-pull + kappa))
    return share * stay + (1.0 - share) * come


@pytest.mark.parametrize("kappa", [0.0, 0.7, 1.5])
@pytest.mark.parametrize(("theta_over_threshold", "leaves"), [(0.97, False), (1.03, True)])
def test_the_even_split_of_two_platforms_is_left_above_the_threshold_only(kappa, theta_over_threshold, leaves):
    threshold = 1.0 / (1.0 + excess_repeat(kappa, 2))
    theta = theta_over_threshold * threshold
    share = 0.5 + 1e-6
    for _ in range(20_000):
        share = min(share_map(share, theta, kappa), 1.0 - 1e-9)
    assert (share > 0.6) is leaves
    assert tips(theta, 1e12, 1.0, kappa, 2) is leaves


def test_lock_in_alone_never_tips():
    assert not any(tips(0.0, 1e7, 1e6, kappa, 3) for kappa in np.linspace(0, 8, 9))
