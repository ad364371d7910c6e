"""What a way of getting software means for a brand's lines, which ways a brand has, and the change from one to another.

A full stack goes into a brand's lines from `modes.least_price` on: electric ones and those of foreign premium marques; in mode
`alliance` electric ones alone, for the leader's shops sell no others. Cheaper lines, and cars without a stack, stay as they are.
"""

from dataclasses import replace

import numpy as np

from ..data import read_membership
from ..data.market import NO_ECOSYSTEM
from ..params import Scenario, month_number
from ..streams import key_of
from .brands import OUT, Brand, Way
from .offers import MODE, MODES, Names, Offers
from .state import Market

PARTS = Way("supplier", "supplier")  # software bought from parts makers, no ecosystem
WITH_LEADER = ("alliance", "inside")  # modes in which a car runs on the leader's platform
FULL_STACK = np.array([mode in WITH_LEADER for mode in MODES])  # the same by the code of the mode


def on_sale(market: Market, brand: Brand) -> bool:
    """Whether any line of the brand is on sale."""
    return bool(market.offers.on_sale[brand.lines].any())


def equipped(market: Market, brand: Brand, way: Way) -> np.ndarray:
    """Rows of a brand's lines, on sale or to come, that a change to this way is about."""
    offers, rows = market.offers, brand.lines
    present = offers.platform[rows]
    fits = (offers.base_price[rows] >= market.scenario.modes.least_price) & (present != market.platform_code("none"))
    fits &= (offers.electric[rows] > 0) | (offers.premium[rows] > 0)
    if way.mode == "alliance":
        fits &= offers.electric[rows] > 0
    if way == PARTS and brand.way.mode == "components":
        return rows[offers.mode[rows] == MODE["components"]]
    if way == PARTS:
        return rows if brand.prospective else rows[present == market.platform_code(brand.way.platform)]
    if way.mode == "in_house":
        fits |= (present == market.platform_code(market.scenario.alliance.platform)) | brand.prospective
    return rows[fits]


def moved(market: Market, rows: np.ndarray, way: Way) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Platform, mode and cost of all lines, `[J]` each, once the given ones are in this way.

    What the leader bore under the old contract is the maker's to bear now, and the other way round. Who buys only parts
    from the leader keeps its own software, or falls back on bought parts where that was the leader's.
    """
    offers, leader = market.offers, market.platform_code(market.scenario.alliance.platform)
    platform, mode, cost = offers.platform.copy(), offers.mode.copy(), offers.cost.copy()
    if way.mode == "components":
        platform[rows] = np.where(platform[rows] == leader, market.platform_code(PARTS.platform), platform[rows])
    else:
        platform[rows] = market.platform_code(way.platform)
    mode[rows] = MODE[way.mode]
    cost[rows] += relief(market, rows, offers.platform[rows], offers.mode[rows])
    cost[rows] -= relief(market, rows, platform[rows], mode[rows])
    return platform, mode, cost


def relief(market: Market, rows: np.ndarray, platform: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """What lines are spared of their own cost by the contract they are under, kCNY a car: the leader's parts and shops; a
    rival supplier's stack costs its fee instead. Shops are counted at the base price, so that a contract is reversible."""
    scenario = market.scenario
    terms = market.rates.terms(mode, market.offers.base_price[rows], scenario.subsidy.vat)
    rival = market.platform_code(scenario.modes.rival_platform or "")
    bought = (mode == MODE["supplier"]) | (mode == MODE["components"])
    return terms.parts_cost - scenario.contracts.rival_fee * ((platform == rival) & bought)


def adopt(market: Market, rows: np.ndarray, way: Way) -> None:
    """Lines that move to another stack or contract; cars sold keep their platform."""
    offers = market.offers
    offers.platform, offers.mode, offers.cost = moved(market, rows, way)


def tried(market: Market, rows: np.ndarray, way: Way) -> Market:
    """The market with the given lines on sale in this way; the market itself stays as it is."""
    platform, mode, cost = moved(market, rows, way)
    selling = market.offers.on_sale.copy()
    selling[rows] = True
    return replace(market, offers=replace(market.offers, platform=platform, mode=mode, cost=cost, on_sale=selling))


def fellows(market: Market, automaker: int) -> list[int]:
    """Makers that share an in-house stack with this one, itself among them: those of its group that are no joint ventures,
    for a venture's software is the foreign partner's or its own."""
    names, ventures = market.names.automakers, market.traits.ownership
    if ventures.get(names[automaker]) == "joint venture":
        return [automaker]
    group = market.groups.get(names[automaker], names[automaker])
    return [
        code
        for code, name in enumerate(names)
        if market.groups.get(name, name) == group and ventures.get(name) != "joint venture"
    ]


def own_stack(market: Market, brand: Brand) -> str | None:
    """The in-house stack that the brand's maker or its fellows run cars on; none: they have none."""
    offers, makers = market.offers, fellows(market, brand.automaker)
    theirs = np.bincount(makers, minlength=len(market.names.automakers)) > 0
    rows = np.flatnonzero(offers.on_sale & theirs[offers.automaker] & market.own_software())
    if not len(rows):
        return None
    counts = np.bincount(offers.platform[rows], np.maximum(offers.base_units[rows], 1.0))
    return market.names.platforms[int(counts.argmax())]


def new_stack(market: Market, brand: Brand) -> str | None:
    """The name under which the brand's maker and its fellows would run a stack of their own; none: not to be had."""
    maker = market.names.automakers[brand.automaker]
    venture = market.traits.ownership.get(maker) == "joint venture"
    name = maker if venture else market.groups.get(maker, maker)
    code = market.platform_code(name)
    return name if code >= 0 and market.platforms.dormant[code] else None


def built_quality(market: Market) -> float:
    """Quality of a stack that has just been built, kCNY: the mean of in-house stacks on sale, by sales at the base date."""
    offers = market.offers
    rows = np.flatnonzero(offers.on_sale & market.own_software())
    quality = market.platforms.quality
    if not len(rows):
        return float(quality[market.platform_code(PARTS.platform)])
    return float(np.average(quality[offers.platform[rows]], weights=offers.base_units[rows] + 1.0))


def is_local(market: Market, brand: Brand) -> bool:
    """Whether the marque is Chinese; the leader's shops sell no others."""
    return market.traits.origin.get(market.names.brands[brand.brand], "China") == "China"


def ways(market: Market, brand: Brand, offered: tuple[str, ...]) -> list[Way]:
    """Every way that a brand has at a review, its present one first.

    Args:
        offered: modes in which the leader sells.
    """
    alliance, rival = market.scenario.alliance, market.scenario.modes.rival_platform
    found = [brand.way]
    for mode in offered:
        if mode != "alliance" or is_local(market, brand):
            found.append(Way(mode, alliance.platform))
    own = own_stack(market, brand) or new_stack(market, brand)
    if own:
        found.append(Way("in_house", own))
    if market.platform_code(rival or "") >= 0:
        found.append(Way("supplier", str(rival)))
    if brand.way.platform not in NO_ECOSYSTEM or brand.prospective:
        found.append(PARTS)
    unique = list(dict.fromkeys(found))
    return [way for way in unique if way == brand.way or len(equipped(market, brand, way))]


def brands_of(offers: Offers, names: Names, scenario: Scenario) -> list[Brand]:
    """Brands at the base date, each with the way of most of its cars; those contracted to start later in theirs."""
    base = month_number(scenario.start) - 1
    records = read_membership()
    records = records[(records["stack"] == scenario.alliance.platform) & (records["scope"] == "brand")]
    begun = {row.brand: month_number(row.start) - base for row in records.itertuples() if row.start}
    waiting = {entry.brand for entry in scenario.modes.prospective}
    found = []
    pairs = np.unique(np.stack([offers.automaker[~offers.pooled], offers.brand[~offers.pooled]], axis=1), axis=0)
    for automaker, code in pairs.tolist():
        rows = np.flatnonzero((offers.automaker == automaker) & (offers.brand == code) & ~offers.pooled)
        dear = rows[offers.base_price[rows] >= scenario.modes.least_price]
        main = (dear if len(dear) else rows)[0]  # rows are in the order of sales
        way = Way(MODES[int(offers.mode[main])], names.platforms[int(offers.platform[main])])
        name = names.brands[code]
        opens = int(offers.refreshed[rows].min())
        prospective = name in waiting and not offers.on_sale[rows].any() and opens > scenario.n_months
        since = -1200
        if way.mode in WITH_LEADER:
            since = min(begun.get(name, 0), 0) if offers.on_sale[rows].any() else opens
        key = key_of(f"{names.automakers[automaker]}|{name}")
        found.append(Brand(automaker, code, key, rows, OUT if prospective else way, since, since, prospective))
    return found
