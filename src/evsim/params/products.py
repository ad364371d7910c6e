"""Products, hardware, batteries, chargers and capacity."""

from .base import Params, param


class ProductParams(Params):
    """How lines come, age and catch up."""

    launches: str = param(
        "calendar", "calendar: the dated launches to 2025, for tables of at least 30 lines; none: nothing new", unit="choice", pattern="^(calendar|none)$",
        source="product_launches evidence", role="lever",
    )
    brand_spread: float = param(
        0.68, "spread of a new brand's quality, drawn once per brand and cut at 2 spreads", unit="utils", ge=0.0, le=3.0,
        source="the launch regression misses base lines by 0.9 utils; split between brand and line is assumed",
    )
    line_spread: float = param(
        0.76, "spread of a new line's quality, drawn once per line and cut at 2 spreads", unit="utils", ge=0.0, le=3.0,
        source="the launch regression misses base lines by 0.9 utils; split between brand and line is assumed",
    )
    ageing: float = param(
        0.01, "quality a line loses per month since its last refresh", unit="utils per month", ge=0.0, le=0.2,
        source="assumption",
    )
    refresh_months: int = param(
        48, "months between refreshes of a line", unit="months", ge=6, le=240, source="assumption: a four-year model cycle",
    )
    hardware_value: float = param(
        1.0, "utils per unit of hardware (frontier = 1) (β_h)", unit="utils", ge=0.0, le=10.0, source="assumption",
    )
    hardware_gap: float = param(
        0.6, "hardware gap to the frontier, at the base date, of electric lines of makers that are not independents", unit="frontier units",
        ge=0.0, le=1.0, source="assumption",
    )
    hardware_convergence: float = param(
        0.02, "share of the hardware gap closed per month", unit="per month", ge=0.0, le=1.0, source="assumption",
    )


class BatteryParams(Params):
    """Cost of the battery pack, and how it falls with experience."""

    learning_rate: float = param(
        0.18, "fall in real pack cost per doubling of cumulative output", unit="fraction", ge=0.0, le=0.5,
        source="learning-rate estimates of 14 to 22 % (battery evidence)",
    )
    cumulative_gwh: float = param(
        2_500.0, "world output of traction batteries up to the base date", unit="GWh", gt=0.0, le=1e6,
        source="assumption: sum of published installations to 2023, rounded",
    )
    outside_ratio: float = param(
        1.2, "battery output outside the market per unit inside it (exports, other countries, storage)", unit="ratio",
        ge=0.0, le=20.0, source="assumption: China installs a little under half of the world's packs",
    )


class ChargerParams(Params):
    """Public chargers and the electric fleet feed each other."""

    value: float = param(
        0.4, "utils of an electric car per log point of chargers (χ)", unit="utils per log point", ge=0.0, le=3.0,
        source="assumption: half of the elasticity of 0.84 found in US metro areas 2011-2013 (Li et al. 2017, recalled)",
    )
    fleet_elasticity: float = param(
        0.61, "elasticity of chargers to the electric fleet", unit="elasticity", ge=0.0, le=2.0,
        source="Li et al. (2017), US 2011-2013, recalled",
    )
    lag_months: float = param(
        6.0, "mean months until chargers follow the fleet", unit="months", ge=0.0, le=120.0, source="assumption",
    )


class CapacityParams(Params):
    """What plants can build."""

    headroom: float = param(
        1.6, "plant capacity over sales of the base window, where no figure is known", unit="ratio", ge=1.0, le=20.0,
        source="use of capacity in China: 49.5 % nameplate to 74.6 % survey (capacity evidence)",
    )
    minimum: float = param(
        5_000.0, "least capacity of an automaker with something to sell", unit="cars per month", gt=0.0, le=1e6,
        source="assumption: one small plant, 60 000 a year",
    )
    wait_cost: float = param(
        0.15, "utility a car loses per month a buyer has to wait for it", unit="utils per month", ge=0.0, le=2.0,
        source="assumption: a year's wait leaves one buyer in six",
    )
    expansion: float = param(
        0.04, "most a full plant grows per month", unit="per month", ge=0.0, le=1.0,
        source="assumption: a plant doubles in about 18 months",
    )
