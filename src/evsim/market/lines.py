"""From a market table to the lines the simulation works with.

`full`: every row of the table is a line. `compact`: a line is a brand, automaker, powertrain, price tier and platform; the
largest lines are kept apart (and those of brands with a story of their own), the rest is pooled per powertrain.
Units are those of the last months before the base date (`window_units`) at the year's monthly volume.
"""

import numpy as np
import pandas as pd

from ..errors import BadRequest
from ..params.market import MarketParams

OTHER = "Other makers"
POWERTRAIN_WORDS = {"ice": "petrol", "bev": "electric", "phev": "plug-in hybrid", "erev": "range extender"}
KEY = ["brand", "automaker", "powertrain", "tier", "platform"]


def tier_of(price: float, edges: tuple[float, ...]) -> int:
    """Price tier of a price in kCNY: 0 below the first edge."""
    return int(np.searchsorted(edges, price, side="right"))


def tier_name(tier: int, edges: tuple[float, ...]) -> str:
    """A tier as "80-150", in kCNY; "<80" and ">400" at the ends."""
    if tier == 0:
        return f"<{edges[0]:g}"
    if tier == len(edges):
        return f">{edges[-1]:g}"
    return f"{edges[tier - 1]:g}-{edges[tier]:g}"


def line_name(brand: str, automaker: str, powertrain: str, tier: str, platform: str, ambiguous: bool = False) -> str:
    """Name of a compact line: "BYD plug-in hybrid 80-150", with maker or platform where the rest is not unique."""
    name = f"{brand} {POWERTRAIN_WORDS[powertrain]} {tier}"
    return f"{name} ({automaker}, {platform})" if ambiguous else name


def lines_of(table: pd.DataFrame, params: MarketParams, window_start: str) -> pd.DataFrame:
    """Lines of a market table, largest first, with monthly units.

    Args:
        table: as `evsim.data.read_market_table` gives it.
        params: granularity, tiers, and how many lines are kept apart.
        window_start: first month (YYYY-MM) of the base window; lines launched later are in their ramp-up.
    Returns:
        A frame with columns product, brand, automaker, group, powertrain, size_class, tier (code), platform, units (cars per
        month), price (kCNY), nameplates, pooled, list_ratio (price over list price), settled (on sale during
        the whole window), products (keys of the table's rows it holds, separated by ";").
    Raises:
        BadRequest: nothing was sold in the base window.
    """
    table = table.assign(tier=[tier_of(price, params.price_tiers) for price in table["price"]])
    yearly = table["units"].sum()
    table = table[table["window_units"] > 0]
    if table.empty:
        raise BadRequest(
            f"market.table={params.table}: no product was sold in the base window; check the column window_units"
        )
    table = table.assign(settled=table["first_month"] <= window_start)  # an empty month is before every month
    table = table.assign(products=table["product"])
    table = table.assign(units=table["window_units"] * (yearly / table["window_units"].sum() / 12.0))
    if params.granularity == "full":
        lines = table.assign(pooled=table["pooled"].astype(bool), list_ratio=table["price"] / table["list_price"])
        return _sorted(lines)
    return _sorted(_compact(table, params))


def _sorted(lines: pd.DataFrame) -> pd.DataFrame:
    columns = [
        "product",
        "brand",
        "automaker",
        "group",
        "powertrain",
        "size_class",
        "tier",
        "platform",
        "units",
        "price",
        "nameplates",
        "pooled",
        "list_ratio",
        "settled",
        "products",
    ]
    return lines.sort_values(["units", "product"], ascending=[False, True], kind="stable")[columns].reset_index(
        drop=True
    )


def _compact(table: pd.DataFrame, params: MarketParams) -> pd.DataFrame:
    """Rows added up to lines; small lines pooled."""
    merged = _merge(table.assign(list_ratio=table["price"] / table["list_price"]), KEY)
    merged = merged.sort_values("units", ascending=False, kind="stable").reset_index(drop=True)
    small = (np.arange(len(merged)) >= params.lines) & ~merged["brand"].isin(params.keep_brands)
    kept = merged[~small].assign(pooled=False)
    ambiguous = kept.duplicated(["brand", "powertrain", "tier"], keep=False)
    kept["product"] = [
        line_name(
            row.brand, row.automaker, row.powertrain, tier_name(row.tier, params.price_tiers), row.platform, twice
        )
        for row, twice in zip(kept.itertuples(), ambiguous, strict=True)
    ]
    others = _merge(merged[small], ["powertrain"])
    names = [f"Other {POWERTRAIN_WORDS[powertrain]}" for powertrain in others["powertrain"]]
    tiers = [tier_of(price, params.price_tiers) for price in others["price"]]
    others = others.assign(
        product=names, brand=names, automaker=OTHER, group=OTHER, platform="supplier", tier=tiers, pooled=True
    )
    return pd.concat([kept, others], ignore_index=True)


def _merge(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Rows that share a key as one: units and nameplates added, prices weighted, the size class that sells most."""
    weighted = table.assign(price=table["price"] * table["units"], list_ratio=table["list_ratio"] * table["units"])
    sums = dict.fromkeys(("units", "price", "nameplates", "list_ratio"), "sum") | {
        "settled": "max",
        "products": ";".join,
        "group": "first",
    }
    sums = {name: how for name, how in sums.items() if name not in key}
    merged = weighted.groupby(key, sort=True, as_index=False).agg(sums)
    merged = merged.assign(price=merged["price"] / merged["units"], list_ratio=merged["list_ratio"] / merged["units"])
    classes = table.groupby([*key, "size_class"], sort=True, as_index=False)["units"].sum()
    classes = classes.sort_values("units", ascending=False, kind="stable").drop_duplicates(key)
    return merged.merge(classes[[*key, "size_class"]], on=key, validate="one_to_one")


def vintage_shares(
    vintages: pd.DataFrame, lines: pd.DataFrame, edges: tuple[float, ...], years: list[int]
) -> np.ndarray:
    """Share of each line in the sales of each year, `[years, lines]`, every row summing to 1.

    A past sale goes to the line of its brand that is nearest: same maker and powertrain, else same powertrain, else any,
    and there the nearest price tier; brands without a line go to the pool of their powertrain, or to nobody. Brands of the
    table without past sales in the panel are taken to have sold their share of the table in every year.
    """
    sold = np.zeros((len(years), len(lines)))
    homes = _Homes(lines, edges)
    place = {year: position for position, year in enumerate(years)}
    columns = (vintages[name].tolist() for name in ("year", "brand", "automaker", "powertrain", "price", "units"))
    for year, brand, automaker, powertrain, price, units in zip(*columns, strict=True):
        home = homes.of(brand, automaker, powertrain, price)
        if year in place and home >= 0:
            sold[place[year], home] += units
    base = lines["units"].to_numpy() / lines["units"].sum()
    strangers = ~(lines["brand"].isin(set(vintages["brand"])) | lines["pooled"]).to_numpy(dtype=bool)
    shares = np.tile(base, (len(years), 1))
    known = sold.sum(axis=1) > 0
    shares[known] = sold[known] * ((1.0 - base[strangers].sum()) / sold[known].sum(axis=1, keepdims=True))
    shares[:, strangers] = base[strangers]
    return shares / shares.sum(axis=1, keepdims=True)


class _Homes:
    """Which line a past sale belongs to."""

    def __init__(self, lines: pd.DataFrame, edges: tuple[float, ...]):
        self.edges = edges
        self.tier = lines["tier"].tolist()
        self.pools = {row.powertrain: row.Index for row in lines[lines["pooled"]].itertuples()}
        self.rows: dict[tuple[str, ...], list[int]] = {}
        for row in lines.itertuples():
            for key in ((row.brand,), (row.brand, row.powertrain), (row.brand, row.powertrain, row.automaker)):
                self.rows.setdefault(key, []).append(row.Index)

    def of(self, brand: str, automaker: str, powertrain: str, price: float) -> int:
        """Row of the nearest line; −1 for none."""
        for key in ((brand, powertrain, automaker), (brand, powertrain), (brand,)):
            if key in self.rows:
                tier = tier_of(price, self.edges)
                return min(self.rows[key], key=lambda row: abs(self.tier[row] - tier))
        return self.pools.get(powertrain, -1)
