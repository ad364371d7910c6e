"""Fan chart: the paths of many runs as bands of quantiles, month by month."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim.report.figures.style import CAMP_COLOURS, dates, label_ends, new_figure, years_axis
from evsim.words.language import label
from evsim.words.outcomes import outcome_name, quantity

COLOUR = CAMP_COLOURS["independent"]
BANDS = (("0.05", "0.95", 0.18), ("0.25", "0.75", 0.32))


def fan(part: Any) -> Figure:
    """Median, middle half and nine of ten of all runs, month by month."""
    table, unit = part.tables["quantiles"], part.subject.unit
    n_runs = f"{part.about['n_runs']:,}"
    note = f"Median of {n_runs} runs (line), half of them (dark band) and nine of ten (light band); each run's mean of 12 months."
    figure, (axes,) = new_figure(part.finding, note)
    x = dates(list(table.index))
    for low, high, alpha in BANDS:
        axes.fill_between(x, table[low], table[high], color=COLOUR, alpha=alpha, linewidth=0)
    axes.plot(x, table["0.5"], color=COLOUR)
    years_axis(axes, x[0], x[-1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, unit)))
    axes.set_ylabel(label(outcome_name(part.subject.outcome)))
    label_ends(axes, [(quantity(table[name].iloc[-1], unit), float(table[name].iloc[-1]), COLOUR) for name in table])
    return figure
