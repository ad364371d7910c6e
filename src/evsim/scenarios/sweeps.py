"""Several values of one key, in Hydra's grammar: `a,b`, `range(0,70,10)`, `interval(0,1)`, `glob(*)` for alternatives.

Hydra's own parser reads them, so a range excludes its end. Nothing is expanded before it is counted: a range may name
more values than there is memory for.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
)
from hydra.errors import HydraException

from evsim.errors import BadRequest

from .keys import parameters, shown, unknown_key
from .library import GROUPS, alternatives

LARGEST_RANGE = 1_000_000  # values
BARE = re.compile(r"[A-Za-z_][\w./:-]*|\d[\d.:-]*", re.ASCII)  # text that Hydra reads as it stands


@dataclass(frozen=True)
class Swept:
    """What one key runs over: listed values, or an interval to draw from (`values` is then empty)."""

    key: str
    text: str  # as it was asked for
    values: Sequence[Any] = ()
    low: float | None = None
    high: float | None = None

    @property
    def is_interval(self) -> bool:
        """Whether values are to be drawn from an interval."""
        return self.low is not None


def split_sweeps(
    overrides: Iterable[str], config_dir: str | Path | None = None
) -> tuple[dict[str, str], dict[str, Swept]]:
    """Overrides with one value, key -> override, and those with several; the last word on a key counts.

    Args:
        overrides: key=value, as on the command line.
        config_dir: a folder of one's own with alternatives that `glob` may name.
    Returns:
        Single overrides, not yet checked (`compose` does), and sweeps of keys that exist.
    Raises:
        BadRequest: an unknown key, a range without values or without end, a glob of a key that has no alternatives.
    """
    fixed: dict[str, str] = {}
    swept: dict[str, Swept] = {}
    for override in overrides:
        name, _, text = override.partition("=")
        key = name.strip().lstrip("+")
        values = sweep(key, text.strip(), config_dir)
        fixed.pop(key, None)
        swept.pop(key, None)
        if values is None:
            fixed[key] = override
        else:
            swept[key] = values
    return fixed, swept


def sweep(key: str, text: str, config_dir: str | Path | None = None) -> Swept | None:
    """What a key runs over by a text in Hydra's grammar; None when the text is one value, or none that is known.

    Raises:
        BadRequest: as `split_sweeps`.
    """
    override = _reading(key, text) or _reading(key, _commas_quoted(text))
    if override is None or not override.is_sweep_override():
        return None
    _check_key(key)
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _interval(key, text, value)
    if isinstance(value, RangeSweep):
        return Swept(key, text, _range(key, text, value))
    if isinstance(value, Glob):
        if key not in GROUPS:
            raise BadRequest(f"{key}={shown(text)}: only {', '.join(GROUPS)} have alternatives to choose by pattern")
        return listed(key, value.filter(list(alternatives(key, config_dir))), text)
    assert isinstance(value, ChoiceSweep)  # the four kinds of Hydra's grammar
    return listed(key, [_plain(item) for item in value.list], text)


def listed(key: str, values: Sequence[Any], text: str | None = None) -> Swept:
    """A sweep over given values.

    Raises:
        BadRequest: the key is unknown, or there is no value.
    """
    _check_key(key)
    written = ",".join(shown(value) for value in values) if text is None else text
    if not len(values):
        raise BadRequest(f"{key}={shown(written)}: there is no value to run; give at least one")
    return Swept(key, written, values)


def as_override(key: str, value: Any) -> str:
    """`key=value` in Hydra's grammar, such that reading it gives the value back."""
    return f"{key}={_written(value)}"


def _written(value: Any) -> str:
    """A plain value in Hydra's grammar."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_written(inner) for inner in value) + "]"
    text = str(value)
    reserved = text.lower() in ("null", "true", "false", "inf", "nan", "none")
    return text if BARE.fullmatch(text) and not reserved else QuotedString(text, Quote.single).with_quotes()


def _check_key(key: str) -> None:
    if key not in parameters() and key not in GROUPS:
        raise unknown_key(key)


def _reading(key: str, text: str) -> Override | None:
    """The override by Hydra's grammar, None when it is not in it."""
    try:
        return OverridesParser.create().parse_override(f"{key}={text}")
    except (HydraException, ValueError, RecursionError):
        return None


def _commas_quoted(text: str) -> str:
    """A plain list of values with those quoted that have characters beyond ASCII, which Hydra refuses outside quotes."""
    if any(mark in text for mark in "'\"()[]{}"):
        return text
    items = [item.strip() for item in text.split(",")]
    return ",".join(item if item.isascii() else QuotedString(item, Quote.single).with_quotes() for item in items)


def _interval(key: str, text: str, value: IntervalSweep) -> Swept:
    low, high = float(value.start or 0.0), float(value.end or 0.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadRequest(f"{key}={shown(text)}: an interval runs from its low end up to a higher one")
    if key in GROUPS or parameters()[key].kind not in ("a number", "a whole number"):
        raise BadRequest(f"{key}={shown(text)}: only a number is drawn from an interval; list the values instead")
    return Swept(key, text, low=low, high=high)


def _range(key: str, text: str, value: RangeSweep) -> Sequence[float]:
    """The range, its values not yet made when they are whole numbers; counted before any is made."""
    start, stop, step = value.start or 0, value.stop or 0, value.step
    if not all(math.isfinite(number) for number in (start, stop, step)) or step == 0:
        raise BadRequest(f"{key}={shown(text)}: a range needs finite ends and a step other than 0")
    count = math.ceil((stop - start) / step)
    if count <= 0:
        raise BadRequest(
            f"{key}={shown(text)}: the range holds no value; it runs from its start up to its end, which it leaves out"
        )
    if count > LARGEST_RANGE:
        raise BadRequest(f"{key}={shown(text)}: {count:,} values; a range holds at most {LARGEST_RANGE:,}")
    numbers = value.range()
    return numbers if isinstance(numbers, range) else tuple(numbers)


def _plain(value: Any) -> Any:
    """A parsed element as plain data."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(inner) for name, inner in value.items()}
    return value
