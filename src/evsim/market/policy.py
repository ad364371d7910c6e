"""Which benefits are in force in a month, for which lines and buyers: the timeline as instruments of `economics.subsidy`.

The dated record (`policy.csv`) gives the instruments of `subsidy.timeline=china`; a scenario may add its own. Levers act from
month 1 on: month 0, the calibration, is under the record alone. What a car's electric range is stands in no table, so each
powertrain and size class has a range by rule (`ranges.csv`, the middle of it); a subsidy band is met if the range lies in it.
A line whose price at the base date is above a ceiling of the record never gets that benefit: its mean price hides cars on both
sides, and a maker to whom going below the ceiling was worth it would have done so. Tesla's line of 2021 at 318 kCNY would else
jump to the ceiling of 300 in month 1.

Some benefits are for some buyers only. Who owns a car may trade it in; who owns one of `subsidy.scrappage_age_months` or more may
have it scrapped, and then gets that benefit instead. An instrument may be for incomes below a bound, or for a share of households
(a region: the data hold no regional sales). Buyers with the same claims are one class with one price (`classes`).

A budget is served first come, first served; once it is spent the instrument is over. What a buyer can know of a month to come are
the instruments announced by now; a phase-out and a hold are known from the month they begin in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from ..data import read_policy, read_ranges
from ..data.market import POWERTRAINS, SIZE_CLASSES
from ..economics.price_rule import BuyerPrice, BuyerPriceByClass
from ..economics.subsidy import (
    Benefits,
    Instrument,
    Schedule,
    compose,
    consumer_classes,
    owns_old_car,
    phase_out,
)
from ..errors import BadRequest
from ..params import Scenario, month_number
from ..params.subsidy import AdValorem, PerUnit, TaxExemption
from ..streams import Purpose, key_of, uniforms
from .offers import Names, Offers

RECORD_KINDS = {"per_unit": "per_unit", "ad_valorem": "ad_valorem", "tax_relief": "tax_exemption"}
OPEN_END = 12 * 9999
KCNY_PER_BN = 1e6
RULES_KEPT = 64


@dataclass(frozen=True)
class Dated:
    """One instrument of the timeline, and whom it is for."""

    name: str
    start: int  # months since year 0
    end: int
    announced: int  # months since year 0
    kind: str
    eligible: np.ndarray  # [J] bool
    amount: float
    rate: float
    cap: float
    ceiling: float = np.inf  # posted price above which nothing is paid, kCNY
    requires: str = ""  # "trade_in" or "scrappage" of a car owned; empty: nothing
    income_below: float = np.inf  # relative to the median
    household_share: float = 1.0  # of households, drawn by key
    budget: float = np.inf  # kCNY over its whole life

    @cached_property
    def key(self) -> tuple[str, int]:
        """By which it is told from all others."""
        return self.name, self.start

    @cached_property
    def gives_something(self) -> bool:
        """Whether anybody could get anything by it; one that gives nothing is as if it were not there."""
        worth = (self.amount > 0 or self.rate > 0) and self.cap > 0 and self.ceiling > 0
        return bool(worth and self.household_share > 0 and self.eligible.any())

    @property
    def for_anybody(self) -> bool:
        """Whether every buyer may claim it."""
        return not self.requires and self.income_below == np.inf and self.household_share >= 1.0


class People(NamedTuple):
    """What decides who may claim what; one entry a household."""

    household: np.ndarray  # key
    income: np.ndarray  # relative to the median
    car_age: np.ndarray  # months; negative: owns none


@dataclass(frozen=True)
class Policy:
    """All instruments of a scenario, the dials that turn them, and what has been spent of budgets."""

    record: tuple[Dated, ...]
    own: tuple[Dated, ...]
    scenario: Scenario
    base: int  # months since year 0 of the base date
    n_lines: int
    spent: dict[tuple[str, int], float] = field(default_factory=dict)  # kCNY, by instrument
    # asked for lately, by scale and instruments: of all lines, and with the numbers of some of them
    rules: dict[tuple, BuyerPrice] = field(default_factory=dict)
    # likewise, of all lines
    schedules: dict[tuple, Schedule] = field(default_factory=dict, compare=False, repr=False)
    # in force, by month, month in which it is asked and whether there is money left: worked out, no part of the state
    known: dict[tuple, tuple[Dated, ...]] = field(init=False, compare=False, repr=False, default_factory=dict)
    # likewise, by month, horizon and whether there is money left
    outlooks: dict[tuple, tuple[int, ...]] = field(init=False, compare=False, repr=False, default_factory=dict)

    def dated(self, month: int, seen_from: int | None = None) -> tuple[Dated, ...]:
        """Instruments in force in a month counted from the base date, as known in another month (none: in that month)."""
        key = (month, month if seen_from is None else seen_from, self._lasting())
        if key not in self.known:
            self.known[key] = tuple(self._dated(month, seen_from))
        return self.known[key]

    def _lasting(self) -> tuple[bool, ...]:
        """Whether there is money left of each instrument with a budget."""
        if not self._rationed:
            return ()
        return tuple(self.spent.get(entry.key, 0.0) < self.budget(entry) for entry in self._rationed)

    @cached_property
    def _rationed(self) -> tuple[Dated, ...]:
        """Instruments with a budget."""
        return tuple(entry for entry in (*self.record, *self.own) if entry.budget < np.inf)

    def _dated(self, month: int, seen_from: int | None) -> list[Dated]:
        dials, when, now = (
            self.scenario.subsidy,
            self.base + month,
            self.base + (month if seen_from is None else seen_from),
        )
        if month == 0:
            known = self.record
        elif (dials.end and when > month_number(dials.end)) or self.scale(month, seen_from) == 0.0:
            return []
        else:
            known = (self.record if dials.timeline == "china" else ()) + self.own
            if dials.hold_from and now >= month_number(dials.hold_from):
                when = min(when, month_number(dials.hold_from))
        return [
            entry
            for entry in known
            if entry.start <= when <= entry.end
            and (entry.announced <= now or month == 0)
            and self.spent.get(entry.key, 0.0) < self.budget(entry)
            and entry.gives_something
        ]

    def scale(self, month: int, seen_from: int | None = None) -> float:
        """What multiplies every benefit: the dial, and what is left of a phase-out."""
        dials, now = self.scenario.subsidy, self.base + (month if seen_from is None else seen_from)
        if month == 0:
            return 1.0
        if not dials.phase_out_start or now < month_number(dials.phase_out_start):
            return dials.scale
        start = month_number(dials.phase_out_start)
        return dials.scale * float(phase_out(self.base + month, start, dials.phase_out_months))

    def budget(self, entry: Dated) -> float:
        """What may be paid by an instrument over its whole life, kCNY; +inf: no limit."""
        return entry.budget * self.scenario.subsidy.scale if entry.budget < np.inf else np.inf

    def benefits(self, month: int, prices: np.ndarray) -> Benefits:
        """What each of the benefits in a month gives at the posted prices of all lines, whoever may claim it."""
        entries, scale, dials = self.dated(month), self.scale(month), self.scenario.subsidy
        whole = (scale, tuple(entry.key for entry in entries))
        if whole not in self.schedules:
            instruments = [instrument_of(entry, scale) for entry in entries]
            self.schedules[whole] = Schedule.of(instruments, self.n_lines, dials.purchase_tax, dials.vat)
        return self.schedules[whole].at(prices)

    def buyer_price(self, month: int, rows: np.ndarray) -> BuyerPrice:
        """What buyers of the given lines pay who have nothing to claim by: as a function of the posted price."""
        return self._rule(month, [entry for entry in self.dated(month) if entry.for_anybody], rows, self.scale(month))

    def classes(
        self, month: int, rows: np.ndarray, people: People, seen_from: int | None = None
    ) -> BuyerPrice | BuyerPriceByClass:
        """What buyers pay, by class of what they may claim; one rule where all are alike.

        Args:
            month: whose policy; rows: lines; people: the buyers, `[N]`.
            seen_from: as known in this month.
        """
        entries, scale = self.dated(month, seen_from), self.scale(month, seen_from)
        if all(entry.for_anybody for entry in entries):
            return self._rule(month, entries, rows, scale)
        class_of, entitled = consumer_classes(self.entitled(entries, people))
        rules = [
            self._rule(month, [entry for entry, gets in zip(entries, claims, strict=True) if gets], rows, scale)
            for claims in entitled
        ]
        if not rules:
            return self._rule(month, [], rows, scale)
        return rules[0] if len(rules) == 1 else BuyerPriceByClass(tuple(rules), class_of)

    def entitled(self, entries: Sequence[Dated], people: People) -> np.ndarray:
        """Who may claim which instrument, `[N, I]` bool."""
        old = owns_old_car(people.car_age, self.scenario.subsidy.scrappage_age_months)
        holds = {"scrappage": old, "trade_in": (people.car_age >= 0) & ~old}
        claims = np.ones((len(entries), len(old)), dtype=bool)
        for claim, entry in zip(claims, entries, strict=True):
            if entry.requires:
                claim &= holds[entry.requires]
            if entry.income_below < np.inf:
                claim &= people.income < entry.income_below
            if entry.household_share < 1.0:
                lot = uniforms(self.scenario.seed, Purpose.CLAIM, 0, people.household, key_of(entry.name))
                claim &= lot < entry.household_share
        return claims.T

    def outlook(self, month: int, horizon: int) -> tuple[int, ...]:
        """What buyers expect of the benefits of this month and the next ones up to the horizon: for each month, counted from
        this one, the first with the same benefits; 0 throughout: nothing changes."""
        key = (month, horizon, self._lasting())
        if key not in self.outlooks:
            expected = [self._signature(ahead, month) for ahead in range(month, month + horizon + 1)]
            self.outlooks[key] = tuple(expected.index(each) for each in expected)
        return self.outlooks[key]

    def _signature(self, month: int, seen_from: int) -> tuple:
        """What buyers expect of a month's benefits: equal where nothing changes."""
        return (self.scale(month, seen_from), tuple(entry.key for entry in self.dated(month, seen_from)))

    def _rule(self, month: int, entries: Sequence[Dated], rows: np.ndarray, scale: float) -> BuyerPrice:
        """What who may claim these pays for the given lines; the last ones asked for are kept."""
        whole = (scale, tuple(entry.key for entry in entries))
        some = (*whole, rows.tobytes())
        if some not in self.rules:
            if len(self.rules) >= RULES_KEPT:
                self.rules.clear()
            if whole not in self.rules:
                self.rules[whole] = self._composed(month, entries, scale)
            self.rules[some] = self.rules[whole].of(rows)
        return self.rules[some]

    def _composed(self, month: int, entries: Sequence[Dated], scale: float) -> BuyerPrice:
        """The rule of all lines."""
        dials = self.scenario.subsidy
        instruments = [instrument_of(entry, scale) for entry in entries]
        try:
            return compose(instruments, self.n_lines, dials.purchase_tax, dials.vat)
        except ValueError as error:
            kinds = ", ".join(entry.kind for entry in entries)
            raise BadRequest(
                f"subsidy, month {month}: {error} ({kinds}); lower a rate or subsidy.scale={dials.scale:g}"
            ) from error


def instrument_of(entry: Dated, scale: float) -> Instrument:
    """The instrument of `economics.subsidy`, for all lines."""
    return Instrument(entry.kind, entry.eligible, entry.amount, entry.rate, entry.cap, scale, entry.ceiling)


def make_policy(offers: Offers, names: Names, scenario: Scenario) -> Policy:
    """The timeline for the given lines.

    Raises:
        BadRequest: an instrument is for an automaker that this market does not have.
    """
    base = month_number(scenario.start) - 1
    reach = cache(lambda year: electric_range(offers, year))
    entries = tuple(_from_record(row, offers, reach) for row in _record())
    own = tuple(
        _from_scenario(place, instrument, offers, names)
        for place, instrument in enumerate(scenario.subsidy.instruments)
    )
    return Policy(entries, own, scenario, base, len(offers))


@cache
def _record() -> tuple:
    """Rows of the dated record that pay or waive something."""
    record = read_policy()
    return tuple(record[record["kind"].isin(list(RECORD_KINDS))].itertuples())


def _month(text: str, default: int) -> int:
    return month_number(text) if text else default


def _has_powertrain(offers: Offers, names: Sequence[str]) -> np.ndarray:
    """Lines with one of the given powertrains, `[J]` bool."""
    return np.array([name in names for name in POWERTRAINS])[offers.powertrain]


def _from_record(row, offers: Offers, reach: Callable[[int], np.ndarray]) -> Dated:
    """A row of the record, with the electric range of the lines in a year; empty numbers are nan and mean no limit."""
    eligible = _has_powertrain(offers, row.powertrains.split(";"))
    if not np.isnan(row.range_min) or not np.isnan(row.range_max):
        there = reach(int(row.start[:4]))
        low = 0.0 if np.isnan(row.range_min) else row.range_min
        high = np.inf if np.isnan(row.range_max) else row.range_max
        eligible &= (there >= low) & (there < high)
    if not np.isnan(row.price_ceiling):
        eligible &= offers.base_price <= row.price_ceiling
    amount, rate, cap, ceiling = (
        default if np.isnan(value) else float(value)
        for value, default in ((row.amount, 0.0), (row.rate, 0.0), (row.cap, np.inf), (row.price_ceiling, np.inf))
    )
    start = _month(row.start, 0)
    return Dated(
        name=f"{row.instrument} {row.start} {row.powertrains} {row.amount:g} {row.range_min:g}",
        start=start,
        end=_month(row.end, OPEN_END),
        announced=min(_month(row.announced, start), start),
        kind=RECORD_KINDS[row.kind],
        eligible=eligible,
        amount=amount,
        rate=rate,
        cap=cap,
        ceiling=ceiling,
        requires=row.requires,
    )


def _from_scenario(place: int, instrument: PerUnit | AdValorem | TaxExemption, offers: Offers, names: Names) -> Dated:
    """An instrument of a scenario's own list."""
    eligible = _has_powertrain(offers, instrument.powertrains)
    unknown = [name for name in instrument.automakers if name not in names.automakers]
    if unknown:
        raise BadRequest(
            f"subsidy.instruments[{place}].automakers={unknown[0]} sells nothing in this market; name one of its automakers, "
            f"such as {names.automakers[0]}"
        )
    if instrument.automakers:
        eligible &= np.isin(offers.automaker, [names.automakers.index(name) for name in instrument.automakers])
    amount = instrument.amount_kcny if isinstance(instrument, PerUnit) else 0.0
    rate = 0.0
    if isinstance(instrument, AdValorem):
        rate = instrument.rate
    elif isinstance(instrument, TaxExemption):
        rate = instrument.share
    cap = np.inf if isinstance(instrument, PerUnit) or instrument.cap_kcny is None else instrument.cap_kcny
    start = month_number(instrument.start)
    return Dated(
        name=instrument.name,
        start=start,
        end=_month(instrument.end or "", OPEN_END),
        announced=_month(instrument.announced or "", start),
        kind=instrument.kind,
        eligible=eligible,
        amount=amount,
        rate=rate,
        cap=cap,
        ceiling=np.inf if instrument.price_ceiling_kcny is None else instrument.price_ceiling_kcny,
        requires="" if instrument.requires == "nothing" else instrument.requires,
        income_below=np.inf if instrument.income_below is None else instrument.income_below,
        household_share=instrument.household_share,
        budget=np.inf if instrument.budget_bn is None else instrument.budget_bn * KCNY_PER_BN,
    )


def electric_range(offers: Offers, year: int) -> np.ndarray:
    """Electric range of each line in a year, km, by powertrain, size class and base price; 0 where no rule fits.

    The rules of the last year on record hold on.
    """
    reach = np.zeros(len(offers))
    for rule in _range_rules(year):
        fits = (
            (offers.powertrain == rule.powertrain)
            & (offers.size_class == rule.size_class)
            & (offers.base_price >= rule.price_from)
            & (offers.base_price < rule.price_below)
        )
        reach[fits] = rule.reach
    return reach


class _RangeRule(NamedTuple):
    """The electric range of cars of a powertrain and size class between two base prices."""

    powertrain: int
    size_class: int
    price_from: float  # kCNY
    price_below: float
    reach: float  # km


@lru_cache(maxsize=64)
def _range_rules(year: int) -> tuple[_RangeRule, ...]:
    """The rules of a year; those of the last year on record hold on."""
    ranges = read_ranges()
    year = min(year, int(ranges["last_year"].max()))
    return tuple(
        _RangeRule(
            POWERTRAINS.index(rule.powertrain),
            SIZE_CLASSES.index(rule.size_class),
            0.0 if np.isnan(rule.price_from) else rule.price_from,
            np.inf if np.isnan(rule.price_below) else rule.price_below,
            0.5 * (rule.range_low + rule.range_high),
        )
        for rule in ranges[(ranges["first_year"] <= year) & (ranges["last_year"] >= year)].itertuples()
    )
