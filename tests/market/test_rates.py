"""The leader's terms, mode by mode."""

import numpy as np
import pytest
from market.worlds import opened, small

from evsim.errors import BadRequest
from evsim.market.offers import MODE, MODES
from evsim.market.rates import check_rates, offered_rates, rates_of, with_terms

ALL = np.arange(len(MODES))


def test_each_mode_pays_by_its_contract_and_modes_without_the_leader_pay_nothing():
    scenario = small({"contracts": {"alliance": {"fixed_fee": 0.06}, "components": {"unit_fee": 7.0}}})
    rates = rates_of(scenario)
    assert rates.fixed_fee[MODE["alliance"]] == pytest.approx(5_000.0)  # 0.06 bn a year, by the month
    terms = rates.terms(ALL, np.full(len(ALL), 226.0), 0.13)
    fees = dict(zip(MODES, terms.unit_fee.tolist(), strict=True))
    assert fees == {
        "alliance": 36.7,
        "inside": 40.0,
        "components": 7.0,
        "hardware_only": 7.0,
        "in_house": 0.0,
        "supplier": 0.0,
    }
    assert dict(zip(MODES, terms.revenue_share.tolist(), strict=True)) == dict.fromkeys(MODES, 0.0) | {"alliance": 0.10}
    parts = dict(zip(MODES, terms.parts_cost.tolist(), strict=True))
    assert parts["alliance"] == pytest.approx(20.0 + 0.08 * 200.0) and parts["inside"] == 25.0
    assert parts["components"] == parts["hardware_only"] == 2.5 and parts["in_house"] == parts["supplier"] == 0.0
    assert terms.member.tolist() == [mode == "alliance" for mode in MODES]


def test_new_terms_change_the_share_of_the_alliance_and_every_fee():
    contract = rates_of(small())
    moved = with_terms(contract, contract, 0.2, 1.5)
    assert moved.revenue_share[MODE["alliance"]] == 0.2 and moved.revenue_share[MODE["inside"]] == 0.0
    assert moved.unit_fee == pytest.approx(1.5 * contract.unit_fee)
    assert np.array_equal(moved.parts_cost, contract.parts_cost)  # what the leader bears is what things cost
    assert contract.revenue_share[MODE["alliance"]] == 0.10  # the contract itself stays
    again = with_terms(moved, contract, 0.2, 1.0)
    assert again.unit_fee == pytest.approx(
        contract.unit_fee
    )  # a scale is of the contract's fees, not of those in force


def test_levers_move_the_terms_of_month_1_and_not_those_the_base_date_was_calibrated_with():
    model = opened({"alliance": {"offer_share": 0.3, "offer_fee_scale": 0.5}})
    offered = offered_rates(model.market.scenario)
    base = model.market.rates
    assert base.revenue_share[MODE["alliance"]] == 0.10 and offered.revenue_share[MODE["alliance"]] == 0.3
    model.step()
    assert np.array_equal(model.market.rates.unit_fee, offered.unit_fee)
    assert np.array_equal(model.market.rates.revenue_share, offered.revenue_share)


@pytest.mark.parametrize(("share", "fee"), [(0.85, 300.0), (0.6, 200.0)])
def test_a_contract_that_takes_all_of_every_car_is_refused_and_one_that_leaves_something_of_the_dearest_is_not(
    share, fee
):
    scenario = small({"contracts": {"inside": {"revenue_share": share, "unit_fee": fee}}})
    least = fee * 1.13 / (1.0 - share)
    check_rates(scenario, least + 1.0)
    with pytest.raises(BadRequest, match="contracts.inside") as refusal:
        check_rates(scenario, least - 1.0)
    assert "\n" not in str(refusal.value)
