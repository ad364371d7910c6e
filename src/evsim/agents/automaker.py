"""Automakers: they own lines, decide in which mode each brand gets its software, and keep accounts.

Subclasses are for rules that differ. Whether a maker is in the alliance is the state of its brands, never its class.
"""

import mesa
import numpy as np

from ..market.accounts import Books, MonthAccounts
from ..market.offers import MODE
from ..market.progress import adopt, withdraw

FALLBACK = "supplier"  # the stack of a brand that loses the alliance's: bought from parts makers


class Automaker(mesa.Agent):
    """A firm that sets the prices of its cars and chooses the software of its brands."""

    kind = "incumbent"
    units = 0.0  # cars delivered this month
    profit = 0.0  # kCNY this month
    cash = 0.0  # kCNY
    capacity = 0.0  # cars a month

    def __init__(self, model, name: str, code: int):
        super().__init__(model)
        self.name, self.code = name, code

    @property
    def lines(self) -> np.ndarray:
        """Rows of the maker's lines on offer."""
        offers = self.model.market.offers
        return np.flatnonzero(offers.on_sale & (offers.automaker == self.code))

    @property
    def brands(self) -> list[str]:
        """The maker's brands on offer."""
        market = self.model.market
        return [market.names.brands[code] for code in np.unique(market.offers.brand[self.lines])]

    @property
    def member(self) -> bool:
        """Whether one of its brands is sold in mode `alliance`."""
        return bool((self.model.market.offers.mode[self.lines] == MODE["alliance"]).any())

    def review(self) -> None:
        """Change the mode of brands where the scenario's rule says so."""
        leader = self.model.orchestrator
        if not leader.offered:
            self._leave()
        elif self.model.market.scenario.modes.rule == "open" and self.model.is_january and self.buys_stack():
            self._take_stack()
        for change in self.model.changes.get(self.model.market.month, ()):
            if change.brand in self.brands and (leader.offered or change.platform != leader.platform):
                self._follow(change)

    def buys_stack(self) -> bool:
        """Whether the alliance's stack is worth its fee on the maker's lines: what a median buyer would pay more for it,
        against the fee less the parts the maker no longer buys, VAT included."""
        market, rows = self.model.market, self._outsiders()
        if not len(rows):
            return False
        leader = market.platform_code(self.model.orchestrator.platform)
        own = market.platforms.quality[market.offers.platform[rows]].mean()
        alliance, vat = market.scenario.alliance, market.scenario.subsidy.vat
        return bool(market.platforms.quality[leader] - own > (alliance.inside_fee - alliance.parts_cost) * (1.0 + vat))

    def _outsiders(self) -> np.ndarray:
        """The maker's electric lines that are on another stack than the alliance's."""
        market, rows = self.model.market, self.lines
        leader = market.platform_code(self.model.orchestrator.platform)
        return rows[(market.offers.platform[rows] != leader) & (market.offers.electric[rows] > 0)]

    def _take_stack(self) -> None:
        adopt(self.model.market, self._outsiders(), self.model.orchestrator.platform, "inside")

    def _leave(self) -> None:
        market, rows = self.model.market, self.lines
        leader = market.platform_code(self.model.orchestrator.platform)
        leaving = rows[market.offers.platform[rows] == leader]
        if len(leaving):
            adopt(market, leaving, FALLBACK, "supplier")

    def _follow(self, change) -> None:
        """Move the brand's lines on the stack it leaves to the new one."""
        market, rows = self.model.market, self.lines
        brand, before = market.names.brands.index(change.brand), market.platform_code(change.before)
        moving = rows[(market.offers.brand[rows] == brand) & (market.offers.platform[rows] == before)]
        if not change.platform:
            withdraw(market, moving)
        elif len(moving):
            adopt(market, moving, change.platform, change.mode)

    def book(self, accounts: MonthAccounts, books: Books) -> None:
        """Take the month's result to the accounts."""
        self.units, self.profit = float(accounts.units[self.code]), float(accounts.profit[self.code])
        self.cash, self.capacity = float(books.cash[self.code]), float(books.capacity[self.code])


class AllianceOEM(Automaker):
    """A maker that has, or may come to have, a brand in the alliance: its other brands may buy the stack like anybody's."""

    kind = "alliance_oem"


class Independent(Automaker):
    """A maker of electric cars only. Software is what it sells: one with a stack of its own does not buy another's."""

    kind = "independent"

    def buys_stack(self) -> bool:
        """As everybody, unless its lines run on an in-house stack."""
        own = self.model.market.offers.mode[self.lines] == MODE["in_house"]
        return not own.any() and super().buys_stack()


class Incumbent(Automaker):
    """A maker with a heritage in petrol cars, local or foreign."""

    kind = "incumbent"


KINDS: dict[str, type[Automaker]] = {kind.kind: kind for kind in (AllianceOEM, Independent, Incumbent)}
