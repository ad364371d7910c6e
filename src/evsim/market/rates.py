"""The leader's terms in force, mode by mode: state, for the leader may change them at a review."""

from dataclasses import dataclass, replace

import numpy as np

from ..economics.contracts import Terms, impossible
from ..errors import BadRequest
from ..params import Scenario
from .offers import MODE

KCNY_PER_BN = 1e6
SOLD_AS = {"alliance": "alliance", "inside": "inside", "components": "components", "hardware_only": "components"}


@dataclass(frozen=True)
class Rates:
    """One entry a mode, in the order of `offers.MODE`; modes without the leader pay nothing."""

    fixed_fee: np.ndarray  # kCNY a month and brand
    unit_fee: np.ndarray  # w, kCNY per car
    revenue_share: np.ndarray  # r, fraction of the price net of VAT
    parts_cost: np.ndarray  # m, kCNY per car
    channel_share: np.ndarray  # what the leader's shops cost, fraction of the price net of VAT

    def terms(self, mode: np.ndarray, price: np.ndarray, vat: float) -> Terms:
        """Contracts of lines by their modes; shops cost their share of the given prices."""
        return Terms(
            revenue_share=self.revenue_share[mode],
            unit_fee=self.unit_fee[mode],
            parts_cost=self.parts_cost[mode] + self.channel_share[mode] * price / (1.0 + vat),
            member=mode == MODE["alliance"],
        )


def rates_of(scenario: Scenario) -> Rates:
    """The scenario's contracts."""
    columns = {name: np.zeros(len(MODE)) for name in Rates.__dataclass_fields__}
    for mode, contract in SOLD_AS.items():
        for name, value in getattr(scenario.contracts, contract):
            columns[name][MODE[mode]] = value * KCNY_PER_BN / 12.0 if name == "fixed_fee" else value
    return Rates(**columns)


def with_terms(rates: Rates, contract: Rates, revenue_share: float, fee_scale: float) -> Rates:
    """Rates with another share in mode `alliance`, and fees a car that are the contract's times a scale."""
    share = rates.revenue_share.copy()
    share[MODE["alliance"]] = revenue_share
    return replace(rates, revenue_share=share, unit_fee=contract.unit_fee * fee_scale)


def offered_rates(scenario: Scenario) -> Rates:
    """The terms of month 1: the contracts', moved by the scenario's levers."""
    alliance, contract = scenario.alliance, rates_of(scenario)
    share = scenario.contracts.alliance.revenue_share if alliance.offer_share is None else alliance.offer_share
    return with_terms(contract, contract, share, alliance.offer_fee_scale)


def check_rates(scenario: Scenario, highest_price: float) -> None:
    """Refuse a contract that leaves nothing of the dearest car, or levers that make it one."""
    vat = scenario.subsidy.vat
    asked = {"": rates_of(scenario), " with alliance.offer_share and alliance.offer_fee_scale": offered_rates(scenario)}
    for levers, rates in asked.items():
        for mode in ("alliance", "inside", "components"):
            terms = rates.terms(np.array([MODE[mode]]), np.zeros(1), vat)
            least = float(impossible(terms, vat)[0])
            if least >= highest_price:
                raise BadRequest(
                    f"contracts.{mode}{levers}: revenue_share={terms.revenue_share[0]:g} and unit_fee={terms.unit_fee[0]:g} kCNY "
                    f"take all of a car under {least:.0f} kCNY, and the dearest on the market is {highest_price:.0f}; lower one"
                )
