"""Prices for ever with a switching cost: best replies by brute force, statics, and the price game of one period."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from evsim.economics.customer_prices import customer_prices
from evsim.economics.pricing import Demand, bertrand, equilibrium_prices

ALPHA = 0.03


def chance(own, others, lead):
    """Chance to buy from a firm at its price, its rivals' prices given; `lead`: utils ahead of each of them."""
    return 1.0 / (1.0 + sum(math.exp(ALPHA * (own - p) - ahead) for p, ahead in zip(others, lead, strict=True)))


def values(found, n_firms, discount, cost):
    """V_k and V_0, from the equations of both, by iteration."""
    stay, win = found.retention, (1.0 - found.retention) / (n_firms - 1.0)
    mine, theirs = 0.0, 0.0
    for _ in range(3000):
        mine, theirs = (
            stay * (found.own - cost + discount * mine) + (1 - stay) * discount * theirs,
            win * (found.rival - cost + discount * mine) + (1 - win) * discount * theirs,
        )
    return mine, theirs


@pytest.mark.parametrize("n_firms", [2, 3, 6])
@pytest.mark.parametrize("kappa", [0.0, 0.3, 1.5, 5.0])
@pytest.mark.parametrize("discount", [0.0, 0.6, 0.95])
def test_no_firm_gains_by_another_price_to_anybody(n_firms, kappa, discount):
    """A deviation now, the equilibrium after: each price maximises what a firm makes of that consumer for ever."""
    cost = 100.0
    found = customer_prices(n_firms, ALPHA, kappa, discount, cost)
    mine, theirs = values(found, n_firms, discount, cost)
    assert mine - theirs == pytest.approx(found.customer_value, abs=1e-9)
    assert theirs == pytest.approx(found.prospect_value, abs=1e-9)

    def best(others, lead):
        def loss(price):
            sale = chance(price, others, lead)
            return -(sale * (price - cost + discount * mine) + (1 - sale) * discount * theirs)

        grid = np.linspace(cost - 400, cost + 600, 2001)
        start = grid[np.argmin([loss(p) for p in grid])]
        return optimize.minimize_scalar(
            loss, bounds=(start - 1, start + 1), method="bounded", options={"xatol": 1e-9}
        ).x

    rivals = n_firms - 1
    own = best([found.rival] * rivals, [kappa] * rivals)
    assert own == pytest.approx(found.own, abs=1e-4)
    assert chance(own, [found.rival] * rivals, [kappa] * rivals) == pytest.approx(found.retention, abs=1e-6)
    against = [found.own] + [found.rival] * (rivals - 1)
    assert best(against, [-kappa] + [0.0] * (rivals - 1)) == pytest.approx(found.rival, abs=1e-4)
    assert best([found.newcomer] * rivals, [0.0] * rivals) == pytest.approx(found.newcomer, abs=1e-4)


@pytest.mark.parametrize("n_firms", [2, 3, 5])
def test_firms_that_do_not_look_ahead_play_the_price_game_of_one_period(n_firms):
    """Towards customers of the first firm it is Bertrand–Nash with utility κ for the first product."""
    kappa = 1.2
    utility = np.zeros((1, n_firms))
    utility[0, 0] = kappa
    game = bertrand(
        Demand(utility, np.array([ALPHA]), None, np.asarray(-np.inf)), np.full(n_firms, 100.0), np.arange(n_firms)
    )
    solution, found = equilibrium_prices(game, tolerance=1e-11), customer_prices(n_firms, ALPHA, kappa, 0.0, 100.0)
    assert solution.prices == pytest.approx([found.own] + [found.rival] * (n_firms - 1), abs=1e-8)


@given(
    n_firms=st.integers(2, 9), kappa=st.floats(0.0, 2000.0), discount=st.floats(0.0, 0.99), alpha=st.floats(0.001, 1.0)
)  # fmt: skip
def test_the_premium_customers_pay_is_what_a_customer_is_worth(n_firms, kappa, discount, alpha):
    found = customer_prices(n_firms, alpha, kappa, discount)
    assert found.own - found.rival == pytest.approx(found.customer_value, rel=1e-9, abs=1e-9)
    leave = (1.0 - found.retention) / (n_firms - 1.0)
    if leave > 1e-12:
        first_order = found.own + discount * found.customer_value - 1.0 / (alpha * (1.0 - found.retention))
        assert first_order * alpha == pytest.approx(0.0, abs=1e-7 * (1 + kappa))
        ratio = math.log(found.retention / leave)
        assert ratio == pytest.approx(kappa - alpha * found.customer_value, abs=1e-7 * (1 + kappa))


def test_without_switching_cost_all_prices_are_the_free_one():
    found = customer_prices(4, ALPHA, 0.0, 0.9, 50.0)
    assert (found.own, found.rival, found.newcomer, found.average) == pytest.approx((found.free,) * 4, rel=1e-15)
    assert found.free == pytest.approx(50.0 + 4 / (3 * ALPHA), rel=1e-14)
    assert (found.retention, found.customer_value, found.premium) == pytest.approx((0.25, 0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize("discount", [0.3, 0.9])
@pytest.mark.parametrize("n_firms", [2, 3, 7])
def test_a_little_lock_in_makes_it_cheaper_and_much_of_it_dearer(n_firms, discount):
    small = customer_prices(n_firms, ALPHA, 1e-4, discount)
    slope = discount * n_firms / ((n_firms**2 - n_firms + 1) * ALPHA)
    assert small.premium / 1e-4 == pytest.approx(-slope, rel=1e-3)
    premiums = [customer_prices(n_firms, ALPHA, kappa, discount).premium for kappa in (12.0, 20.0, 40.0, 80.0)]
    assert (np.diff(premiums) > 0).all() and premiums[-1] > 1.0 / ALPHA


def test_the_more_patient_the_firms_the_more_they_pay_for_customers_and_the_cheaper_it_is():
    ladder = [customer_prices(3, ALPHA, 2.0, discount) for discount in (0.0, 0.5, 0.9, 0.99)]
    assert (np.diff([found.average for found in ladder]) < -1).all()
    assert (np.diff([found.newcomer for found in ladder]) < -1).all()
    assert len({round(found.retention, 12) for found in ladder}) == 1


def test_more_lock_in_keeps_more_customers_and_makes_newcomers_bargain_better():
    ladder = [customer_prices(3, ALPHA, kappa, 0.9) for kappa in (0.0, 0.5, 1.0, 3.0, 9.0)]
    assert (np.diff([found.retention for found in ladder]) > 0.01).all()
    assert (np.diff([found.customer_value for found in ladder]) > 1).all()
    assert (np.diff([found.newcomer for found in ladder]) < -1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: customer_prices(1, ALPHA, 1.0, 0.9), "n_firms=1"),
        (lambda: customer_prices(2.5, ALPHA, 1.0, 0.9), "n_firms=2.5"),
        (lambda: customer_prices(2, 0.0, 1.0, 0.9), "price_sensitivity=0.0"),
        (lambda: customer_prices(2, ALPHA, -1.0, 0.9), "switching_cost=-1.0"),
        (lambda: customer_prices(2, ALPHA, 1.0, 1.0), "discount=1.0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
