"""What a car costs over the time it is held: energy, resale, and the CO2 of driving it.

A buyer weighs the outlay

    q_j = q(p_j) + y(T) d_j k_j − (1 + r)^(−T) R_j

q(p) the price after tax and subsidy, d km a year, k the cost of a km, R what the car is expected to fetch after T years, r
the discount rate, y(T) = (1 − (1 + r)^(−T)) / ln(1 + r) the present worth of 1 a year until then. Energy prices are expected
to stay as they are (Anderson, Kellogg & Sallee 2013, Journal of Environmental Economics and Management 66(3), on what
consumers expect). R rests on last year's prices, not on the price that is being set: to a seller cost of use and resale
are given sums, so they move no dq/dp and enter the tax rule as a shift of its intercept (`with_outlay`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass


@dataclass(frozen=True)
class Consumption:
    """What cars take to drive; the arrays have one shape, `[J]`, or `[V, J]` for vintages."""

    fuel: np.ndarray  # litres per 100 km while driving on petrol
    power: np.ndarray  # kWh per 100 km from the battery while driving on it
    electric_share: np.ndarray  # share of the distance driven on the battery, fraction
    charging_loss: float = 0.0  # drawn from the grid beyond what the battery gives, fraction

    def __post_init__(self):
        for name in ("fuel", "power", "electric_share"):
            value = np.asarray(getattr(self, name), dtype=float)
            if not (np.isfinite(value).all() and (value >= 0).all()):
                raise ValueError(f"{name} must be finite and not negative")
            object.__setattr__(self, name, value)
        if (self.electric_share > 1).any() or not self.charging_loss >= 0:
            raise ValueError("electric_share must not exceed 1, and charging_loss must not be negative")

    @cached_property
    def litres_per_km(self) -> np.ndarray:
        """Petrol burnt, litres per km of all driving: (1 − share) fuel / 100."""
        return (1.0 - self.electric_share) * self.fuel / 100.0

    @cached_property
    def kwh_per_km(self) -> np.ndarray:
        """Power drawn from the grid, kWh per km of all driving: share · power / 100 · (1 + loss)."""
        return self.electric_share * self.power / 100.0 * (1.0 + self.charging_loss)


def charging_price(home, public, home_share):
    """Mean price of a kWh, CNY: home_share · home + (1 − home_share) · public."""
    return home_share * home + (1.0 - home_share) * public


def cost_per_km(car: Consumption, petrol_price, power_price):
    """Energy cost of a km, kCNY, from CNY a litre and CNY a kWh; in the shape of the car's arrays."""
    return (car.litres_per_km * petrol_price + car.kwh_per_km * power_price) / 1000.0


def years_of_use(years, discount_rate):
    """Present worth of 1 a year, paid evenly over so many years: y(T) = (1 − (1 + r)^(−T)) / ln(1 + r); T for r = 0.

    Args:
        years: T, not negative, a number or array.
        discount_rate: r a year, above −1.
    Raises:
        ValueError: a negative time, or a rate of −1 or less.
    """
    years = np.asarray(years, dtype=float)
    growth = _log_rate(years, discount_rate)
    return years * 1.0 if growth == 0 else -np.expm1(-growth * years) / growth


def discount_factor(years, discount_rate):
    """Present worth of 1 in so many years: (1 + r)^(−T); arguments as in `years_of_use`."""
    return np.exp(-_log_rate(years, discount_rate) * np.asarray(years, dtype=float))


def use_cost(per_km, distance, years, discount_rate):
    """Present worth of the energy a car takes while it is held, kCNY: y(T) · distance · per_km.

    Args:
        per_km: cost of a km, kCNY.
        distance: km a year. In a choice between cars it is the household's, the same for all of them: that drivers of
            battery cars drive more is as much who they are as what a km costs.
        years, discount_rate: as in `years_of_use`.
    """
    return years_of_use(years, discount_rate) * distance * per_km


def resale_fraction(age, ages, fractions):
    """Part of its price when new that a car is worth, log-linear in age between the ages given.

        ln f(a) = ln f(a_k) + (ln f(a_k+1) − ln f(a_k)) (a − a_k) / (a_k+1 − a_k),   f(0) = 1

    Beyond the last age it falls on as between the last two.

    Args:
        age: a, years, not negative, a number or an array.
        ages: a_1 … a_K, rising from above 0.
        fractions: f at these ages, `[..., K]`, positive and not rising with age, at most 1.
    Returns:
        Fractions, in the common shape of `age` and of `fractions` without its last axis.
    Raises:
        ValueError: ages that do not rise, a fraction that does, or is not in (0, 1], or a negative age.
    """
    age, knots = np.asarray(age, dtype=float), np.append(0.0, np.asarray(ages, dtype=float))
    fractions = np.asarray(fractions, dtype=float)
    if fractions.shape[-1:] != (len(knots) - 1,) or len(knots) < 2 or not (np.diff(knots) > 0).all():
        raise ValueError("ages must rise from above 0, with one fraction each")
    values = np.concatenate([np.ones((*fractions.shape[:-1], 1)), fractions], axis=-1)
    if not ((fractions > 0).all() and (np.diff(values, axis=-1) <= 0).all()):
        raise ValueError("fractions must be positive and fall with age, from 1 when new")
    if not (np.isfinite(age).all() and (age >= 0).all()):
        raise ValueError("age must be finite and not negative")
    shape = np.broadcast_shapes(age.shape, fractions.shape[:-1])
    segment = np.broadcast_to(np.clip(np.searchsorted(knots, age, side="right") - 1, 0, len(knots) - 2), shape)
    logs = np.broadcast_to(np.log(values), (*shape, len(knots)))
    low, high = (np.take_along_axis(logs, (segment + step)[..., None], axis=-1)[..., 0] for step in (0, 1))
    return np.exp(low + (high - low) * (age - knots[segment]) / (knots[segment + 1] - knots[segment]))


def expected_price_ratio(price_change, years, persistence):
    """New prices expected after some years, by today's, when last year's change is thought to fade.

        (1 + g)^e,   e = ρ + ρ² + … = ρ (1 − ρ^T) / (1 − ρ)

    Args:
        price_change: g, last year's change of new prices beyond what the resale values already hold, above −1.
        years: T, not negative.
        persistence: ρ, in [0, 1]: what is left of a change a year on; 0: prices are thought to stay; 1: to go on so.
    Raises:
        ValueError: an argument out of its range.
    """
    price_change, years = np.asarray(price_change, dtype=float), np.asarray(years, dtype=float)
    if not ((price_change > -1).all() and (years >= 0).all() and 0.0 <= persistence <= 1.0):
        raise ValueError("price_change must be above -1, years not negative, and persistence from 0 to 1")
    if persistence in (0.0, 1.0):
        exponent = persistence * years
    else:
        exponent = persistence * (1.0 - np.power(persistence, years)) / (1.0 - persistence)
    return np.power(1.0 + price_change, exponent)


def resale_value(last_price, fraction, price_ratio=1.0, orphan_discount=0.0):
    """What a car is expected to fetch, kCNY: R = p̄ · f(T) · ratio · (1 − d).

    A used car is priced against the new one of its day, so a cut of new prices lowers it by as much.

    Args:
        last_price: p̄, last year's price of the line, kCNY: given when prices are set.
        fraction: f(T), from `resale_fraction`.
        price_ratio: from `expected_price_ratio`.
        orphan_discount: d, fraction, where nobody keeps up the car's software any more; 0 elsewhere.
    Raises:
        ValueError: a discount outside [0, 1].
    """
    orphan_discount = np.asarray(orphan_discount, dtype=float)
    if not ((orphan_discount >= 0) & (orphan_discount <= 1)).all():
        raise ValueError("orphan_discount must be a fraction from 0 to 1")
    return np.asarray(last_price) * fraction * price_ratio * (1.0 - orphan_discount)


def with_outlay(rule: BuyerPrice | BuyerPriceByClass, extra) -> BuyerPrice | BuyerPriceByClass:
    """The tax rule plus sums that no posted price moves: q(p) + extra, with the same dq/dp, kinks and notches.

    Args:
        rule: what buyers pay for the car.
        extra: present worth of use less resale, `[J]`, kCNY; by class of consumers `[C, J]` too.
    Raises:
        ValueError: the shape does not fit the rule.
    """
    extra = np.asarray(extra, dtype=float)
    if isinstance(rule, BuyerPriceByClass):
        shape = (len(rule.rules), rule.n_products)
        if extra.shape not in (shape, shape[1:]):
            raise ValueError(f"extra must be {shape}, or {shape[1:]} for all classes alike, not {extra.shape}")
        return rule.raised(np.broadcast_to(extra, shape))
    if extra.shape != (rule.n_products,):
        raise ValueError(f"extra must be [{rule.n_products}], one sum a product, not {extra.shape}")
    return rule.raised(extra)


def break_even_distance(extra_outlay, saving_per_km, years, discount_rate):
    """Km a year from which a car that is dearer to buy and cheaper to drive is the cheaper one.

        max(extra, 0) / (y(T) · saving per km)

    Args:
        extra_outlay: what it costs more, resale and yearly costs counted, kCNY.
        saving_per_km: what a km costs less, kCNY.
        years, discount_rate: as in `years_of_use`; some time.
    Returns:
        Km a year; +inf where a km costs no less, so that no distance makes up for the outlay.
    """
    extra, saving, worth = np.broadcast_arrays(
        np.maximum(extra_outlay, 0.0), np.asarray(saving_per_km, dtype=float), years_of_use(years, discount_rate)
    )
    gain = saving * worth
    return np.divide(extra, gain, out=np.full(extra.shape, np.inf), where=gain > 0)[()]


def tons_per_year(car: Consumption, distance, petrol_factor, grid_factor):
    """CO2 of driving a car for a year, tons: distance · (litres · petrol factor + kWh · grid factor) / 1000.

    Combustion and power plants; neither refineries and mines nor the making of the car.

    Args:
        car: its consumption.
        distance: km a year.
        petrol_factor: kg a litre; grid_factor: kg a kWh drawn, in the year of driving, whatever the car's age.
    """
    return distance * (car.litres_per_km * petrol_factor + car.kwh_per_km * grid_factor) / 1000.0


def fleet_tons(cars, car: Consumption, distance, petrol_factor, grid_factor):
    """CO2 of a fleet in one year by vintage, `[V]`, tons.

    Args:
        cars: on the road, `[V, J]`, of vintage v and line j.
        car: consumption as bought, `[V, J]`, or `[J]` if all vintages are alike.
        distance: km a year, a number or an array of these shapes.
        petrol_factor, grid_factor: as in `tons_per_year`.
    Returns:
        Tons by vintage; their sum over `cars.sum()` is tons a car.
    """
    return (np.asarray(cars) * tons_per_year(car, distance, petrol_factor, grid_factor)).sum(axis=-1)


def tons_over_life(car: Consumption, distance, survival, petrol_factor, grid_factors):
    """CO2 of a car sold today over the years it is on the road, tons, in the shape of the car's arrays.

    Args:
        car, distance, petrol_factor: as in `tons_per_year`.
        survival: chance to be on the road in each year ahead, `[A]`; `technology.survival` gives it.
        grid_factors: kg a kWh in each of these years, `[A]`.
    Raises:
        ValueError: not one factor a year.
    """
    survival, grid_factors = np.asarray(survival, dtype=float), np.asarray(grid_factors, dtype=float)
    if survival.shape != grid_factors.shape or survival.ndim != 1:
        raise ValueError(f"survival and grid_factors must be alike, [A], not {survival.shape}, {grid_factors.shape}")
    return tons_per_year(car, distance, petrol_factor * survival.sum(), survival @ grid_factors)


def _log_rate(years, discount_rate):
    """ln(1 + r), arguments checked."""
    if not (np.asarray(years) >= 0).all() or not discount_rate > -1.0:
        raise ValueError("years must not be negative, and discount_rate must be above -1")
    return float(np.log1p(discount_rate))
