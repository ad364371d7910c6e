"""What the leader works out before it sets its terms, takes a new partner, or spends on research. Nothing is written.

Terms are tried on a grid of its share of the price and of its fees, each point played out by the brands that might come or
go: bound members stay, others answer one at a time (`economics.coalition.settle`) at the middle point of the forecast. A new
partner is welcome if the leader's yearly profit there is higher with it: its fees, less those of cars it takes from other
members, and with the trust it lends spread more thinly. Research is chosen by what a better stack would bring at today's
members and prices.

On fees alone the leader would have asked a higher share at the base date and spent half as much on research: it builds a
platform. What it must count for a car on its stack, and for quality, to have wanted what it did is recovered, as costs are
from prices, and counts from then on.

Refused: fees alone (research fell by three quarters within three years); a weight set by hand.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..economics.coalition import Settlement, settle
from ..economics.utility import SOFTWARE
from ..economics.valuation import present_value, yearly
from .brands import Brand, Way
from .changes import bound, brand_name
from .forecast import Forecast
from .offers import MODE
from .points import Point
from .progress import success_chance
from .rates import KCNY_PER_BN, Rates, rates_of, with_terms
from .state import Market
from .values import AUTONOMY, Stakes
from .ways import WITH_LEADER, is_local

SHARES = (0.0, 0.05, 0.10, 0.15, 0.20)  # of the price, tried in mode `alliance`
FEE_SCALES = (0.75, 1.0, 1.25)  # of the contracts' fees, all modes
RESEARCH_SCALES = (0.75, 0.9, 1.0, 1.1, 1.25)  # of research now
SHARE_STEP, RESEARCH_STEP = 0.01, 0.01  # of the differences from which the leader's aims are recovered
MOST_RESPONDING = 4  # brands outside whose answer to new terms is worked out: the nearest to joining


@dataclass(frozen=True)
class Aims:
    """What the leader counts beside fees, recovered from what it did at the base date."""

    car_value: float = 0.0  # ω, kCNY of a car on its full stack
    quality_weight: float = 1.0  # ρ, times what a better stack brings


@dataclass(frozen=True)
class Admission:
    """What a new partner would do to the leader and to the members there are, a year, at the middle point."""

    key: int  # of the applicant
    applicant: str
    way: Way
    gain: float  # of the leader, fees and the value of cars on its stack, kCNY
    welcome: bool  # the leader earns more with it, and takes it
    brands: list[str]  # on the leader's full stack
    profits: np.ndarray  # of each without the new partner, kCNY
    changes: np.ndarray  # of each with it, kCNY


def admission(forecast: Forecast, brand: Brand, way: Way, aims: Aims) -> Admission:
    """What the leader and its members gain or lose by a new partner, prices of others held; the leader by all it counts.

    Without the partner means with it as it is today, also where the forecast has followed it already.
    """
    fellows = [
        other for other in forecast.market.brands if forecast.ways[other.key].mode in WITH_LEADER and other is not brand
    ]
    before, after = (
        forecast.middle if forecast.ways[brand.key] == each else forecast.moved(forecast.middle, brand, each)
        for each in (brand.way, way)
    )
    profits = forecast.brand_profits(before, fellows)
    names = [brand_name(forecast.market, other) for other in fellows]
    changes = forecast.brand_profits(after, fellows) - profits
    gain = forecast.leader_profit(after) - forecast.leader_profit(before)
    gain += aims.car_value * (forecast.leader_cars(after) - forecast.leader_cars(before))
    return Admission(brand.key, brand_name(forecast.market, brand), way, gain, gain > 0.0, names, profits, changes)


@dataclass(frozen=True)
class Terms:
    """Terms and what follows from them at the middle point."""

    rates: Rates
    revenue_share: float
    fee_scale: float
    leader_profit: float  # kCNY a year, research not counted
    cars: float  # a year on the leader's full stack
    members: list[str]

    def worth(self, aims: Aims) -> float:
        """What the leader maximises: Π + ω N, kCNY a year."""
        return self.leader_profit + aims.car_value * self.cars


def best_terms(forecast: Forecast, brands: list[Brand], stakes: dict[int, Stakes], aims: Aims) -> Terms:
    """The terms of the grid that the leader likes best, members responding; where nothing is better, those in force."""
    contract, now = rates_of(forecast.market.scenario), forecast.market.rates
    paid = contract.unit_fee > 0
    scale = float((now.unit_fee[paid] / contract.unit_fee[paid]).mean()) if paid.any() else 1.0
    grid = [(float(now.revenue_share[MODE["alliance"]]), scale)]
    grid += [(share, scale) for share in SHARES for scale in FEE_SCALES]
    responding = might_move(forecast, brands, stakes)
    once = dict.fromkeys(grid)  # those in force may be on it
    return max(
        (terms_played(forecast, responding, stakes, *terms) for terms in once), key=lambda terms: terms.worth(aims)
    )


def terms_played(
    forecast: Forecast, responding: list[Brand], stakes: dict[int, Stakes], revenue_share: float, fee_scale: float
) -> Terms:
    """What the leader earns under some terms once the given brands have answered, the others staying as they are."""
    contract = rates_of(forecast.market.scenario)
    rates = with_terms(forecast.market.rates, contract, revenue_share, fee_scale)
    trial = forecast.copied(rates)
    point = trial.middle
    for brand in forecast.market.brands:
        if forecast.ways[brand.key].mode in WITH_LEADER:
            trial.follow(brand, forecast.ways[brand.key])  # its maker's prices answer the new fees
    respond(trial, responding, stakes)
    members = [
        brand_name(forecast.market, brand)
        for brand in forecast.market.brands
        if trial.ways[brand.key].mode == "alliance"
    ]
    return Terms(rates, revenue_share, fee_scale, trial.leader_profit(point), trial.leader_cars(point), members)


def recovered_aims(forecast: Forecast) -> Aims:
    """What the leader must count beside fees for its terms and its research at the base date to be its best.

        ω = −(∂Π/∂r) / (∂N/∂r),     ρ = 1 / (d/dx Σ_t β^t (dΠ/dA + ω dN/dA)_t ΔA_t(x) / d/dx PV(x))

    prices responding to r, members given; at least 0. Without cars on its stack the leader is taken to count fees alone.
    """
    market = forecast.market
    share = float(market.rates.revenue_share[MODE["alliance"]])
    low, high = (terms_played(forecast, [], {}, share + step, 1.0) for step in (-SHARE_STEP, SHARE_STEP))
    lost = low.cars - high.cars
    car_value = max((high.leader_profit - low.leader_profit) / lost, 0.0) if lost > 0 else 0.0
    slopes = _quality_slopes(forecast, Aims(car_value))
    now = float(market.platforms.research[market.platform_code(market.scenario.alliance.platform)])
    gains, costs = (
        np.array(each) for each in zip(*(_research_worth(forecast, slopes, x) for x in _around(now)), strict=True)
    )
    gained = gains[1] - gains[0]
    return Aims(car_value, float((costs[1] - costs[0]) / gained) if gained > 0 else 1.0)


def respond(
    forecast: Forecast, brands: list[Brand], stakes: dict[int, Stakes], order=None, rounds: int = 2
) -> Settlement:
    """Brands join the alliance or go, one at a time, at the forecast's middle point; the forecast follows them."""
    point = forecast.middle

    def choose(place: int, ways: tuple) -> Way:
        brand = brands[place]
        inside, outside = pair(forecast.market, brand)
        here = ways[place]
        there = outside if here == inside else inside
        stays, moves = (yearly_value(forecast, point, brand, way, stakes[brand.key]) for way in (here, there))
        if moves > stays + 1e-9 * abs(stays):
            forecast.follow(brand, there)
            return there
        return here

    start = [forecast.ways[brand.key] for brand in brands]
    return settle(choose, start, range(len(brands)) if order is None else order, rounds)


def sizes_at_rest(forecast: Forecast, brands: list[Brand], stakes: dict[int, Stakes]) -> tuple[int, int]:
    """How many brands are in the alliance where the same brands, in the same order, end from nobody and from everybody.

    Brands are those that might move at present terms, bound ones left where they are; at the middle point, without the costs
    of moving and without shocks.
    """
    responding = might_move(forecast, brands, stakes)
    sizes = []
    for everybody in (False, True):
        trial = forecast.copied(forecast.market.rates)
        for brand in responding:
            inside, outside = pair(forecast.market, brand)
            wanted = inside if everybody else outside
            if trial.ways[brand.key] != wanted:
                trial.follow(brand, wanted)
        respond(trial, responding, stakes)
        sizes.append(sum(way.mode == "alliance" for way in trial.ways.values()))
    return sizes[0], sizes[1]


def pair(market: Market, brand: Brand) -> tuple[Way, Way]:
    """The alliance, and where the brand is or would fall back to outside it."""
    alliance = Way("alliance", market.scenario.alliance.platform)
    outside = brand.way if brand.way.mode != "alliance" else Way("supplier", "supplier")
    return alliance, outside


def might_move(forecast: Forecast, brands: list[Brand], stakes: dict[int, Stakes]) -> list[Brand]:
    """Members free to go, and the outsiders nearest to joining at present terms."""
    market, point = forecast.market, forecast.middle
    free = [brand for brand in brands if not bound(market, brand)]
    members = [brand for brand in free if brand.way.mode == "alliance"]
    nearness = []
    for brand in free:
        inside, outside = pair(market, brand)
        if brand.way.mode == "alliance" or not is_local(market, brand) or not forecast.has(point, brand, inside):
            continue
        joined, stays = (forecast.flows_at(point, brand, way) for way in (inside, outside))
        gain = _net(joined, inside, stakes[brand.key]) - _net(stays, outside, stakes[brand.key])
        nearness.append((gain / max(joined.brand_profit, stays.brand_profit, 1.0), brand))
    nearness.sort(key=lambda entry: -entry[0])
    return members + [brand for _, brand in nearness[:MOST_RESPONDING]]


def yearly_value(forecast: Forecast, point: Point, brand: Brand, way: Way, stakes: Stakes) -> float:
    """What a maker earns a year with the brand in this way, autonomy counted, kCNY."""
    return _net(forecast.flows_at(point, brand, way), way, stakes)


def _net(flows, way: Way, stakes: Stakes) -> float:
    cost = AUTONOMY.get(way.mode, 0.0) * stakes.autonomy_cost * flows.leader_cars
    return flows.market_profit - flows.royalty - cost + stakes.volume_weight * flows.cars


def best_research(forecast: Forecast, aims: Aims) -> float:
    """The leader's research, bn CNY a year, that brings most for what it costs, of a few near the present one.

        max_x  ρ Σ_t β^t (dΠ/dA + ω dN/dA)_t ΔA_t(x) − PV(x),   ΔA_t = t · gain · (π(x) − π(x₀)), π a year

    The slopes at each point of the forecast are how its profit and cars move with its quality, members and prices held.
    """
    market = forecast.market
    now = float(market.platforms.research[market.platform_code(market.scenario.alliance.platform)])

    slopes = _quality_slopes(forecast, aims)

    def worth(research: float) -> float:
        gain, cost = _research_worth(forecast, slopes, research)
        return aims.quality_weight * gain - cost

    return max((scale * now for scale in RESEARCH_SCALES), key=worth)


def _research_worth(forecast: Forecast, slopes: list[float], research: float) -> tuple[float, float]:
    """Present value of what research brings beyond today's, by the slopes at each point, and of what it costs, kCNY."""
    market = forecast.market
    software, modes = market.scenario.software, market.scenario.modes
    leader = market.platform_code(market.scenario.alliance.platform)

    def chance(spent: float) -> float:
        spending = market.platforms.research.copy()
        spending[leader] = spent
        return 12.0 * float(success_chance(market, spending, market.platforms.fleet(market.month))[leader])

    years, rate = np.arange(modes.horizon_years) + 0.5, market.scenario.pricing.discount_rate
    better = chance(research) - chance(float(market.platforms.research[leader]))
    gained = yearly(modes.forecast_years, slopes, modes.horizon_years) * software.success_gain * better * years
    return present_value(gained, rate), present_value(np.full(modes.horizon_years, research * KCNY_PER_BN), rate)


def _around(value: float) -> tuple[float, float]:
    return (1.0 - RESEARCH_STEP) * value, (1.0 + RESEARCH_STEP) * value


def _quality_slopes(forecast: Forecast, aims: Aims) -> list[float]:
    return [quality_slope(forecast, point, aims) for point in forecast.points]


def quality_slope(forecast: Forecast, point: Point, aims: Aims, step: float = 1.0) -> float:
    """d(Π + ω N)/dA of the leader at a point, kCNY a year per kCNY of quality: by a step up, prices held."""
    market, offers = point.market, point.market.offers
    leader = market.platform_code(market.scenario.alliance.platform)
    theirs = offers.platform[point.rows] == leader
    rise = market.habits.median_sensitivity * forecast.entries.tastes[:, SOFTWARE] * step
    excess = point.excess * np.where(theirs, np.exp(rise)[:, None], 1.0)
    total = point.total + (excess - point.excess).sum(axis=1)
    better = replace(point, excess=excess, total=total, stands={})
    before, after = (
        forecast.leader_profit(each) + aims.car_value * forecast.leader_cars(each) for each in (point, better)
    )
    return (after - before) / step
