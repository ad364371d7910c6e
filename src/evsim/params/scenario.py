"""A scenario: every parameter of one simulated world."""

from functools import cache

from pydantic import model_validator

from .base import Params, param
from .consumers import ConsumerParams, LockInParams
from .contracts import ContractsParams
from .credits import CreditParams
from .market import MONTH, AccountParams, MarketParams, PricingParams
from .modes import ModesParams
from .products import BatteryParams, CapacityParams, ChargerParams, ProductParams
from .software import AllianceParams, SoftwareParams
from .subsidy import SubsidyParams
from .use import UseParams


class Scenario(Params):
    """Everything that decides the answer. One scenario and seed give one digest."""

    name: str = param("baseline", "name of the scenario", unit="name", source="the scenario's file", role="setting")
    start: str = param(
        "2024-01", "first simulated month (YYYY-MM); the month before it is the base date", unit="month", pattern=MONTH,
        source="the month after the 2023 table", role="setting",
    )
    end: str = param(
        "2035-12", "last simulated month (YYYY-MM)", unit="month", pattern=MONTH, source="the question", role="setting",
    )
    seed: int = param(0, "names the draws; 0 is a seed like any other", unit="integer", ge=0, le=2**63 - 1,
                      source="the user", role="setting")
    firms_seed: int | None = param(
        None, "names the draws of firms and platforms alone: research, launches, order and motives of choices; none: the seed",
        unit="integer", ge=0, le=2**63 - 1, source="the user", role="setting",
    )
    market: MarketParams = MarketParams()
    consumers: ConsumerParams = ConsumerParams()
    lock_in: LockInParams = LockInParams()
    pricing: PricingParams = PricingParams()
    subsidy: SubsidyParams = SubsidyParams()
    use: UseParams = UseParams()
    credits: CreditParams = CreditParams()
    software: SoftwareParams = SoftwareParams()
    alliance: AllianceParams = AllianceParams()
    contracts: ContractsParams = ContractsParams()
    modes: ModesParams = ModesParams()
    products: ProductParams = ProductParams()
    battery: BatteryParams = BatteryParams()
    chargers: ChargerParams = ChargerParams()
    capacity: CapacityParams = CapacityParams()
    accounts: AccountParams = AccountParams()

    @model_validator(mode="after")
    def months_in_order(self) -> "Scenario":
        """A window must not end before it starts, and a war or a leap needs its dates."""
        if self.end < self.start:
            raise ValueError(f"end={self.end} is before start={self.start}; give an end from {self.start} on")
        if self.n_months > 600:
            raise ValueError(f"end={self.end} is {self.n_months} months after start; at most 600 are simulated")
        war, leap = self.pricing, self.software
        if (war.war_start is None) != (war.war_end is None):
            raise ValueError("pricing.war_start and pricing.war_end must be given together, or neither")
        if war.war_start and war.war_end and war.war_end < war.war_start:
            raise ValueError(f"pricing.war_end={war.war_end} must be a month from {war.war_start} on")
        if (leap.leap_platform is None) != (leap.leap_month is None):
            raise ValueError("software.leap_platform and software.leap_month must be given together, or neither")
        if leap.leap_month and not self.start <= leap.leap_month <= self.end:
            raise ValueError(f"software.leap_month={leap.leap_month} must be a month from {self.start} to {self.end}")
        if self.modes.build_months_most < self.modes.build_months_least:
            raise ValueError(
                f"modes.build_months_most={self.modes.build_months_most} must be at least "
                f"modes.build_months_least={self.modes.build_months_least}"
            )
        years = self.modes.forecast_years
        if not years or years[0] <= 0 or any(later <= earlier for earlier, later in zip(years, years[1:], strict=False)):
            raise ValueError(f"modes.forecast_years={list(years)} must be positive years that rise, such as [1, 3, 6]")
        return self

    @property
    def seed_of_firms(self) -> int:
        """What names the draws of firms and platforms: two worlds that differ in it alone have the same households."""
        return self.seed if self.firms_seed is None else self.firms_seed

    @property
    def n_months(self) -> int:
        """Number of simulated months."""
        return month_number(self.end) - month_number(self.start) + 1


@cache
def month_number(month: str) -> int:
    """Months since year 0 of a month written YYYY-MM."""
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


@cache
def month_name(number: int) -> str:
    """The month written YYYY-MM, of a number of months since year 0."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
