"""The launch calendar: which line each dated event belongs to, and the quality and cost of lines to come.

A launch opens a line, or adds a nameplate to one on sale. A relaunch renews a nameplate; on another software stack it moves the
nameplate to the line of that stack. Products of the base month itself that the table does not hold yet open in month 1.

Quality and cost of new lines come from their peers in brand, class and price; never from their own later sales:

    ξ_j = x_j' b + brand + line_spread z_j,   ln(c_j + fees_j) = x_j' g

b and g are least-squares fits of the base lines, without pooled lines and lines in their ramp-up. Full unit cost is regressed,
what the maker pays the leader included, for a contract moves costs from the maker's books to the leader's and does not make a
car dearer; a new line's own fees are taken off again. `brand` is the mean residual of the brand's lines, or of its maker's if the
brand is new, shrunk by n/(n + 1); a brand without either has brand_spread z_b. z are keyed draws, once per brand and once per
line, from a normal cut at 2 spreads: one brand in three hundred would else be beyond everything seen, and its luck the story
of the run.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from ..data import read_launches
from ..data.market import POWERTRAINS, SIZE_CLASSES
from ..errors import BadRequest
from ..params import Scenario, month_name, month_number
from ..params.market import MarketParams
from ..params.modes import ProspectiveBrand
from ..streams import Purpose, bounded_normal
from .lines import line_name, tier_name, tier_of
from .modes import dated_changes
from .offers import Offers

ENOUGH_LINES = 30  # settled lines on which newcomers can be placed; smaller tables get no launches
UNOPENED = 32_000  # the month that opens a line nobody has decided to open
LEAST_COST_SHARE = 0.1  # of its full cost: the least that a new line costs its maker, whatever the fees


@dataclass(frozen=True)
class Launch:
    """One dated event of the calendar, resolved to a row of the offers."""

    month: int  # from the base date, at least 1
    row: int
    event: str  # opens, adds (a nameplate), refreshes (a nameplate), leaves (a nameplate goes)


def coming_launches(scenario: Scenario, table: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Launches, variants and relaunches after the base date, at transaction prices, in order of time.

    In a world without the alliance its stack is replaced by a bought one, and brands that exist by it alone do not come.
    Where brands choose, so it is for every brand that is not on the leader's platform at the base date, nor contracted to
    start there; brands that may yet choose to start are left out: `prospects` has their first lines.
    """
    launches, base = read_launches(), month_name(month_number(scenario.start) - 1)
    new = launches["event"].isin(["launch", "variant"])
    missing = new & (launches["month"] == base) & ~launches["product"].isin(table["product"])
    later = (launches["month"] > base) & (launches["month"] <= scenario.end) & (new | (launches["event"] == "relaunch"))
    known = launches["list_price_low"].notna()
    wanted = (
        scenario.products.launches == "calendar" and int((lines["settled"] & ~lines["pooled"]).sum()) >= ENOUGH_LINES
    )
    launches = launches[(missing | later) & known & wanted]
    high = launches["list_price_high"].fillna(launches["list_price_low"])
    middle = 0.5 * (launches["list_price_low"] + np.minimum(high, 1.6 * launches["list_price_low"]))
    ratio = float(np.average(lines["list_ratio"], weights=lines["units"]))
    launches = launches.assign(
        price=middle * ratio, month=launches["month"].where(launches["month"] > base, scenario.start)
    )
    waiting = {prospect.brand for prospect in uncommitted(scenario, lines)}
    launches = launches[~launches["brand"].isin(waiting)]
    if scenario.modes.rule in ("none", "chosen"):
        theirs = launches["platform"] == scenario.alliance.platform
        if scenario.modes.rule == "chosen":
            bound = set(lines.loc[lines["platform"] == scenario.alliance.platform, "brand"])
            bound |= {prospect.brand for prospect in scenario.modes.prospective} - waiting
            theirs &= ~launches["brand"].isin(bound)
        alone = theirs & (launches["mode"] == "alliance") & ~launches["brand"].isin(lines["brand"])
        launches = launches.assign(
            platform=launches["platform"].where(~theirs, "supplier"), mode=launches["mode"].where(~theirs, "supplier")
        )[~alone]
    return launches.sort_values("month", kind="stable")


def uncommitted(scenario: Scenario, lines: pd.DataFrame) -> list[ProspectiveBrand]:
    """Prospective brands that are not sold at the base date, nor contracted by then: their makers have yet to choose."""
    if scenario.modes.rule != "chosen":
        return []
    sold, listed = set(lines["brand"]), scenario.modes.prospective
    return [entry for entry in listed if entry.brand not in sold and (entry.agreed or scenario.start) >= scenario.start]


def prospects(scenario: Scenario, lines: pd.DataFrame) -> pd.DataFrame:
    """First lines of brands whose makers have yet to choose, as rows like those `plan` gives; they open when chosen.

    Raises:
        BadRequest: a brand of the scenario's own list is sold already, or its maker sells nothing in this market.
    """
    groups = dict(zip(lines["automaker"], lines["group"], strict=True))
    _check_own_prospects(scenario, groups, set(lines["brand"]))
    rows = []
    for entry in uncommitted(scenario, lines):
        if entry.automaker not in groups:
            continue
        launch = SimpleNamespace(
            brand=entry.brand,
            automaker=entry.automaker,
            group=groups[entry.automaker],
            powertrain=entry.powertrain,
            size_class=entry.size_class,
            platform="supplier",
            mode="supplier",
            price=entry.price_kcny,
            product=entry.brand,
        )
        tier = tier_name(tier_of(entry.price_kcny, scenario.market.price_tiers), scenario.market.price_tiers)
        name = line_name(entry.brand, entry.automaker, entry.powertrain, tier, "supplier")
        rows.append(_new_line(launch, name, UNOPENED, scenario.market))
    return pd.DataFrame(rows, columns=[*lines.columns, "opens"])


def _check_own_prospects(scenario: Scenario, groups: dict[str, str], sold: set[str]) -> None:
    """Refuse what a scenario says of its own that this market cannot have; the default list fits itself to the market."""
    default = type(scenario.modes)().prospective
    for number, entry in enumerate(scenario.modes.prospective):
        if scenario.modes.rule != "chosen" or entry in default:
            continue
        key, table = f"modes.prospective[{number}]", scenario.market.table
        if entry.automaker not in groups:
            near = difflib.get_close_matches(entry.automaker, groups, 1, cutoff=0.0)[0]
            raise BadRequest(
                f"{key}.automaker={entry.automaker} sells nothing in market.table={table}; the nearest maker is {near}"
            )
        if entry.brand in sold:
            raise BadRequest(f"{key}.brand={entry.brand} is sold in market.table={table} already; name a new brand")


def plan(lines: pd.DataFrame, launches: pd.DataFrame, scenario: Scenario) -> tuple[pd.DataFrame, list[Launch]]:
    """Lines that the calendar will open, and its events.

    Args:
        lines: base lines as `lines_of` makes them, with modes.
        launches: as `coming_launches` gives them.
    Returns:
        The lines to come, with the columns of `lines` and `opens` (month from the base date), and the events in order.
    """
    book = _LineBook(lines, scenario)
    before = month_number(scenario.start) - 1
    future: list[dict] = []
    events: list[Launch] = []
    for launch in launches.itertuples():
        month = month_number(launch.month) - before
        book.follow(month)
        row = book.row_of(launch)
        if launch.event == "relaunch":
            old = book.row_of_product(launch)
            if old is None or old == row or book.platform[old] == launch.platform:
                renewed = old if old is not None else row
                events += [Launch(month, renewed, "refreshes")] if renewed is not None else []
                continue
            events.append(Launch(month, old, "leaves"))
        if row is not None:
            events.append(Launch(month, row, "adds"))
            book.products[launch.product] = row
            continue
        row = len(lines) + len(future)
        future.append(_new_line(launch, book.enter(launch, row), month, scenario.market))
        events.append(Launch(month, row, "opens"))
    return pd.DataFrame(future, columns=[*lines.columns, "opens"]), events


def _new_line(launch, name: str, month: int, params: MarketParams) -> dict:
    """A line to come, as a row like those of the base lines."""
    copied = ("brand", "automaker", "group", "powertrain", "size_class", "platform", "mode", "price")
    return {column: getattr(launch, column) for column in copied} | {
        "product": name,
        "products": launch.product,
        "tier": tier_of(launch.price, params.price_tiers),
        "units": 0.0,
        "nameplates": 1.0,
        "pooled": False,
        "list_ratio": 1.0,
        "settled": False,
        "opens": month,
    }


class _LineBook:
    """Which line a launch belongs to, and names for new ones."""

    def __init__(self, lines: pd.DataFrame, scenario: Scenario):
        self.params, self.compact = scenario.market, scenario.market.granularity == "compact"
        self.changes = dated_changes(scenario)
        self.names = set(lines["product"])
        self.rows: dict[tuple, int] = {}
        self.products: dict[str, int] = {}
        self.platform, self.brand = list(lines["platform"]), list(lines["brand"])
        for row in lines[~lines["pooled"]].itertuples():
            self.rows[self._key(row, row.tier)] = row.Index
            self.products |= dict.fromkeys(row.products.split(";"), row.Index)

    def _key(self, row, tier: int) -> tuple:
        return (row.brand, row.automaker, row.powertrain, tier, row.platform) if self.compact else (row.product,)

    def follow(self, month: int) -> None:
        """Brands that have moved to another stack by this month: their lines are looked up under it."""
        while self.changes and self.changes[0].month <= month:
            change = self.changes.pop(0)
            for key, row in [item for item in self.rows.items() if self.brand[item[1]] == change.brand]:
                if self.platform[row] == change.before and change.platform:
                    self.platform[row] = change.platform
                    if self.compact:
                        self.rows[(*key[:-1], change.platform)] = self.rows.pop(key)

    def row_of(self, launch) -> int | None:
        """The line that the launched car belongs to, if there is one already."""
        return self.rows.get(self._key(launch, tier_of(launch.price, self.params.price_tiers)))

    def row_of_product(self, launch) -> int | None:
        """The line of the first product that a relaunch names."""
        return next((self.products[name] for name in launch.of_products.split(";") if name in self.products), None)

    def enter(self, launch, row: int) -> str:
        """Note a new line and give it a name of its own."""
        tier = tier_of(launch.price, self.params.price_tiers)
        name = launch.product
        if self.compact:
            tier_words = tier_name(tier, self.params.price_tiers)
            words = (launch.brand, launch.automaker, launch.powertrain, tier_words, launch.platform)
            name = line_name(*words)
            name = line_name(*words, ambiguous=True) if name in self.names else name
        elif name in self.names:
            name = f"{name} ({launch.month})"
        self.names.add(name)
        self.rows[self._key(launch, tier)] = self.products[launch.product] = row
        self.platform.append(launch.platform)
        self.brand.append(launch.brand)
        return name


def regressors(offers: Offers, rows: np.ndarray) -> np.ndarray:
    """Design of the launch regressions: constant, ln price, powertrains, size classes, foreign premium marque, `[n, 11]`."""
    columns = [np.ones(len(rows)), np.log(offers.base_price[rows])]
    columns += [(offers.powertrain[rows] == code).astype(float) for code in range(1, len(POWERTRAINS))]
    columns += [(offers.size_class[rows] == code).astype(float) for code in range(1, len(SIZE_CLASSES))]
    columns.append(offers.premium[rows])
    return np.column_stack(columns)


def place_launches(offers: Offers, fees: np.ndarray, scenario: Scenario) -> dict[str, float]:
    """Quality and cost of lines to come: the equations above.

    Args:
        fees: what the maker of each line pays the leader a car at its base price, `[J]`, kCNY.
    Returns:
        R² of both regressions and the standard deviation of quality's residuals; nothing where too few lines are known.
    """
    known = np.flatnonzero((offers.base_units > 0) & offers.settled & ~offers.pooled)
    offers.launch_quality = offers.quality.copy()
    if len(known) < ENOUGH_LINES:
        return {}
    seed, spreads = scenario.seed_of_firms, scenario.products
    purpose = int(Purpose.LAUNCH)  # numba takes a millisecond to type an enum
    fitted, full_cost = regressors(offers, known), np.log(offers.cost[known] + fees[known])
    quality_fit = np.linalg.lstsq(fitted, offers.quality[known], rcond=None)[0]
    cost_fit = np.linalg.lstsq(fitted, full_cost, rcond=None)[0]
    residual = offers.quality[known] - fitted @ quality_fit
    rows = np.flatnonzero(~offers.pooled)
    effect_of = cache(lambda brand, automaker: _brand_effect(offers, brand, automaker, known, residual))
    for row, mean_quality in zip(rows, regressors(offers, rows) @ quality_fit, strict=True):
        brand_effect = effect_of(offers.brand[row], offers.automaker[row])
        if brand_effect is None:
            brand_effect = spreads.brand_spread * bounded_normal(seed, purpose, 0, int(offers.brand_key[row]), 0)
        luck = spreads.line_spread * bounded_normal(seed, purpose, 0, int(offers.key[row]), 1)
        offers.launch_quality[row] = mean_quality + brand_effect + luck
    future = np.flatnonzero(offers.base_units == 0)
    offers.quality[future] = offers.launch_quality[future]
    cost = np.exp(regressors(offers, future) @ cost_fit)
    offers.cost[future] = np.maximum(cost - fees[future], LEAST_COST_SHARE * cost)
    return {
        "quality_r2": _r_squared(offers.quality[known], fitted @ quality_fit),
        "cost_r2": _r_squared(full_cost, fitted @ cost_fit),
        "quality_residual_sd": float(np.std(residual)),
    }


def _brand_effect(offers: Offers, brand: int, automaker: int, known: np.ndarray, residual: np.ndarray) -> float | None:
    """Mean residual of the peers of a brand's lines, shrunk by n/(n + 1); None if they have none."""
    for codes, code in ((offers.brand, brand), (offers.automaker, automaker)):
        peers = residual[codes[known] == code]
        if len(peers):
            return float(peers.mean()) * len(peers) / (len(peers) + 1.0)
    return None


def _r_squared(observed: np.ndarray, fitted: np.ndarray) -> float:
    spread = float(np.var(observed))
    return float(1.0 - np.var(observed - fitted) / spread) if spread > 0 else 1.0
