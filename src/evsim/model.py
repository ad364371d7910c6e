"""EVMarket: the order of events in a month."""

import itertools

import mesa
import numpy as np

from .agents import KINDS, Consumer, Consumers, Government, Orchestrator
from .errors import BadRequest
from .market.accounts import keep_accounts, open_books
from .market.base import open_market
from .market.clearing import clear
from .market.modes import dated_changes
from .market.progress import advance_platforms, advance_products, set_drift
from .market.recording import Recorder
from .params import Scenario, month_number

HEADLINE = (
    "units",
    "alliance_share",
    "independent_share",
    "incumbent_share",
    "nev_penetration",
    "mean_price",
    "hhi_platform",
)
# none named like a headline series: `mesa.batch_run` of Mesa 3.5 puts both in one row
ACCOUNTS = {"name": "name", "deliveries": "units", "profit": "profit", "cash": "cash"}


class EVMarket(mesa.Model):
    """China's car market as a Mesa model: `EVMarket(scenario, rng=7).run_model()`.

    Args:
        scenario: what is simulated; none: the baseline.
        rng: the seed of all draws, a whole number; none: the scenario's. Draws are keyed (`evsim.streams`): Mesa's own
            generators are seeded with it and never used.
        threads: how many threads the consumer kernels may use; no number changes the answer.
    """

    def __init__(self, scenario: Scenario | None = None, rng: int | None = None, threads: int = 1):
        scenario = Scenario() if scenario is None else scenario
        if rng is not None:
            scenario = scenario.model_copy(update={"seed": checked_seed(rng)})
        super().__init__(rng=scenario.seed)
        self.agent_numbers = itertools.count(1)
        self.market = open_market(scenario, threads)
        set_drift(self.market)
        self.books = open_books(self.market)
        self.recorder = Recorder(self.market)
        self.recorder.base()
        self.changes: dict[int, list] = {}
        for change in dated_changes(scenario):
            self.changes.setdefault(change.month, []).append(change)
        self.government = Government(self)
        self.orchestrator = Orchestrator(self, scenario.alliance.leader, scenario.alliance.platform)
        kinds = self.recorder.kind
        self.automakers = [
            KINDS[kinds[code]](self, name, code) for code, name in enumerate(self.market.names.automakers)
        ]
        self.last_units = np.zeros(len(self.market.offers))  # the base month counts as experience already made
        self.datacollector = mesa.DataCollector(
            model_reporters={name: lambda model, name=name: model.latest(name) for name in HEADLINE},
            agenttype_reporters=dict.fromkeys(KINDS.values(), ACCOUNTS),
        )
        self.running = True

    def register_agent(self, agent: mesa.Agent) -> None:
        """As Mesa does, but number the agent here: Mesa 3.3 counts in a table that would keep the model alive for good."""
        getattr(mesa.Agent, "_ids", {}).pop(self, None)
        agent.unique_id = next(self.agent_numbers)
        super().register_agent(agent)

    @property
    def consumers(self) -> Consumers:
        """All households."""
        return Consumers(self)

    @property
    def agents_by_type(self) -> dict:
        """Agents of each kind; the households, which Mesa does not register, among them."""
        return {**super().agents_by_type, Consumer: self.consumers}

    @property
    def agent_types(self) -> list[type]:
        """Every kind of agent."""
        return list(self.agents_by_type)

    @property
    def is_january(self) -> bool:
        """Whether firms review their modes this month."""
        return (month_number(self.market.scenario.start) - 1 + self.market.month) % 12 == 0

    def latest(self, column: str) -> float:
        """The last value of a headline series."""
        return self.recorder.parts["headline"][-1][column].item()

    def step(self) -> None:
        """One month, in the order of the design."""
        market, books = self.market, self.books
        if not self.running:
            raise BadRequest(f"the scenario ended in {market.scenario.end}; give a later end to step on")
        market.month += 1
        self.government.announce()
        advance_products(market, self.last_units)
        advance_platforms(market)
        self.orchestrator.offer_terms()
        for automaker in self.automakers:
            automaker.review()
        outcome = clear(market, books)
        accounts = keep_accounts(market, books, outcome)
        self._book(outcome, accounts)
        self.recorder.add(outcome, accounts, books)
        self.datacollector.collect(self)
        self.running = market.month < market.scenario.n_months

    def _book(self, outcome, accounts) -> None:
        """Deliveries join the fleets and the talk of the town; agents see their results."""
        market, offers = self.market, self.market.offers
        by_platform = self.recorder.units_by_platform(outcome.units)
        market.platforms.add_sales(market.month, by_platform, float(outcome.units @ offers.electric))
        market.listen()
        self.last_units = outcome.units
        self.government.book(accounts)
        self.orchestrator.book(accounts)
        for automaker in self.automakers:
            automaker.book(accounts, self.books)

    def run_model(self) -> None:
        """Step to the end of the scenario."""
        while self.running:
            self.step()

    @property
    def record(self) -> dict:
        """The run's tables as plain columns, so far."""
        return self.recorder.record()


def checked_seed(rng: object) -> int:
    """A seed as a whole number that fits the keys of `evsim.streams`; a generator has a state, not an address."""
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or not 0 <= rng < 2**63:
        raise BadRequest(f"rng={rng} must be a whole number from 0 to 2^63 - 1; draws are keyed by it")
    return int(rng)
