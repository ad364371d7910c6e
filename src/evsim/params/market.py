"""The market table, prices and firms' money."""

from pydantic import field_validator

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
        acts_from="war_start",
    )
    war_end: str | None = param(
        None, "last month of the price war (YYYY-MM)", unit="month", pattern=MONTH, source="lever of the scenario", role="lever",
        acts_from="war_start",
    )
    war_cut: float = param(
        0.3, "part of every margin given up during the price war", unit="fraction", ge=0.0, le=1.0,
        source="assumption: list prices fell 10 to 15 % in 2023-2024 with margins of about 25 %", role="lever",
        acts_from="war_start",
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
