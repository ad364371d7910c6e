"""Taxes and subsidies: what the buyer pays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.economics.subsidy import (
    BENEFIT_LINES,
    BuyerPrice,
    Instrument,
    ad_valorem,
    compose,
    exemption,
    fiscal,
    identity,
    per_unit,
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
    ).filter(lambda entry: entry[0] != "ad_valorem" or entry[3] <= 0.2),
    max_size=4,
)


def buyer_price_twin(instruments, prices):
    """What the buyer pays, from the instruments' definitions, one product and one instrument after the other."""
    paid = []
    for j, price in enumerate(prices):
        tax, waived, subsidy = 0.1 * price / 1.13, 0.0, 0.0
        for kind, eligible, amount, rate, cap, scale in instruments:
            if not eligible[j]:
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
    expected = buyer_price_twin(instruments, prices)
    assert rule.value(np.array(prices)) == pytest.approx(expected, abs=1e-10)
    money = fiscal([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], prices)
    assert prices + money.purchase_tax - money.outlay == pytest.approx(expected, abs=1e-10)
    assert (money.purchase_tax >= 0).all()
    assert money.purchase_tax + money.exemption == pytest.approx(purchase_tax(prices))


@given(instruments=INSTRUMENTS, prices=st.lists(st.floats(1.0, 900.0), min_size=3, max_size=3))
def test_the_slopes_are_the_derivatives_on_either_side(instruments, prices):
    rule = compose([(kind, np.array(eligible), *rest) for kind, eligible, *rest in instruments], 3)
    knots = rule.knots[np.isfinite(rule.knots)]
    step = 1e-6
    for at in [np.array(prices), *(np.full(3, knot) for knot in knots if knot > 0.0)]:
        assert (rule.value(at + step) - rule.value(at)) / step == pytest.approx(rule.slope_above(at), abs=1e-6)
        assert (rule.value(at) - rule.value(at - step)) / step == pytest.approx(rule.slope_below(at), abs=1e-6)


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
    ],
)
def test_faulty_instruments_are_refused(instrument, says):
    with pytest.raises(ValueError, match=says):
        compose([instrument], 1)
