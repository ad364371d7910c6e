"""What a buyer pays as a function of the posted price: piecewise linear, with kinks and notches; alike for all or by class.

At a kink the slope changes (a benefit reaches its cap). At a notch the buyer's price jumps up: a car posted above a price
ceiling loses a benefit at once, one posted at the ceiling still has it. So q is continuous from the left.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from evsim.compiled import njit

Rule = TypeVar("Rule", "BuyerPrice", "BuyerPriceByClass")


@njit
def buyer_prices(prices, rule):
    """q at the posted prices, `[J]`: the equation of `BuyerPrice`, the rule being its knots, slopes, intercept and jumps."""
    knots, slopes, intercept, jumps = rule
    paid = np.empty(prices.shape[0])
    for j in range(prices.shape[0]):
        bends, leaps = 0.0, 0.0
        for k in range(knots.shape[1]):
            excess = prices[j] - knots[j, k]
            bends += (slopes[j, k + 1] - slopes[j, k]) * max(excess, 0.0)
            leaps += jumps[j, k] if excess > 0.0 else 0.0
        paid[j] = intercept[j] + slopes[j, 0] * prices[j] + bends + leaps
    return paid


@dataclass(frozen=True)
class BuyerPrice:
    """The buyer's price as a rising piecewise linear function of the posted price, product by product.

        q_j(p) = intercept_j + slope_j0 p + Σ_k (slope_j,k+1 − slope_jk) max(p − knot_jk, 0) + Σ_k jump_jk 1{p > knot_jk}

    A slope that rises at a knot (a benefit reaches its cap) may hold a price there, and so may a jump (a ceiling); at a
    slope that falls, and around a jump, the seller's profit may have two local maxima. Products with fewer knots than K
    are filled up with knots at +inf.
    """

    knots: np.ndarray  # [J, K], kCNY, rising along K; +inf: not used
    slopes: np.ndarray  # [J, K + 1], kCNY per kCNY, positive: below the first knot, between knots, above the last
    intercept: np.ndarray  # [J], kCNY: q at p = 0, were the first slope to hold there
    jumps: np.ndarray = None  # type: ignore[assignment]  # [J, K], kCNY: how much q jumps up beyond each knot; None: 0

    def __post_init__(self):
        knots, slopes = _rows_of(self.knots), _rows_of(self.slopes)
        intercept = np.array(self.intercept, dtype=float, ndmin=1)
        jumps = np.zeros_like(knots) if self.jumps is None else _rows_of(self.jumps)
        n_products = len(intercept)
        if knots.shape != (n_products, knots.shape[1]) or slopes.shape != (n_products, knots.shape[1] + 1):
            raise ValueError(
                f"knots [J, K] {knots.shape}, slopes [J, K + 1] {slopes.shape}, intercept {intercept.shape}"
            )
        if np.isnan(knots).any() or (knots[:, 1:] < knots[:, :-1]).any():
            raise ValueError("the knots of a product must rise from left to right")
        if not ((slopes > 0).all() and np.isfinite(slopes).all() and np.isfinite(intercept).all()):
            raise ValueError("the buyer's price must rise with the posted price: every slope positive and finite")
        if jumps.shape != knots.shape or not ((jumps >= 0).all() and np.isfinite(jumps).all()):
            raise ValueError(f"jumps must have the shape of the knots {knots.shape}, and lead up or nowhere")
        for name, array in (("knots", knots), ("slopes", slopes), ("intercept", intercept), ("jumps", jumps)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n_products(self) -> int:
        """J."""
        return len(self.intercept)

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """Knots, slopes, intercept and jumps."""
        return self.knots, self.slopes, self.intercept, self.jumps

    def of(self, products: np.ndarray) -> "BuyerPrice":
        """The rule of some products, by their numbers, without the knots that none of them uses."""
        knots = self.knots[products]
        n_knots = int(np.isfinite(knots).any(axis=0).sum())  # those not used stand last in each row
        parts = {
            "knots": _rows_of(knots[:, :n_knots]),
            "slopes": _rows_of(self.slopes[products, : n_knots + 1]),
            "intercept": self.intercept[products],
            "jumps": _rows_of(self.jumps[products, :n_knots]),
        }
        for part in parts.values():
            part.setflags(write=False)
        return _unchecked(BuyerPrice, **parts)

    def only(self, product: int) -> "BuyerPrice":
        """The rule of one product, as a rule of its own with J = 1."""
        return self.of(np.array([product]))

    def raised(self, extra: np.ndarray) -> "BuyerPrice":
        """The rule plus sums that no posted price moves, `[J]`, kCNY; what was checked here is not checked again.

        Raises:
            ValueError: a sum is missing, or not finite.
        """
        intercept = self.intercept + extra
        if intercept.shape != self.intercept.shape or not np.isfinite(intercept).all():
            raise ValueError(f"extra must be {self.intercept.shape}, finite sums, one a product")
        intercept.setflags(write=False)
        return _unchecked(BuyerPrice, knots=self.knots, slopes=self.slopes, intercept=intercept, jumps=self.jumps)

    def value(self, prices):
        """q at the posted prices, `[J]`, or `[..., J]` for many price vectors."""
        prices = np.ascontiguousarray(prices, dtype=float)
        if prices.shape[-1:] != self.intercept.shape:
            raise ValueError(f"prices must be [..., {self.n_products}], one a product, not {prices.shape}")
        if prices.ndim == 1:
            return buyer_prices(prices, self.parts)
        many = prices.reshape(-1, self.n_products)
        return np.array([buyer_prices(each, self.parts) for each in many]).reshape(prices.shape)

    def slope_below(self, prices):
        """dq/dp just below the prices, `[J]`."""
        return self._slope((np.asarray(prices, dtype=float)[:, None] > self.knots).sum(axis=1))

    def slope_above(self, prices):
        """dq/dp just above the prices, `[J]`; other than `slope_below` at a knot only. A jump has no slope."""
        return self._slope((np.asarray(prices, dtype=float)[:, None] >= self.knots).sum(axis=1))

    def _slope(self, segment):
        return np.take_along_axis(self.slopes, segment[:, None], axis=1)[:, 0]


def _rows_of(table) -> np.ndarray:
    """A table of floats, row after row in memory, as compiled loops read it."""
    return np.array(table, dtype=float, ndmin=2, order="C")


def _unchecked(kind: type[Rule], **parts) -> Rule:
    """A rule of parts that have been checked."""
    rule: Rule = object.__new__(kind)
    for name, part in parts.items():
        object.__setattr__(rule, name, part)
    return rule


def identity(n_products: int) -> BuyerPrice:
    """No tax and no subsidy: the buyer pays the posted price."""
    return BuyerPrice(np.empty((n_products, 0)), np.ones((n_products, 1)), np.zeros(n_products))


@dataclass(frozen=True)
class BuyerPriceByClass:
    """One posted price, several buyers' prices: q_cj(p) of each class of consumers (trade-in owners, an income test)."""

    rules: tuple[BuyerPrice, ...]  # C of them
    class_of: np.ndarray  # [N], whole numbers below C: the class of each consumer

    def __post_init__(self):
        rules, class_of = tuple(self.rules), np.array(self.class_of)
        if not rules or len({rule.n_products for rule in rules}) > 1:
            raise ValueError("rules must be one or more, all about the same products")
        if (
            class_of.ndim != 1
            or class_of.dtype.kind not in "iu"
            or not ((class_of >= 0) & (class_of < len(rules))).all()
        ):
            raise ValueError(f"class_of must be whole numbers from 0 to {len(rules) - 1}, one per consumer")
        class_of.setflags(write=False)
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "class_of", class_of)

    @property
    def n_products(self) -> int:
        """J."""
        return self.rules[0].n_products

    def raised(self, extra: np.ndarray) -> "BuyerPriceByClass":
        """The rules plus sums that no posted price moves, `[C, J]`, kCNY; classes stay as they are."""
        rules = tuple(rule.raised(more) for rule, more in zip(self.rules, extra, strict=True))
        return _unchecked(BuyerPriceByClass, rules=rules, class_of=self.class_of)

    def value(self, prices):
        """q of every class at the posted prices, `[C, J]`."""
        return np.stack([rule.value(prices) for rule in self.rules])

    def slope_below(self, prices):
        """dq/dp just below the prices, `[C, J]`."""
        return np.stack([rule.slope_below(prices) for rule in self.rules])

    def slope_above(self, prices):
        """dq/dp just above the prices, `[C, J]`."""
        return np.stack([rule.slope_above(prices) for rule in self.rules])

    @cached_property
    def class_rows(self) -> tuple[slice, ...]:
        """Where each class stands, once consumers are in the order of their classes."""
        ends = np.cumsum(np.bincount(self.class_of, minlength=len(self.rules))).tolist()
        return tuple(slice(first, end) for first, end in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def knots(self) -> np.ndarray:
        """The knots of all classes together, `[J, K]`, kCNY, rising along K."""
        if len(self.rules) == 1:
            return self.rules[0].knots
        return np.sort(np.concatenate([rule.knots for rule in self.rules], axis=1), axis=1)

    @cached_property
    def slopes(self) -> np.ndarray:
        """dq/dp of every class between those knots, `[C, J, K + 1]`."""
        if len(self.rules) == 1:
            return self.rules[0].slopes[None]

        def between(rule):
            passed = (self.knots[:, :, None] >= rule.knots[:, None, :]).sum(axis=2)
            return np.take_along_axis(rule.slopes, np.pad(passed, ((0, 0), (1, 0))), axis=1)

        return np.stack([between(rule) for rule in self.rules])

    @cached_property
    def notches(self) -> np.ndarray:
        """Whether some class's price jumps beyond a knot, `[J, K]` bool; of equal knots the first says it."""
        if not any((rule.jumps > 0).any() for rule in self.rules):
            return np.zeros(self.knots.shape, dtype=bool)
        meets = [
            ((self.knots[:, :, None] == rule.knots[:, None, :]) & (rule.jumps > 0)[:, None, :]).any(axis=2)
            for rule in self.rules
        ]
        repeated = np.pad(self.knots[:, 1:] == self.knots[:, :-1], ((0, 0), (1, 0)))
        return np.any(meets, axis=0) & ~repeated[:, : self.knots.shape[1]]
