"""Numbers, months and names as a reader wants them."""

from collections.abc import Iterable, Mapping, Sequence
from math import floor, log10
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


def billions(kcny: float) -> str:
    """A sum of any size, given in kCNY, in three digits that matter: `0.83 bn CNY`."""
    return f"{number(kcny / 1e6)} bn CNY"


def month(text: str) -> str:
    """`2024-01` -> `January 2024`."""
    year, number_of_month = text.split("-")
    return f"{MONTHS[int(number_of_month) - 1]} {year}"


def bracket(ends: Sequence[str]) -> str:
    """The ends of an interval: `[28, 35]`; `[1,460; 1,520]` where a comma is part of a number."""
    return f"[{('; ' if any(',' in end for end in ends) else ', ').join(ends)}]"


def names(items: Iterable[str]) -> str:
    """`A, B and C`; `nobody` if there is none."""
    *first, last = list(items) or ["nobody"]
    return f"{', '.join(first)} and {last}" if first else last


def spans(years: Iterable[int]) -> str:
    """`2024, 2026 to 2029 and 2031`: years in order, three or more in a row as a span."""
    found: list[list[int]] = []
    for year in sorted(set(years)):
        if found and year == found[-1][-1] + 1:
            found[-1].append(year)
        else:
            found.append([year])
    told = [[f"{span[0]} to {span[-1]}"] if len(span) > 2 else [str(year) for year in span] for span in found]
    return names(text for span in told for text in span)


def platform_name(platform: str) -> str:
    """A stack as a reader knows it: `huawei` -> `Huawei`, `supplier` -> `bought-in stacks`."""
    return PLATFORMS.get(platform) or (platform if platform != platform.lower() else platform.replace("_", " ").title())


def world(scenario: str) -> str:
    """How a sentence about another scenario begins."""
    return WORLDS.get(scenario, f"Under {scenario.replace('_', ' ')}")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def duration(seconds: float) -> str:
    """`0.13 s`, `40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if 0.0 < seconds < 9.95:
        return f"{seconds:.2g} s"
    for unit, size, most in (("s", 1.0, 90.0), ("min", 60.0, 90.0), ("h", 3_600.0, 48.0)):
        if seconds < size * most:
            return f"{seconds / size:.0f} {unit}" if unit != "h" else f"{seconds / size:.1f} h"
    return f"{seconds / 86_400.0:.1f} days"


def wrap(text: str, width: int, indent: int = 0) -> str:
    """Text in lines of at most `width`, later ones indented; a number keeps its unit."""
    lines = fill(text.replace(" %", "\u00a0%"), width).replace("\u00a0", " ")
    return lines.replace("\n", "\n" + " " * indent)


def label(text: str) -> str:
    """A name as it stands beside a line: `the alliance` -> `Alliance`."""
    bare = text.removeprefix("the ")
    return f"{bare[0].upper()}{bare[1:]}"


def digits(largest: float) -> int:
    """How many digits after the point say something, by the largest of the numbers that stand together."""
    if largest >= 0.0995 or largest == 0.0:
        return 0 if largest >= 99.95 else 1 if largest >= 0.995 else 2
    return min(6, 1 - floor(log10(largest)))


def period(run: Any) -> str:
    """The last 12 months: `2035`, or `the 12 months to June 2030`."""
    return period_of(run.last_months())


def period_of(months: Sequence[str]) -> str:
    """Months in a row, YYYY-MM: `2035`, or `the 12 months to June 2030`."""
    if len(months) == 12 and months[0][:4] == months[-1][:4]:
        return months[-1][:4]
    return f"the {len(months)} months to {month(months[-1])}" if len(months) > 1 else month(months[-1])
