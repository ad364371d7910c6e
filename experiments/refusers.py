"""When does a refuser flip?

Design: the baseline, where brands choose their modes each January, once a seed. A refuser is a brand that was neither on the
leader's full stack at the base date nor contracted to it by then, brands not started yet (SAIC's Shangjie) among them. It
flips at the first review at which it chooses the full stack (mode `alliance` or `inside`). The reason is the part of its value
table that speaks most for the new way against staying; where staying would have been its choice without the draw of what the
parts do not show, it is that draw. Value tables are in no sweep; the study `joining` counts who has joined.

    .venv/bin/python experiments/refusers.py [--seeds 100] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals (of shares: Wilson's) and saves the figure.
"""

import pandas as pd

import evsim
from evsim import words
from evsim.report.experiment import experiment_parser, in_processes, tell
from evsim.report.figures.intervals import bracketed, share_interval
from evsim.report.figures.refusers import REASONS, refusers

NAMED = "SAIC"  # told of in any case
MOST = 6  # brands in one sentence


def decisions(job: tuple[evsim.Scenario, int]) -> pd.DataFrame:
    """All value tables of one run."""
    scenario, seed = job
    return evsim.run(scenario, seed=seed, threads=1).decisions.assign(seed=seed)


def first_flips(tables: pd.DataFrame) -> pd.DataFrame:
    """The first time each refuser chose the leader's full stack: a row a seed and brand."""
    rows = []
    for seed, table in tables.groupby("seed"):
        outside = refusing(table)
        for flip in words.flips(table):
            if flip.joined and (flip.automaker, flip.brand) in outside:
                outside.remove((flip.automaker, flip.brand))
                name = words.brand_name(flip.automaker, flip.brand)
                reason = flip.reason if flip.foreseen else "unseen"
                rows.append((seed, flip.automaker, name, int(flip.month[:4]), reason))
    return pd.DataFrame(rows, columns=["seed", "automaker", "brand", "year", "reason"])


def refusing(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Makers and brands that were outside at their first review."""
    first = table[table["present"]].sort_values("month", kind="stable").drop_duplicates(["automaker", "brand"])
    first = first[~first["way"].isin(words.WITH_LEADER)]
    return list(zip(first["automaker"], first["brand"], strict=True))


def nearest_flips(tables: pd.DataFrame, maker: str) -> pd.DataFrame:
    """Of each review at which all brands of a maker stayed out, the way to the full stack that the smallest change of one part
    would have made the choice; the smallest change first."""
    own = tables[tables["automaker"] == maker]
    came = own[own["chosen"] & own["way"].isin(words.WITH_LEADER)]
    near = own[own["way"].isin(words.WITH_LEADER) & (own["closed"] == "") & own["turning_change"].notna()]
    near = near.sort_values("turning_change", kind="stable").drop_duplicates(["seed", "month"])
    inside = near.set_index(["seed", "month"]).index.isin(came.set_index(["seed", "month"]).index)
    return near[~inside].reset_index(drop=True)


def finding(tables: pd.DataFrame, flips: pd.DataFrame, usual: float) -> list[str]:
    """What the seeds say, in sentences.

    Args:
        usual: chance a year that a brand changed its way before the base date.
    """
    seeds = tables["seed"].nunique()
    each = [flips["seed"].eq(seed).sum() for seed in tables["seed"].unique()]
    outside = tables.groupby("seed")[list(tables)].apply(lambda table: len(refusing(table))).mean()
    drawn, last = flips["reason"].eq("unseen").mean() if len(flips) else 0.0, tables["month"].max()[:4]
    told = [
        f"Of {outside:.0f} refusers, {bracketed(each)} choose the leader's full stack by {last};"
        f" {100 * drawn:.0f} % of these flips would not have come but for what is unseen in the parts of value."
    ]
    outside_yet = tables["present"] & ~tables["way"].isin(words.WITH_LEADER)
    told.append(
        f"At the {100 * usual:g} % a year at which brands changed their way before the base date, refusers would make"
        f" {usual * outside_yet.sum() / seeds:.1f} changes of any kind."
    )
    often = flips.groupby("brand")["seed"].count().sort_values(ascending=False, kind="stable")
    likely = [f"{brand} {in_seeds(flips[flips['brand'] == brand], seeds)}" for brand in often.index[:MOST]]
    told += [f"Most often: {'; '.join(likely)}."] if likely else []
    return [*told, *named_maker(tables, flips, seeds)]


def in_seeds(rows: pd.DataFrame, seeds: int) -> str:
    """In what share of seeds something happens, when in the middle, and for which reason most often."""
    share, low, high = share_interval(rows["seed"].nunique(), seeds)
    text = f"in {100 * share:.0f} % of seeds [{100 * low:.0f}, {100 * high:.0f}]"
    return (
        f"{text}, median year {rows['year'].median():.0f}, by {REASONS[rows['reason'].mode()[0]][0]}"
        if len(rows)
        else text
    )


def named_maker(tables: pd.DataFrame, flips: pd.DataFrame, seeds: int) -> list[str]:
    """How often SAIC flips, with which brand, and what else would have to be true."""
    own = flips[flips["automaker"] == NAMED].sort_values("year")
    brands = [f"{brand} {in_seeds(rows, seeds)}" for brand, rows in own.groupby("brand")]
    told = [f"{NAMED} flips {in_seeds(own.drop_duplicates('seed'), seeds)}{': ' if brands else ''}{'; '.join(brands)}."]
    near = nearest_flips(tables, NAMED)
    if len(near):
        row = near.iloc[len(near) // 2]
        term = row["turning_term"]
        told.append(
            f"In the median of the {len(near)} reviews at which it stays out, {row['brand']} comes nearest: into mode"
            f" {row['way']}, had its {REASONS[term][0]} there been {words.percent(row['turning_change'])}"
            f" {'higher' if row[term] > 0 else 'lower'}."
        )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the seeds, print what they say, draw it; returns the sentences."""
    options = experiment_parser(__doc__, 100, "runs", workers=2).parse_args(arguments)
    scenario = evsim.load("baseline", *options.overrides)
    jobs = [(scenario, seed) for seed in range(options.seeds)]
    tables = pd.concat(in_processes(decisions, jobs, options.workers))
    flips = first_flips(tables)
    told = finding(tables, flips, scenario.modes.base_change_rate)
    return tell(told, {"refusers": lambda: refusers(flips, options.seeds, told[0], NAMED)}, options.folder)


if __name__ == "__main__":
    main()
