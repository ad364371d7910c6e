"""The market table, prices, policy and firms' money."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .base import Params, param

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class MarketParams(Params):
    """What is for sale at the base date, and how finely."""

    table: str = param(
        "2023", "market table: 2021, 2023, or the path of a CSV of one's own", unit="name or path",
        source="shipped tables: model panel and CPCA", role="setting",
    )
    granularity: str = param(
        "compact", "compact: lines of brand, powertrain and price tier; full: every model", unit="choice",
        pattern="^(compact|full)$", source="the largest 150 lines carry 95 % of units", role="setting",
    )
    lines: int = param(
        150, "largest lines kept apart in `compact`; the rest is pooled per powertrain", unit="lines", ge=1, le=2_000,
        source="the largest 150 lines carry 95 % of units", role="setting",
    )
    keep_brands: tuple[str, ...] = param(
        ("AITO", "Luxeed", "Avatr", "Arcfox", "Voyah", "Tesla", "Xiaomi"), "brands never pooled, whatever their size", unit="names",
        source="brands with a mode or a story of their own", role="setting",
    )
    price_tiers: tuple[float, ...] = param(
        (80.0, 150.0, 250.0, 400.0), "edges between price tiers of compact lines", unit="kCNY",
        source="assumption: bands used by CPCA, coarsened", role="setting",
    )
    @field_validator("price_tiers")
    @classmethod
    def tiers_rise(cls, tiers: tuple[float, ...]) -> tuple[float, ...]:
        """Edges are positive and rise."""
        if not tiers or tiers[0] <= 0 or any(high <= low for low, high in zip(tiers, tiers[1:], strict=False)):
            raise ValueError("must be positive numbers that rise, such as [80, 150, 250, 400]")
        return tiers

    growth: float = param(
        0.0, "yearly growth of the number of households that buy new, and so of sales", unit="fraction per year", ge=0.0, le=0.2,
        source="retail sales were 22.4 million in 2018 and 21.7 in 2023", role="lever",
    )
    seasonality: bool = param(
        True, "shift due months with the season found in the data", unit="yes or no", source="model panel 2018-2023",
        role="setting",
    )


class PricingParams(Params):
    """How prices are set."""

    rule: str = param(
        "nash", "nash: equilibrium each month; best_response: a few steps towards it; cost_plus: constant margins; "
        "fixed: prices stay", unit="choice", pattern="^(nash|best_response|cost_plus|fixed)$",
        source="Berry, Levinsohn & Pakes (1995) for the equilibrium", role="lever",
    )
    survey_size: int = param(
        2_000, "households on which expected shares are computed when prices are set", unit="households",
        ge=50, le=1_000_000, source="assumption: keeps monthly noise in prices under 0.5 %", role="setting",
    )
    steps: int = param(
        2, "steps towards the equilibrium each month with `best_response`", unit="steps", ge=1, le=50,
        source="assumption", role="setting",
    )
    tolerance: float = param(
        1e-4, "largest first-order residual of monthly prices", unit="kCNY", ge=1e-10, le=0.1,
        source="assumption: a tenth of a yuan", role="setting",
    )
    owner_value: float = param(
        0.0, "part of an owner's later margins that prices count (δ); 0: firms look at this month alone", unit="fraction",
        ge=0.0, le=1.0, source="assumption: static Nash; Dubé, Hitsch & Rossi (2009) find that loyalty lowers prices",
    )
    discount_rate: float = param(
        0.08, "yearly rate at which firms discount what owners bring later", unit="fraction per year", ge=0.0, le=1.0,
        source="assumption: cost of capital of carmakers, 7 to 10 %",
    )
    war_start: str | None = param(
        None, "first month of a price war (YYYY-MM); none: no war", unit="month", pattern=MONTH,
        source="lever of the scenario", role="lever",
    )
    war_end: str | None = param(
        None, "last month of the price war (YYYY-MM)", unit="month", pattern=MONTH, source="lever of the scenario", role="lever",
    )
    war_cut: float = param(
        0.3, "part of every margin given up during the price war", unit="fraction", ge=0.0, le=1.0,
        source="assumption: list prices fell 10 to 15 % in 2023-2024 with margins of about 25 %", role="lever",
    )


class DatedInstrument(Params):
    """What every instrument has: a name, months in force, and the cars that qualify."""

    name: str = param(..., "name of the instrument", unit="name", source="the scenario", role="lever")
    start: str = param(..., "first month (YYYY-MM)", unit="month", pattern=MONTH, source="the scenario", role="lever")
    end: str | None = param(
        None, "last month (YYYY-MM); none: open", unit="month", pattern=MONTH, source="the scenario", role="lever",
    )
    powertrains: tuple[Literal["ice", "bev", "phev", "erev"], ...] = param(
        ("bev", "phev", "erev"), "powertrains that qualify", unit="names", source="the scenario", role="lever",
    )


    @model_validator(mode="after")
    def months_in_order(self) -> "DatedInstrument":
        """An instrument must not end before it starts."""
        if self.end and self.end < self.start:
            raise ValueError(f"'{self.name}' ends in {self.end}, before it starts in {self.start}")
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
        1.0, "multiplies each benefit and cap from month 1 (an exemption never exceeds the tax)", unit="ratio", ge=0.0, le=10.0,
        source="lever of the scenario", role="lever",
    )
    hold_from: str | None = param(
        None, "policy in force in this month stays in force for good (YYYY-MM); none: the timeline runs on", unit="month",
        pattern=MONTH, source="lever of the scenario", role="lever",
    )
    phase_out_start: str | None = param(
        None, "month from which benefits fall linearly to zero (YYYY-MM); none: they do not", unit="month", pattern=MONTH,
        source="lever of the scenario", role="lever",
    )
    phase_out_months: int = param(
        24, "months the fall takes", unit="months", ge=1, le=240, source="lever of the scenario", role="lever",
    )
    vat: float = param(
        0.13, "value-added tax inside the posted price", unit="fraction", ge=0.0, le=0.5, source="Chinese law since 2019-04",
    )
    purchase_tax: float = param(
        0.10, "purchase tax on the price net of VAT", unit="fraction", ge=0.0, le=1.0, source="Vehicle Purchase Tax Law",
    )


class AccountParams(Params):
    """Firms' costs beside the cars."""

    fixed_cost_share: float = param(
        0.6, "fixed cost as a share of the base window's gross profit, of makers whose net profit is not known", unit="fraction",
        ge=0.0, le=2.0,
        source="assumption: reported operating results are a small part of gross profit (firm_accounts evidence)",
    )
    opening_cash_months: float = param(
        12.0, "opening cash in months of base revenue, where no figure is known", unit="months", ge=0.0, le=120.0,
        source="assumption",
    )
    credit_months: float = param(
        6.0, "what a group may owe before its makers stop, in months of its revenue over the last 12", unit="months",
        ge=0.0, le=120.0,
        source="assumption: suppliers alone lent carmakers about 180 days of purchases in 2024 (recalled)",
    )
