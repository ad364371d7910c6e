"""Consumers who buy again: stationary law, churn, tenure and rents, by loops and by theorem."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.lock_in import excess_repeat
from evsim.economics.switching_chain import (
    SwitchingChain,
    churn_matrix,
    expected_tenure,
    newcomer_law,
    owner_rents,
    remaining_tenure,
    repeat_purchase,
    stationary_law,
    stationary_shares,
    transition_matrix,
)

RANDOM = np.random.default_rng(11)
MIXED = SwitchingChain(  # three types, five products of three brands on two platforms and none
    mean_utility=RANDOM.normal(size=(3, 5)),
    brand=[0, 0, 1, 1, 2],
    platform=[0, 1, 1, 1, -1],
    switching_cost=[0.5, 1.5, 1.0],
    brand_loyalty=0.7,
    weights=[1.0, 2.0, 3.0],
)
LEAVING = replace(MIXED, turnover=0.35)
ALIKE = SwitchingChain(np.zeros(4), range(4), range(4), switching_cost=1.3)


def transition_twin(chain, i, j):
    """What an owner of j of type i buys, in loops."""
    odds = []
    for k in range(len(chain.brand)):
        utility = chain.mean_utility[i, k]
        if chain.platform[j] == chain.platform[k] != -1:
            utility += chain.switching_cost[i]
        if chain.brand[j] == chain.brand[k] != -1:
            utility += chain.brand_loyalty[i]
        odds.append(math.exp(utility))
    return np.array(odds) / sum(odds)


def test_transitions_are_logit_with_a_gain_for_brand_and_platform():
    matrix = transition_matrix(MIXED)
    for i in range(3):
        for j in range(5):
            assert matrix[i, j] == pytest.approx(transition_twin(MIXED, i, j), rel=1e-12)


@pytest.mark.parametrize("chain", [MIXED, LEAVING, ALIKE, replace(MIXED, turnover=1.0)])
def test_the_stationary_law_is_left_as_it_is(chain):
    law = stationary_law(chain)
    stay = np.einsum("ij,ijk->ik", law, transition_matrix(chain))
    assert (1 - chain.turnover) * stay + chain.turnover * newcomer_law(chain) == pytest.approx(law, abs=1e-15)
    assert law.sum(axis=1) == pytest.approx(np.ones(len(law)), abs=1e-14)


def test_without_turnover_as_many_go_one_way_as_the_other():
    law = stationary_law(MIXED)
    flow = law[:, :, None] * transition_matrix(MIXED)
    assert flow == pytest.approx(np.swapaxes(flow, 1, 2), rel=1e-12)


def test_the_closed_form_is_the_limit_of_ever_less_turnover():
    assert stationary_law(replace(MIXED, turnover=1e-9)) == pytest.approx(stationary_law(MIXED), abs=1e-8)


@given(kappa=st.floats(0.0, 20.0), n_platforms=st.integers(2, 8))
def test_alike_platforms_keep_what_excess_repeat_says(kappa, n_platforms):
    chain = SwitchingChain(np.zeros(n_platforms), range(n_platforms), range(n_platforms), kappa)
    repeat, excess = repeat_purchase(chain, chain.platform), excess_repeat(kappa, n_platforms)
    assert repeat.retention == pytest.approx(np.full(n_platforms, excess + (1 - excess) / n_platforms), rel=1e-12)
    assert repeat.state_dependence == pytest.approx(excess * (1 - 1 / n_platforms), abs=1e-14)
    assert repeat.taste == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("chain", [MIXED, LEAVING])
@pytest.mark.parametrize("level", ["brand", "platform"])
def test_churn_counts_owners_and_where_they_go(chain, level):
    groups = getattr(chain, level)
    names, law, matrix = np.unique(groups), stationary_law(chain), transition_matrix(chain)
    flows = np.zeros((len(names), len(names)))
    for i, weight in enumerate(chain.weights):
        for j in range(5):
            for k in range(5):
                place = list(names).index(groups[j]), list(names).index(groups[k])
                flows[place] += weight * law[i, j] * matrix[i, j, k]
    assert churn_matrix(chain, groups) == pytest.approx(flows / flows.sum(axis=1, keepdims=True), rel=1e-12)


def test_taste_alone_looks_like_lock_in_to_who_sees_only_repeat_purchase():
    taste = SwitchingChain([[2.0, 0.0], [0.0, 2.0]], [0, 1], [0, 1])
    found = repeat_purchase(taste, taste.platform)
    assert found.naive_excess == pytest.approx(0.5 * math.tanh(1.0) ** 2, rel=1e-12)
    assert found.state_dependence == pytest.approx(0.0, abs=1e-15)
    both = repeat_purchase(replace(taste, switching_cost=1.0), taste.platform)
    assert both.naive_excess > found.naive_excess + 0.05 and both.state_dependence > 0.05
    assert both.taste + both.state_dependence == pytest.approx(both.naive_excess, abs=1e-15)


def test_a_product_without_ecosystem_or_brand_holds_nobody():
    plain = SwitchingChain(np.zeros(3), [-1, -1, -1], [-1, -1, 0], switching_cost=2.0, brand_loyalty=3.0)
    matrix = transition_matrix(plain)[0]
    assert matrix[:2] == pytest.approx(np.full((2, 3), 1 / 3), rel=1e-14)
    assert matrix[2, 2] == pytest.approx(math.exp(2) / (math.exp(2) + 2), rel=1e-14)


def test_lock_in_raises_retention_and_tenure_and_loyalty_the_brands_alone():
    for name, level in (("switching_cost", "platform"), ("brand_loyalty", "brand")):
        ladder = [replace(MIXED, **{name: gain}) for gain in (0.0, 0.5, 1.0, 2.0)]
        groups = getattr(MIXED, level)
        held = 2 if level == "platform" else 3
        kept = np.array([np.diag(churn_matrix(chain, groups))[-held:] for chain in ladder])
        stays = np.array([expected_tenure(chain, groups, 84.0)[-held:] for chain in ladder])
        assert (np.diff(kept, axis=0) > 0.01).all() and (np.diff(stays, axis=0) > 0.5).all()
    apart = replace(MIXED, platform=[0, 1, 0, 1, -1], brand_loyalty=0.0)
    assert churn_matrix(replace(apart, brand=[-1] * 5), apart.platform) == pytest.approx(
        churn_matrix(apart, apart.platform), rel=1e-14
    )


@pytest.mark.parametrize("chain", [MIXED, LEAVING])
def test_tenures_are_those_of_spells_followed_purchase_by_purchase(chain):
    stay = (1 - chain.turnover) * transition_matrix(chain)
    law, groups = stationary_law(chain), chain.platform
    for g, name in enumerate(np.unique(groups)):
        inside = groups == name
        came = np.einsum("ij,ijk->ik", law * ~inside, stay) + chain.turnover * newcomer_law(chain)
        if chain.turnover:  # a household that leaves is followed by another: a new spell, also in the same group
            came = came * inside
        came, now = came * inside * chain.weights[:, None], law * inside * chain.weights[:, None]
        spell, rest = 0.0, 0.0
        new, owners = came / came.sum(), now / now.sum()
        for _ in range(4000):
            spell, rest = spell + new.sum(), rest + owners.sum()
            new, owners = (np.einsum("ij,ijk->ik", x, stay) * inside for x in (new, owners))
        assert expected_tenure(chain, groups, 84.0)[g] == pytest.approx(84.0 * spell, rel=1e-10)
        assert remaining_tenure(chain, groups, 84.0)[g] == pytest.approx(84.0 * rest, rel=1e-10)


def test_owners_stay_longer_than_those_who_come_where_tastes_differ_and_as_long_where_not():
    gain = remaining_tenure(MIXED, MIXED.platform, 1.0) - expected_tenure(MIXED, MIXED.platform, 1.0)
    assert (gain > 1e-4).all() and gain.max() > 10.0
    alike = expected_tenure(ALIKE, ALIKE.platform, 84.0)
    assert remaining_tenure(ALIKE, ALIKE.platform, 84.0) == pytest.approx(alike, rel=1e-12)


def test_who_has_no_choice_stays_for_ever():
    whole = np.zeros(5, dtype=int)
    assert expected_tenure(MIXED, whole, 84.0) == [math.inf] and remaining_tenure(MIXED, whole, 84.0) == [math.inf]
    bound = SwitchingChain([[0.0, -np.inf], [0.0, 0.0]], [0, 1], [0, 1])
    assert remaining_tenure(bound, [0, 1], 1.0).tolist() == [math.inf, 2.0]
    assert expected_tenure(LEAVING, whole, 84.0) == pytest.approx([84.0 / 0.35], rel=1e-12)


@pytest.mark.parametrize("chain", [MIXED, LEAVING])
def test_rents_are_what_later_purchases_bring_more_than_a_newcomers(chain):
    margins, discount = np.array([[30.0, 20.0, 0, 0, 0], [0, 5.0, 5.0, 5.0, 0]]), 0.6
    matrix, newcomer, weight = transition_matrix(chain), newcomer_law(chain), discount * (1 - chain.turnover)
    rents, owners = np.zeros((3, 5, 2)), chain.weights[:, None] * stationary_law(chain)
    for i in range(3):
        for j in range(5):
            held, free = np.eye(5)[j], None
            for t in range(1, 200):
                held = held @ matrix[i]
                free = newcomer[i] if free is None else free @ matrix[i]
                rents[i, j] += weight**t * (margins @ (held - free))
    expected = np.einsum("ij,ijf->fj", owners / owners.sum(axis=0), rents)
    assert owner_rents(chain, margins, discount) == pytest.approx(expected, abs=1e-10)


def test_without_lock_in_an_owner_is_worth_no_more_than_anybody():
    free = replace(MIXED, switching_cost=0.0, brand_loyalty=0.0)
    assert owner_rents(free, np.ones((1, 5)) * 20.0 * np.arange(5), 0.9) == pytest.approx(np.zeros((1, 5)), abs=1e-11)


def test_the_brands_rent_comes_from_loyalty_and_the_platforms_from_lock_in():
    """Two brands on one platform, a third car elsewhere: brands earn 20 a car, the platform 5."""
    base = SwitchingChain(np.zeros(3), [0, 1, 2], [0, 0, 1], switching_cost=1.0, brand_loyalty=1.0)
    margins = np.array([[20.0, 0, 0], [5.0, 5.0, 0]])
    brand, platform = owner_rents(base, margins, 0.8)[:, 0]
    more_loyal = owner_rents(replace(base, brand_loyalty=2.0), margins, 0.8)[:, 0]
    no_loyalty = owner_rents(replace(base, brand_loyalty=0.0), margins, 0.8)
    assert brand > 0 and platform > 0 and more_loyal[0] > brand + 1.0
    assert no_loyalty[0, 0] == pytest.approx(no_loyalty[0, 1], rel=1e-12)  # the fellow brand's owner is worth as much


def test_an_infinitely_strong_dislike_and_lock_in_beyond_reason_are_no_trouble():
    heavy = SwitchingChain([[0.0, 1.0, -np.inf], [0.0, 1.0, 2.0]], [0, 1, 2], [0, 1, 2], switching_cost=900.0)
    law = stationary_law(heavy)
    assert np.isfinite(law).all() and law[0, 2] == 0.0
    assert law[0, 1] / law[0, 0] == pytest.approx(math.e**2, rel=1e-12)
    assert stationary_shares(heavy).sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(MIXED, brand=[0, 1]), "brand must be a whole number"),
        (lambda: replace(MIXED, platform=[0, 0, 0, 0, -2]), "platform must be"),
        (lambda: replace(MIXED, switching_cost=[1.0, 2.0]), "switching_cost must be finite"),
        (lambda: replace(MIXED, brand_loyalty=math.inf), "brand_loyalty must be finite"),
        (lambda: replace(MIXED, weights=[1.0]), "weights must have shape"),
        (lambda: replace(MIXED, turnover=1.1), "turnover=1.1"),
        (lambda: SwitchingChain([-np.inf, -np.inf], [0, 1], [0, 1]), "something on offer"),
        (lambda: SwitchingChain([0.0, -np.inf], [0, 1], [0, 1]), "somebody buy every product"),
        (lambda: churn_matrix(MIXED, [0, 1]), "groups must be"),
        (lambda: expected_tenure(MIXED, MIXED.brand, 0.0), "months_between_purchases=0.0"),
        (lambda: owner_rents(MIXED, np.ones(5), 0.9), "margins must be"),
        (lambda: owner_rents(MIXED, np.ones((1, 5)), 1.0), "discount=1.0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
