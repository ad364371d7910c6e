"""Credits that makers must hold for new-energy cars: the makers' side of China's policy."""

from typing import Literal

from pydantic import model_validator

from .base import Params, param
from .market import MONTH


class CreditParams(Params):
    """What a credit is worth, and how many a petrol car takes; the rules of each year are data. Month 0 is under the record."""

    rule: Literal["off", "given", "clearing"] = param(
        "given", "off: no credits; given: traded at a price of record or one's own; clearing: at the price that clears the year's market",
        unit="choice", source="dual-credit rules of 2017, amended 2020 and 2023", role="lever",
    )
    price_kcny: float | None = param(
        None, "price of a credit where it is given; none: of the record, the last known price held", unit="kCNY per credit", ge=0.0,
        le=100.0, source="means of the trades of a year, 2018 to 2022", role="lever",
    )
    floor_kcny: float = param(
        0.3, "price below which nobody sells, where the market clears: what an unsold credit is worth", unit="kCNY per credit", ge=0.0,
        le=100.0, source="assumption: below the lowest yearly mean of trades, 1.0 in 2018", role="lever",
    )
    cap_kcny: float = param(
        3.0, "price above which nobody buys, where the market clears: what a missing credit costs", unit="kCNY per credit", ge=0.0,
        le=100.0, source="assumption: above the highest yearly mean of trades, 2.1 in 2021", role="lever",
    )
    ratio_scale: float = param(
        1.0, "multiplies the credits that a petrol car takes", unit="ratio", ge=0.0, le=20.0, source="lever of the scenario",
        role="lever",
    )
    hold_from: str | None = param(
        None, "the rule and the price of record of this month's year stay for good (YYYY-MM); none: as dated", unit="month",
        pattern=MONTH, source="lever of the scenario", role="lever",
        acts_from="hold_from",
    )
    fuel_need: float = param(
        0.0, "credits a petrol car takes beside, for its fuel consumption", unit="credits per car", ge=0.0, le=10.0,
        source="assumption: that half of the policy is outside the model", role="lever",
    )

    @model_validator(mode="after")
    def floor_below_cap(self) -> "CreditParams":
        """The floor must not be above the cap."""
        if self.floor_kcny > self.cap_kcny:
            raise ValueError(f"floor_kcny={self.floor_kcny:g} is above cap_kcny={self.cap_kcny:g}; lower the one or raise the other")
        return self
