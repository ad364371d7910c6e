"""The households as a set of agents: the verbs of Mesa's `AgentSet` over the population's columns.

A set is an array of rows; views on them (`Consumer`) are made when somebody asks for one. A hundred thousand objects
would take a second to make and as long to step, so `mesa.AgentSet`, which refers to objects, is not subclassed.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..streams import Purpose, uniforms
from .consumer import ATTRIBUTES, Consumer, write


class Consumers(Sequence):
    """Rows of the population in an order, with the verbs of Mesa's `AgentSet`.

    Where Mesa hands each agent to a function, so does this set, view by view; where a verb names an attribute of
    `Consumer`, all rows are looked up at once and come as an array. For the same reason `select` takes an array in place
    of a function:

        consumers.select(consumers.get("income") > 2.0).groupby("platform_name").agg("tenure", np.mean)

    Households still to come (`market.growth`) are in the set from the start: without a car until their first visit.

    Args:
        model: the `EVMarket`.
        rows: rows of the population, each once; none: all.
    """

    def __init__(self, model: Any, rows: np.ndarray | None = None):
        self.model = model
        if rows is not None:
            self.rows = rows

    @cached_property
    def rows(self) -> np.ndarray:
        """Rows of the population, in their order: everybody, unless the set is of some."""
        return np.arange(len(self.model.market.population))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Consumer]:
        return (Consumer(self.model, row) for row in self.rows.tolist())

    def __contains__(self, consumer: object) -> bool:
        if not isinstance(consumer, Consumer) or consumer.model is not self.model:
            return False
        return bool((self.rows == consumer.row).any())

    def __getitem__(self, item: Any) -> Any:
        """One consumer by its place in the set, or a set of them by a slice."""
        if isinstance(item, slice):
            return Consumers(self.model, self.rows[item])
        return Consumer(self.model, self.rows[operator.index(item)])

    def __repr__(self) -> str:
        return f"<{len(self):,} of {len(self.model.market.population):,} consumers>"

    def select(
        self,
        filter_func: Callable[[Consumer], Any] | np.ndarray | None = None,
        at_most: float = math.inf,
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> "Consumers":
        """Those that pass.

        Args:
            filter_func: a function of one consumer, or without a loop an array of bool, one for each.
            at_most: no more than the first so many; a float up to 1: than that fraction of the set, rounded down.
            inplace: change this set rather than make one.
            agent_type: none pass if consumers are not of this type.
        """
        rows = self.rows[self._passes(filter_func)]
        if agent_type is not None and not issubclass(Consumer, agent_type):
            rows = rows[:0]
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(len(self) * at_most)
        return self._with(rows if at_most == math.inf else rows[: max(math.ceil(at_most), 0)], inplace)

    def count(self, value: Any = None) -> int:
        """How many there are; with a filter as in `select`, how many pass; of one consumer, as in any sequence, 0 or 1."""
        return int(value in self) if isinstance(value, Consumer) else int(self._passes(value).sum())

    def get(self, attr_names: str | Iterable[str], handle_missing: str = "error", default_value: Any = None) -> Any:
        """Attributes of each consumer.

        Args:
            attr_names: one name, or several.
            handle_missing: "error", or "default" to get the default value for a name that consumers do not have.
            default_value: that value.
        Returns:
            An array, one entry a consumer; for several names a list of lists as in Mesa.
        Raises:
            AttributeError: consumers have no such attribute.
        """
        if handle_missing not in ("error", "default"):
            raise ValueError(f"handle_missing must be 'error' or 'default', not {handle_missing!r}")
        if not isinstance(attr_names, str):
            columns = [self.get(name, handle_missing, default_value) for name in attr_names]
            return [list(values) for values in zip(*map(as_list, columns), strict=True)]
        if attr_names in ATTRIBUTES:
            return ATTRIBUTES[attr_names].values(self.model.market, self.rows)
        if handle_missing == "default":
            return [default_value] * len(self)
        raise AttributeError(f"consumers have no attribute {attr_names!r}; they have {', '.join(ATTRIBUTES)}")

    def set(self, attr_name: str, value: Any) -> "Consumers":
        """Write a column: one value for all, or an array with one for each.

        A car is a line and a platform (a line may have moved to another since): set both.

        Raises:
            AttributeError: not a column of the population.
            ValueError: not whole numbers in the column's range.
        """
        write(self.model.market, self.rows, attr_name, value)
        return self

    def agg(self, attribute: str, func: Callable | Iterable[Callable]) -> Any:
        """A function of an attribute's values over the set, or a list of several functions' answers."""
        values = self.get(attribute)
        return func(values) if callable(func) else [each(values) for each in func]

    def groupby(self, by: Callable[[Consumer], Any] | str, result_type: str = "agentset") -> "ConsumerGroups":
        """Groups by an attribute or by what a function says of each consumer, in the order in which they first appear.

        Args:
            by: name of an attribute, or a function of one consumer.
            result_type: "agentset": groups are sets like this one; "list": lists of consumers.
        """
        values = self.map(by) if callable(by) else self.get(by).tolist()
        places: dict[Any, int] = {}
        group = np.array([places.setdefault(value, len(places)) for value in values], dtype=np.int64)
        ends = np.cumsum(np.bincount(group, minlength=len(places)))[:-1]
        parts = np.split(self.rows[np.argsort(group, kind="stable")], ends)
        sets = (Consumers(self.model, rows) for rows in parts)
        groups = sets if result_type == "agentset" else map(list, sets)
        return ConsumerGroups(dict(zip(places, groups, strict=False)))  # no place, but one empty part, in an empty set

    def do(self, method: str | Callable, *args: Any, **kwargs: Any) -> "Consumers":
        """Call a method by its name, or a function, on each consumer in turn."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable, *args: Any, **kwargs: Any) -> "Consumers":
        """As `do`, in the order of `shuffle`; the set keeps its own."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: str | Callable, *args: Any, **kwargs: Any) -> list:
        """As `do`, but returns what each call gave."""
        if callable(method):
            return [method(consumer, *args, **kwargs) for consumer in self]
        return [getattr(consumer, method)(*args, **kwargs) for consumer in self]

    def shuffle(self, inplace: bool = False) -> "Consumers":
        """This month's random order of the consumers: from keyed draws, so the same until the month is over."""
        market = self.model.market
        turn = uniforms(market.scenario.seed, Purpose.SHUFFLE, market.month, self.rows)
        return self._with(self.rows[np.argsort(turn, kind="stable")], inplace)

    def sort(self, key: Callable[[Consumer], Any] | str, ascending: bool = False, inplace: bool = False) -> "Consumers":
        """In the order of an attribute or of what a function says of each consumer; equals stay as they are."""
        values = self.map(key) if callable(key) else self.get(key).tolist()
        order = sorted(range(len(values)), key=values.__getitem__, reverse=not ascending)
        return self._with(self.rows[np.array(order, dtype=np.int64)], inplace)

    def _passes(self, filter_func: Callable[[Consumer], Any] | np.ndarray | None) -> np.ndarray:
        """Yes or no for each consumer."""
        if filter_func is None:
            return np.ones(len(self), dtype=bool)
        if callable(filter_func):
            return np.array([bool(filter_func(consumer)) for consumer in self], dtype=bool)
        passes = np.asarray(filter_func)
        if passes.dtype != bool or passes.shape != self.rows.shape:
            raise ValueError(f"a filter is a function of one consumer, or an array of {len(self)} bool")
        return passes

    def _with(self, rows: np.ndarray, inplace: bool) -> "Consumers":
        if not inplace:
            return Consumers(self.model, rows)
        self.rows = rows
        return self


class ConsumerGroups:
    """Groups of consumers by name, with the verbs of Mesa's `GroupBy`."""

    def __init__(self, groups: dict[Any, Any]):
        self.groups = groups

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.groups.items())

    def __len__(self) -> int:
        return len(self.groups)

    def count(self) -> dict[Any, int]:
        """How many are in each group."""
        return {name: len(group) for name, group in self}

    def agg(self, attr_name: str, func: Callable) -> dict[Any, Any]:
        """A function of an attribute's values over each group."""
        return {name: func(values_of(group, attr_name)) for name, group in self}

    def map(self, method: str | Callable, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        """Call a method of each group by its name, or a function on it, and return what each call gave."""
        if callable(method):
            return {name: method(group, *args, **kwargs) for name, group in self}
        return {name: getattr(group, method)(*args, **kwargs) for name, group in self}

    def do(self, method: str | Callable, *args: Any, **kwargs: Any) -> "ConsumerGroups":
        """As `map`, but returns the groups."""
        self.map(method, *args, **kwargs)
        return self


def values_of(group: Consumers | list[Consumer], attr_name: str) -> Any:
    """An attribute's values over a group of either kind."""
    if isinstance(group, Consumers):
        return group.get(attr_name)
    return [getattr(consumer, attr_name) for consumer in group]


def as_list(values: np.ndarray | list) -> list:
    """Plain Python values."""
    return values.tolist() if isinstance(values, np.ndarray) else values
