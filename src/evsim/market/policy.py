"""Which benefits are in force in a month, for which lines: the government's timeline as instruments of `economics.subsidy`.

The dated record (`policy.csv`) gives the instruments of `subsidy.timeline=china`; a scenario may add its own. Levers act from
month 1 on: month 0, the calibration, is under the record alone. What a car's electric range is stands in no table, so each
powertrain and size class has a range by rule (`ranges.csv`, the middle of it); a subsidy band is met if the range lies in
it. A price ceiling of the record decides once, by the line's base price, who is eligible; scrappage and trade-in benefits,
which only owners of an old car get, are not counted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data import read_policy, read_ranges
from ..data.market import POWERTRAINS, SIZE_CLASSES
from ..economics.subsidy import BuyerPrice, Fiscal, Instrument, compose, fiscal
from ..errors import BadRequest
from ..params import Scenario, month_number
from ..params.market import AdValorem, PerUnit, TaxExemption
from .offers import Offers

RECORD_KINDS = {"per_unit": "per_unit", "ad_valorem": "ad_valorem", "tax_relief": "tax_exemption"}


@dataclass(frozen=True)
class Dated:
    """One instrument of the timeline with the lines it is for."""

    name: str
    start: int  # months since year 0
    end: int
    kind: str
    eligible: np.ndarray  # [J] bool
    amount: float
    rate: float
    cap: float


@dataclass(frozen=True)
class Policy:
    """All instruments of a scenario, and the dials that turn them."""

    record: tuple[Dated, ...]
    own: tuple[Dated, ...]
    scenario: Scenario
    base: int  # months since year 0 of the base date

    def in_force(self, month: int) -> tuple[Instrument, ...]:
        """Benefits in a month counted from the base date; month 0 is under the record alone."""
        dials = self.scenario.subsidy
        when = self.base + month
        if month == 0:
            dated, scale = self.record, 1.0
        else:
            dated = (self.record if dials.timeline == "china" else ()) + self.own
            scale = dials.scale * self._phase(when)
            when = min(when, month_number(dials.hold_from)) if dials.hold_from else when
        return tuple(
            Instrument(entry.kind, entry.eligible, entry.amount, entry.rate, entry.cap, scale)
            for entry in dated
            if entry.start <= when <= entry.end
        )

    def _phase(self, when: int) -> float:
        """What is left of benefits that fall linearly to zero."""
        dials = self.scenario.subsidy
        if not dials.phase_out_start:
            return 1.0
        passed = when - month_number(dials.phase_out_start) + 1
        return float(min(1.0, max(0.0, 1.0 - passed / dials.phase_out_months)))

    def buyer_price(self, month: int, rows: np.ndarray) -> BuyerPrice:
        """What buyers of the given lines pay, as a function of the posted price."""
        instruments, dials = self._for(month, rows), self.scenario.subsidy
        try:
            return compose(instruments, len(rows), dials.purchase_tax, dials.vat)
        except ValueError as error:
            kinds = ", ".join(instrument.kind for instrument in instruments)
            raise BadRequest(
                f"subsidy, month {month}: {error} ({kinds}); lower a rate or subsidy.scale={dials.scale:g}"
            ) from error

    def fiscal(self, month: int, rows: np.ndarray, prices: np.ndarray) -> Fiscal:
        """Tax and outlay per car of the given lines at given prices."""
        return fiscal(self._for(month, rows), prices, self.scenario.subsidy.purchase_tax, self.scenario.subsidy.vat)

    def _for(self, month: int, rows: np.ndarray) -> list[Instrument]:
        return [
            Instrument(entry.kind, entry.eligible[rows], entry.amount, entry.rate, entry.cap, entry.scale)
            for entry in self.in_force(month)
        ]


def make_policy(offers: Offers, scenario: Scenario) -> Policy:
    """The timeline for the given lines."""
    record, ranges = read_policy(), read_ranges()
    base = month_number(scenario.start) - 1
    kept = record[record["kind"].isin(list(RECORD_KINDS)) & (record["requires"] == "")]
    entries = tuple(_from_record(row, offers, ranges) for row in kept.itertuples())
    own = tuple(_from_scenario(instrument, offers) for instrument in scenario.subsidy.instruments)
    return Policy(entries, own, scenario, base)


def _month(text: str, default: int) -> int:
    return month_number(text) if text else default


def _from_record(row, offers: Offers, ranges: pd.DataFrame) -> Dated:
    """A row of the record; empty numbers are nan and mean no limit."""
    powertrains = [POWERTRAINS.index(name) for name in row.powertrains.split(";")]
    eligible = np.isin(offers.powertrain, powertrains)
    if not np.isnan(row.range_min) or not np.isnan(row.range_max):
        reach = _electric_range(offers, ranges, int(row.start[:4]))
        low = 0.0 if np.isnan(row.range_min) else row.range_min
        high = np.inf if np.isnan(row.range_max) else row.range_max
        eligible &= (reach >= low) & (reach < high)
    if not np.isnan(row.price_ceiling):
        eligible &= offers.base_price <= row.price_ceiling
    amount, rate, cap = (
        default if np.isnan(value) else float(value)
        for value, default in ((row.amount, 0.0), (row.rate, 0.0), (row.cap, np.inf))
    )
    return Dated(
        row.instrument,
        _month(row.start, 0),
        _month(row.end, 12 * 9999),
        RECORD_KINDS[row.kind],
        eligible,
        amount,
        rate,
        cap,
    )


def _from_scenario(instrument: PerUnit | AdValorem | TaxExemption, offers: Offers) -> Dated:
    """An instrument of a scenario's own list."""
    eligible = np.isin(offers.powertrain, [POWERTRAINS.index(name) for name in instrument.powertrains])
    amount = instrument.amount_kcny if isinstance(instrument, PerUnit) else 0.0
    rate = 0.0
    if isinstance(instrument, AdValorem):
        rate = instrument.rate
    elif isinstance(instrument, TaxExemption):
        rate = instrument.share
    cap = np.inf if isinstance(instrument, PerUnit) or instrument.cap_kcny is None else instrument.cap_kcny
    return Dated(
        instrument.name,
        month_number(instrument.start),
        _month(instrument.end or "", 12 * 9999),
        instrument.kind,
        eligible,
        amount,
        rate,
        cap,
    )


def _electric_range(offers: Offers, ranges: pd.DataFrame, year: int) -> np.ndarray:
    """Electric range of each line in km, by powertrain, size class and base price; 0 where no rule fits."""
    reach = np.zeros(len(offers))
    years = ranges[(ranges["first_year"] <= year) & (ranges["last_year"] >= year)]
    for rule in years.itertuples():
        low = 0.0 if np.isnan(rule.price_from) else rule.price_from
        high = np.inf if np.isnan(rule.price_below) else rule.price_below
        fits = (
            (offers.powertrain == POWERTRAINS.index(rule.powertrain))
            & (offers.size_class == SIZE_CLASSES.index(rule.size_class))
            & (offers.base_price >= low)
            & (offers.base_price < high)
        )
        reach[fits] = 0.5 * (rule.range_low + rule.range_high)
    return reach
