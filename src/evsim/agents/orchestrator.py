"""The orchestrator: the technology firm that leads the alliance on its platform."""

from dataclasses import replace

import mesa

from ..market.accounts import MonthAccounts
from ..market.brands import Brand, Way
from ..market.forecast import Forecast
from ..market.leadership import Admission, Aims, admission, best_research, best_terms
from ..market.rates import offered_rates


class Orchestrator(mesa.Agent):
    """Offers its stack to brands, says who may come into the alliance, and keeps its own accounts."""

    profit = 0.0  # kCNY this month
    cumulative_profit = 0.0  # kCNY since the base date

    def __init__(self, model, name: str, platform: str):
        super().__init__(model)
        self.name, self.platform = name, platform
        self.offered: tuple[str, ...] = ("alliance", "inside", "components")  # modes a brand may have
        self.admissions: list[Admission] = []  # what it looked into at the last review
        self.bound_until = 0  # month before which it may not change its terms
        self.aims = Aims()  # what it counts beside fees
        self.open_rates = offered_rates(model.market.scenario)  # in force from month 1

    def offer_terms(self) -> None:
        """Say in which modes the stack is to be had: none of them in a world without the alliance, where research ends too."""
        market = self.model.market
        if market.month == 1:
            market.rates = self.open_rates
        if market.scenario.modes.rule == "none":
            self.offered = ()
            leader = market.platform_code(self.platform)
            if leader >= 0:
                market.platforms.research[leader] = 0.0

    def review(self, forecast: Forecast, brands: list[Brand]) -> None:
        """Set terms and research for the years to come, anticipating who stays, when the last commitment has run out."""
        market, alliance = self.model.market, self.model.market.scenario.alliance
        self.admissions = []
        leader = market.platform_code(self.platform)
        if leader < 0:
            self.offered = ()
        if leader < 0 or alliance.terms == "given" or market.month < self.bound_until:
            return
        stakes = {brand.key: self.model.automakers[brand.automaker].stakes(market.scenario.modes) for brand in brands}
        terms = best_terms(forecast, brands, stakes, self.aims)
        market.rates = terms.rates
        for point in forecast.points:
            point.market = replace(point.market, rates=terms.rates)
        market.platforms.research[leader] = best_research(forecast, self.aims)
        self.bound_until = market.month + 12 * alliance.commitment_years

    def refuses(self, forecast: Forecast, brand: Brand, way: Way) -> str:
        """Why the brand may not have the full stack; empty: it may. It may if the leader earns more with it."""
        looked = admission(forecast, brand, way, self.aims)
        self.admissions = [each for each in self.admissions if (each.key, each.way) != (brand.key, way)] + [looked]
        return "" if looked.welcome else "the leader would earn less with it"

    def turns_away(self, brands: list[Brand], choices: tuple) -> dict[int, str]:
        """Places of new brands that must wait, and why: the leader takes those that bring it most, mode by mode."""
        alliance, waiting = self.model.market.scenario.alliance, {}
        for mode, most in (("alliance", alliance.admissions), ("inside", alliance.onboardings)):
            new = [
                (self._gain(brand, way), place)
                for place, (brand, way) in enumerate(zip(brands, choices, strict=True))
                if way.mode == mode and brand.way.mode != mode
            ]
            for _, place in sorted(new, key=lambda entry: -entry[0])[most:]:
                waiting[place] = f"the leader takes {most} new brands a year into this mode, and others bring it more"
        self.admissions = [
            replace(each, welcome=each.welcome and not any(brands[place].key == each.key for place in waiting))
            for each in self.admissions
        ]
        return waiting

    def _gain(self, brand: Brand, way: Way) -> float:
        return next((each.gain for each in self.admissions if (each.key, each.way) == (brand.key, way)), 0.0)

    def book(self, accounts: MonthAccounts) -> None:
        """Take the month's royalties, parts and research to the accounts."""
        self.profit = accounts.royalties_received - accounts.parts_costs - accounts.leader_research
        self.cumulative_profit += self.profit
