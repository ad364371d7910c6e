"""What a run says: its findings, one fact each and short enough for a figure's title, and its summary on a terminal."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from .choices import choices_finding
from .language import (
    CAMPS,
    POOLED,
    WIDTH,
    cars,
    money,
    month,
    names,
    number,
    percent,
    period,
    platform_name,
    points,
    price,
    sentence,
    wrap,
)

TIPPING = (
    "Warning: lock_in.network_effect is above the threshold at which even platforms that are alike would not share the "
    "market; whoever leads early takes most of it, and small differences decide who that is."
)
FIRST_CAR = "first car"  # in `from_platform` of the switching table
YEAR_COLUMNS = (  # heading, unit, width of the yearly table
    ("", "", 11), ("cars", "million", 8), ("alliance", "%", 10), ("independents", "%", 14), ("incumbents", "%", 12),
    ("NEV", "%", 7), ("price", "kCNY", 7), ("alliance cars", "so far, 1000", 15), ("repeat", "%", 8),
)  # fmt: skip
MILESTONE = 1_000_000  # cars the alliance has delivered
MILESTONE_YEARS = (2024, 2025, 2030, 2035)


def findings(run: Any) -> list[str]:
    """What a strategist wants to know of a run, in plain sentences, each of them true of its tables.

    Of choices and exits nothing is said where there were none to make and nobody stopped.
    """
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
        choices_finding,
    )
    return [fact for fact in (find(run) for find in facts) if fact]


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
        return f"{'falls' if end < start else 'rises'} from {number(start)} to {number(end)} HHI points"

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
