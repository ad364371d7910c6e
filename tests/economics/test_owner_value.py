"""The value of an owner: closed forms, a stream of margins followed by hand, a slow twin, and whom it is counted for."""

import numpy as np
import pytest

from evsim.economics.contracts import Terms, price_weights
from evsim.economics.lock_in import excess_repeat
from evsim.economics.owner_value import Loyalty, counted_values, extra_purchases, owner_values

DISCOUNT = 0.35


def loyal(platform, brand=None, switching_cost=0.9, brand_loyalty=0.0):
    """Owners bound to platform and brand; without brands, each product is its own."""
    n_products = len(platform)
    brand = np.arange(n_products) if brand is None else brand
    return Loyalty(platform, brand, np.full(n_products, switching_cost), np.full(n_products, brand_loyalty))


def made_up(seed=0, n_households=70, n_products=9):
    """Households that differ, four platforms of which one is no ecosystem, six brands."""
    draws = np.random.default_rng(seed)
    utility = 1.5 * draws.normal(size=(n_households, n_products))
    utility[3, 4] = -np.inf
    purchases = draws.uniform(0.2, 1.8, (n_households, 1)) * np.exp(draws.normal(size=utility.shape))
    purchases[np.isinf(utility)] = 0.0
    platform, brand = draws.integers(0, 4, n_products), draws.integers(10, 16, n_products)
    loyalty = Loyalty(platform, brand, np.where(platform > 0, 0.9, 0.0), draws.uniform(0.2, 0.8, n_products))
    return purchases, utility, loyalty


def margins_of(makers, seed=0):
    """What each maker earns on its own products, `[F, J]`."""
    draws = np.random.default_rng(seed)
    return (np.arange(max(makers) + 1)[:, None] == np.asarray(makers)) * draws.uniform(10.0, 60.0, len(makers))


# Slow twins.


def next_purchase(utility, loyalty, owned):
    """What the owner of a product buys next, `[J]`, by the logit's formula."""
    odds = [
        np.exp(
            value
            + (loyalty.platform_gain[owned] if loyalty.platform[k] == loyalty.platform[owned] else 0.0)
            + (loyalty.brand_gain[owned] if loyalty.brand[k] == loyalty.brand[owned] else 0.0)
        )
        for k, value in enumerate(utility)
    ]
    return np.array(odds) / sum(odds)


def extra_twin(purchases, utility, loyalty):
    """ΔS household by household, product by product."""
    n_products = utility.shape[1]
    extra = np.zeros((n_products, n_products))
    for bought, row in zip(purchases, utility, strict=True):
        chances = [next_purchase(row, loyalty, owned) for owned in range(n_products)]
        average = sum(weight * chance for weight, chance in zip(bought, chances, strict=True)) / bought.sum()
        for owned in range(n_products):
            extra[owned] += bought[owned] * (chances[owned] - average)
    return extra / purchases.sum(axis=0)[:, None]


@pytest.mark.parametrize("seed", range(4))
def test_the_fast_sums_are_those_of_a_loop_over_owners(seed):
    purchases, utility, loyalty = made_up(seed)
    expected = extra_twin(purchases, utility, loyalty)
    assert extra_purchases(purchases, utility, loyalty) == pytest.approx(expected, abs=1e-14)
    assert np.abs(expected).max() > 0.05


def test_the_value_is_the_discounted_stream_of_an_owners_margins_less_an_average_households():
    """One taste: follow what both own, purchase after purchase."""
    draws = np.random.default_rng(5)
    utility, brand = draws.normal(size=(1, 6)), np.array([0, 0, 1, 2, 3, 3])
    loyalty, margins = loyal(np.array([0, 0, 0, 1, 2, 2]), brand, 1.2, 0.5), margins_of([0, 0, 1, 2, 3, 3])
    share = np.exp(utility[0]) / np.exp(utility[0]).sum()
    values = owner_values(extra_purchases(share[None, :], utility, loyalty), margins, DISCOUNT)
    follows = np.array([next_purchase(utility[0], loyalty, owned) for owned in range(6)])
    for owned in range(6):
        owns, average, stream = np.eye(6)[owned], share, 0.0
        for purchase in range(1, 60):
            owns, average = owns @ follows, average @ follows
            stream += DISCOUNT**purchase * margins @ (owns - average)
        assert values[:, owned] == pytest.approx(stream, abs=1e-12)


# Closed forms.


@pytest.mark.parametrize(("switching_cost", "lead"), [(0.5, 0.0), (1.0, 0.7), (3.0, -1.5)])
def test_two_firms_and_one_taste_give_the_geometric_sum_in_the_excess_chance_to_repeat(switching_cost, lead):
    """Λ_1(1) = D m_1 (s_11 − s_1) / (1 − D λ), λ = s_11 − s_21: not s_11 itself."""
    utility, stay = np.array([[lead, 0.0]]), np.exp(switching_cost)
    bought = np.array([[0.3, 0.7]])
    repeat = np.exp(lead) * stay / (np.exp(lead) * stay + 1.0)
    switch = np.exp(lead) / (np.exp(lead) + stay)
    average = bought[0] @ [repeat, switch]
    extra = extra_purchases(bought, utility, loyal(np.array([0, 1]), switching_cost=switching_cost))
    values = owner_values(extra, np.diag([40.0, 25.0]), DISCOUNT)
    excess = repeat - switch
    assert values[0, 0] == pytest.approx(DISCOUNT * 40.0 * (repeat - average) / (1.0 - DISCOUNT * excess), abs=1e-10)
    assert values[1, 0] == pytest.approx(-DISCOUNT * 25.0 * (repeat - average) / (1.0 - DISCOUNT * excess), abs=1e-10)


@pytest.mark.parametrize("n_platforms", [2, 3, 7])
def test_among_alike_platforms_owners_repeat_in_excess_as_lock_in_says(n_platforms):
    """Λ own = D m λ (1 − 1/G) / (1 − D λ), a rival's −D m λ / G / (1 − D λ)."""
    alike = np.ones((3, n_platforms))
    extra = extra_purchases(alike, alike, loyal(np.arange(n_platforms), switching_cost=1.1))
    values = owner_values(extra, np.eye(n_platforms) * 50.0, DISCOUNT)
    excess = excess_repeat(1.1, n_platforms)
    return_value = DISCOUNT * 50.0 * excess / (1.0 - DISCOUNT * excess)
    expected = return_value * (np.eye(n_platforms) - 1.0 / n_platforms)
    assert values == pytest.approx(expected, abs=1e-10)


# What must hold whatever the numbers.


def test_without_lock_in_an_owner_is_worth_nothing_though_tastes_make_it_come_back():
    purchases, utility, loyalty = made_up()
    free = Loyalty(loyalty.platform, loyalty.brand, np.zeros(9), np.zeros(9))
    purchases = np.exp(utility)  # who likes a product buys it, and will again
    assert np.abs(owner_values(extra_purchases(purchases, utility, free), np.eye(9) * 50.0, 0.9)).max() < 1e-13


def test_what_an_owner_buys_more_of_it_buys_less_of_elsewhere():
    extra = extra_purchases(*made_up())
    assert extra.sum(axis=1) == pytest.approx(np.zeros(9), abs=1e-15)
    assert (np.diag(extra) > 0).all()


def test_neither_the_scale_of_purchases_nor_the_level_of_utility_nor_a_household_told_twice_matters():
    purchases, utility, loyalty = made_up()
    expected = extra_purchases(purchases, utility, loyalty)
    level = np.linspace(-900.0, 900.0, len(utility))[:, None]
    assert extra_purchases(7.0 * purchases, utility + level, loyalty) == pytest.approx(expected, abs=1e-12)
    twice = np.vstack([purchases, purchases[:5]]), np.vstack([utility, utility[:5]])
    twice[0][:5] *= 0.25
    twice[0][-5:] *= 0.75
    assert extra_purchases(*twice, loyalty) == pytest.approx(expected, abs=1e-14)


def test_a_product_nobody_buys_leaves_no_owner():
    purchases, utility, loyalty = made_up()
    purchases[:, 2] = 0.0
    extra = extra_purchases(purchases, utility, loyalty)
    assert (extra[2] == 0).all()
    assert np.isfinite(extra).all()


def test_threads_change_no_bit():
    problem = made_up(n_households=2_500, n_products=30)
    assert np.array_equal(extra_purchases(*problem), extra_purchases(*problem, threads=3))


@pytest.mark.parametrize("seed", range(3))
def test_an_owner_is_worth_more_to_its_maker_the_stronger_the_lock_in_and_the_more_patient_the_firm(seed):
    purchases, utility, _ = made_up(seed)
    platform = np.arange(9) // 2  # one maker a platform: nothing of its own is displaced
    margins = (np.arange(5)[:, None] == platform) * 40.0

    def own(switching_cost, discount):
        values = owner_values(
            extra_purchases(purchases, utility, loyal(platform, None, switching_cost)), margins, discount
        )
        return values[platform, np.arange(9)]

    assert (own(0.4, 0.3) > 0).all()
    assert (own(0.8, 0.3) > own(0.4, 0.3)).all()
    assert (own(0.4, 0.4) > own(0.4, 0.3)).all()


def test_a_platform_shares_the_rent_of_its_owners_with_its_makers():
    """Two makers on one platform: the owner of one helps the other, and the leader earns its fee from both."""
    purchases, utility, _ = made_up()
    platform, maker = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7]), np.arange(9)
    margins = np.vstack([np.diag(np.full(9, 40.0)), np.where(platform == 0, 10.0, 0.0)])
    values = owner_values(extra_purchases(purchases, utility, loyal(platform, maker)), margins, DISCOUNT)
    assert values[1, 0] > 0  # to the fellow member
    assert values[2, 0] < 0  # to a rival
    assert values[-1, 0] > 0
    assert values[-1, 0] == pytest.approx((values[0, 0] + values[1, 0]) / 4.0, rel=1e-12)


# Whose account an owner is counted in.


@pytest.mark.parametrize("setter", [False, True])
@pytest.mark.parametrize(("fellow", "leader"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.3), (0.6, 1.0)])
def test_an_owner_is_counted_as_a_lower_fee_to_its_maker_and_cheaper_parts_to_the_leader(setter, fellow, leader):
    """The same accounts with w − Λ_f for w and m − Λ_f − Λ_L for m: whoever counts margins counts owners alike."""
    draws = np.random.default_rng(2)
    makers, pays = np.array([0, 0, 1, 2, 2, 3]), np.array([True, False, True, True, True, False])
    fee, parts = np.where(pays, draws.uniform(20.0, 40.0, 6), 0.0), np.where(pays, 12.0, 0.0)
    share, member = np.where(pays, 0.1, 0.0), np.array([True, False, True, False, True, False])
    values = draws.uniform(0.0, 3.0, (5, 6))
    shape = {"fellow_weight": fellow, "leader_weight": leader, "leader_sets_prices": setter}
    terms = Terms(share, fee, parts, member)
    _, cost, payments, _ = price_weights(makers, 4, terms, 0.13, **shape)
    counted = counted_values(values, makers, terms, cost, leader)
    own = values[makers, np.arange(6)]
    credited = Terms(share, fee - own, parts - own - np.where(pays, values[-1], 0.0), member)
    expected = price_weights(makers, 4, credited, 0.13, **shape)[2]
    assert payments - counted == pytest.approx(expected, abs=1e-12)
    assert (counted[-1][~pays] == 0).all()


# What is refused.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"purchases": -np.ones((2, 3))}, "purchases must be finite, not negative"),
        ({"purchases": np.ones((2, 2))}, "of the utility's shape"),
        ({"utility": np.full((2, 3), -np.inf)}, "offered nothing"),
        ({"loyalty": loyal(np.arange(2))}, "must each be about 3 products"),
    ],
)
def test_impossible_households_are_refused(change, message):
    problem = {"purchases": np.ones((2, 3)), "utility": np.zeros((2, 3)), "loyalty": loyal(np.arange(3))}
    with pytest.raises(ValueError, match=message):
        extra_purchases(**problem | change)


def test_owners_who_never_leave_and_are_never_discounted_have_no_value():
    extra = extra_purchases(np.ones((1, 2)), np.zeros((1, 2)), loyal(np.arange(2), switching_cost=60.0))
    with pytest.raises(ValueError, match="too near 1"):
        owner_values(extra, np.eye(2), 1.0)
