"""`key=value` in Hydra's grammar, checked before Hydra sees it.

Hydra's lexer refuses Chinese characters and much else outside quotes, so a value it cannot read is taken as text and
quoted; the text of a text parameter is taken as written (`market.table=2021` is no number).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from evsim.errors import BadRequest

from .keys import NONE_WORDS, Parameter, misfit, parameters, shown, unknown_key
from .library import GROUPS, chosen

LONGEST = 20_000  # characters of one override


@dataclass
class Request:
    """What the user asked for: group -> name, and dotted key -> value in Hydra's grammar; the last one counts."""

    groups: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def for_hydra(self) -> list[str]:
        """The overrides that `hydra.compose` takes."""
        groups = [f"{group}={_quoted(name)}" for group, name in self.groups.items()]
        return groups + [f"{key}={text}" for key, text in self.values.items()]


def read(overrides: Iterable[str], config_dir: str | Path | None = None) -> Request:
    """Sort overrides into choices of alternatives and values of parameters.

    Raises:
        BadRequest: not key=value, an unknown key or alternative, several values, a value Hydra's grammar refuses.
    """
    request = Request()
    for override in overrides:
        key, text = _split(override)
        if key in GROUPS:
            name = _parsed(key, text).value()
            name = text if not isinstance(name, str) else name
            chosen(key, name, config_dir)
            request.groups[key] = name
        elif key in parameters():
            request.values[key] = _value(parameters()[key], text)
        else:
            raise unknown_key(key)
    return request


def _split(override: str) -> tuple[str, str]:
    """Key and text of one override, after the refusals that need no grammar."""
    if not isinstance(override, str):
        raise BadRequest(f"{shown(override)}: an override is text, key=value")
    if len(override) > LONGEST:
        raise BadRequest(f"{shown(override, 40)}: longer than {LONGEST} characters")
    key, equals, text = override.partition("=")
    key, text = key.strip(), text.strip()
    if key.startswith("~"):
        raise BadRequest(f"{shown(override)}: nothing is removed; leave a key out for its default, or set it to null")
    key = key.lstrip("+")  # every key exists, so adding is setting
    if re.match(r"hydra\b", key):
        raise BadRequest(
            f"{shown(key)}: Hydra's own settings are not part of a scenario; `evsim run --help` lists the options"
        )
    if not equals:
        if key in parameters() or key in GROUPS:
            raise BadRequest(f"{shown(override)}: give a value, {key}=…")
        raise BadRequest(f"{shown(override)}: must be key=value; `evsim explain` lists the keys")
    if not text:
        raise BadRequest(f"{shown(key)}=: give a value after the =")
    if "${" in text:
        raise BadRequest(f"{shown(override)}: interpolation (${{…}}) is not allowed; write the value")
    if not all(character.isprintable() for character in override):
        raise BadRequest(f"{shown(override)}: characters that cannot be printed are not allowed")
    return key, text


def _value(parameter: Parameter, text: str) -> str:
    """The value in Hydra's grammar."""
    override = _parsed(parameter.key, text)
    value = override.value()
    if parameter.optional and text.lower() in NONE_WORDS:
        return "null"
    if isinstance(value, str):
        return _quoted(value)
    if parameter.kind == "text":
        if isinstance(value, list | dict):
            raise misfit(parameter.key, text)
        return _quoted(text)
    return (override.input_line or "").partition("=")[2]


def _parsed(key: str, text: str) -> Override:
    """The override as Hydra reads it; what its grammar refuses is read again in quotes (a list item by item).

    Raises:
        BadRequest: it stands for several values.
    """
    readings = (_reading(key, candidate) for candidate in (text, _items_quoted(text), _quoted(text)))
    override = next((reading for reading in readings if reading is not None), None)
    if override is None:
        raise BadRequest(f"{key}={shown(text)}: cannot be read; put the value in quotes")
    if override.is_sweep_override():
        raise BadRequest(
            f"{key}={shown(text)}: several values; `evsim sweep` runs one simulation for each, `evsim run` takes one "
            "(put a comma that is meant in quotes)"
        )
    return override


def _reading(key: str, text: str) -> Override | None:
    """The override by Hydra's grammar; None when it is not in the grammar, or has digits or brackets without end."""
    try:
        return OverridesParser.create().parse_override(f"{key}={text}")
    except (HydraException, ValueError, RecursionError):
        return None


def _items_quoted(text: str) -> str:
    """A list with those items quoted that have characters beyond ASCII; any other text as it is."""
    if not text.startswith("["):
        return text
    quoted_or_bare = r"""('[^']*'|"[^"]*")|[^\s,:\[\]{}'"][^,:\[\]{}'"]*"""
    return re.sub(
        quoted_or_bare, lambda item: item[0] if item[1] or item[0].isascii() else _quoted(item[0].strip()), text
    )


def _quoted(text: Any) -> str:
    return QuotedString(str(text), Quote.single).with_quotes()
