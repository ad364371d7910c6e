"""A maker's review in words: the value table of each of its brands, why it chose as it did, what would have turned it."""

from collections.abc import Callable, Mapping
from math import isnan
from typing import Any

from .choices import WITH_LEADER, decisive, foreseen, named, reason, standing
from .language import WIDTH, billions, month, names, percent, sentence, spans, wrap

COLUMNS: Mapping[str, tuple[str, str, int]] = {  # column of `decisions`: heading in two lines, width
    "market_profit": ("market", "profit", 8),
    "royalty": ("", "royalty", 8),
    "fixed": ("", "fixed", 7),
    "autonomy": ("", "autonomy", 9),
    "volume": ("", "volume", 7),
    "option": ("", "option", 7),
    "value": ("", "sum", 8),
    "unseen": ("", "unseen", 7),
    "chance": ("", "chance", 8),
}
TERMS: Mapping[str, str] = {  # parts as what would have to be another
    "market_profit": "market profit",
    "royalty": "royalties",
    "fixed": "fixed costs",
    "autonomy": "cost of autonomy",
    "volume": "value of volume",
    "option": "value of what can be done later",
}
LOSSES: Mapping[str, str] = {**TERMS, "market_profit": "market loss", "option": "risk of failing"}
MARK = 7  # width of the first column
LEAST_CHANCE = 0.001  # told as it is


def why(run: Any, automaker: str, when: str) -> str:
    """A maker's review on a terminal of 100 columns: value tables of its brands, each with the choice and its reason.

    Args:
        run: a run with decisions.
        automaker: as in the table `decisions`.
        when: month of the review, YYYY-MM.
    """
    decisions, years = run.decisions, run.scenario.modes.horizon_years
    own = decisions[decisions["automaker"] == automaker]
    title = f"{automaker}, review of {month(when)} ({run.scenario.name}, seed {run.seed})"
    lines = [title, "=" * len(title), ""]
    for brand in own["brand"].drop_duplicates():
        told = own[own["brand"] == brand]
        table = told[told["month"] == when]
        if len(table):
            sentences = review_sentences(brand, table)
            lines += [*value_lines(brand, table), "", *sentences, ""]
        else:
            lines += [wrap(absence(run, told, brand, when), WIDTH), ""]
    return "\n".join([*lines, wrap(legend(years), WIDTH)])


def legend(years: int) -> str:
    """How to read a value table."""
    return (
        f"Present values over {years} years, bn CNY, of all the maker's brands. Unseen: what the maker saw in a way beside the"
        " parts, drawn for each brand, mode and review; chance: before that draw. The way with most in sum and unseen is chosen;"
        " what keeps the brand as it is counts for the present way."
    )


def value_lines(brand: str, table: Any) -> list[str]:
    """The value table of one brand: a line a way under a heading of two."""
    rows = [row for _, row in table.iterrows()]
    shown = [column for column in COLUMNS if column != "volume" or table["volume"].any()]
    room = WIDTH - MARK - sum(COLUMNS[column][2] for column in shown)
    ways = [shortened(named(row), room) for row in rows]
    width = max(map(len, (brand, *ways)))
    form = figures(table)
    head = ["".join(f"{COLUMNS[column][line]:>{COLUMNS[column][2]}}" for column in shown) for line in (0, 1)]
    lines = [f"{'':{width + MARK}}{head[0]}".rstrip(), f"{brand:{width + MARK}}{head[1]}"]
    for row, way in zip(rows, ways, strict=True):
        cells = [likely(row) if column == "chance" else form(row[column]) for column in shown]
        numbers = "".join(f"{cell:>{COLUMNS[column][2]}}" for column, cell in zip(shown, cells, strict=True))
        lines.append(f"{mark(row):{MARK}}{way:{width}}{numbers}")
    return lines


def shortened(text: str, room: int) -> str:
    """A name cut where it is longer than there is room."""
    return text if len(text) <= room else f"{text[: room - 1]}…"


def figures(table: Any) -> Callable[[float], str]:
    """How sums are written in one table, bn CNY: with as many digits as its largest leaves room for; `-` is nothing."""
    largest = max(abs(table[column]).max() for column in COLUMNS if column != "chance") / 1e6
    digits = sum(largest < bound for bound in (1.0, 100.0, 1000.0))
    return lambda kcny: f"{round(kcny / 1e6, digits) + 0.0:,.{digits}f}" if kcny else "-"


def likely(row: Any) -> str:
    """The chance of a way; `-` of one that is closed."""
    chance = float(row["chance"])
    return "-" if row["closed"] else percent(chance) if chance >= LEAST_CHANCE else f"<{percent(LEAST_CHANCE)}"


def mark(row: Any) -> str:
    """What became of a way."""
    if row["closed"]:
        return "closed"
    if row["present"]:
        return "stays" if row["chosen"] else "now"
    return "chosen" if row["chosen"] else ""


def review_sentences(brand: str, table: Any) -> list[str]:
    """What keeps the brand as it is, what was chosen and why, what would have turned it, what was closed; a line or more each."""
    told = [
        resistance_sentence(brand, table),
        choice_sentence(brand, table),
        turning_sentence(table),
        closed_sentence(table),
    ]
    return [wrap(text, WIDTH) for text in told if text]


def resistance_sentence(brand: str, table: Any) -> str:
    """What keeps the brand as it is."""
    present = table.loc[table["present"].idxmax()]
    held = float(present["resistance"])
    if not held:
        return f"Nothing but its value keeps {brand} as it is."
    if held < 0:
        return sentence(
            f"{brand} is readier to change than its values say: {billions(-held)} count against {named(present)}"
        )
    return sentence(f"What keeps {brand} as it is counts {billions(held)} for {named(present)}")


def choice_sentence(brand: str, table: Any) -> str:
    """What was chosen, and the part that made the largest difference to what it was, or to the next best where it stays."""
    chosen, present = (table.loc[table[column].idxmax()] for column in ("chosen", "present"))
    second, plain = runner_up(table), foreseen(table)
    stays = chosen.name == present.name
    text = (
        f"{brand} stays as it is, {named(chosen)}"
        if stays
        else f"{brand} goes from {named(present)} to {named(chosen)}"
    )
    if second is None:
        return sentence(f"{text}; no other way was open")
    if sight(chosen) < sight(second):
        return sentence(f"{text}, though the table speaks for {named(second)}")
    text += f": compared with {named(second)}, the next best, " if stays else ": "
    text += reason(*decisive(chosen, second if stays else present))
    if plain.name != chosen.name:
        text += f"; without what is unseen it would have been {named(plain)}"
    return sentence(text)


def turning_sentence(table: Any) -> str:
    """The smallest change of one part that would have made the runner-up the choice; empty: none would."""
    second = runner_up(table)
    if second is None or sight(table.loc[table["chosen"].idxmax()]) < sight(second):
        return ""
    return turning(second)


def turning(row: Any) -> str:
    """The smallest change of one part that would have made a way the choice; empty: none would."""
    term, change = row["turning_term"], float(row["turning_change"])
    if not term or isnan(change):
        return ""
    gains = row[term] > 0
    way, what = named(row), (TERMS if gains else LOSSES)[term]
    if not gains and change > 1:
        return sentence(f"{way} would not have been chosen even without its {what}")
    return sentence(
        f"{way} would have been chosen had its {what} been {percent(change)} {'higher' if gains else 'lower'}"
    )


def closed_sentence(table: Any) -> str:
    """The ways that were not open, and why."""
    told = [
        f"{names(named(row) for _, row in rows.iterrows())}: {cause}"
        for cause, rows in table[table["closed"] != ""].groupby("closed")
    ]
    return sentence(f"closed: {'; '.join(told)}") if told else ""


def absence(run: Any, told: Any, brand: str, when: str) -> str:
    """Why a brand had no choice at a review.

    Args:
        told: its rows of `decisions`, of all reviews.
    """
    market = run.market
    sold = market[(market["brand"] == brand) & (market["month"] == when) & market["automaker"].isin(told["automaker"])]
    earlier = told[(told["month"] < when) & told["chosen"]]
    last = earlier.iloc[-1] if len(earlier) else None
    if last is not None and not last["present"]:
        return sentence(f"{brand} had no choice: it was bound by its choice of {month(last['month'])}, {named(last)}")
    if not len(sold):
        return f"{brand} had no choice: it was not on sale."
    bound = sold["mode"].isin(WITH_LEADER).any()
    return f"{brand} had no choice: {'it was bound by its contract' if bound else 'there was no other way'}."


def runner_up(table: Any) -> Any | None:
    """The open way that came nearest to the chosen one; None: there is no other."""
    others = table[(table["closed"] == "") & ~table["chosen"]]
    return others.loc[(standing(others) + others["unseen"]).idxmax()] if len(others) else None


def sight(row: Any) -> float:
    """What a way counts in the choice, kCNY: its value, what keeps the brand as it is, and the draw."""
    return float(standing(row) + row["unseen"])


def other_reviews(own: Any, when: str) -> str:
    """Which other reviews a maker had, and at which of them it changed something.

    Args:
        own: its rows of `decisions`.
        when: month of the review that is told.
    """
    others = own[own["month"] != when]
    if not len(others):
        return "It had no other review."
    years, changed = (
        sorted({int(name[:4]) for name in rows["month"]})
        for rows in (others, others[others["chosen"] & ~others["present"]])
    )
    text = f"other reviews: {spans(years)}"
    return wrap(sentence(f"{text}; it changed something in {spans(changed)} too" if changed else text), WIDTH)
