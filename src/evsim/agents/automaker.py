"""Automakers: they own lines, decide in which mode each brand gets its software, and keep accounts.

Subclasses are for rules that differ. Whether a maker is in the alliance is the state of its brands, never its class.
"""

import mesa
import numpy as np

from ..errors import BadRequest
from ..market.brands import Way
from ..market.modes import ModeChange
from ..market.offers import MODE
from ..market.progress import stack_research, withdraw
from ..market.values import Stakes
from ..market.ways import PARTS, adopt
from ..params.modes import ModesParams
from .review import Review


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

    def choose_mode(self, review: Review) -> Way:
        """The way in which one of its brands is to get its software, of `review.ways`: the one worth most to it."""
        return review.best()

    def stakes(self, modes: ModesParams) -> Stakes:
        """What it weighs beside money: its autonomy, and, owned by the state, volume."""
        state = self.model.market.traits.ownership.get(self.name) == "state"
        return Stakes(modes.autonomy_cost, modes.volume_weight if state else 0.0)

    def rules_out(self, way: Way) -> str:
        """Why it would not go this way whatever that is worth; empty: it would."""
        return ""

    def price(self) -> dict[str, float]:
        """Prices of its own choosing this month, line by line, kCNY; lines left out are priced by the scenario's rule."""
        return {}

    def row_of(self, product: str) -> int:
        """Row of one of the maker's lines on sale, by its name.

        Raises:
            BadRequest: it sells no such line this month.
        """
        offers = self.model.market.offers
        names = {offers.product[row]: int(row) for row in self.lines}
        if product not in names:
            raise BadRequest(
                f"{self.name} has no line '{product}' on sale this month; it has {', '.join(names) or 'none'}"
            )
        return names[product]

    def invest(self, stack: int) -> None:
        """Set the research of an in-house stack by what its group sells: it pays for it, as the largest maker on it."""
        market, books = self.model.market, self.model.books
        market.platforms.research[stack] = stack_research(market, books, stack)

    def buys_stack(self) -> bool:
        """Whether the alliance's stack is worth its fee on the maker's lines: what a median buyer would pay more for it,
        against the fee less the parts the maker no longer buys, VAT included."""
        market, rows = self.model.market, self._outsiders()
        if not len(rows):
            return False
        leader = market.platform_code(self.model.orchestrator.platform)
        own = market.platforms.quality[market.offers.platform[rows]].mean()
        inside, vat = market.scenario.contracts.inside, market.scenario.subsidy.vat
        return bool(market.platforms.quality[leader] - own > (inside.unit_fee - inside.parts_cost) * (1.0 + vat))

    def _outsiders(self) -> np.ndarray:
        """The maker's electric lines that are on another stack than the alliance's."""
        market, rows = self.model.market, self.lines
        leader = market.platform_code(self.model.orchestrator.platform)
        return rows[(market.offers.platform[rows] != leader) & (market.offers.electric[rows] > 0)]

    def take_stack(self) -> None:
        """Put its electric lines on the alliance's stack."""
        adopt(self.model.market, self._outsiders(), Way("inside", self.model.orchestrator.platform))

    def leave_stack(self) -> None:
        """Take its lines off the alliance's stack, which is not to be had."""
        market, rows = self.model.market, self.lines
        leader = market.platform_code(self.model.orchestrator.platform)
        leaving = rows[market.offers.platform[rows] == leader]
        if len(leaving):
            adopt(market, leaving, PARTS)

    def follow(self, change: ModeChange) -> None:
        """Move the brand's lines, if it has the brand on offer, on the stack that it leaves to the new one."""
        if change.brand not in self.brands:
            return
        market, rows = self.model.market, self.lines
        brand, before = market.names.brands.index(change.brand), market.platform_code(change.before)
        moving = rows[(market.offers.brand[rows] == brand) & (market.offers.platform[rows] == before)]
        if not change.platform:
            withdraw(market, moving)
        elif len(moving):
            adopt(market, moving, Way(change.mode, change.platform))

    def book(self, units: float, profit: float, cash: float, capacity: float) -> None:
        """Take the month's result to the accounts."""
        self.units, self.profit, self.cash, self.capacity = units, profit, cash, capacity


class AllianceOEM(Automaker):
    """A maker that has, or may come to have, a brand in the alliance: its other brands may buy the stack like anybody's."""

    kind = "alliance_oem"


class Independent(Automaker):
    """A maker of electric cars only. Software is what it sells: one with a stack of its own guards it the more."""

    kind = "independent"

    def stakes(self, modes: ModesParams) -> Stakes:
        """As everybody, but a maker that builds its own stack sets more store by its autonomy."""
        stakes = super().stakes(modes)
        factor = modes.independent_autonomy if self.builds_own_stack else 1.0
        return Stakes(factor * stakes.autonomy_cost, stakes.volume_weight)

    @property
    def builds_own_stack(self) -> bool:
        """Whether any of its lines runs on an in-house stack."""
        return bool(self.model.market.own_software()[self.lines].any())

    def rules_out(self, way: Way) -> str:
        """A maker with a stack of its own may buy another's, but does not sell its cars in the leader's shops."""
        own = way.mode == "alliance" and self.builds_own_stack
        return "a maker with a stack of its own keeps its name and its shops" if own else ""

    def buys_stack(self) -> bool:
        """As everybody, unless its lines run on an in-house stack."""
        return not self.builds_own_stack and super().buys_stack()


class Incumbent(Automaker):
    """A maker with a heritage in petrol cars, local or foreign."""

    kind = "incumbent"


KINDS: dict[str, type[Automaker]] = {kind.kind: kind for kind in (AllianceOEM, Independent, Incumbent)}
