"""EVMarket: the order of events in a month."""

import difflib
import itertools
from collections.abc import Mapping
from operator import attrgetter

import mesa
import numpy as np
import pandas as pd

from .agents import KINDS, Automaker, Consumer, Consumers, Government, Orchestrator, hold_review, recover_motives
from .compiled import keep_freed_memory
from .data.market import POWERTRAINS
from .errors import BadRequest
from .market.accounts import keep_accounts, open_books
from .market.base import open_market
from .market.changes import come_into_force, stop_attempts
from .market.clearing import clear
from .market.credits import review_credits
from .market.exits import age_out, close, exit_table, failing
from .market.modes import dated_changes
from .market.owner_value import refresh_owner_value
from .market.policy import make_policy
from .market.pricing import subsidy_pass_through
from .market.progress import advance_platforms, advance_products, set_drift
from .market.recording import Recorder
from .market.setup import check_platforms
from .market.use import prices_of_energy
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
# by `attrgetter`: an attribute that Mesa is given by its name it reads through two calls more
ACCOUNTS = {
    "name": attrgetter("name"),
    "deliveries": attrgetter("units"),
    "profit": attrgetter("profit"),
    "cash": attrgetter("cash"),
}


class EVMarket(mesa.Model):
    """China's car market as a Mesa model: `EVMarket(scenario, rng=7).run_model()`.

    Args:
        scenario: what is simulated; none: the baseline.
        rng: the seed of all draws, a whole number; none: the scenario's. Draws are keyed (`evsim.streams`): Mesa's own
            generators are seeded with it and never used.
        threads: how many threads the consumer kernels may use; no number changes the answer.
        agents: rules of one's own: automaker → subclass of `Automaker` (or of a kind of it), with its own `choose_mode` or
            `price`; all others follow the rules of their kind.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        rng: int | None = None,
        threads: int = 1,
        agents: Mapping[str, type[Automaker]] | None = None,
    ):
        keep_freed_memory()
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
        names, rules = self.market.names.automakers, checked_rules(agents or {}, self.market.names.automakers)
        kinds = [rules.get(name, KINDS[kind]) for name, kind in zip(names, self.recorder.kind, strict=True)]
        self.automakers = [kind(self, name, code) for code, (name, kind) in enumerate(zip(names, kinds, strict=True))]
        if scenario.modes.rule == "chosen":
            recover_motives(self)
        self.last_units = np.zeros(len(self.market.offers))  # the base month counts as experience already made
        self.datacollector = mesa.DataCollector(
            model_reporters={name: lambda model, name=name: model.latest(name) for name in HEADLINE},
            agenttype_reporters=dict.fromkeys([*KINDS.values(), *rules.values()], ACCOUNTS),
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
        return float(self.recorder.parts["headline"][-1][column])

    def step(self) -> None:
        """One month, in the order of the design."""
        market, books = self.market, self.books
        if not self.running:
            raise BadRequest(f"the scenario ended in {market.scenario.end}; give a later end to step on")
        market.month += 1
        self.government.announce()
        come_into_force(market, books)
        advance_products(market, self.last_units)
        advance_platforms(market)
        review_credits(market)
        self.orchestrator.offer_terms()
        self._review()
        market.charge_fixed_fees(books.fixed_fee)
        self._ask_prices()
        outcome = clear(market, books)
        accounts = keep_accounts(market, books, outcome)
        self._book(outcome, accounts)
        self._close_down()
        self.recorder.add(outcome, accounts, books)
        self.datacollector.collect(self)
        self.running = market.month < market.scenario.n_months

    def _review(self) -> None:
        """Brands choose their modes where the scenario lets them, once a year; elsewhere they follow its rule."""
        market = self.market
        if self.is_january:
            refresh_owner_value(market)
            self._invest()
        if market.scenario.modes.rule != "chosen":
            self._follow_rule()
        elif self.is_january:
            for table, columns in hold_review(self).items():
                self.recorder.add_rows(table, columns)

    def _follow_rule(self) -> None:
        """Brands change their modes where the scenario's rule, not their makers, decides."""
        leader = self.orchestrator
        if not leader.offered:
            for automaker in self.automakers:
                automaker.leave_stack()
        elif self.market.scenario.modes.rule == "open" and self.is_january:
            for automaker in self.automakers:
                if automaker.buys_stack():
                    automaker.take_stack()
        for change in self.changes.get(self.market.month, ()):
            if leader.offered or change.platform != leader.platform:
                for automaker in self.automakers:
                    automaker.follow(change)

    def _invest(self) -> None:
        """Makers with a stack of their own set its research by what they sell."""
        payers = self.market.stack_payers(self.market.offers.base_units)
        for stack in np.flatnonzero(payers >= 0):
            self.automakers[payers[stack]].invest(int(stack))

    def _ask_prices(self) -> None:
        """Prices of makers with a rule of their own; the others' follow from the scenario's rule."""
        offers = self.market.offers
        self.market.given_price = np.full(len(offers), np.nan)
        for automaker in self.automakers:
            if type(automaker).price is Automaker.price:
                continue  # the scenario's rule
            for product, price in checked_prices(automaker).items():
                self.market.given_price[automaker.row_of(product)] = checked_price(automaker, product, price)

    def _close_down(self) -> None:
        """Makers out of cash stop; stacks that nobody supports any more are orphaned."""
        market, books = self.market, self.books
        for code in failing(market, books):
            close(market, books, int(code))
            stop_attempts(market, books, int(code))
        age_out(market, books, market.scenario.software.support_months)

    def _book(self, outcome, accounts) -> None:
        """Deliveries join the fleets and the talk of the town; agents see their results."""
        market, offers = self.market, self.market.offers
        by_platform = self.recorder.units_by_platform(outcome.units)
        market.platforms.add_sales(market.month, by_platform, float(outcome.units @ offers.electric))
        market.listen()
        self.last_units = outcome.units
        self.government.book(accounts)
        self.orchestrator.book(accounts)
        columns = (accounts.units, accounts.profit, self.books.cash, self.books.capacity)
        for automaker, result in zip(self.automakers, np.stack(columns, axis=1).tolist(), strict=True):
            automaker.book(*result)

    def pass_through(self) -> pd.DataFrame:
        """Who has one kCNY more of subsidy on each line on sale this month, makers' prices answering, a row a line.

        Returns:
            product, brand, powertrain, and as in `market.pricing.subsidy_pass_through` to_buyers, to_maker and held.
        """
        offers, names = self.market.offers, self.market.names
        found = subsidy_pass_through(self.market)
        rows = found.pop("row")
        about = {
            "product": [offers.product[row] for row in rows],
            "brand": [names.brands[code] for code in offers.brand[rows]],
            "powertrain": [POWERTRAINS[code] for code in offers.powertrain[rows]],
        }
        return pd.DataFrame(about | found)

    def go_on(self, scenario: Scenario) -> None:
        """Go on under another scenario, which differs from the present one in nothing that has acted so far.

        Args:
            scenario: as far as it has acted, the present one: see `acts_from` of the parameters.
        Raises:
            BadRequest: it names a platform that this market does not have.
        """
        market = self.market
        check_platforms(scenario, market.names)
        market.scenario = scenario.model_copy(update={"seed": market.scenario.seed})
        spent = market.policy.spent
        market.policy = make_policy(market.offers, market.names, market.scenario)
        market.policy.spent.update(spent)
        market.energy = prices_of_energy(market.scenario)
        self.running = market.month < market.scenario.n_months

    def run_model(self) -> None:
        """Step to the end of the scenario."""
        while self.running:
            self.step()

    @property
    def record(self) -> dict:
        """The run's tables as plain columns, so far."""
        return self.recorder.record() | exit_table(self.market, self.books)


def checked_rules(agents: Mapping[str, type[Automaker]], names: list[str]) -> dict[str, type[Automaker]]:
    """Rules of one's own, each for a maker of this market and a subclass of `Automaker`."""
    for name, rule in agents.items():
        if name not in names:
            near = max(names, key=lambda known: difflib.SequenceMatcher(None, str(name).lower(), known.lower()).ratio())
            raise BadRequest(f"agents: '{name}' is no automaker of this market; the nearest is {near}")
        if not (isinstance(rule, type) and issubclass(rule, Automaker)):
            raise BadRequest(f"agents: the rule of {name} is {rule!r}; it must be a subclass of evsim.Automaker")
    return dict(agents)


def checked_prices(automaker: Automaker) -> Mapping[str, float]:
    """What a maker's rule answers when asked for its prices."""
    prices = automaker.price()
    if not isinstance(prices, Mapping):
        raise BadRequest(
            f"{type(automaker).__name__}.price of {automaker.name} returned {prices!r}; it must return prices by line, such as "
            "{'a line': 200.0}, or {}"
        )
    return prices


def checked_price(automaker: Automaker, product: str, price: float) -> float:
    """A price that a rule of one's own has set."""
    number = isinstance(price, int | float | np.number) and not isinstance(price, bool)
    if not (number and np.isfinite(price) and price > 0):
        raise BadRequest(
            f"{type(automaker).__name__}.price of {automaker.name}: '{product}' at {price!r}; it must be above 0"
        )
    return float(price)


def checked_seed(rng: object) -> int:
    """A seed as a whole number that fits the keys of `evsim.streams`; a generator has a state, not an address."""
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or not 0 <= rng < 2**63:
        raise BadRequest(f"rng={rng} must be a whole number from 0 to 2^63 - 1; draws are keyed by it")
    return int(rng)
