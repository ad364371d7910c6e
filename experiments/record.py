"""How far is the uncalibrated model from the record of 2022 to 2025?

Design: the baseline (from the 2023 table, 2024-2025) and `history_2022` (from the 2021 table, 2022-2025), mean over seeds,
beside the published figures. Nothing here was fitted to them: dated launches, policy and memberships go in, no sales.

    .venv/bin/python experiments/record.py [--seeds 5] [key=value ...]

Prints one table a world; the last lines say how far off sales of the makers are, as the mean absolute log ratio.
"""

import argparse

import numpy as np
import pandas as pd

import evsim
from evsim.data import read_record

MAKERS = {  # entity of the record: (column of the market table, its names)
    "BYD": ("group", ["BYD"]),
    "Geely": ("group", ["Geely"]),
    "Tesla": ("group", ["Tesla"]),
    "Changan": ("group", ["Changan"]),
    "SAIC-GM-Wuling": ("automaker", ["SAIC-GM-Wuling"]),
    "Leapmotor": ("group", ["Leapmotor"]),
    "Xiaomi": ("group", ["Xiaomi"]),
    "Chery": ("group", ["Chery"]),
    "Seres": ("group", ["Seres"]),
}
BRANDS = ("AITO", "Li Auto", "NIO", "XPeng", "Zeekr")


def simulated(run) -> dict[tuple[int, str], float]:
    """What a run says of each year: cars, shares and prices under the names of the record."""
    groups = run.automakers.drop_duplicates("automaker").set_index("automaker")["group"]
    market = run.market[run.market["month"] > run.base_month]
    market = market.assign(year=market["month"].str[:4].astype(int), group=market["automaker"].map(groups))
    facts: dict[tuple[int, str], float] = {}
    for year, cars in market.groupby("year"):
        plug = cars[cars["powertrain"] != "ice"]
        total = cars["units"].sum()
        facts[year, "retail, million"] = total / 1e6
        facts[year, "NEV penetration, %"] = 100 * plug["units"].sum() / total
        for powertrain in ("bev", "phev", "erev"):
            facts[year, f"{powertrain} retail, 1000"] = plug.loc[plug["powertrain"] == powertrain, "units"].sum() / 1e3
        facts[year, "alliance (HIMA), 1000"] = cars.loc[cars["camp"] == "alliance", "units"].sum() / 1e3
        facts[year, "mean price, kCNY"] = (cars["price"] * cars["units"]).sum() / total
        for name, (column, names) in MAKERS.items():
            facts[year, f"{name}, NEV, 1000"] = plug.loc[plug[column].isin(names), "units"].sum() / 1e3
        for name in BRANDS:
            facts[year, f"{name}, brand, 1000"] = plug.loc[plug["brand"] == name, "units"].sum() / 1e3
    return facts


def observed() -> dict[tuple[int, str], float]:
    """The same facts from the record."""
    names = {
        ("market", "retail"): ("retail, million", 1e-6),
        ("market", "nev_penetration"): ("NEV penetration, %", 100.0),
        ("market", "mean_price"): ("mean price, kCNY", 1.0),
        ("alliance", "nev_retail"): ("alliance (HIMA), 1000", 1e-3),
    }
    facts = {}
    for row in read_record().itertuples():
        if len(row.period) != 4:
            continue
        year = int(row.period)
        if (row.level, row.measure) in names:
            name, scale = names[row.level, row.measure]
            facts[year, name] = scale * row.value
        elif row.level == "market" and row.measure in ("bev_retail", "phev_retail", "erev_retail"):
            facts[year, f"{row.measure.replace('_', ' ')}, 1000"] = row.value / 1e3
        elif row.level == "maker" and row.measure == "nev_retail" and row.entity in MAKERS:
            facts[year, f"{row.entity}, NEV, 1000"] = row.value / 1e3
        elif row.level == "brand" and row.measure == "deliveries" and row.entity in BRANDS:
            facts[year, f"{row.entity}, brand, 1000"] = row.value / 1e3
    return facts


def compare(world: str, seeds: int, overrides: list[str]) -> pd.DataFrame:
    """Observed and simulated facts of a world, one row a year and fact."""
    runs = [simulated(evsim.run(evsim.load(world, *overrides), seed=seed)) for seed in range(seeds)]
    record = observed()
    rows = []
    for fact in sorted(set(record) & set(runs[0])):
        values = np.array([run[fact] for run in runs])
        rows.append(
            {
                "year": fact[0],
                "what": fact[1],
                "observed": record[fact],
                "simulated": values.mean(),
                "lowest": values.min(),
                "highest": values.max(),
            }
        )
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Print both tables; returns them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes made to both worlds")
    options = parser.parse_args(arguments)
    tables = {}
    for world in ("baseline", "history_2022"):
        end = "end=2025-12"
        table = tables[world] = compare(world, options.seeds, [*options.overrides, end])
        print(f"\n{world}, {options.seeds} seeds\n{table.round(1).to_string(index=False)}")
        makers = table[table["what"].str.contains("NEV, 1000|brand, 1000") & (table["simulated"] > 0)]
        off = np.abs(np.log(makers["simulated"] / makers["observed"])).groupby(makers["year"]).mean()
        print(
            *(
                f"{year}: makers and brands are off by {100 * (np.exp(value) - 1):.0f} % on (geometric) average"
                for year, value in off.items()
            ),
            sep="\n",
        )
    return tables


if __name__ == "__main__":
    main()
