"""What a buyer pays: the posted price, purchase tax and benefits, as a piecewise linear function of the price.

p is the posted price with VAT v in it. Purchase tax is rate × p / (1 + v); China's is 0.10 with v = 0.13, so an
exemption capped at 30 kCNY covers a car of 339. Every benefit is the smaller of a line in the price and a cap,

    benefit(p) = min(fixed + slope × p, cap),

so that a kind of instrument is one function that returns (fixed, slope, cap) and one entry in `BENEFIT_LINES`. What is
more than such a line (a notch at a price ceiling) belongs to the buyer's eligibility, which the caller decides.
`scale` multiplies a benefit and its cap; exemptions together never exceed the tax they waive.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BuyerPrice:
    """The buyer's price as a continuous piecewise linear function of the posted price, product by product.

        q_j(p) = intercept_j + slope_j0 p + Σ_k (slope_j,k+1 − slope_jk) max(p − knot_jk, 0)

    A slope that rises at a knot (a benefit reaches its cap) may hold a price there; at one that falls the seller's
    profit may have two local maxima. Products with fewer knots than K are filled up with knots at +inf.
    """

    knots: np.ndarray  # [J, K], kCNY, rising along K; +inf: not used
    slopes: np.ndarray  # [J, K + 1], kCNY per kCNY, positive: below the first knot, between knots, above the last
    intercept: np.ndarray  # [J], kCNY: q at p = 0, were the first slope to hold there

    def __post_init__(self):
        knots, slopes = np.array(self.knots, dtype=float, ndmin=2), np.array(self.slopes, dtype=float, ndmin=2)
        intercept = np.array(self.intercept, dtype=float, ndmin=1)
        n_products = len(intercept)
        if knots.shape != (n_products, knots.shape[1]) or slopes.shape != (n_products, knots.shape[1] + 1):
            raise ValueError(
                f"knots [J, K] {knots.shape}, slopes [J, K + 1] {slopes.shape}, intercept {intercept.shape}"
            )
        if np.isnan(knots).any() or (knots[:, 1:] < knots[:, :-1]).any():
            raise ValueError("the knots of a product must rise from left to right")
        if not ((slopes > 0).all() and np.isfinite(slopes).all() and np.isfinite(intercept).all()):
            raise ValueError("the buyer's price must rise with the posted price: every slope positive and finite")
        for name, array in (("knots", knots), ("slopes", slopes), ("intercept", intercept)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n_products(self) -> int:
        """J."""
        return len(self.intercept)

    def only(self, product: int) -> "BuyerPrice":
        """The rule of one product, as a rule of its own with J = 1."""
        return BuyerPrice(self.knots[[product]], self.slopes[[product]], self.intercept[[product]])

    def value(self, prices):
        """q at the posted prices, `[J]`, or `[..., J]` for many price vectors."""
        prices = np.asarray(prices, dtype=float)
        excess = np.maximum(prices[..., None] - self.knots, 0.0)
        return self.intercept + self.slopes[:, 0] * prices + (np.diff(self.slopes, axis=1) * excess).sum(axis=-1)

    def slope_below(self, prices):
        """dq/dp just below the prices, `[J]`."""
        return self._slope((np.asarray(prices, dtype=float)[:, None] > self.knots).sum(axis=1))

    def slope_above(self, prices):
        """dq/dp just above the prices, `[J]`; other than `slope_below` at a knot only."""
        return self._slope((np.asarray(prices, dtype=float)[:, None] >= self.knots).sum(axis=1))

    def _slope(self, segment):
        return np.take_along_axis(self.slopes, segment[:, None], axis=1)[:, 0]


def identity(n_products: int) -> BuyerPrice:
    """No tax and no subsidy: the buyer pays the posted price."""
    return BuyerPrice(np.empty((n_products, 0)), np.ones((n_products, 1)), np.zeros(n_products))


@dataclass(frozen=True)
class Instrument:
    """One benefit in force this month, and the products it is for."""

    kind: str  # a key of BENEFIT_LINES
    eligible: np.ndarray  # [J], bool
    amount: float = 0.0  # per_unit: kCNY per vehicle
    rate: float = 0.0  # ad_valorem: fraction of the posted price; tax_exemption: fraction of the purchase tax waived
    cap: float = np.inf  # kCNY per vehicle, before `scale`
    scale: float = 1.0  # multiplies the benefit and its cap


@dataclass(frozen=True)
class Fiscal:
    """What one vehicle of each product brings and costs the treasury, at given prices."""

    purchase_tax: np.ndarray  # [J], kCNY: what the buyer pays of it, exemptions taken off
    exemption: np.ndarray  # [J], kCNY: purchase tax waived
    outlay: np.ndarray  # [J], kCNY: subsidies paid


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
    """Benefits as min(fixed + slope p, cap): one row an instrument, one column a product; 0 where not eligible."""

    fixed: np.ndarray  # [I, J], kCNY
    slope: np.ndarray  # [I, J]
    cap: np.ndarray  # [I, J], kCNY

    def benefits(self, prices):
        """[I, J], kCNY per vehicle."""
        return np.minimum(self.fixed + self.slope * prices, self.cap)

    def kinks(self):
        """Price at which each benefit reaches its cap, [I, J]; +inf: never."""
        room = np.where(np.isfinite(self.cap), self.cap - self.fixed, np.inf)
        return np.divide(room, self.slope, out=np.full(self.slope.shape, np.inf), where=self.slope > 0)


def compose(instruments, n_products: int, tax_rate=0.10, vat=0.13) -> BuyerPrice:
    """The buyer's price under purchase tax and all instruments in force.

        q(p) = p + tax(p) − min(Σ exemptions(p), tax(p)) − Σ subsidies(p)

    Args:
        instruments: those in force; `Instrument`s, or tuples (kind, eligible, amount, rate, cap, scale).
        n_products: J.
        tax_rate: purchase tax as a fraction of the price without VAT.
        vat: v, fraction.
    Returns:
        `BuyerPrice`: its kinks are where a benefit reaches its cap, or where exemptions stop covering the whole tax.
    Raises:
        ValueError: an unknown kind, wrong shapes, a negative or NaN term, or benefits that grow as fast as the price.
    """
    tax_slope = float(purchase_tax(1.0, tax_rate, vat))
    waived, paid = _lines(instruments, n_products, tax_slope)
    covered = _end_of_full_cover(waived, tax_slope)
    waived_kinks = np.where(waived.kinks() > covered, waived.kinks(), np.inf)
    knots = np.sort(np.vstack([np.where(covered > 0, covered, np.inf), waived_kinks, paid.kinks()]), axis=0).T
    knots = knots[:, np.isfinite(knots).any(axis=0)]
    within = _a_price_within_each_segment(knots)
    slopes = np.ones_like(within)
    for k in range(slopes.shape[1]):
        price = within[:, k]
        waived_slope = (waived.slope * (price < waived.kinks())).sum(axis=0)
        paid_slope = (paid.slope * (price < paid.kinks())).sum(axis=0)
        slopes[:, k] += tax_slope - np.where(price < covered, tax_slope, waived_slope) - paid_slope
    return BuyerPrice(knots, slopes, 0.0 - paid.fixed.sum(axis=0))


def fiscal(instruments, prices, tax_rate=0.10, vat=0.13) -> Fiscal:
    """Purchase tax, tax waived and subsidy per vehicle, `[J]` kCNY each: q(p) = p + purchase_tax − outlay."""
    prices = np.asarray(prices, dtype=float)
    tax = purchase_tax(prices, tax_rate, vat)
    waived, paid = _lines(instruments, len(prices), float(purchase_tax(1.0, tax_rate, vat)))
    exempt = np.minimum(waived.benefits(prices).sum(axis=0), tax)
    return Fiscal(tax - exempt, exempt, paid.benefits(prices).sum(axis=0))


def _lines(instruments, n_products, tax_slope):
    """All exemptions, and all subsidies, as `_Lines`."""
    waived: list[tuple] = []
    paid: list[tuple] = []
    for entry in instruments:
        instrument = entry if isinstance(entry, Instrument) else Instrument(*entry)
        if instrument.kind not in BENEFIT_LINES:
            raise ValueError(f"instrument kind {instrument.kind!r} is not one of {', '.join(BENEFIT_LINES)}")
        eligible = np.asarray(instrument.eligible, dtype=bool)
        if eligible.shape != (n_products,):
            raise ValueError(f"eligible must have shape ({n_products},), one per product, not {eligible.shape}")
        if not min(instrument.amount, instrument.rate, instrument.cap, instrument.scale) >= 0:
            raise ValueError(f"amount, rate, cap and scale of {instrument.kind} must not be negative or NaN")
        fixed, slope, cap = BENEFIT_LINES[instrument.kind](instrument, tax_slope)
        live = eligible & (instrument.scale > 0) & (cap > 0)
        scale = np.where(live, instrument.scale, 0.0)
        line = (fixed * scale, slope * scale, np.where(live, cap * instrument.scale if live.any() else 0.0, 0.0))
        (waived if instrument.kind in EXEMPTIONS else paid).append(line)
    return tuple(
        _Lines(*(np.array([line[part] for line in lines]).reshape(len(lines), n_products) for part in range(3)))
        for lines in (waived, paid)
    )


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
