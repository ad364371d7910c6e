"""Who sells what share of cars: camps, and the automakers that gain and lose most."""

from typing import Any

from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.series import TRAILING_NOTE, trailing_shares
from evsim.report.figures.style import (
    CAMP_COLOURS,
    SERIES_COLOURS,
    dates,
    label_ends,
    line,
    mark_base,
    new_figure,
    percent_axis,
    years_axis,
)  # fmt: skip

LEADERS = 12  # automakers drawn
MOVERS = 4  # coloured, at either end
QUIET = "#B5B5B5"


def camps(run: Any) -> Figure:
    """Shares of the alliance, independents and incumbents over time."""
    shares = trailing_shares(run, "camp")
    figure, (axes,) = new_figure(words.shares_finding(run), f"Share of cars delivered, {TRAILING_NOTE}")
    x, labels = dates(shares.index), []
    for camp in (camp for camp in words.CAMPS if camp in shares):
        y = shares[camp].to_numpy()
        line(axes, x, y, CAMP_COLOURS[camp])
        labels.append((f"{words.label(words.CAMPS[camp])} {words.percent(y[-1])}", y[-1], CAMP_COLOURS[camp]))
    percent_axis(axes, "share of cars delivered")
    years_axis(axes, x[0], x[-1])
    label_ends(axes, labels)
    mark_base(axes, run.base_month)
    return figure


def automakers(run: Any) -> Figure:
    """Shares of the leading automakers over time; those that move most are in colour."""
    shares = trailing_shares(run, "automaker")
    leading = shares.iloc[[0, -1]].max().nlargest(LEADERS).index
    moves = (shares.iloc[-1] - shares.iloc[0])[leading].sort_values()
    movers = [*moves.index[: -MOVERS - 1 : -1], *moves.index[:MOVERS]]
    colours = dict(zip(movers, SERIES_COLOURS, strict=False))
    note = f"Share of cars delivered, {TRAILING_NOTE} The {len(leading)} automakers that are or become largest."
    figure, (axes,) = new_figure(words.winners_finding(run), note, (10.0, 6.4))
    x, labels = dates(shares.index), []
    for name in sorted(leading, key=lambda name: name in colours):
        y, colour = shares[name].to_numpy(), colours.get(name, QUIET)
        line(axes, x, y, colour, linewidth=2.0 if name in colours else 1.2)
        labels.append((f"{name} {words.percent(y[-1])}", y[-1], colour if name in colours else "#7A7A7A"))
    percent_axis(axes, "share of cars delivered")
    years_axis(axes, x[0], x[-1])
    label_ends(axes, labels, 0.042)
    mark_base(axes, run.base_month)
    return figure
