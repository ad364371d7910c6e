"""Which benefits are in force when, and what the dials do to them."""

from functools import cache

import numpy as np
import pytest
from market.worlds import HISTORY, run_small, small

from evsim.data.market import POWERTRAINS
from evsim.market.base import open_market

GIFT = {"kind": "per_unit", "name": "gift", "start": "2024-03", "end": "2024-06", "amount_kcny": 20.0}


@cache
def market_of(scenario):
    """The market of a scenario at its base date."""
    return open_market(scenario)


def benefit(layer, month, powertrain="bev"):
    """What the state gives on lines of a powertrain at their base prices, tax waived included, kCNY."""
    market = market_of(small(layer))
    rows = market.on_sale()
    rows = rows[market.offers.powertrain[rows] == POWERTRAINS.index(powertrain)]
    price = market.offers.base_price[rows]
    full = price * (1.0 + 0.10 / 1.13)
    return price, full - market.policy.buyer_price(month, rows).value(price)


@pytest.mark.parametrize(
    ("month", "share", "cap"),
    [
        ("2024-01", 1.0, 30.0),
        ("2025-12", 1.0, 30.0),
        ("2026-01", 0.5, 15.0),
        ("2027-12", 0.5, 15.0),
        ("2028-01", 0.0, 0.0),
    ],
)
def test_the_purchase_tax_exemption_of_electric_cars_is_that_of_the_law(month, share, cap):
    months = 12 * (int(month[:4]) - 2024) + int(month[5:])
    price, given = benefit({"end": "2035-12"}, months)
    assert given == pytest.approx(np.minimum(share * 0.10 * price / 1.13, cap), abs=1e-9)
    assert benefit({"end": "2035-12"}, months, "ice")[1] == pytest.approx(0.0, abs=1e-9)


def test_in_2022_the_state_paid_for_electric_cars_up_to_300_and_spared_petrol_cars_half_the_tax_from_june():
    price, given = benefit(HISTORY, 1)
    assert set(np.round(given - 0.10 * price / 1.13, 6)) <= {0.0, 9.1, 12.6}
    assert (np.round(given - 0.10 * price / 1.13, 6)[price > 300.0] == 0.0).all()
    price, given = benefit(HISTORY, 6, "ice")
    assert given == pytest.approx(np.where(price <= 300.0 * 1.13, 0.05 * price / 1.13, 0.0), abs=1e-9)
    assert benefit(HISTORY, 5, "ice")[1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("month", [2, 3, 6, 7])
def test_an_instrument_of_ones_own_is_paid_in_its_months(month):
    _, plain = benefit({}, month)
    _, given = benefit({"subsidy": {"instruments": (GIFT,)}}, month)
    assert given - plain == pytest.approx(np.full(len(plain), 20.0 if 3 <= month <= 6 else 0.0), abs=1e-9)
    _, petrol = benefit({"subsidy": {"instruments": (GIFT,)}}, month, "ice")
    assert petrol == pytest.approx(0.0, abs=1e-9)


def test_an_ad_valorem_benefit_stops_at_its_cap():
    own = {"kind": "ad_valorem", "name": "share", "start": "2024-01", "rate": 0.1, "cap_kcny": 18.0}
    price, given = benefit({"subsidy": {"instruments": (own,), "timeline": "none"}}, 1)
    assert given == pytest.approx(np.minimum(0.1 * price, 18.0), abs=1e-9)


@pytest.mark.parametrize("scale", [0.0, 0.5, 2.0])
def test_the_scale_multiplies_every_benefit_but_no_exemption_exceeds_the_tax(scale):
    price, given = benefit({"subsidy": {"scale": scale}}, 1)
    tax = 0.10 * price / 1.13
    assert given == pytest.approx(np.minimum(np.minimum(scale * tax, scale * 30.0), tax), abs=1e-9)
    _, gift = benefit({"subsidy": {"scale": scale, "timeline": "none", "instruments": (GIFT,)}}, 3)
    assert gift == pytest.approx(20.0 * scale, abs=1e-9)


def test_no_benefit_is_the_same_world_as_all_benefits_scaled_to_nothing():
    nothing, scaled = run_small({"subsidy": {"timeline": "none"}}), run_small({"subsidy": {"scale": 0.0}})
    assert nothing.digest == scaled.digest
    assert nothing.digest != run_small().digest


def test_benefits_phase_out_in_equal_steps_and_the_last_month_pays_nothing():
    layer = {"subsidy": {"phase_out_start": "2024-03", "phase_out_months": 5}, "end": "2025-06"}
    _, full = benefit({}, 1)
    for month, left in ((2, 1.0), (3, 0.8), (6, 0.2), (7, 0.0), (12, 0.0)):
        assert benefit(layer, month)[1] == pytest.approx(left * full, abs=1e-9)


def test_policy_held_from_a_month_stays_that_of_the_month():
    layer = {"subsidy": {"hold_from": "2024-04", "instruments": (GIFT,)}, "end": "2035-12"}
    _, april = benefit(layer, 4)
    for month in (5, 7, 100):
        assert benefit(layer, month)[1] == pytest.approx(april, abs=1e-12)
    assert benefit(layer, 2)[1] == pytest.approx(april - 20.0, abs=1e-9)


def test_month_0_is_under_the_record_whatever_the_dials_say():
    price, given = benefit({"subsidy": {"timeline": "none", "scale": 0.0}}, 0)
    assert given == pytest.approx(0.10 * price / 1.13, abs=1e-9)
