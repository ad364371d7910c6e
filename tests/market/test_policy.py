"""Which benefits are in force when, and what the dials do to them."""

from functools import cache

import numpy as np
import pytest
from market.worlds import HISTORY, run_small, small

from evsim.data.market import POWERTRAINS
from evsim.errors import BadRequest
from evsim.market.base import open_market
from evsim.market.calendar import paid
from evsim.market.policy import People

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


NOTHING = {  # instruments that are in the scenario and give nobody anything
    "no amount": {"amount_kcny": 0.0},
    "no budget": {"budget_bn": 0.0},
    "no households": {"household_share": 0.0},
    "no powertrain": {"powertrains": ()},
    "no price low enough": {"price_ceiling_kcny": 0.0},
    "long gone": {"start": "2020-01", "end": "2021-12"},
    "far off": {"start": "2035-01", "announced": "2020-01", "end": None},
    "nothing waived": {"kind": "tax_exemption", "share": 0.0},
    "capped at nothing": {"kind": "ad_valorem", "rate": 0.3, "cap_kcny": 0.0},
}


def instrument(**terms):
    """An instrument of one's own, 20 kCNY a car in all months unless said."""
    kind = terms.get("kind", "per_unit")
    plain = {"kind": kind, "name": "gift", "start": "2024-01"} | ({"amount_kcny": 20.0} if kind == "per_unit" else {})
    return {"subsidy": {"instruments": (plain | terms,)}}


@pytest.mark.parametrize("terms", NOTHING.values(), ids=NOTHING)
def test_an_instrument_that_gives_nobody_anything_changes_no_bit(terms):
    end = {"end": "2024-04"}
    assert run_small(end, instrument(**terms)).digest == run_small(end).digest


def test_a_ceiling_below_every_price_means_that_nobody_is_paid():
    end = {"end": "2024-04"}
    plain, ceiling = run_small(end), run_small(end, instrument(price_ceiling_kcny=1.0))
    assert "gift" not in set(ceiling.tables["benefits"]["name"])
    assert plain.market["units"].tolist() == ceiling.market["units"].tolist()
    assert ceiling.market["price"].to_numpy() == pytest.approx(plain.market["price"].to_numpy(), abs=1e-6)


def people(ages=(-1, 5, 119, 120, 300), income=1.0, first_key=0):
    """Households with cars of these ages in months; −1: none."""
    ages = np.array(ages)
    return People(first_key + np.arange(len(ages)), np.broadcast_to(income, ages.shape), ages)


def gains(layer, buyers, month=1):
    """What each buyer gets on the first battery car beside the record, kCNY."""
    market = market_of(small({"subsidy": {"timeline": "none"}}, layer))
    rows = market.on_sale()[market.offers.powertrain[market.on_sale()] == POWERTRAINS.index("bev")][:1]
    price = market.offers.base_price[rows]
    outlay = paid(market.policy.classes(month, rows, buyers), price).reshape(-1)
    return np.broadcast_to(price * (1.0 + 0.10 / 1.13) - outlay, buyers.income.shape)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [("nothing", [20, 20, 20, 20, 20]), ("trade_in", [0, 20, 20, 0, 0]), ("scrappage", [0, 0, 0, 20, 20])],
)
def test_an_owner_may_trade_in_a_car_and_have_an_old_one_scrapped_instead(requires, expected):
    assert gains(instrument(requires=requires), people()) == pytest.approx(expected, abs=1e-9)


def test_the_record_of_2025_pays_20_for_an_old_car_15_for_another_and_nothing_without():
    layer = {"subsidy": {"timeline": "china"}, "end": "2025-12"}
    tax = gains(layer, people(), month=4)[0]
    assert gains(layer, people(), month=18) - tax == pytest.approx([0.0, 15.0, 15.0, 20.0, 20.0], abs=1e-9)
    assert gains(layer, people(), month=6) - tax == pytest.approx([0.0, 0.0, 0.0, 10.0, 10.0], abs=1e-9)


def test_an_income_test_pays_those_below_it():
    buyers = people(ages=(-1, -1, -1), income=np.array([0.5, 1.0, 2.0]))
    assert gains(instrument(income_below=1.0), buyers) == pytest.approx([20.0, 0.0, 0.0], abs=1e-9)


def test_a_region_is_the_same_share_of_households_every_month_and_another_for_another_instrument():
    buyers = people(ages=np.full(4_000, -1))
    first = gains(instrument(household_share=0.3, name="north"), buyers) > 10.0
    again = gains(instrument(household_share=0.3, name="north"), buyers, month=5) > 10.0
    other = gains(instrument(household_share=0.3, name="south"), buyers) > 10.0
    larger = gains(instrument(household_share=0.5, name="north"), buyers) > 10.0
    error = 5.0 * np.sqrt(0.3 * 0.7 / 4_000)
    assert first.mean() == pytest.approx(0.3, abs=error)
    assert np.array_equal(first, again)
    assert (first & other).mean() == pytest.approx(0.09, abs=error)
    assert larger[first].all()


def test_benefits_of_one_buyer_add_up():
    gift, bonus = (
        instrument(**terms)["subsidy"]["instruments"][0] for terms in ({}, {"name": "b", "amount_kcny": 3.0})
    )
    layer = {"subsidy": {"instruments": (gift | {"requires": "trade_in"}, bonus | {"income_below": 2.0})}}
    assert gains(layer, people(ages=(-1, 5, 200))) == pytest.approx([3.0, 23.0, 3.0], abs=1e-9)


def test_an_automakers_own_benefit_is_for_its_cars_alone():
    market = market_of(small(instrument(automakers=("Tesla",))))
    rows = market.on_sale()
    given = market_of(small()).policy.buyer_price(1, rows).value(200.0 + 0.0 * rows)
    given = given - market.policy.buyer_price(1, rows).value(200.0 + 0.0 * rows)
    tesla = market.offers.automaker[rows] == market.names.automakers.index("Tesla")
    assert given == pytest.approx(np.where(tesla, 20.0, 0.0), abs=1e-9)
    assert 0 < tesla.sum() < len(rows)


def test_what_is_announced_is_known_from_its_month_on():
    layer = {"subsidy": {"timeline": "none", "instruments": ({**GIFT, "start": "2024-06", "announced": "2024-04"},)}}
    policy = market_of(small(layer)).policy
    assert [len(policy.dated(6, seen_from=month)) for month in (1, 3, 4, 5, 6)] == [0, 0, 1, 1, 1]
    assert policy.dated(6) == policy.dated(6, seen_from=6)
    assert [len(policy.dated(month)) for month in (5, 6, 7)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("dials", "month", "before", "after"),
    [
        ({"end": "2024-05"}, 6, 0.0, 0.0),
        ({"phase_out_start": "2024-04", "phase_out_months": 4}, 6, 1.0, 0.25),
        ({"hold_from": "2024-04", "phase_out_months": 4}, 100, 1.0, 1.0),
    ],
    ids=["end", "phase-out", "hold"],
)
def test_an_end_is_known_from_the_first_a_phase_out_and_a_hold_when_they_begin(dials, month, before, after):
    policy = market_of(small({"subsidy": dials, "end": "2035-12"})).policy
    full = 0.0 if dials.get("end") else 1.0

    def left(seen_from):
        return policy.scale(month, seen_from) * bool(policy.dated(month, seen_from))

    assert left(1) == (full if month < 50 else 0.0)  # the record ends in 2027
    assert left(3) == (before if month < 50 else 0.0)
    assert left(4) == after


def test_a_line_above_a_ceiling_of_the_record_at_the_base_date_stays_above_it():
    market = market_of(small(HISTORY))
    entries = [entry for entry in market.policy.record if entry.ceiling < np.inf]
    assert len(entries) > 5
    for entry in entries:
        assert (market.offers.base_price[entry.eligible] <= entry.ceiling).all()


def test_an_automaker_that_sells_nothing_here_is_named():
    with pytest.raises(BadRequest, match=r"subsidy.instruments\[0\].automakers=Trabant"):
        open_market(small(instrument(automakers=("Trabant",))))
