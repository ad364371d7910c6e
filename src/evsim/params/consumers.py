"""Households that buy cars new: tastes, and when they shop."""

from .base import Params, param


class ConsumerParams(Params):
    """Tastes and shopping habits of households."""

    count: int = param(
        100_000, "rows simulated; each stands for the same number of households", unit="rows", ge=100, le=300_000_000,
        source="assumption: 0.5 points of sampling noise in a platform's share", role="setting",
    )
    reference_size: int = param(
        5_000, "households on which the base table is inverted, the same for every count", unit="rows", ge=500, le=100_000,
        source="assumption: 270 shoppers leave an error of 0.2 to 1 in the level of quality", role="setting",
    )
    price_sensitivity: float = param(
        0.03, "utils lost per kCNY by a household of median income (α₀)", unit="utils per kCNY", gt=0.0, le=1.0,
        source="assumption: gives a market elasticity of -1.00 and own-price elasticities of -5.5 on average (BLP 1995: -3.5 to -6.5)",
    )
    income_spread: float = param(
        0.5, "standard deviation of log household income", unit="log points", ge=0.0, le=1.5,
        source="assumption: within the range of urban household surveys",
    )
    software_taste_spread: float = param(
        0.6, "standard deviation of the log taste for software (mean taste is 1)", unit="log points", ge=0.0, le=2.0,
        source="assumption: 5 to 80 % of buyers take the advanced package, by brand (software_quality evidence)",
    )
    electric_taste_spread: float = param(
        1.5, "standard deviation of the taste for electric drive", unit="utils", ge=0.0, le=5.0,
        source="assumption: conjoint studies find wide disagreement (Helveston et al. 2015)",
    )
    class_taste_spread: float = param(
        1.0, "standard deviation of the taste for each size class", unit="utils", ge=0.0, le=5.0,
        source="assumption: BLP (1995) find size coefficients of this order",
    )
    premium_taste_spread: float = param(
        1.0, "standard deviation of the taste for foreign premium marques", unit="utils", ge=0.0, le=5.0,
        source="assumption",
    )
    phone_share: float = param(
        0.17, "share of households in the leader's phone ecosystem", unit="fraction", ge=0.0, le=1.0,
        source="Counterpoint, 2024Q1 share of HarmonyOS in China smartphone sales",
    )
    phone_effect: float = param(
        1.2, "gain of a car on the leader's platform for a household with its phone (ψ)", unit="utils", ge=0.0, le=5.0,
        source="ln 5.3 (52 % of owners against 17 % of phones), less an assumed part explained by income",
    )
    holding_months: float = param(
        81.0, "mean months between buying a car and shopping for the next", unit="months", ge=12.0, le=240.0,
        source="first owners keep a car 5 to 8 years (scrappage_ownership evidence)",
    )
    holding_shape: float = param(
        2.5, "Weibull shape of the holding time", unit="1", ge=0.5, le=10.0, source="assumption",
    )
    pause_months: float = param(
        6.0, "mean months until a shopper who kept the old car shops again", unit="months", ge=1.0, le=60.0,
        source="assumption",
    )
    overdue_cost: float = param(
        0.01, "utility that carrying on with the old car loses per month overdue (ρ)", unit="utils per month",
        ge=0.0, le=1.0, source="assumption",
    )
    first_time_share: float = param(
        0.44, "chance that a due row passes to a household new to the market", unit="fraction", ge=0.0, le=0.95,
        source="Autohome Research Institute: 44 % of buyers in 2023",
    )
    outside_share: float = param(
        0.3, "share of shoppers who keep the old car, at the base date", unit="fraction", ge=0.02, le=0.95,
        source="assumption: with the outlay below it gives a market price elasticity near -1",
    )
    outside_outlay: float = param(
        55.0, "outlay of carrying on with the old car, fuel included (q₀)", unit="kCNY", ge=0.0, le=500.0,
        source="assumption: sets the market price elasticity near -1 (-1.00 at the end of 2023, cost of use and resale in the "
        "outlay for a new car; 50 did so without them)",
    )
    horizon_months: int = param(
        6, "months ahead for which buyers know of announced changes of policy and may move their visit", unit="months", ge=0, le=60,
        source="assumption: press reports of buying ahead begin about half a year before an expiry",
    )
    shift_cost: float = param(
        2.0, "mean cost of shopping a month sooner or later; households differ, exponentially", unit="utils a month", gt=0.0, le=100.0,
        source="assumption, not fitted: the fall after the expiries of December 2022 comes out at three tenths of the recorded one",
    )


class LockInParams(Params):
    """What ties an owner to a platform or brand."""

    switching_cost: float = param(
        1.0, "ecosystem lock-in: gain of staying on one's platform at long tenure (κ)", unit="utils", ge=0.0, le=10.0,
        source="assumption: US brand loyalty of 50 to 68 % and Chinese intentions of 10 % bracket it",
    )
    tenure_months: float = param(
        24.0, "months on a platform after which 63 % of the lock-in has built up", unit="months", gt=0.0, le=240.0,
        source="assumption",
    )
    brand_loyalty: float = param(
        0.6, "gain of buying the same brand again (ι)", unit="utils", ge=0.0, le=10.0,
        source="assumption: as above",
    )
    network_effect: float = param(
        0.15, "elasticity of a platform's appeal to its installed base (θ)", unit="utils per log point", ge=0.0, le=3.0,
        source="assumption: a prior of 0.1 to 0.3; the data do not identify it",
    )
    network_scale: float = param(
        1_000_000.0, "fleet at which the network effect, and learning from it, set in (N₀)", unit="cars", gt=0.0, le=1e9,
        source="assumption",
    )
    word_of_mouth: float = param(
        0.5, "gain per unit of a platform's share in one's community above the market's (μ)", unit="utils", ge=0.0, le=10.0,
        source="assumption",
    )
    community_size: int = param(
        200, "rows in a community; their number grows with the population", unit="rows", ge=2, le=100_000,
        source="assumption",
    )
    over_the_air: float = param(
        0.5, "part of a software gain since purchase that reaches the car already owned (ω)", unit="fraction", ge=0.0, le=1.0,
        source="assumption",
    )
