"""Numbers, months, names and findings as a reader wants them: the only place where sentences are made.

Findings are one fact each and short enough for a figure's title. A `run` here is anything with the frames, shares and
yearly table of `evsim.results.Run`; this module knows no file and makes no table of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from statistics import fmean, stdev
from textwrap import fill
from typing import Any

CAMPS: Mapping[str, str] = {"alliance": "the alliance", "independent": "independents", "incumbent": "incumbents"}
POWERTRAINS: Mapping[str, str] = {
    "ice": "combustion",
    "bev": "battery-electric",
    "phev": "plug-in hybrid",
    "erev": "range-extended",
}
POOLED = "Other "  # how names of pooled small brands and makers begin
TIPPING = (
    "Warning: lock_in.network_effect is above the threshold at which even platforms that are alike would not share the "
    "market; whoever leads early takes most of it, and small differences decide who that is."
)
FIRST_CAR = "first car"  # in `from_platform` of the switching table
PLATFORMS: Mapping[str, str] = {"supplier": "bought-in stacks", "none": "no stack"}
WORLDS: Mapping[str, str] = {
    "no_alliance": "Without the alliance",
    "waning_subsidies": "With waning subsidies",
    "extended_subsidies": "With extended subsidies",
    "software_gap_closes": "With the software gap closed",
    "open_platform": "With an open platform",
    "price_war": "With a price war",
    "rival_leap": "After a rival's leap",
}
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WIDTH = 98  # of a terminal summary
YEAR_COLUMNS = (  # heading, unit, width of the yearly table
    ("", "", 11), ("cars", "million", 8), ("alliance", "%", 10), ("independents", "%", 14), ("incumbents", "%", 12),
    ("NEV", "%", 7), ("price", "kCNY", 7), ("alliance cars", "so far, 1000", 15), ("repeat", "%", 8),
)  # fmt: skip
MILESTONE = 1_000_000  # cars the alliance has delivered
MILESTONE_YEARS = (2024, 2025, 2030, 2035)


# Numbers, months and names


def percent(fraction: float) -> str:
    """0.124 -> `12.4 %`; small parts keep a digit that says something."""
    value = abs(100.0 * fraction)
    digits = 1 if 0.0995 <= value < 99.95 else 0
    sign = "-" if fraction < 0 else ""
    return f"{sign}{value:.1g} %" if 0.0 < value < 0.0995 else f"{sign}{value:.{digits}f} %"


def points(difference: float) -> str:
    """A difference of two fractions: -0.021 -> `-2.1 points`."""
    return f"{100.0 * difference:.1f} points"


def number(value: float) -> str:
    """Three digits that matter: `21.7 million`, `448,000`, `37`."""
    if abs(value) >= 999_500:
        scale, unit = (1e9, "billion") if abs(value) >= 999.5e6 else (1e6, "million")
        return f"{value / scale:.3g} {unit}"
    if abs(value) < 100:
        return f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"
    digits = 3 - len(str(int(abs(value))))
    return f"{round(value, digits):,.0f}"


def cars(count: float) -> str:
    """`21.7 million cars`, `1 car`."""
    return f"{number(count)} car{'' if count == 1 else 's'}"


def price(kcny: float) -> str:
    """A price, given in kCNY: `183,000 CNY`."""
    return f"{round(kcny) * 1000:,.0f} CNY"


def money(kcny: float) -> str:
    """A sum, given in kCNY: `12.3 bn CNY`; a loss has its sign."""
    return f"{kcny / 1e6:,.0f} bn CNY" if abs(kcny) >= 99.95e6 else f"{kcny / 1e6:.1f} bn CNY"


def month(text: str) -> str:
    """`2024-01` -> `January 2024`."""
    year, number_of_month = text.split("-")
    return f"{MONTHS[int(number_of_month) - 1]} {year}"


def names(items: Iterable[str]) -> str:
    """`A, B and C`; `nobody` if there is none."""
    *first, last = list(items) or ["nobody"]
    return f"{', '.join(first)} and {last}" if first else last


def platform_name(platform: str) -> str:
    """A stack as a reader knows it: `huawei` -> `Huawei`, `supplier` -> `bought-in stacks`."""
    return PLATFORMS.get(platform) or (platform if platform != platform.lower() else platform.replace("_", " ").title())


def world(scenario: str) -> str:
    """How a sentence about another scenario begins."""
    return WORLDS.get(scenario, f"Under {scenario.replace('_', ' ')}")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def wrap(text: str, width: int, indent: int = 0) -> str:
    """Text in lines of at most `width`, later ones indented; a number keeps its unit."""
    lines = fill(text.replace(" %", "\u00a0%"), width).replace("\u00a0", " ")
    return lines.replace("\n", "\n" + " " * indent)


def label(text: str) -> str:
    """A name as it stands beside a line: `the alliance` -> `Alliance`."""
    bare = text.removeprefix("the ")
    return f"{bare[0].upper()}{bare[1:]}"


def period(run: Any) -> str:
    """The last 12 months: `2035`, or `the 12 months to June 2030`."""
    months = run.last_months()
    if len(months) == 12 and months[0][:4] == months[-1][:4]:
        return months[-1][:4]
    return f"the {len(months)} months to {month(months[-1])}" if len(months) > 1 else month(months[-1])


# Findings: what a run says


def findings(run: Any) -> list[str]:
    """What a strategist wants to know of a run, in plain sentences, each of them true of its tables."""
    facts = (
        shares_finding,
        penetration_finding,
        winners_finding,
        losers_finding,
        price_finding,
        deliveries_finding,
        repeat_finding,
        concentration_finding,
        money_finding,
    )
    return [fact(run) for fact in facts]


def shares_finding(run: Any) -> str:
    """Who has what share of sales, at the base date and at the end."""
    start, end = run.base_shares("camp"), run.shares("camp")

    def path(camp: str, of_sales: str = "", when: str = "", until: str = "") -> str:
        return f"from {percent(start.get(camp, 0.0))}{of_sales}{when} to {percent(end.get(camp, 0.0))}{until}"

    others = names(f"{CAMPS[camp]} {path(camp)}" for camp in ("independent", "incumbent"))
    first = path("alliance", " of sales", f" in {month(run.base_month)}", f" in {period(run)}")
    return sentence(f"{CAMPS['alliance']} goes {first}, {others}")


def penetration_finding(run: Any) -> str:
    """How far electric cars and plug-in hybrids have come."""
    rates = run.nev_penetration()
    years = [year for year in MILESTONE_YEARS if year in rates] or list(rates)[-1:]
    parts = [f"{percent(rates[year])} in {year}" for year in years]
    return sentence(f"New-energy vehicles (battery-electric, plug-in, range-extended) are {names(parts)}")


def base_finding(run: Any) -> str:
    """Who leads at the base date."""
    brands = [(name, share) for name, share in run.base_shares("brand").items() if not name.startswith(POOLED)]
    first, others = brands[0], names(f"{name} ({percent(share)})" for name, share in brands[1:3])
    return sentence(
        f"At the base date, {month(run.base_month)}, {first[0]} sells {percent(first[1])} of cars, ahead of {others};"
        f" the ten largest brands sell {percent(sum(share for _, share in brands[:10]))}"
    )


def quality_finding(run: Any) -> str:
    """Whether the alliance's software stays ahead of independents'."""
    advantage = run.headline["software_advantage"]
    start, end = advantage.iloc[1], advantage.iloc[-1]
    verb = "widens" if end > start else "narrows"
    return sentence(
        f"The alliance's software advantage over independents' stacks {verb} from {start:.1f} to {end:.1f} kCNY a car"
        f" between {month(run.headline['month'].iloc[1])} and {month(run.headline['month'].iloc[-1])}"
    )


def winners_finding(run: Any) -> str:
    """The automakers that gain most."""
    return _movers_finding(run, "gain", 1.0)


def losers_finding(run: Any) -> str:
    """The automakers that lose most."""
    return _movers_finding(run, "lose", -1.0)


def _movers_finding(run: Any, verb: str, sign: float) -> str:
    """The three automakers whose share moved furthest one way."""
    start, end = run.base_shares("automaker"), run.shares("automaker")
    everyone = sorted(name for name in start.keys() | end.keys() if not name.startswith(POOLED))
    moves = {name: end.get(name, 0.0) - start.get(name, 0.0) for name in everyone}
    movers = [name for name in sorted(moves, key=lambda name: -sign * moves[name]) if sign * moves[name] > 0][:3]
    if not movers:
        return f"No automaker {verb}s share of sales by {period(run)}."
    first, *others = movers
    rest = f", followed by {names(f'{name} ({points(sign * moves[name])})' for name in others)}" if others else ""
    return sentence(
        f"{first} {verb}s most: {points(sign * moves[first])}, from {percent(start.get(first, 0.0))} of sales"
        f" to {percent(end.get(first, 0.0))} in {period(run)}{rest}"
    )


def price_finding(run: Any) -> str:
    """The mean price, at the base date and at the end."""
    start, end = run.headline["mean_price"].iloc[0], run.yearly()["mean_price"].iloc[-1]
    if isnan(end):
        return sentence(f"Nobody takes delivery of a car in {run.yearly().index[-1]}")
    verb = "stays at" if round(start) == round(end) else f"{'falls' if end < start else 'rises'} from {price(start)} to"
    return sentence(f"The mean price {verb} {price(end)} in {run.yearly().index[-1]}, in money of 2023")


def deliveries_finding(run: Any) -> str:
    """How many cars the alliance delivers, and when it has delivered the first million."""
    so_far = run.alliance_cumulative_deliveries()
    first, last = next(iter(so_far)), list(so_far)[-1]
    if so_far[last] == 0:
        return f"The alliance delivers no car by {month(last)}."
    passed = next((name for name, count in so_far.items() if count >= MILESTONE), None)
    milestone = f"the first million in {month(passed)}" if passed else "a million is not reached"
    return sentence(f"The alliance delivers {cars(so_far[last])} from {month(first)} to {month(last)}; {milestone}")


def repeat_finding(run: Any) -> str:
    """How many owners stay on their platform, beside what its share alone would give."""
    repeat, platform = run.repeat_rate(), run.scenario.alliance.platform
    if repeat is None:
        return "No owner of an ecosystem's car buys again in this run."
    year = run.repeat_year()
    rate, share = run.platform_repeat(year).get(platform), run.bought_shares(year).get(platform, 0.0)
    text = f"Of owners of an ecosystem's car who buy again, {percent(repeat)} stay on its platform"
    if rate is not None and share > 0:
        text += f"; on {platform_name(platform)}'s {percent(rate)}, against its {percent(share)} of all cars bought"
    return sentence(text)


def switching_finding(run: Any) -> str:
    """Whose owners are most loyal, and how many first-time buyers the alliance wins."""
    year, platform = run.repeat_year(), run.scenario.alliance.platform
    bought = run.switching[run.switching["year"] == year]
    newcomers = bought[bought["from_platform"] == FIRST_CAR].groupby("to_platform")["buyers"].sum()
    text = f"In {year}, most buyers leave the platform they owned"
    if (run.repeat_rate() or 0.0) > 0.5:
        text = f"In {year}, most buyers stay on the platform they owned"
    won = newcomers.get(platform, 0.0) / newcomers.sum() if newcomers.sum() else 0.0
    return sentence(f"{text}; {percent(won)} of buyers of a first car choose {platform_name(platform)}")


def concentration_finding(run: Any) -> str:
    """Whether the market concentrates, by automaker and by platform."""
    headline = run.headline
    last = headline[headline["month"].isin(run.last_months())]

    def path(column: str) -> str:
        start, end = headline[column].iloc[0], last[column].mean()
        return f"{'falls' if end < start else 'rises'} from {number(start)} to {number(end)} points"

    return sentence(
        f"Concentration (Herfindahl index) of automakers {path('hhi_automaker')}, of platforms {path('hhi_platform')}"
    )


def money_finding(run: Any) -> str:
    """What the platform firm earns and what the state takes in and pays, in the last year."""
    months = run.last_months()
    leader, state = (frame[frame["month"].isin(months)] for frame in (run.orchestrator, run.government))
    profit, royalties = leader["profit"].sum(), leader["royalties"].sum()
    earned = f"earns {money(profit)}" if profit >= 0 else f"loses {money(-profit)}"
    collected, paid = (state["vat"] + state["purchase_tax"]).sum(), state["subsidies"].sum()
    return sentence(
        f"In {period(run)}, {run.scenario.alliance.leader} {earned} on {money(royalties)} of royalties; the state"
        f" collects {money(collected)} of taxes on cars and pays {money(paid) if paid else 'nothing'} in subsidies"
    )


# A run on a terminal, and two worlds side by side


def summary(run: Any) -> str:
    """A run on a terminal of 100 columns: what it is, a line a year, what it says."""
    scenario = run.scenario
    title = f"{scenario.name}, seed {run.seed}: {month(scenario.start)} to {month(scenario.end)}"
    rows = [
        _year_row(str(year) + ("" if row["months"] == 12 else f" ({row['months']:.0f} m)"), row)
        for year, row in run.yearly().iterrows()
    ]
    header = ["".join(f"{column[line]:>{column[2]}}" for column in YEAR_COLUMNS) for line in (0, 1)]
    facts = [f"- {wrap(text, WIDTH - 2, indent=2)}" for text in findings(run)]
    if run.diagnostics.get("tips"):
        facts.append(f"- {wrap(TIPPING, WIDTH - 2, indent=2)}")
    digest = f"digest {run.digest}"
    return "\n".join([title, "=" * len(title), "", *header, _base_row(run), *rows, "", *facts, "", digest])


def _year_row(label: str, row: Mapping[Any, Any]) -> str:
    """A line of the yearly table."""
    repeat = row["repeat_rate"]
    return (
        f"{label:11}{row['units'] / 1e6:8.1f}{100 * row['alliance_share']:10.1f}{100 * row['independent_share']:14.1f}"
        f"{100 * row['incumbent_share']:12.1f}{100 * row['nev_penetration']:7.1f}{row['mean_price']:7.0f}"
        f"{row['alliance_cumulative_deliveries'] / 1e3:15,.0f}"
        + (f"{'-':>8}" if isnan(repeat) else f"{100 * repeat:8.1f}")
    )


def _base_row(run: Any) -> str:
    """The base month as a year at its pace."""
    base = run.headline.iloc[0]
    return _year_row(f"{run.base_month} x12", dict(base) | {"units": 12 * base["units"], "repeat_rate": float("nan")})


def compare(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> list[str]:
    """What another world changes over the last 12 months: mean paired differences with 90 % intervals.

    Args:
        baseline_runs: runs of one scenario, one a seed.
        other_runs: runs of the other, with the same seeds in the same order.
    Returns:
        Sentences: camps, the automakers that gain and lose most, combustion cars, the mean price.
    Raises:
        ValueError: the two lists are not pairs.
    """
    check_pairs(baseline_runs, other_runs)
    phrase, when = world(other_runs[0].scenario.name), f"in {period(other_runs[0])}"
    camps, firms, drives = (share_changes(baseline_runs, other_runs, by) for by in ("camp", "automaker", "powertrain"))
    sold = {camp for run in other_runs for camp in run.shares("camp")}
    moved = [name for name in firms if not name.startswith(POOLED)]
    facts = [(CAMPS[camp], camps[camp], camp != "alliance") for camp in CAMPS if camp in sold]
    facts += [(name, firms[name], False) for name in dict.fromkeys((*moved[:-4:-1], moved[0]))]
    if "ice" in drives:
        facts.append(("combustion cars", drives["ice"], True))
    sentences = [f"{phrase}, {who} {share_change(interval, plural)} {when}." for who, interval, plural in facts]
    price_moves = paired_interval(
        [
            float(other.yearly()["mean_price"].iloc[-1] - base.yearly()["mean_price"].iloc[-1])
            for base, other in zip(baseline_runs, other_runs, strict=True)
        ]
    )
    sentences.append(f"{phrase}, the mean price {_price_change(price_moves)} {when}.")
    pairs = len(baseline_runs)
    spread = "Mean of {} paired seeds, 90 % interval in brackets." if pairs > 1 else "One pair of runs: no interval."
    return [*sentences, spread.format(pairs)]


def comparison_finding(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> str:
    """The automakers that clearly gain and lose most in another world: intervals without zero."""
    check_pairs(baseline_runs, other_runs)
    changes = share_changes(baseline_runs, other_runs, "automaker")
    phrase, when = world(other_runs[0].scenario.name), f"in {period(other_runs[0])}"
    clear = [name for name, (_, low, high) in changes.items() if not low <= 0.0 <= high and not name.startswith(POOLED)]
    if not clear:
        return f"{phrase}, no automaker's share changes by more than chance {when}."
    both = names(f"{name} {share_change(changes[name])}" for name in dict.fromkeys((clear[-1], clear[0])))
    return f"{phrase}, {both} {when}."


def share_changes(
    baseline_runs: Sequence[Any], other_runs: Sequence[Any], by: str
) -> dict[str, tuple[float, float, float]]:
    """Mean paired difference of final shares and its interval, by a text column of `market`; losers first."""
    pairs = [(base.shares(by), other.shares(by)) for base, other in zip(baseline_runs, other_runs, strict=True)]
    everyone = sorted({name for pair in pairs for shares in pair for name in shares})
    changes = {
        name: paired_interval([other.get(name, 0.0) - base.get(name, 0.0) for base, other in pairs])
        for name in everyone
    }
    return dict(sorted(changes.items(), key=lambda item: item[1][0]))


def share_change(interval: tuple[float, float, float], plural: bool = False) -> str:
    """`gains 2.1 points [1.8, 2.4]`: a mean difference of shares with its interval, measured the verb's way."""
    verb = ("gain" if interval[0] >= 0 else "lose") + ("" if plural else "s")
    return f"{verb} {_size(interval, 100.0)[0]} points{_size(interval, 100.0)[1]}"


def _price_change(interval: tuple[float, float, float]) -> str:
    """`falls by 1.2 kCNY [0.9, 1.5]`."""
    size, ends = _size(interval, 1.0)
    return f"{'rises' if interval[0] >= 0 else 'falls'} by {size} kCNY{ends}"


def _size(interval: tuple[float, float, float], scale: float) -> tuple[str, str]:
    """The size of a change and its interval in brackets, both counted in the direction of the mean."""
    sign = scale if interval[0] >= 0 else -scale
    mean, *ends = (round(sign * value, 1) + 0.0 for value in interval)  # -0.0 + 0.0 is 0.0
    low, high = sorted(ends)
    return f"{mean:.1f}", "" if isnan(low) else f" [{low:.1f}, {high:.1f}]"


def paired_interval(differences: Sequence[float], coverage: float = 0.90) -> tuple[float, float, float]:
    """Mean of paired differences with its Student interval.

        d̄ ± t_{n−1} s_d / √n

    Args:
        differences: other less baseline, one a pair.
        coverage: of the interval.
    Returns:
        Mean, low and high end; the ends are nan for a single pair.
    """
    from scipy.special import stdtrit

    n, mean = len(differences), fmean(differences)
    if n == 1:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(n - 1, 0.5 + coverage / 2.0)) * stdev(differences) / n**0.5
    return mean, mean - half, mean + half


def check_pairs(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> None:
    """Two lists of runs must hold the same seeds in the same order over the same months.

    Raises:
        ValueError: saying what differs.
    """
    seeds = [[run.seed for run in runs] for runs in (baseline_runs, other_runs)]
    if not seeds[0] or seeds[0] != seeds[1]:
        raise ValueError(f"runs are compared in pairs: seeds {seeds[0]} and {seeds[1]} must be the same, at least one")
    spans = {(run.scenario.start, run.scenario.end) for run in (*baseline_runs, *other_runs)}
    if len(spans) > 1:
        raise ValueError(f"runs are compared over the same months, not {sorted(spans)}")
