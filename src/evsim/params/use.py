"""What a car costs to run and fetches later, as the household that buys it reckons."""

from .base import Params, param
from .market import MONTH


class UseParams(Params):
    """Cost of use and resale: a part of what a household weighs when it chooses a car."""

    distance: float = param(
        12_700.0, "distance a household drives a year, whatever the car it chooses", unit="km per year", ge=0.0, le=100_000.0,
        source="mean of private cars by the sales of 2023: petrol 12,000, battery 14,500. One number for all cars: that drivers "
        "of battery cars drive more is who they are, not what a km costs",
    )
    discount_rate: float = param(
        0.06, "yearly rate at which households discount fuel and resale", unit="fraction per year", ge=0.0, le=1.0,
        source="Allcott & Wozny (2014), Review of Economics and Statistics 96(5): 6 %, what car buyers borrow and save at",
    )
    resale_weight: float = param(
        1.0, "part of the expected resale value that households count", unit="fraction", ge=0.0, le=1.0,
        source="assumption: all of it (Busse, Knittel & Zettelmeyer 2013: buyers count what a car costs to run about in full)",
    )
    price_persistence: float = param(
        0.0, "part of last year's change of a new car's price that buyers expect of the next year; it lowers what a used one fetches",
        unit="fraction", ge=0.0, le=1.0, source="assumption: new prices are thought to stay as they are",
    )
    orphan_discount: float = param(
        0.3, "by how much less a car is expected to fetch whose software nobody will keep up", unit="fraction", ge=0.0, le=1.0,
        source="assumption: between a normal car and those of makers that failed, which found hardly a buyer",
    )
    petrol_scale: float = param(
        1.0, "multiplies the price of petrol from month 1", unit="ratio", ge=0.0, le=10.0, source="lever of the scenario",
        role="lever",
    )
    power_scale: float = param(
        1.0, "multiplies the price of power from month 1", unit="ratio", ge=0.0, le=10.0, source="lever of the scenario", role="lever",
    )
    hold_from: str | None = param(
        None, "prices of petrol and power of this month stay for good (YYYY-MM); none: dated to 2025-12, then held", unit="month",
        pattern=MONTH, source="lever of the scenario", role="lever",
        acts_from="hold_from",
    )
