"""Purchase tax, and what the state gives to buyers.

A new kind of instrument is a class here with a `kind` of its own, entered in `Instrument`, and its formula in
`economics/subsidy.py`.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .base import Params, param
from .market import MONTH


class DatedInstrument(Params):
    """What every instrument has: a name, months in force, and the cars that qualify."""

    name: str = param(..., "name of the instrument", unit="name", source="the scenario", role="lever")
    start: str = param(..., "first month (YYYY-MM)", unit="month", pattern=MONTH, source="the scenario", role="lever")
    end: str | None = param(
        None, "last month (YYYY-MM); none: open", unit="month", pattern=MONTH, source="the scenario", role="lever",
    )
    announced: str | None = param(
        None, "month in which buyers learn of it (YYYY-MM); none: when it starts", unit="month", pattern=MONTH,
        source="the scenario", role="lever",
    )
    powertrains: tuple[Literal["ice", "bev", "phev", "erev"], ...] = param(
        ("bev", "phev", "erev"), "powertrains that qualify", unit="names", source="the scenario", role="lever",
    )
    automakers: tuple[str, ...] = param(
        (), "automakers whose cars qualify, say a region's own; none named: all", unit="names", source="the scenario", role="lever",
    )
    price_ceiling_kcny: float | None = param(
        None, "posted price above which a car gets nothing; below every price nobody does; none: no ceiling", unit="kCNY", ge=0.0,
        source="the scenario", role="lever",
    )
    requires: Literal["nothing", "trade_in", "scrappage"] = param(
        "nothing", "what the buyer hands in: nothing, a car (trade_in), or an old one instead (scrappage)", unit="choice",
        source="the scenario", role="lever",
    )
    income_below: float | None = param(
        None, "income, relative to the median, from which a buyer gets nothing; none: no test", unit="ratio", gt=0.0,
        source="the scenario", role="lever",
    )
    household_share: float = param(
        1.0, "share of households it is for, drawn by household: a region, since the data hold no regional sales",
        unit="fraction", ge=0.0, le=1.0, source="the scenario", role="lever",
    )
    budget_bn: float | None = param(
        None, "what may be paid in all, first come, first served; 0 pays nobody; none: no limit", unit="bn CNY", ge=0.0,
        source="the scenario", role="lever",
    )

    @model_validator(mode="after")
    def months_in_order(self) -> "DatedInstrument":
        """An instrument must not end before it starts."""
        if self.end and self.end < self.start:
            raise ValueError(f"'{self.name}' ends in {self.end}, before it starts in {self.start}")
        if self.announced and self.announced > self.start:
            raise ValueError(f"'{self.name}' is announced in {self.announced}, after it starts in {self.start}")
        return self


class PerUnit(DatedInstrument):
    """A fixed sum per car."""

    kind: Literal["per_unit"] = "per_unit"
    amount_kcny: float = param(..., "benefit per car", unit="kCNY", ge=0.0, le=500.0, source="the scenario", role="lever")


class AdValorem(DatedInstrument):
    """A percentage of the posted price, with a cap."""

    kind: Literal["ad_valorem"] = "ad_valorem"
    rate: float = param(
        ..., "benefit as a share of the posted price", unit="fraction", ge=0.0, le=1.0, source="the scenario", role="lever",
    )
    cap_kcny: float | None = param(
        None, "most a car gets; none: no cap", unit="kCNY", ge=0.0, source="the scenario", role="lever",
    )


class TaxExemption(DatedInstrument):
    """A share of the purchase tax waived, with a cap on the tax waived."""

    kind: Literal["tax_exemption"] = "tax_exemption"
    share: float = param(1.0, "share of the tax waived", unit="fraction", ge=0.0, le=1.0, source="the scenario", role="lever")
    cap_kcny: float | None = param(
        None, "most a car is spared; none: no cap", unit="kCNY", ge=0.0, source="the scenario", role="lever",
    )


Instrument = Annotated[PerUnit | AdValorem | TaxExemption, Field(discriminator="kind")]


class SubsidyParams(Params):
    """Purchase tax, and what the state gives to buyers."""

    timeline: str = param(
        "china", "china: the dated record 2018-2027; none: no benefit, the tax alone", unit="choice", pattern="^(china|none)$",
        source="policy_timeline evidence", role="lever",
    )
    instruments: tuple[Instrument, ...] = param(
        (), "further instruments of one's own", unit="list", source="the scenario", role="lever",
    )
    scale: float = param(
        1.0, "multiplies each benefit, cap and budget from month 1 (an exemption never exceeds the tax)", unit="ratio", ge=0.0, le=10.0,
        source="lever of the scenario", role="lever",
    )
    scrappage_age_months: int = param(
        120, "age of a car from which its owner gets the scrappage benefit instead of the trade-in one", unit="months", ge=0, le=600,
        source="assumption: the rules ask for petrol cars of 13 to 14 years and new-energy cars of 6 to 7", role="lever",
    )
    end: str | None = param(
        None, "last month of any benefit (YYYY-MM), known from the first; none: as dated", unit="month", pattern=MONTH,
        source="lever of the scenario", role="lever",
    )
    hold_from: str | None = param(
        None, "policy in force in this month stays in force for good (YYYY-MM); none: the timeline runs on", unit="month",
        pattern=MONTH, source="lever of the scenario", role="lever",
        acts_from="hold_from",
    )
    phase_out_start: str | None = param(
        None, "month from which benefits fall linearly to zero (YYYY-MM); none: they do not", unit="month", pattern=MONTH,
        source="lever of the scenario", role="lever",
        acts_from="phase_out_start",
    )
    phase_out_months: int = param(
        24, "months the fall takes", unit="months", ge=1, le=240, source="lever of the scenario", role="lever",
        acts_from="phase_out_start",
    )
    vat: float = param(
        0.13, "value-added tax inside the posted price", unit="fraction", ge=0.0, le=0.5, source="Chinese law since 2019-04",
    )
    purchase_tax: float = param(
        0.10, "purchase tax on the price net of VAT", unit="fraction", ge=0.0, le=1.0, source="Vehicle Purchase Tax Law",
    )

    @field_validator("instruments")
    @classmethod
    def one_at_a_time(cls, instruments: tuple) -> tuple:
        """Two instruments of one name must not be in force in the same month."""
        entries = sorted(instruments, key=lambda entry: (entry.name, entry.start))
        for earlier, later in zip(entries, entries[1:], strict=False):
            if earlier.name == later.name and (earlier.end or "9999-12") >= later.start:
                raise ValueError(
                    f"'{later.name}' of {later.start} starts before the one of {earlier.start} ends; give it another name, "
                    "or an end before"
                )
        return instruments
