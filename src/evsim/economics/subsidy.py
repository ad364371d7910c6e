"""Taxes and benefits of car buyers: who gets what at which posted price, what it costs, and when the money is gone.

p is the posted price with VAT v in it. Purchase tax is rate × p / (1 + v); China's is 0.10 with v = 0.13, so an
exemption capped at 30 kCNY covers a car of 339. Every benefit is the smaller of a line in the price and a cap, and
nothing above a ceiling,

    benefit(p) = min(fixed + slope × p, cap) 1{p ≤ ceiling},

so that a kind of instrument is one function that returns (fixed, slope, cap) and one entry in `BENEFIT_LINES`:

| Instrument | Kind |
| --- | --- |
| purchase subsidy | `per_unit`: amount |
| per cent of the price with a cap | `ad_valorem`: rate, cap |
| purchase-tax exemption with a cap | `tax_exemption`: rate 1, cap |
| half tax with a cap | `tax_exemption`: rate 0.5, cap |
| trade-in, scrappage, income-tested | one of these, for the classes of consumers entitled to it (`compose_by_class`) |

`scale` multiplies a benefit and its cap; exemptions together never exceed the tax they waive. A ceiling below every price
means that nobody gets the benefit, a budget of zero that nobody is paid; neither is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evsim.compiled import njit
from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass

ROUNDING = 1e-12  # of a budget: by how much a sum of claims may miss it and still be met


@dataclass(frozen=True)
class Instrument:
    """One benefit in force this month, and the products it is for."""

    kind: str  # a key of BENEFIT_LINES
    eligible: np.ndarray  # [J], bool
    amount: float = 0.0  # per_unit: kCNY per vehicle
    rate: float = 0.0  # ad_valorem: fraction of the posted price; tax_exemption: fraction of the purchase tax waived
    cap: float = np.inf  # kCNY per vehicle, before `scale`
    scale: float = 1.0  # multiplies the benefit and its cap
    ceiling: float = np.inf  # kCNY, posted price above which nothing is paid; at the ceiling it still is


@dataclass(frozen=True)
class Fiscal:
    """What one vehicle of each product brings and costs the treasury, at given prices: `[J]`, or by class `[C, J]`."""

    purchase_tax: np.ndarray  # kCNY: what the buyer pays of it, exemptions taken off
    exemption: np.ndarray  # kCNY: purchase tax waived
    outlay: np.ndarray  # kCNY: subsidies paid


@dataclass(frozen=True)
class Benefits:
    """What each of the instruments in force gives on a vehicle of each product at given prices, `[I, J]`, kCNY."""

    waived: np.ndarray  # of exemptions, before they are cut to the tax; 0 of the others
    paid: np.ndarray  # of subsidies; 0 of the others
    tax: np.ndarray  # [J], purchase tax before any exemption

    @property
    def alone(self) -> np.ndarray:
        """What each would give were it the only one, `[I, J]`."""
        return np.minimum(self.waived, self.tax) + self.paid

    def fiscal(self, entitled: np.ndarray) -> Fiscal:
        """What one vehicle brings and costs when classes of consumers get the instruments they are entitled to, `[C, J]`.

        exemption = min(Σ exemptions, tax),   outlay = Σ subsidies

        Args:
            entitled: `[C, I]` bool.
        """
        exempt = np.minimum((entitled[:, :, None] * self.waived).sum(axis=1), self.tax)
        return Fiscal(self.tax - exempt, exempt, (entitled[:, :, None] * self.paid).sum(axis=1))


def purchase_tax(price, rate=0.10, vat=0.13):
    """Purchase tax before any exemption, kCNY: rate × p / (1 + vat), on the posted price less its VAT."""
    return rate * np.asarray(price, dtype=float) / (1.0 + vat)


def exemption(tax, cap=np.inf, share=1.0):
    """Purchase tax waived, kCNY: min(share × tax, cap), never more than the tax; tax − exemption is left to pay."""
    return np.minimum(np.minimum(share * np.asarray(tax, dtype=float), cap), tax)


def per_unit(price, amount):
    """A fixed sum for each vehicle, kCNY."""
    return np.full_like(np.asarray(price, dtype=float), amount)


def ad_valorem(price, rate, cap=np.inf):
    """A fraction of the posted price up to a cap, kCNY: min(rate × p, cap)."""
    return np.minimum(rate * np.asarray(price, dtype=float), cap)


def _per_unit_line(instrument, tax_slope):
    return min(instrument.amount, instrument.cap), 0.0, np.inf


def _ad_valorem_line(instrument, tax_slope):
    return 0.0, instrument.rate, instrument.cap


def _tax_exemption_line(instrument, tax_slope):
    return 0.0, instrument.rate * tax_slope, instrument.cap


# kind -> (instrument, purchase tax per kCNY of price) -> (fixed, slope, cap) of its benefit, before scale
BENEFIT_LINES: dict[str, Callable] = {
    "per_unit": _per_unit_line,
    "ad_valorem": _ad_valorem_line,
    "tax_exemption": _tax_exemption_line,
}
EXEMPTIONS = ("tax_exemption",)  # kinds that waive tax instead of paying money; their line starts at 0


@dataclass(frozen=True)
class _Lines:
    """Benefits as min(fixed + slope p, cap) up to a ceiling: a row an instrument, a column a product; 0: not eligible."""

    fixed: np.ndarray  # [I, J], kCNY
    slope: np.ndarray  # [I, J]
    cap: np.ndarray  # [I, J], kCNY
    ceiling: np.ndarray  # [I, J], kCNY; +inf: none

    def benefits(self, prices):
        """[I, J], kCNY per vehicle; at a ceiling they are still paid."""
        return np.where(prices <= self.ceiling, self._uncut(prices), 0.0)

    def benefits_above(self, prices):
        """What is left of them just above the prices, [I, J], kCNY per vehicle."""
        return np.where(prices < self.ceiling, self._uncut(prices), 0.0)

    def slope_above(self, prices):
        """How their sum rises just above the prices, [J]."""
        return (self.slope * ((prices < self.kinks()) & (prices < self.ceiling))).sum(axis=0)

    def kinks(self):
        """Price at which each benefit reaches its cap, [I, J]; +inf: never, or beyond its ceiling."""
        room = np.where(np.isfinite(self.cap), self.cap - self.fixed, np.inf)
        kinks = np.divide(room, self.slope, out=np.full(self.slope.shape, np.inf), where=self.slope > 0)
        return np.where(kinks < self.ceiling, kinks, np.inf)

    def beyond(self, price):
        """Those not yet at their ceiling at a price; the others are 0."""
        fixed, slope, cap = (np.where(self.ceiling > price, part, 0.0) for part in (self.fixed, self.slope, self.cap))
        return _Lines(fixed, slope, cap, self.ceiling)

    def only(self, which):
        """Those of some instruments, `[I]` bool."""
        return _Lines(self.fixed[which], self.slope[which], self.cap[which], self.ceiling[which])

    def _uncut(self, prices):
        return np.minimum(self.fixed + self.slope * prices, self.cap)


def compose(instruments, n_products: int, tax_rate=0.10, vat=0.13) -> BuyerPrice:
    """The buyer's price under purchase tax and all instruments in force.

        q(p) = p + tax(p) − min(Σ exemptions(p), tax(p)) − Σ subsidies(p)

    Args:
        instruments: those in force; `Instrument`s, or tuples (kind, eligible, amount, rate, cap, scale, ceiling).
        n_products: J.
        tax_rate: purchase tax as a fraction of the price without VAT.
        vat: v, fraction.
    Returns:
        `BuyerPrice`: its kinks are where a benefit reaches its cap, or where exemptions stop covering the whole tax; it
        jumps up beyond a ceiling by what is lost there.
    Raises:
        ValueError: an unknown kind, wrong shapes, a negative or NaN term, or benefits that grow as fast as the price.
    """
    tax_slope = float(purchase_tax(1.0, tax_rate, vat))
    lines, waives = _lines(instruments, n_products, tax_slope)
    waived, paid = lines.only(waives), lines.only(~waives)
    cover = _FullCover.of(waived, tax_slope)
    waived_kinks = np.where(waived.kinks() > cover.end_above(waived.kinks()), waived.kinks(), np.inf)
    knots = np.vstack([cover.knots(), waived_kinks, paid.kinks(), waived.ceiling, paid.ceiling])
    knots = np.sort(knots, axis=0).T
    knots = knots[:, np.isfinite(knots).any(axis=0)]
    within = _a_price_within_each_segment(knots)
    slopes = np.ones_like(within)
    for k in range(slopes.shape[1]):
        price = within[:, k]
        covered = price < cover.end_above(price)
        slopes[:, k] += tax_slope - np.where(covered, tax_slope, waived.slope_above(price)) - paid.slope_above(price)
    return BuyerPrice(knots, slopes, 0.0 - paid.fixed.sum(axis=0), _jumps(knots, waived, paid, tax_slope))


def compose_by_class(
    instruments, entitled, class_of, n_products: int, tax_rate=0.10, vat=0.13
) -> BuyerPrice | BuyerPriceByClass:
    """The buyer's prices where instruments are for some consumers only: owners of an old car, or an income group.

    Args:
        instruments: as in `compose`, I of them.
        entitled: which class gets which instrument, `[C, I]` bool; with `class_of` from `consumer_classes`.
        class_of: the class of each consumer, `[N]`.
        n_products, tax_rate, vat: as in `compose`.
    Returns:
        `BuyerPriceByClass`, or where there is one class only, its `BuyerPrice`.
    """
    instruments, entitled = list(instruments), _entitled(instruments, entitled)
    rules = tuple(compose(_only(instruments, row), n_products, tax_rate, vat) for row in entitled)
    return rules[0] if len(rules) == 1 else BuyerPriceByClass(rules, class_of)


def consumer_classes(entitled) -> tuple[np.ndarray, np.ndarray]:
    """Consumers entitled to the same instruments are one class.

    Args:
        entitled: `[N, I]` bool: whether consumer i may claim instrument k.
    Returns:
        (class_of `[N]`, entitled `[C, I]` bool): only classes that exist, in a fixed order.
    """
    entitled = np.ascontiguousarray(entitled, dtype=bool)
    entitled = entitled if entitled.ndim == 2 else entitled.reshape(1, -1)
    place = np.arange(entitled.shape[1], dtype=np.int64)
    if len(place) > 8:
        found, class_of = np.unique((entitled.astype(np.int64) << place).sum(axis=1), return_inverse=True)
    else:  # a table of all sets of so few instruments is shorter than sorting
        found, class_of = _classes_of_few(entitled)
    return class_of.reshape(-1), (found[:, None] >> place) & 1 == 1


@njit
def _classes_of_few(entitled):
    """The sets of instruments that consumers are entitled to, as numbers whose bits they are, rising; and the place among
    them of each consumer's, `[N]`."""
    n_instruments = entitled.shape[1]
    sets, place = np.zeros(len(entitled), dtype=np.int64), np.full(1 << n_instruments, -1)
    for i in range(len(entitled)):
        for k in range(n_instruments):
            sets[i] |= np.int64(entitled[i, k]) << k
        place[sets[i]] = 0
    found = np.flatnonzero(place == 0)
    place[found] = np.arange(len(found))
    return found, place[sets]


def owns_old_car(car_age, least_age):
    """Who may trade in or scrap a car, `[N]` bool: car_age ≥ least_age in months; a negative or NaN age: owns none."""
    car_age = np.asarray(car_age, dtype=float)
    return (car_age >= 0) & (car_age >= least_age)


@dataclass(frozen=True)
class Schedule:
    """What instruments give, to be asked at one set of prices after another."""

    lines: _Lines
    waives: np.ndarray  # [I] bool: it waives tax
    tax_rate: float
    vat: float

    @classmethod
    def of(cls, instruments, n_products: int, tax_rate=0.10, vat=0.13) -> "Schedule":
        """Of the instruments in force; arguments as in `compose`."""
        lines, waives = _lines(instruments, n_products, float(purchase_tax(1.0, tax_rate, vat)))
        return cls(lines, waives, tax_rate, vat)

    def at(self, prices: np.ndarray) -> Benefits:
        """What each instrument gives at posted prices `[J]`."""
        given = self.lines.benefits(prices)
        waived, paid = np.where(self.waives[:, None], given, 0.0), np.where(self.waives[:, None], 0.0, given)
        return Benefits(waived, paid, purchase_tax(prices, self.tax_rate, self.vat))


def benefits(instruments, prices, tax_rate=0.10, vat=0.13) -> Benefits:
    """What each instrument gives at posted prices `[J]`; arguments as in `compose`."""
    prices = np.asarray(prices, dtype=float)
    return Schedule.of(instruments, len(prices), tax_rate, vat).at(prices)


def fiscal(instruments, prices, tax_rate=0.10, vat=0.13) -> Fiscal:
    """Purchase tax, tax waived and subsidy per vehicle, `[J]` kCNY each: q(p) = p + purchase_tax − outlay."""
    instruments = list(instruments)
    money = benefits(instruments, prices, tax_rate, vat).fiscal(np.ones((1, len(instruments)), dtype=bool))
    return Fiscal(money.purchase_tax[0], money.exemption[0], money.outlay[0])


def fiscal_by_class(instruments, entitled, prices, tax_rate=0.10, vat=0.13) -> Fiscal:
    """`fiscal` of each class of consumers, `[C, J]` each; `entitled` `[C, I]` as in `compose_by_class`."""
    instruments = list(instruments)
    return benefits(instruments, prices, tax_rate, vat).fiscal(_entitled(instruments, entitled))


def paid_within_budget(claims, order, budget) -> tuple[np.ndarray, float]:
    """First come, first served: who is paid, and what is left.

    Claims are served in the order of their keys until one cannot be met; then the programme is closed. In a month that
    begins with money and ends without, keys drawn at random make it pro rata.

    Args:
        claims: what each claimant would get, `[n]`, kCNY, not negative.
        order: keys `[n]`, the lowest first; among equals the first in the list.
        budget: kCNY, not negative; +inf: none.
    Returns:
        (paid `[n]` bool, remainder kCNY): a larger budget pays at least the same claimants. What is spent exceeds the
        budget by rounding at most, so that a budget of n equal claims pays n.
    Raises:
        ValueError: a negative or NaN claim or budget, or a key for each claim is missing.
    """
    claims, order = np.asarray(claims, dtype=float), np.asarray(order)
    if claims.ndim != 1 or order.shape != claims.shape:
        raise ValueError(f"claims and order must be alike and [n], not {claims.shape} and {order.shape}")
    if not ((claims >= 0).all() and budget >= 0):
        raise ValueError("claims and budget must not be negative or NaN")
    queue = np.argsort(order, kind="stable")
    spent = np.cumsum(claims[queue])
    n_paid = int(np.searchsorted(spent, budget * (1.0 + ROUNDING), side="right"))
    paid = np.zeros(len(claims), dtype=bool)
    paid[queue[:n_paid]] = budget > 0
    return paid, max(float(budget - (spent[n_paid - 1] if n_paid else 0.0)), 0.0)


def funded_fraction(expected_claims, budget):
    """The part of claims that a budget meets: min(1, budget / claims); 0 of a budget of zero."""
    claims, budget = np.broadcast_arrays(np.asarray(expected_claims, dtype=float), np.asarray(budget, dtype=float))
    return np.divide(budget, claims, out=np.where(budget > 0, 1.0, 0.0), where=claims > budget)


def phase_out(month, start, n_months):
    """What is left of a benefit that falls linearly to zero, a fraction.

        1 − (month − start + 1) / n_months, no more than 1 and no less than 0

    The first step down is in `start`; with n_months of 0 or 1 the benefit ends there.
    """
    passed = np.asarray(month, dtype=float) - start + 1.0
    return np.clip(1.0 - passed / max(n_months, 1), 0.0, 1.0)


def _only(instruments, entitled):
    """The instruments a class is entitled to."""
    return [instrument for instrument, gets in zip(instruments, entitled, strict=True) if gets]


def _entitled(instruments, entitled):
    """[C, I] bool.

    Raises:
        ValueError: not one column an instrument.
    """
    entitled = np.array(entitled, dtype=bool, ndmin=2)
    if entitled.shape != (len(entitled), len(instruments)) or len(entitled) == 0:
        raise ValueError(f"entitled must have shape [C, {len(instruments)}], one column an instrument")
    return entitled


def _lines(instruments, n_products, tax_slope):
    """All benefits as `_Lines`, and which of them waive tax, `[I]` bool."""
    instruments = [entry if isinstance(entry, Instrument) else Instrument(*entry) for entry in instruments]
    terms = np.array([_terms(instrument, n_products, tax_slope) for instrument in instruments]).reshape(-1, 5)
    fixed, slope, cap, scale, ceiling = terms.T[:, :, None]
    eligible = np.array([instrument.eligible for instrument in instruments], dtype=bool).reshape(-1, n_products)
    live = eligible & (scale > 0) & (cap > 0)
    capped = cap * np.where(scale > 0, scale, 1.0)
    fixed, slope, cap = (np.where(live, part, 0.0) for part in (fixed * scale, slope * scale, capped))
    waives = np.array([instrument.kind in EXEMPTIONS for instrument in instruments], dtype=bool)
    return _Lines(fixed, slope, cap, np.where(live, ceiling, np.inf)), waives


def _terms(instrument, n_products, tax_slope):
    """(fixed, slope, cap) of an instrument's benefit, its scale and its ceiling.

    Raises:
        ValueError: an unknown kind, a wrong shape, or a negative or NaN term.
    """
    if instrument.kind not in BENEFIT_LINES:
        raise ValueError(f"instrument kind {instrument.kind!r} is not one of {', '.join(BENEFIT_LINES)}")
    if np.shape(instrument.eligible) != (n_products,):
        shape = np.shape(instrument.eligible)
        raise ValueError(f"eligible must have shape ({n_products},), one per product, not {shape}")
    terms = (instrument.amount, instrument.rate, instrument.cap, instrument.scale, instrument.ceiling)
    if not all(term >= 0 for term in terms):
        raise ValueError(f"amount, rate, cap, scale and ceiling of {instrument.kind} must not be negative or NaN")
    return (*BENEFIT_LINES[instrument.kind](instrument, tax_slope), instrument.scale, instrument.ceiling)


@dataclass(frozen=True)
class _FullCover:
    """Up to which price exemptions would exceed the tax: it changes where one of them ends at its ceiling."""

    floors: np.ndarray  # [T], rising from −inf: no exemption ends between one and the next
    ends: np.ndarray  # [T, J], kCNY; 0 where they never do

    @classmethod
    def of(cls, waived, tax_slope):
        """For the given exemptions."""
        floors = np.array([-np.inf, *np.unique(waived.ceiling[np.isfinite(waived.ceiling)])])
        return cls(floors, np.stack([_end_of_full_cover(waived.beyond(floor), tax_slope) for floor in floors]))

    def end_above(self, prices):
        """The end that counts just above the prices, `[..., J]`."""
        interval = np.searchsorted(self.floors, prices, side="right") - 1
        return self.ends[interval, np.arange(self.ends.shape[1])]

    def knots(self):
        """Where the cover ends between two ceilings, [T, J]; +inf: nowhere."""
        low, high = self.floors[:, None], np.append(self.floors[1:], np.inf)[:, None]
        return np.where((self.ends > np.maximum(low, 0.0)) & (self.ends <= high), self.ends, np.inf)


def _end_of_full_cover(waived, tax_slope):
    """Price up to which exemptions would exceed the tax, `[J]`; 0 where they never do.

    Σ_k min(a_k p, C_k) ≤ τ p from the smallest p at which some of them, capped, and the rest, not yet, amount to τ p.
    """
    if len(waived.slope) == 0:
        return np.zeros(waived.slope.shape[1])
    order = np.argsort(waived.kinks(), axis=0)
    slope = np.take_along_axis(waived.slope, order, axis=0)
    capped = np.cumsum(np.take_along_axis(waived.cap, order, axis=0), axis=0)
    free = tax_slope - (slope.sum(axis=0) - np.cumsum(slope, axis=0))
    crossing = np.divide(capped, free, out=np.full(free.shape, np.inf), where=free > 0).min(axis=0)
    return np.where(slope.sum(axis=0) > tax_slope * (1.0 + 1e-12), crossing, 0.0)


def _a_price_within_each_segment(knots):
    """One price between each knot and the next, `[J, K + 1]`; above the last knot that is used, for those not used."""
    low = np.column_stack([np.zeros(len(knots)), np.where(np.isfinite(knots), knots, -np.inf)])
    low = np.maximum.accumulate(low, axis=1)
    high = np.column_stack([knots, np.full(len(knots), np.inf)])
    return np.where(np.isfinite(high), 0.5 * (low + np.where(np.isfinite(high), high, 0.0)), low + 1.0)


def _jumps(knots, waived, paid, tax_slope):
    """What is lost beyond each knot, [J, K], kCNY; of equal knots the first says it."""
    jumps = np.zeros_like(knots)
    for k in range(knots.shape[1]):
        price = np.where(np.isfinite(knots[:, k]), knots[:, k], 0.0)
        tax = tax_slope * price
        at = np.minimum(waived.benefits(price).sum(axis=0), tax) + paid.benefits(price).sum(axis=0)
        above = np.minimum(waived.benefits_above(price).sum(axis=0), tax) + paid.benefits_above(price).sum(axis=0)
        counts = np.isfinite(knots[:, k]) & ((k == 0) | (knots[:, k] != knots[:, k - 1]))
        jumps[:, k] = np.where(counts, at - above, 0.0)
    return jumps
