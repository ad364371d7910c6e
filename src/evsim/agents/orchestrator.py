"""The orchestrator: the technology firm that leads the alliance on its platform."""

import mesa

from ..market.accounts import MonthAccounts


class Orchestrator(mesa.Agent):
    """Offers its stack to brands, and keeps its own accounts. Terms are those of `alliance` in the scenario."""

    profit = 0.0  # kCNY this month
    cumulative_profit = 0.0  # kCNY since the base date

    def __init__(self, model, name: str, platform: str):
        super().__init__(model)
        self.name, self.platform = name, platform
        self.offered: tuple[str, ...] = ("alliance", "inside")  # modes a brand may have

    def offer_terms(self) -> None:
        """Say in which modes the stack is to be had: none of them in a world without the alliance, where research ends too."""
        market = self.model.market
        if market.scenario.modes.rule == "none":
            self.offered = ()
            leader = market.platform_code(self.platform)
            if leader >= 0:
                market.platforms.research[leader] = 0.0

    def book(self, accounts: MonthAccounts) -> None:
        """Take the month's royalties, parts and research to the accounts."""
        self.profit = accounts.royalties_received - accounts.parts_costs - accounts.leader_research
        self.cumulative_profit += self.profit
