"""Taxes and subsidies: what the buyer pays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.economics.price_rule import BuyerPrice, identity
from evsim.economics.subsidy import (
    BENEFIT_LINES,
    Instrument,
    ad_valorem,
    benefits,
    compose,
    compose_by_class,
    consumer_classes,
    exemption,
    fiscal,
    fiscal_by_class,
    funded_fraction,
    owns_old_car,
    paid_within_budget,
    per_unit,
    phase_out,
    purchase_tax,
)

INSTRUMENTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(BENEFIT_LINES)),
        st.lists(st.booleans(), min_size=3, max_size=3),
        st.floats(0.0, 20.0),
        st.sampled_from([0.0, 0.0493, 0.1187, 0.487, 1.0]),
        st.sampled_from([0.0, 5.0, 15.0, 30.0, np.inf]),
        st.sampled_from([0.0, 0.5, 1.0, 1.7]),
        st.sampled_from([np.inf, 60.0, 250.0, 339.0]),
    ).filter(lambda entry: entry[0] != "ad_valorem" or entry[3] <= 0.2),
    max_size=4,
)


def buyer_price_twin(instruments, prices):
    """What the buyer pays, from the instruments' definitions, one product and one instrument after the other."""
    paid = []
    for j, price in enumerate(prices):
        tax, waived, subsidy = 0.1 * price / 1.13, 0.0, 0.0
        for kind, eligible, amount, rate, cap, scale, ceiling in instruments:
            if not eligible[j] or price > ceiling:
                continue
            if kind == "per_unit":
                subsidy += scale * min(amount, cap)
            elif kind == "ad_valorem":
                subsidy += scale * min(rate * price, cap)
            else:
                waived += scale * min(rate * tax, cap)
        paid.append(price + tax - min(waived, tax) - subsidy)
    return np.array(paid)


@settings(max_examples=200)
@given(instruments=INSTRUMENTS, prices=st.lists(st.floats(0.0, 900.0), min_size=3, max_size=3))
def test_the_composed_rule_is_the_sum_of_its_instruments(instruments, prices):
    rule = compose([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], 3)
    prices = [*prices[:2], float(rule.knots[0, 0]) if rule.knots.size and np.isfinite(rule.knots[0, 0]) else prices[2]]
    expected = buyer_price_twin(instruments, prices)
    assert rule.value(np.array(prices)) == pytest.approx(expected, abs=1e-10)
    money = fiscal([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], prices)
    assert prices + money.purchase_tax - money.outlay == pytest.approx(expected, abs=1e-10)
    assert (money.purchase_tax >= 0).all()
    assert money.purchase_tax + money.exemption == pytest.approx(purchase_tax(prices))


@given(instruments=INSTRUMENTS, some=st.permutations([0, 1, 2]), count=st.integers(1, 3))
def test_the_rule_of_some_products_is_the_one_composed_for_them(instruments, some, count):
    rows = np.array(some[:count])
    cut = [(kind, np.array(eligible)[rows], *rest) for kind, eligible, *rest in instruments]
    whole = compose([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], 3)
    alone = compose(cut, count)
    for ours, theirs in zip(whole.of(rows).parts, alone.parts, strict=True):
        assert np.array_equal(ours, theirs)


@given(instruments=INSTRUMENTS, prices=st.lists(st.floats(0.0, 900.0), min_size=3, max_size=3))
def test_what_an_instrument_gives_alone_is_what_it_takes_off_the_price(instruments, prices):
    entries, prices = [(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], np.array(prices)
    given_alone = benefits(entries, prices).alone
    assert given_alone.shape == (len(entries), 3)
    for entry, gives in zip(entries, given_alone, strict=True):
        assert prices + purchase_tax(prices) - gives == pytest.approx(compose([entry], 3).value(prices), abs=1e-10)


@given(instruments=INSTRUMENTS, prices=st.lists(st.floats(1.0, 900.0), min_size=3, max_size=3))
def test_the_slopes_are_the_derivatives_on_either_side(instruments, prices):
    rule = compose([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], 3)
    knots = rule.knots[np.isfinite(rule.knots)]
    step = 1e-6
    for at in [np.array(prices), *(np.full(3, knot) for knot in knots if knot > 0.0)]:
        above, below = rule.value(at + 2 * step) - rule.value(at + step), rule.value(at) - rule.value(at - step)
        assert above / step == pytest.approx(rule.slope_above(at), abs=1e-6)
        assert below / step == pytest.approx(rule.slope_below(at), abs=1e-6)
        jumped = rule.value(at + step) - rule.value(at) - step * rule.slope_above(at)
        assert jumped == pytest.approx(np.where(rule.knots == at[:, None], rule.jumps, 0.0).sum(axis=1), abs=1e-8)


def test_chinas_exemption_capped_at_thirty_covers_a_car_of_339():
    rule = compose([Instrument("tax_exemption", np.array([True, False]), rate=1.0, cap=30.0)], 2)
    assert rule.knots[0, 0] == pytest.approx(339.0)
    assert rule.value(np.array([339.0, 339.0])) == pytest.approx([339.0, 369.0])
    assert rule.value(np.array([452.0, 452.0])) == pytest.approx([452.0 + 10.0, 452.0 + 40.0])
    at_the_cap = np.full(2, rule.knots[0, 0])
    assert rule.slope_below(at_the_cap) == pytest.approx([1.0, 1.0 + 0.1 / 1.13])
    assert rule.slope_above(at_the_cap) == pytest.approx([1.0 + 0.1 / 1.13, 1.0 + 0.1 / 1.13])


def test_half_tax_with_cap_halves_the_tax_until_the_cap():
    rule = compose([("tax_exemption", np.array([True]), 0.0, 0.5, 15.0, 1.0)], 1)
    assert rule.knots[0, 0] == pytest.approx(339.0)
    assert rule.value(np.array([113.0])) == pytest.approx([113.0 + 5.0])
    assert rule.value(np.array([565.0])) == pytest.approx([565.0 + 50.0 - 15.0])


def test_an_exemption_never_exceeds_the_tax_whatever_its_scale():
    rule = compose([("tax_exemption", np.array([True]), 0.0, 1.0, 30.0, 2.0)], 1)
    assert rule.value(np.array([200.0])) == pytest.approx([200.0])
    assert rule.knots[0, 0] == pytest.approx(2 * 339.0)
    money = fiscal([("tax_exemption", np.array([True]), 0.0, 1.0, 30.0, 2.0)], [200.0])
    assert money.purchase_tax == pytest.approx([0.0])
    assert money.exemption == pytest.approx(purchase_tax([200.0]))


def test_the_formulas_of_single_instruments():
    assert purchase_tax(226.0) == pytest.approx(20.0)
    assert exemption(20.0, cap=15.0) == 15.0
    assert exemption(20.0) == 20.0
    assert exemption(20.0, cap=15.0, share=0.5) == 10.0
    assert exemption(20.0, share=3.0) == 20.0
    assert per_unit([100.0, 300.0], 12.6) == pytest.approx([12.6, 12.6])
    assert ad_valorem([100.0, 300.0], 0.12, 20.0) == pytest.approx([12.0, 20.0])


def test_the_identity_rule_leaves_prices_alone():
    prices = np.array([100.0, 250.0])
    assert identity(2).value(prices) == pytest.approx(prices)
    assert identity(2).slope_above(prices) == pytest.approx([1.0, 1.0])
    assert identity(2).value(np.stack([prices, 2 * prices])) == pytest.approx(np.stack([prices, 2 * prices]))


def test_above_a_ceiling_nothing_is_paid_and_at_it_everything():
    rule = compose([("per_unit", np.array([True, False]), 12.6, 0.0, np.inf, 1.0, 300.0)], 2, tax_rate=0.0)
    at, above = np.full(2, 300.0), np.full(2, np.nextafter(300.0, 301.0))
    assert rule.value(at) == pytest.approx([287.4, 300.0], abs=1e-12)
    assert rule.value(above) == pytest.approx([300.0, 300.0], abs=1e-12)
    assert rule.slope_below(at).tolist() == rule.slope_above(at).tolist() == [1.0, 1.0]
    assert rule.jumps.tolist() == [[12.6], [0.0]]
    money = fiscal([("per_unit", np.array([True, True]), 12.6, 0.0, np.inf, 1.0, 300.0)], [300.0, 300.1], 0.0)
    assert money.outlay.tolist() == [12.6, 0.0]


def test_where_one_exemption_ends_at_its_ceiling_the_other_still_covers_what_it_can():
    """Two halves cover the whole tax up to 200; above, one half is left, up to its cap of 15 at 339."""
    both = np.array([True])
    rule = compose([("tax_exemption", both, 0.0, 0.5, np.inf, 1.0, 200.0), ("tax_exemption", both, 0.0, 0.5, 15.0)], 1)
    tax = 0.1 / 1.13
    for price, left in ((150.0, 0.0), (200.0, 0.0), (200.001, 0.5 * tax * 200.001), (400.0, 400.0 * tax - 15.0)):
        assert rule.value(np.array([price]))[0] == pytest.approx(price + left, abs=1e-9)


NOTHING = {
    "nobody eligible": ("per_unit", np.zeros(3, dtype=bool), 9.0),
    "scaled to zero": ("per_unit", np.ones(3, dtype=bool), 9.0, 0.0, np.inf, 0.0),
    "no amount, with a ceiling": ("per_unit", np.ones(3, dtype=bool), 0.0, 0.0, np.inf, 1.0, 150.0),
    "a cap of zero": ("ad_valorem", np.ones(3, dtype=bool), 0.0, 0.1, 0.0),
    "a rate of zero": ("tax_exemption", np.ones(3, dtype=bool), 0.0, 0.0, 5.0, 1.0, 200.0),
}


@pytest.mark.parametrize("name", NOTHING)
def test_an_instrument_that_gives_nothing_changes_no_bit(name):
    real = [("tax_exemption", np.array([True, True, False]), 0.0, 1.0, 15.0), ("per_unit", np.ones(3, bool), 4.0)]
    prices = np.random.default_rng(0).uniform(20.0, 400.0, (200, 3))
    assert (compose([*real, NOTHING[name]], 3).value(prices) == compose(real, 3).value(prices)).all()
    before, after = fiscal(real, prices[0]), fiscal([*real, NOTHING[name]], prices[0])
    assert all((getattr(before, part) == getattr(after, part)).all() for part in vars(before))


# Benefits for some consumers only.


def test_each_consumer_pays_what_its_own_instruments_say():
    old_cars = owns_old_car([150.0, 20.0, -1.0, 80.0, np.nan, 72.0], 72.0)
    assert old_cars.tolist() == [True, False, False, True, False, True]
    poor = np.array([True, True, False, False, False, True])
    instruments = [
        ("tax_exemption", np.array([True, True, False]), 0.0, 1.0, 15.0),
        ("per_unit", np.array([True, False, True]), 20.0, 0.0, np.inf, 1.0, 250.0),
        ("ad_valorem", np.ones(3, dtype=bool), 0.0, 0.12, 20.0),
    ]
    entitled = np.column_stack([np.ones(6, dtype=bool), old_cars, poor])
    class_of, classes = consumer_classes(entitled)
    assert len(classes) == 4
    assert (classes[class_of] == entitled).all()
    rule, prices = compose_by_class(instruments, classes, class_of, 3), np.array([180.0, 300.0, 260.0])
    money = fiscal_by_class(instruments, classes, prices)
    for i in range(6):
        own = [instrument for instrument, gets in zip(instruments, entitled[i], strict=True) if gets]
        assert (rule.value(prices)[class_of[i]] == compose(own, 3).value(prices)).all()
        paid = prices + money.purchase_tax[class_of[i]] - money.outlay[class_of[i]]
        assert paid == pytest.approx(compose(own, 3).value(prices), abs=1e-12)


def test_consumers_with_the_same_rights_are_one_class_with_one_rule():
    class_of, classes = consumer_classes(np.ones((5, 1), dtype=bool))
    rule = compose_by_class([("per_unit", np.array([True]), 3.0)], classes, class_of, 1, tax_rate=0.0)
    assert isinstance(rule, BuyerPrice)
    assert rule.value([10.0]) == pytest.approx([7.0])
    none_at_all, no_classes = consumer_classes(np.empty((5, 0), dtype=bool))
    assert compose_by_class([], no_classes, none_at_all, 1, tax_rate=0.0).value([10.0]) == pytest.approx([10.0])
    with pytest.raises(ValueError, match="one column an instrument"):
        compose_by_class([], classes, class_of, 1)


# Budgets and phase-out.

CLAIMS = st.lists(st.floats(0.1, 30.0), min_size=1, max_size=30)


@pytest.mark.parametrize("n_instruments", [1, 3, 8, 9, 20])
def test_classes_are_those_of_sorting_consumers_by_their_claims(n_instruments):
    entitled = np.random.default_rng(n_instruments).random((400, n_instruments)) < 0.3
    class_of, classes = consumer_classes(entitled)
    _, first, expected = np.unique(entitled @ (1 << np.arange(n_instruments)), return_index=True, return_inverse=True)
    assert (class_of == expected).all() and (classes == entitled[first]).all()
    assert (classes[class_of] == entitled).all() and classes.dtype == bool


@given(claims=CLAIMS, budget=st.floats(0.0, 300.0), more=st.floats(0.0, 100.0), seed=st.integers(0, 99))
def test_a_larger_budget_pays_the_same_claimants_and_perhaps_more(claims, budget, more, seed):
    claims, order = np.array(claims), np.random.default_rng(seed).uniform(size=len(claims))
    paid, left = paid_within_budget(claims, order, budget)
    richer, _ = paid_within_budget(claims, order, budget + more)
    assert (richer | ~paid).all()
    assert claims[paid].sum() <= budget + 1e-9
    assert left == pytest.approx(budget - claims[paid].sum(), abs=1e-9)
    waiting = np.where(paid, np.inf, order)
    if not paid.all():
        assert order[paid].max(initial=-1.0) < waiting.min()  # nobody overtakes
        assert claims[waiting.argmin()] > left - 1e-9  # and the next in the queue does not fit


def test_a_budget_of_ten_claims_pays_ten_and_a_budget_of_zero_nobody():
    claims = np.full(12, 0.1)
    paid, left = paid_within_budget(claims, np.arange(12)[::-1], 1.0)
    assert paid.sum() == 10 and not paid[:2].any() and left == pytest.approx(0.0, abs=1e-12)
    assert not paid_within_budget(np.zeros(3), np.arange(3), 0.0)[0].any()
    assert paid_within_budget(claims, np.arange(12), np.inf)[0].all()
    assert paid_within_budget([], [], 5.0)[1] == 5.0
    with pytest.raises(ValueError, match="negative or NaN"):
        paid_within_budget([-1.0], [0.0], 1.0)
    with pytest.raises(ValueError, match="alike"):
        paid_within_budget([1.0], [0.0, 1.0], 1.0)


def test_keys_drawn_at_random_pay_everybody_with_the_chance_that_the_budget_funds():
    draws, claims = np.random.default_rng(0), np.full(40, 2.0)
    chance = np.mean([paid_within_budget(claims, draws.uniform(size=40), 30.0)[0] for _ in range(4000)], axis=0)
    assert funded_fraction(claims.sum(), 30.0) == pytest.approx(15 / 40)
    assert np.abs(chance - 15 / 40).max() < 5.0 * np.sqrt(15 / 40 * 25 / 40 / 4000)
    assert funded_fraction([0.0, 10.0, 10.0, 10.0], [5.0, 20.0, 0.0, np.inf]).tolist() == [1.0, 1.0, 0.0, 1.0]


def test_a_phase_out_falls_by_equal_steps_to_nothing():
    assert phase_out(np.arange(8), 3, 4) == pytest.approx([1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0])
    assert phase_out(np.arange(3), 1, 0).tolist() == phase_out(np.arange(3), 1, 1).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("knots", "slopes", "says"),
    [
        ([[3.0, 2.0]], [[1.0, 1.1, 1.2]], "rise from left"),
        ([[3.0]], [[1.0, 0.0]], "positive"),
        ([[3.0]], [[1.0]], "slopes"),
    ],
)
def test_a_rule_that_is_no_rising_function_is_refused(knots, slopes, says):
    with pytest.raises(ValueError, match=says):
        BuyerPrice(np.array(knots), np.array(slopes), np.zeros(1))


@pytest.mark.parametrize(
    ("instrument", "says"),
    [
        (("rebate", np.array([True])), "not one of"),
        (("per_unit", np.array([True, True]), 1.0), "eligible"),
        (("per_unit", np.array([True]), -1.0), "negative"),
        (("ad_valorem", np.array([True]), 0.0, 1.2), "rise with the posted price"),
        (("per_unit", np.array([True]), 1.0, 0.0, np.inf, 1.0, np.nan), "ceiling of per_unit"),
    ],
)
def test_faulty_instruments_are_refused(instrument, says):
    with pytest.raises(ValueError, match=says):
        compose([instrument], 1)
