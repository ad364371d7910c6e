"""Every parameter by its dotted key: its limits, what to say when they are missed, the nearest key to a wrong one."""

import difflib
import functools
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from evsim.errors import BadRequest
from evsim.params import Params, Scenario

KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
NONE_WORDS = ("none", "null", "~")


@dataclass(frozen=True)
class Parameter:
    """One parameter as a reader and a checker need it; all of it comes from the field's declaration."""

    key: str
    default: Any
    kind: str  # "a number", "a whole number", "true or false", "text" or "a list"
    optional: bool  # null is allowed
    choices: tuple[str, ...]  # empty: free
    limits: dict[str, float]  # of ge, gt, le, lt
    pattern: str | None
    unit: str
    meaning: str
    source: str
    role: str
    acts_from: str  # key of the parameter whose month it acts from; empty: it may act from the start
    nested: tuple[type[Params], ...]  # what a list may hold, where that has parameters of its own

    @property
    def range(self) -> str:
        """The limits in words, without the kind: "from 0.0 to 1.0", "above 0.0"; empty when there are none."""
        words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
        return " ".join(f"{words[name]} {self.limits[name]!r}" for name in words if name in self.limits)

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            text = f"one of {', '.join(self.choices)}"
        elif self.pattern and r"\d{4}-" in self.pattern:
            text = "a month written YYYY-MM"
        else:
            text = f"{self.kind} {self.range}".strip()
        return f"{text}, or null" if self.optional else text


@functools.cache
def parameters(model: type[Params] = Scenario, prefix: str = "") -> dict[str, Parameter]:
    """All parameters of a model and of the models inside it, by dotted key, in the order of declaration."""
    found: dict[str, Parameter] = {}
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is not None:
            found.update(parameters(inner, f"{prefix}{name}."))
        else:
            found[prefix + name] = _parameter(prefix + name, field)
    return found


@functools.cache
def sections() -> dict[str, type[Params]]:
    """The models inside a Scenario, by name; one inside another by its dotted key, such as `contracts.alliance`."""
    return _sections(Scenario, "")


def _sections(model: type[Params], prefix: str) -> dict[str, type[Params]]:
    found: dict[str, type[Params]] = {}
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is not None:
            found |= {prefix + name: inner} | _sections(inner, f"{prefix}{name}.")
    return found


def unknown_key(key: str) -> BadRequest:
    """The refusal of a key that does not exist, with the nearest that does."""
    if key in sections():
        first = next(name for name in parameters() if name.startswith(f"{key}."))
        return BadRequest(
            f"{shown(key)} is a group of parameters; set one, such as {first}=…; `evsim explain {key}` lists them"
        )
    near = nearest(key, parameters(), least=0.0)
    return BadRequest(f"unknown key {shown(key)}; the nearest is {near}, and `evsim explain` lists all")


def nearest(word: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known name most like a word, whole or by its last part; None when none is `least` alike (0 to 1)."""

    def likeness(name: str) -> float:
        whole = difflib.SequenceMatcher(None, word.lower(), name.lower()).ratio()
        last = difflib.SequenceMatcher(None, word.lower().split(".")[-1], name.lower().split(".")[-1]).ratio()
        return max(whole, 0.99 * last)

    word = word[:100]
    best = max(known, key=likeness, default=None)
    return best if best is not None and likeness(best) >= least else None


def misfit(key: str, value: Any) -> BadRequest:
    """The refusal of a value: key, value, what is allowed."""
    parameter = parameters().get(key)
    allowed = f"must be {parameter.allowed}" if parameter else "is not allowed"
    if (
        isinstance(value, str)
        and parameter
        and parameter.kind != "text"
        and re.fullmatch(r"[-+.\de]+|true|false", value)
    ):
        value, allowed = f"'{value}'", f"{allowed}, without quotes"
    unit = f" ({parameter.unit})" if parameter and parameter.limits else ""
    near = nearest(str(value), parameter.choices) if parameter and parameter.choices else None
    return BadRequest(f"{key}={shown(value)}: {allowed}{unit}" + (f"; did you mean {near}?" if near else ""))


def shown(value: Any, longest: int = 80) -> str:
    """A value as the user wrote it, on one line and not too long."""
    if value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = "".join(character if character.isprintable() else "�" for character in str(value))
    return text if len(text) <= longest else f"{text[:longest]}…"


def _parameter(key: str, field: FieldInfo) -> Parameter:
    annotation, optional = _without_none(field.annotation)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    pattern = next((item.pattern for item in field.metadata if getattr(item, "pattern", None)), None)
    limits = {
        name: getattr(item, name) for item in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(item, name)
    }
    is_list = get_origin(annotation) is tuple
    return Parameter(
        key=key,
        default=[_plain(item) for item in field.default] if is_list else field.default,
        kind="a list" if is_list else KINDS.get(annotation, "text"),
        optional=optional,
        choices=_choices(annotation, pattern),
        limits=limits,
        pattern=pattern,
        unit=str(extra.get("unit", "")),
        meaning=field.description or "",
        source=str(extra.get("source", "")),
        role=str(extra.get("role", "")),
        acts_from=f"{key.rpartition('.')[0]}.{extra['acts_from']}" if "acts_from" in extra else "",
        nested=tuple(_models_inside(annotation)) if is_list else (),
    )


def _plain(value: Any) -> Any:
    """A list's entry as a scenario file would write it."""
    return value.model_dump() if isinstance(value, Params) else value


def _choices(annotation: Any, pattern: str | None) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(choice) for choice in get_args(annotation))
    listed = re.fullmatch(r"\^\(([\w|]+)\)\$", pattern or "")
    return tuple(listed.group(1).split("|")) if listed else ()


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """A type without its None, and whether it had one."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [member for member in get_args(annotation) if member is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _model_of(annotation: Any) -> type[Params] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Params) else None


def _models_inside(annotation: Any) -> list[type[Params]]:
    model = _model_of(annotation)
    if model is not None:
        return [model]
    return [model for member in get_args(annotation) for model in _models_inside(member)]
