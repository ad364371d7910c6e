"""The price game: who sets which price, and what each firm earns on each sale.

Each product's price has one setter. Setter f maximises Σ_k m_fk s_k with m_fk = A_fk p_k − B_fk c_k − F_fk over the
prices it sets, others' given: A, B and F say how much of a product's revenue and cost, and what payment a vehicle,
enter f's account. An ordinary firm has A = B = 1 on its own products (`bertrand`); a royalty, VAT, a share in a
partner's profit, a platform's fee on partners' cars are other numbers in the same three tables. A product without
setter keeps a given price. Fields that may be left out (None) are filled in when the object is made.

Where some consumers get benefits that others do not, they are classes, each with its own buyer's price for the one posted
price. Sums over consumers are then made class by class, and added with each class's dq/dp; one class is the plain game.

Where consumers share tastes and differ in their state only, as an owner and a newcomer do, they are of one type, whose
exponentials are taken once (`Demand`, `States`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.economics.choice import normalised_weights, outside_column, positive_sensitivity, utility_table
from evsim.economics.price_kernels import (
    Rows,
    States,
    add_gains,
    entries_of_bonds,
    fill_probabilities,
    offered_to_somebody,
    stateless,
)
from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass, identity


@dataclass(frozen=True)
class Demand:
    """Mixed logit with given consumers: U_ij = V_ij − α_i q_j. Arrays are checked; weights are scaled to sum to 1.

    With `states`, consumers of one type share a row of V, their α and what they pay, N of them being of G types; else N is G.
    """

    utility: np.ndarray  # V: utility before price, [G, J], utils; -inf: not on offer
    price_sensitivity: np.ndarray  # α, [G], utils per kCNY, positive
    weights: np.ndarray = None  # type: ignore[assignment]  # w, [N]; None: all alike
    outside_utility: np.ndarray = None  # type: ignore[assignment]  # U_0, [N] or a number, utils; None: 0
    states: States = None  # type: ignore[assignment]  # what consumers of one type differ in; None: each is a type of its own

    def __post_init__(self):
        utility = utility_table(self.utility)
        sensitivity = positive_sensitivity(self.price_sensitivity)
        if sensitivity.ndim == 0:
            sensitivity = np.full(len(utility), float(sensitivity))
        if sensitivity.shape != (len(utility),):
            raise ValueError(f"price_sensitivity must have shape ({len(utility)},), not {sensitivity.shape}")
        states = stateless(len(utility)) if self.states is None else checked_states(self.states, *utility.shape)
        n_consumers = int(states.first[-1])
        object.__setattr__(self, "utility", utility)
        object.__setattr__(self, "price_sensitivity", sensitivity)
        object.__setattr__(self, "weights", normalised_weights(self.weights, n_consumers))
        object.__setattr__(self, "outside_utility", outside_column(self.outside_utility, n_consumers))
        object.__setattr__(self, "states", states)

    def __len__(self) -> int:
        """N."""
        return len(self.weights)

    def weighed(self, weights) -> "Demand":
        """The same consumers with other weights, `[N]`."""
        demand = object.__new__(Demand)
        own = {"utility", "price_sensitivity", "outside_utility", "states"}  # checked already
        for name in own:
            object.__setattr__(demand, name, getattr(self, name))
        object.__setattr__(demand, "weights", normalised_weights(weights, len(self)))
        return demand

    def states_of(self, types: slice) -> States:
        """The states of some types, consumers keeping their numbers."""
        return self.states._replace(first=self.states.first[types.start : types.stop + 1])

    @cached_property
    def type_of(self) -> np.ndarray:
        """The type of each consumer, `[N]`."""
        first = self.states.first
        return np.repeat(np.arange(len(first) - 1), np.diff(first))

    @cached_property
    def one_by_one(self) -> "Demand":
        """The same consumers, each a type of its own."""
        if len(self) == len(self.utility) and not len(self.states.product):
            return self
        utility = self.utility[self.type_of]
        add_gains(self.states, utility)
        return Demand(utility, self.price_sensitivity[self.type_of], self.weights, self.outside_utility)


def checked_states(states: States, n_types: int, n_products: int) -> States:
    """States whose tables fit to each other and to a demand's types and products.

    Raises:
        ValueError: one does not.
    """
    first, bond, start, product, kind = (
        np.ascontiguousarray(column, dtype=np.int64) for column in (states.first, states.bond, *states[3:])
    )
    more = np.ascontiguousarray(states.more, dtype=float)
    if first.shape != (n_types + 1,) or first[0] != 0 or not (np.diff(first) > 0).all():
        raise ValueError(
            f"first must be {n_types + 1} rising numbers from 0: where each type's consumers begin and end"
        )
    if bond.shape != (first[-1],) or more.shape != (first[-1], more.shape[-1]) or not (more > -1.0).all():
        raise ValueError(f"bond [N] and more [N, K], above −1, must be about {first[-1]} consumers")
    if not np.isfinite(more).all() or not ((bond >= 0) & (bond < len(start) - 1)).all():
        raise ValueError(f"bond must be whole numbers below {len(start) - 1}, and more finite")
    if start[0] != 0 or start[-1] != len(product) or (np.diff(start) < 0).any() or kind.shape != product.shape:
        raise ValueError(f"start must rise from 0 to the {len(product)} entries that product and kind are about")
    if not (((product >= 0) & (product < n_products)).all() and ((kind >= 0) & (kind < more.shape[1])).all()):
        raise ValueError(f"product must be below {n_products}, kind below {more.shape[1]}")
    return States(first, bond, more, start, product, kind)


@dataclass(frozen=True)
class Choices:
    """What consumers choose at given posted prices, as odds relative to those of their type's best product."""

    prices: np.ndarray  # p, [J], kCNY
    odds: np.ndarray  # x = exp(V − α q − h), [G, J], states aside
    highest: np.ndarray  # h, [G], utils
    inside: np.ndarray  # Σ_j exp(U_ij − h), [N]
    staying: np.ndarray  # exp(U_i0 − h), [N]
    demand: Demand  # of whom

    @cached_property
    def per_odds(self) -> np.ndarray:
        """1 / D, `[N]`: what odds are multiplied by to be probabilities."""
        return 1.0 / (self.inside + self.staying)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """P, `[N, J]`."""
        probabilities = np.empty((len(self.inside), len(self.prices)))
        fill_probabilities(self.odds, self.per_odds, self.demand.states, probabilities)
        return probabilities

    @cached_property
    def inclusive(self) -> np.ndarray:
        """I, `[N]`, utils."""
        return self.highest[self.demand.type_of] + np.log(self.inside + self.staying)


@dataclass(frozen=True)
class PriceGame:
    """Demand, and the accounts of all firms: everything but the prices."""

    demand: Demand
    marginal_costs: np.ndarray  # c, [J], kCNY
    revenue_weights: np.ndarray  # A, [F, J]
    cost_weights: np.ndarray  # B, [F, J]
    payments: np.ndarray = None  # type: ignore[assignment]  # F, [F, J], kCNY per vehicle; None: 0
    # [J], the row of A, B, F that sets the price; -1: given; None: the row with the largest A, if that is positive
    setter: np.ndarray = None  # type: ignore[assignment]
    # the tax rule, one for all or by class of consumers; None: the buyer pays the posted price
    buyer_price: BuyerPrice | BuyerPriceByClass = None  # type: ignore[assignment]
    threads: int = 1  # for the passes over consumers; no number changes a bit
    # where somebody has worked out already what the consumers of `panel` choose at some prices, the game need not
    known: Choices | None = None

    def __post_init__(self):
        n_products = self.demand.utility.shape[1]
        revenue = np.array(self.revenue_weights, dtype=float, ndmin=2)
        cost = np.array(self.cost_weights, dtype=float, ndmin=2)
        payments = np.zeros_like(revenue) if self.payments is None else np.array(self.payments, dtype=float, ndmin=2)
        costs = np.array(self.marginal_costs, dtype=float, ndmin=1)
        if self.setter is None:
            setter = np.where(revenue.max(axis=0) > 0, revenue.argmax(axis=0), -1)
        else:
            setter = np.array(self.setter, ndmin=1)
        rule = identity(n_products) if self.buyer_price is None else self.buyer_price
        tables = {"revenue_weights": revenue, "cost_weights": cost, "payments": payments}
        for name, table in tables.items():
            if table.shape != (len(revenue), n_products):
                raise ValueError(f"{name} must have shape [F, {n_products}], alike for A, B and F; it is {table.shape}")
        if costs.shape != (n_products,) or setter.shape != (n_products,) or rule.n_products != n_products:
            raise ValueError(f"marginal_costs, setter and buyer_price must each be about {n_products} products")
        if not all(np.isfinite(table).all() for table in (costs, *tables.values())):
            raise ValueError("costs, weights and payments must be finite")
        if setter.dtype.kind not in "iu" or not ((setter >= -1) & (setter < len(revenue))).all():
            raise ValueError(f"setter must be rows of the {len(revenue)} firms, or -1 for a given price")
        if not (revenue[setter, np.arange(n_products)][setter >= 0] > 0).all():
            raise ValueError("a setter must have a positive revenue weight on the product whose price it sets")
        if isinstance(rule, BuyerPriceByClass) and len(rule.class_of) != len(self.demand):
            raise ValueError(f"buyer_price must name a class for each of {len(self.demand)} consumers")
        known, (n_types, n_consumers) = self.known, (len(self.demand.utility), len(self.demand))
        if known is not None and (known.odds.shape, known.inside.shape) != ((n_types, n_products), (n_consumers,)):
            raise ValueError(
                f"known choices must be of {n_consumers} consumers of {n_types} types among {n_products} products"
            )
        for name, value in {**tables, "marginal_costs": costs, "setter": setter, "buyer_price": rule}.items():
            object.__setattr__(self, name, value)

    @property
    def n_products(self) -> int:
        """J."""
        return len(self.marginal_costs)

    @cached_property
    def rule(self) -> BuyerPriceByClass:
        """The tax rule by class of consumers, also where there is one class."""
        if isinstance(self.buyer_price, BuyerPriceByClass):
            return self.buyer_price
        return BuyerPriceByClass((self.buyer_price,), np.zeros(len(self.demand), dtype=np.int64))

    @cached_property
    def panel(self) -> Demand:
        """The consumers, class after class: the order of all sums over them. Where they stand so, and those of one type in one
        class, `demand` itself; else they are taken one by one."""
        demand, ends = self.demand, np.array([rows.stop for rows in self.class_rows])
        first, class_of = demand.states.first, self.rule.class_of
        if (class_of[1:] >= class_of[:-1]).all() and (first[np.searchsorted(first, ends)] == ends).all():
            return demand
        demand, order = demand.one_by_one, self.panel_order
        columns = (demand.utility, demand.price_sensitivity, demand.weights, demand.outside_utility)
        return Demand(*(column[order] for column in columns))

    @cached_property
    def panel_order(self) -> np.ndarray:
        """The row of `demand` that stands in each row of `panel`, `[N]`."""
        return np.argsort(self.rule.class_of, kind="stable")

    @cached_property
    def class_rows(self) -> tuple[slice, ...]:
        """Where the consumers of each class stand in `panel`."""
        return self.rule.class_rows

    @cached_property
    def bonded(self) -> tuple[np.ndarray, ...]:
        """What the consumers' bonds have to do with the setters' rows."""
        return entries_of_bonds(self.panel.states, self.accounts.rows, self.n_products)

    @cached_property
    def accounts(self) -> "Accounts":
        """The setters' rows, sparse, as the kernels read them."""
        return _accounts(self)


def class_types(demand: Demand, rule: BuyerPriceByClass) -> list[slice]:
    """Where the types of each class stand among those of a demand whose consumers are in the order of their classes."""
    ends = np.searchsorted(demand.states.first, [rows.stop for rows in rule.class_rows]).tolist()
    return [slice(first, end) for first, end in zip([0, *ends[:-1]], ends, strict=True)]


@dataclass(frozen=True)
class Accounts:
    """The rows of A and B c + F that set prices, without their zeros."""

    rows: Rows
    entry_revenue: np.ndarray  # A, [entries]
    entry_cost_weight: np.ndarray  # B, [entries]
    entry_cost: np.ndarray  # B c + F, [entries], kCNY
    own_revenue: np.ndarray  # A of each product's setter, [J]; 1 where none
    own_cost_weight: np.ndarray  # B of each product's setter, [J]; 1 where none
    own_cost: np.ndarray  # B c + F of each product's setter, [J], kCNY

    @property
    def priced(self) -> np.ndarray:
        """Whether somebody sets the product's price, and somebody may buy it, `[J]`."""
        return self.rows.row_of_product >= 0

    def margins(self, prices) -> np.ndarray:
        """m, `[entries]`, kCNY per vehicle."""
        return self.entry_revenue * prices[self.rows.product] - self.entry_cost


def bertrand(demand, marginal_costs, ownership_of, buyer_price=None) -> PriceGame:
    """The ordinary game: each firm sets the prices of its own products and counts its own profit.

    Args:
        demand: `Demand`.
        marginal_costs: c, `[J]`, kCNY.
        ownership_of: the firm that owns each product, `[J]`, whole numbers from 0.
        buyer_price: `BuyerPrice`; None: the buyer pays the posted price.
    Returns:
        `PriceGame` with A = B = 1 on own products and F = 0.
    """
    owner = np.asarray(ownership_of)
    if owner.dtype.kind not in "iu" or owner.ndim != 1 or (owner < 0).any():
        raise ValueError("ownership_of must be whole numbers from 0, one per product")
    owns = (np.arange(owner.max() + 1)[:, None] == owner[None, :]).astype(float)
    return PriceGame(demand, marginal_costs, owns, owns, setter=owner, buyer_price=buyer_price)


def _accounts(game):
    demand, products = game.demand, np.arange(game.n_products)
    counts = np.add.reduceat(demand.weights, demand.states.first[:-1])
    offered = offered_to_somebody(demand.utility, counts)  # a price nobody can pay moves nothing
    setter = np.where(offered, game.setter, -1)
    firms = np.unique(setter[setter >= 0])
    revenue, weight, payment = (table[firms] for table in (game.revenue_weights, game.cost_weights, game.payments))
    row, product = np.nonzero((revenue != 0) | (weight != 0) | (payment != 0))
    start = np.searchsorted(row, np.arange(len(firms) + 1)).astype(np.int64)
    row_of_product = np.where(setter >= 0, np.searchsorted(firms, setter), -1).astype(np.int64)
    own = np.where(game.setter >= 0, game.setter, 0)
    revenue, weight, payment = revenue[row, product], weight[row, product], payment[row, product]
    own_revenue, own_weight = game.revenue_weights[own, products], game.cost_weights[own, products]
    own_cost = own_weight * game.marginal_costs + game.payments[own, products]
    given = game.setter < 0
    return Accounts(
        rows=Rows(start, product.astype(np.int64), row_of_product),
        entry_revenue=revenue,
        entry_cost_weight=weight,
        entry_cost=weight * game.marginal_costs[product] + payment,
        own_revenue=np.where(given, 1.0, own_revenue),
        own_cost_weight=np.where(given, 1.0, own_weight),
        own_cost=np.where(given, game.marginal_costs, own_cost),
    )
