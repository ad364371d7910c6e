"""In which mode a brand gets its software: by whom that is decided, and what the deciders weigh."""

from typing import Literal

from pydantic import field_validator

from .base import Params, param
from .market import MONTH

PROJECT = "months from agreement to first deliveries, software evidence"


class ProspectiveBrand(Params):
    """A brand that is not sold yet, with the car it would start with."""

    brand: str = param(..., "name of the brand", unit="name", source="the scenario", role="lever", pattern=r"\S")
    automaker: str = param(..., "the maker that would build it", unit="name", source="the scenario", role="lever", pattern=r"\S")
    powertrain: Literal["bev", "phev", "erev"] = param(
        ..., "powertrain of its first line", unit="choice", source="the scenario", role="lever",
    )
    size_class: Literal["A00", "A0", "A", "B", "C", "D"] = param(
        ..., "size class of its first line", unit="choice", source="the scenario", role="lever",
    )
    price_kcny: float = param(
        ..., "price of its first line, VAT included", unit="kCNY", gt=0.0, le=5_000.0, source="the scenario", role="lever",
    )
    agreed: str | None = param(
        None, "month (YYYY-MM) since when the leader and the maker are bound; before the first month, the calendar's launches "
        "stand and nothing is left to choose", unit="month", pattern=MONTH, source=PROJECT, role="lever",
    )


def prospective(brand, automaker, powertrain, size_class, price_kcny, agreed) -> ProspectiveBrand:
    """A prospective brand from plain values."""
    return ProspectiveBrand(
        brand=brand, automaker=automaker, powertrain=powertrain, size_class=size_class, price_kcny=price_kcny, agreed=agreed,
    )


class ModesParams(Params):
    """Who is in the alliance, and in which mode."""

    rule: str = param(
        "chosen", "chosen: brands choose each January; timeline: the dated record; none: the leader sells nothing from month 1; "
        "open: any brand may buy the stack as `inside`", unit="choice", pattern="^(chosen|timeline|none|open)$",
        source="the question; platform_membership evidence for the record", role="lever",
    )
    prospective: tuple[ProspectiveBrand, ...] = param(
        (
            prospective("Avatr", "Avatr", "bev", "C", 300.0, "2020-11"),
            prospective("AITO", "Seres", "erev", "B", 260.0, "2021-03"),
            prospective("Luxeed", "Chery", "bev", "C", 270.0, "2023-01"),
            prospective("Stelato", "BAIC", "bev", "D", 380.0, "2023-04"),
            prospective("Maextro", "JAC", "erev", "D", 775.0, "2023-12"),
            prospective("Shangjie", "SAIC", "erev", "B", 150.0, "2025-02"),
            prospective("Qijing", "GAC", "erev", "C", 240.0, "2024-11"),
            prospective("Yijing", "Dongfeng", "erev", "C", 240.0, "2025-01"),
        ),
        "brands not sold yet that their makers may start in any mode", unit="list",
        source=f"{PROJECT}; prices at the base table's ratio to list, of Qijing and Yijing an assumption", role="lever",
    )
    @field_validator("prospective")
    @classmethod
    def brands_differ(cls, brands: tuple[ProspectiveBrand, ...]) -> tuple[ProspectiveBrand, ...]:
        """No brand is started twice."""
        names = [entry.brand for entry in brands]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"'{twice}' is named twice; name each brand once")
        return brands

    least_price: float = param(
        120.0, "cars below this price do not get a full stack", unit="kCNY", ge=0.0, le=5_000.0,
        source="assumption: the cheapest car with the leader's full stack by 2025 starts at 160 kCNY list, 144 paid",
    )
    horizon_years: int = param(
        8, "years of profit that count in a choice", unit="years", ge=1, le=30, source="assumption: a model's life", role="lever",
    )
    forecast_years: tuple[float, ...] = param(
        (1.0, 3.0, 6.0), "years ahead at which profits are worked out; between them they are interpolated", unit="years",
        source="assumption", role="setting",
    )
    precision: float = param(
        20.0, "precision of choices: 1 / the spread of what is not modelled, as a share of the brand's discounted gross profit",
        unit="per share", ge=0.0, le=1e6, source="assumption: unexplained reasons weigh about 5 %",
    )
    base_change_rate: float = param(
        0.02, "chance a year that a brand changed its way of getting software before the base date: what keeps brands as they "
        "are is recovered from it, brand by brand", unit="fraction per year", gt=0.0, lt=1.0,
        source="platform_membership evidence: of about 60 brands sold in 2022-2023, two changed (Arcfox in part, Zeekr)",
    )
    autonomy_cost: float = param(
        5.0, "what a maker would pay a car rather than depend on the leader's software; all of it in `alliance`, half in `inside`",
        unit="kCNY per car", ge=0.0, le=300.0, source="assumption: makers spoke of keeping their soul, 2021", role="lever",
    )
    independent_autonomy: float = param(
        2.0, "times the autonomy cost, for a maker that builds its own stack", unit="ratio", ge=0.0, le=100.0,
        source="assumption: software is what it sells", role="lever",
    )
    volume_weight: float = param(
        0.0, "what a state-owned maker adds to profit for each car sold", unit="kCNY per car", ge=0.0, le=300.0,
        source="assumption: none; a lever", role="lever",
    )
    success_chance: float = param(
        6.0 / 11.0, "chance that an attempt at a stack of one's own succeeds", unit="fraction", ge=0.0, le=1.0,
        source="rd_software evidence: about 6 of 11 attempts that became known", role="lever",
    )
    prior_successes: float = param(
        6.0, "successes that makers have seen before the first month (a of the Beta belief)", unit="attempts", gt=0.0, le=1e6,
        source="rd_software evidence: about 6 of 11 attempts that became known", role="lever",
    )
    prior_failures: float = param(
        5.0, "failures that makers have seen before the first month (b of the Beta belief)", unit="attempts", gt=0.0, le=1e6,
        source="rd_software evidence: about 6 of 11 attempts that became known", role="lever",
    )
    build_months_least: int = param(
        35, "shortest attempt at a stack of one's own", unit="months", ge=1, le=240, source="rd_software evidence: 35 to 68 months",
        role="lever",
    )
    build_months_most: int = param(
        68, "longest attempt at a stack of one's own", unit="months", ge=1, le=240, source="rd_software evidence: 35 to 68 months",
        role="lever",
    )
    cash_hurdle: float = param(
        1.0, "cash a group must have to build, as a multiple of the attempt's cost", unit="ratio", ge=0.0, le=100.0,
        source="assumption: it is not lent on", role="lever",
    )
    rival_platform: str | None = param(
        "momenta", "a supplier's full stack that brands may buy instead of the leader's; none: nobody's", unit="name",
        source="software evidence: the largest third-party supplier of urban functions, 2024-2025", role="lever",
    )
    rounds: int = param(
        5, "most rounds in which brands answer each other's choices at a review", unit="rounds", ge=1, le=100, source="assumption",
        role="setting",
    )
    reply_steps: int = param(
        1, "steps towards the best prices of the brand's maker when a mode is valued", unit="steps", ge=1, le=50,
        source="assumption: profit errs by the square of the price's error", role="setting",
    )
    giant_share: float = param(
        0.04, "market share from which a brand is valued in the full price game, where a choice is close", unit="fraction", ge=0.0,
        le=1.0, source="trial: rivals' answers matter for the largest brands only", role="setting",
    )
    close: float = param(
        0.05, "how close two modes must be for the full game, as a share of the brand's discounted gross profit", unit="fraction",
        ge=0.0, le=1.0, source="trial: the short cut errs by up to 3 points", role="setting",
    )
    second_look: float = param(
        0.01, "how close two modes must be for another look after rivals' moves, as a share of the brand's discounted gross profit",
        unit="fraction", ge=0.0, le=1.0, source="trial: a rival's move turns nothing wider", role="setting",
    )
