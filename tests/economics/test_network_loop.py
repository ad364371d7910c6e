"""The loop of platforms with lock-in and the model's network effect: owners who buy again, run to rest."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.lock_in import excess_repeat, tips
from evsim.economics.logit_urn import logit_tipping_points
from evsim.economics.network_loop import (
    AlikePlatforms,
    advantage_at_rest,
    network_folds,
    network_loop_width,
    opening_network_effect,
)
from evsim.economics.switching_chain import SwitchingChain, stationary_shares, transition_matrix

LOOPING = AlikePlatforms(network_effect=2.5, installed_base=2.0, network_scale=1.5, switching_cost=0.8)


def utilities(share, advantage, platforms):
    """V_h with the first platform's share, the others alike."""
    shares = np.r_[share, np.full(platforms.n_platforms - 1, (1 - share) / (platforms.n_platforms - 1))]
    cars = platforms.installed_base * platforms.n_platforms * shares
    utility = platforms.network_effect * np.log(platforms.network_scale + cars)
    utility[0] += advantage
    return shares, utility


def chain(utility, switching_cost):
    codes = np.arange(len(utility))
    return SwitchingChain(utility, codes, codes, switching_cost=switching_cost)


@given(
    share=st.floats(0.001, 0.999), theta=st.floats(0.0, 5.0), kappa=st.floats(0.0, 5.0), scale=st.floats(0.0, 10.0),
    n_platforms=st.integers(2, 6),
)  # fmt: skip
def test_with_the_advantage_at_rest_owners_who_buy_again_leave_the_shares_as_they_are(
    share, theta, kappa, scale, n_platforms
):
    platforms = AlikePlatforms(theta, 0.7, scale, kappa, n_platforms)
    advantage = float(advantage_at_rest(share, platforms))
    shares, utility = utilities(share, advantage, platforms)
    market = chain(utility, kappa)
    assert shares @ transition_matrix(market)[0] == pytest.approx(shares, abs=1e-12)
    assert stationary_shares(market) == pytest.approx(shares, abs=1e-11)


@given(
    theta=st.floats(0.0, 6.0), base=st.floats(0.01, 20.0), scale=st.floats(0.01, 20.0), kappa=st.floats(0.0, 6.0)
)  # fmt: skip
def test_two_platforms_have_a_loop_just_where_the_even_split_tips(theta, base, scale, kappa):
    platforms = AlikePlatforms(theta, base, scale, kappa)
    threshold = (base + scale) / base / (1.0 + excess_repeat(kappa, 2))
    assert opening_network_effect(platforms) == pytest.approx(threshold, rel=1e-12)
    if abs(theta / threshold - 1.0) > 1e-6:
        assert (network_loop_width(platforms) > 0.0) is tips(theta, base, scale, kappa, 2)


def test_lock_in_alone_has_no_loop_and_lowers_the_network_effect_that_has_one():
    kappas = (0.0, 0.5, 1.0, 2.0, 4.0)
    for n_platforms in (2, 3, 8):
        ladder = [AlikePlatforms(0.0, 1.0, 1.0, kappa, n_platforms) for kappa in kappas]
        assert all(network_loop_width(platforms) == 0.0 for platforms in ladder)
        assert (np.diff([opening_network_effect(platforms) for platforms in ladder]) < -0.01).all()
    widths = [network_loop_width(replace(LOOPING, switching_cost=kappa)) for kappa in kappas]
    assert (np.diff(widths) > 0.01).all()


def test_the_loop_widens_with_the_network_effect_and_the_installed_base():
    for name, values in (("network_effect", (1.0, 1.5, 2.0, 4.0)), ("installed_base", (0.4, 1.0, 3.0, 10.0))):
        widths = [network_loop_width(replace(LOOPING, **{name: value})) for value in values]
        assert (np.diff(widths) > 0.01).all()


@pytest.mark.parametrize("n_platforms", [2, 3, 6])
def test_folds_are_where_a_market_swept_by_hand_jumps(n_platforms):
    """The advantage rises, then falls, by small steps; owners buy again until the shares rest."""
    platforms = replace(LOOPING, n_platforms=n_platforms)
    (up, down), ends = network_folds(platforms)
    step = 0.02

    def jump(path, share):
        for advantage in path:
            before = share
            for _ in range(4000):
                shares, utility = utilities(share, advantage, platforms)
                new = float((shares @ transition_matrix(chain(utility, platforms.switching_cost))[0])[0])
                if abs(new - share) < 1e-9:
                    break
                share = new
            if abs(share - before) > 0.2:
                return advantage, before
        raise AssertionError("it never jumped")

    low = jump(up + step * np.arange(-1.5, 2.0), float(ends[0]) * 0.9)
    high = jump(down - step * np.arange(-1.5, 2.0), 1.0 - 0.9 * (1.0 - float(ends[1])))
    assert low[0] == pytest.approx(up, abs=step) and low[1] < ends[0]
    assert high[0] == pytest.approx(down, abs=step) and high[1] > ends[1]


@pytest.mark.parametrize("n_platforms", [2, 4])
def test_folds_are_flat_and_bound_the_shares_at_which_nothing_stays(n_platforms):
    platforms = replace(LOOPING, n_platforms=n_platforms)
    advantages, shares = network_folds(platforms)
    assert advantage_at_rest(shares, platforms) == pytest.approx(advantages, abs=1e-12)
    grid = np.linspace(0.001, 0.999, 5001)
    falling = grid[:-1][np.diff(advantage_at_rest(grid, platforms)) < 0]
    assert [falling.min(), falling.max()] == pytest.approx(list(shares), abs=4e-4)


def test_with_more_than_two_platforms_the_loop_opens_before_the_even_split_falls_apart():
    for n_platforms in (3, 5, 10):
        platforms = replace(LOOPING, n_platforms=n_platforms)
        split = (2.0 + 1.5) / 2.0 / (1.0 + excess_repeat(0.8, n_platforms))
        opening = opening_network_effect(platforms)
        assert opening < 0.98 * split
        assert network_loop_width(replace(platforms, network_effect=0.999 * opening)) == 0.0
        just_open = replace(platforms, network_effect=1.001 * opening)
        assert network_loop_width(just_open) > 0.0 and (network_folds(just_open)[1] > 1.0 / n_platforms).all()


@pytest.mark.parametrize("n_platforms", [2, 3, 6, 12])
def test_with_a_large_scale_and_no_lock_in_it_is_the_logit_urn(n_platforms):
    """ln(N₀ + G N x) is then linear in x, with feedback β = θ G N / N₀; ln odds − β (x − (1 − x)/(G − 1)) turns at ½."""
    linear = AlikePlatforms(0.0, 1.0, 1e7, 0.0, n_platforms)
    feedback = opening_network_effect(linear) * n_platforms / 1e7
    assert feedback == pytest.approx(4.0 * (n_platforms - 1.0) / n_platforms, rel=1e-5)
    leading = np.linspace(1.0 / n_platforms, 1.0, 20_001)[400:-1]

    def least_advantage(feedback):
        return advantage_at_rest(leading, replace(linear, network_effect=feedback * 1e7 / n_platforms)).min()

    lead, _ = logit_tipping_points(n_platforms)  # from which a lead can last with no advantage at all
    assert least_advantage(lead * 0.999) > 0.0 > least_advantage(lead * 1.001)


def test_without_any_scale_a_lead_of_unit_network_effect_is_for_ever():
    bare = AlikePlatforms(1.0, 1.0, 0.0, 0.5)
    assert network_loop_width(bare) == math.inf
    with pytest.raises(ValueError, match="no folds"):
        network_folds(bare)
    assert opening_network_effect(bare) == pytest.approx(0.5 * (1 + math.exp(-0.5)), rel=1e-14)
    assert 0.0 < network_loop_width(replace(bare, network_effect=0.9)) < 5.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(LOOPING, n_platforms=1), "n_platforms=1"),
        (lambda: replace(LOOPING, network_effect=-1.0), "network_effect=-1.0"),
        (lambda: replace(LOOPING, switching_cost=math.inf), "switching_cost=inf"),
        (lambda: replace(LOOPING, installed_base=0.0), "installed_base=0"),
        (lambda: advantage_at_rest([0.5, 1.0], LOOPING), "share must be in"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
