"""Parameters written out for a reader: value, unit, range, meaning, source and role, all from their declarations."""

from typing import Any

from pydantic_core import PydanticUndefined

from evsim.params import Params, Scenario

from .keys import Parameter, parameters, sections, shown, unknown_key
from .library import ALTERNATIVES, alternatives

ROLES = {
    "lever": "lever: acts from month 1 on a market that was calibrated without it",
    "structure": "structure: part of the explanation of the base table; a change calibrates the market anew",
    "setting": "setting: how the simulation is set up or computed",
}


def explain(key: str | None = None) -> str:
    """What a key means, for the screen.

    Args:
        key: a parameter ("pricing.rule"), a group of parameters ("pricing"), or None for an overview.
    Raises:
        BadRequest: there is no such key; the nearest is named.
    """
    if key is None:
        return _overview()
    if key in sections():
        return _section(key)
    if key in parameters():
        return _parameter(parameters()[key])
    raise unknown_key(key)


def _overview() -> str:
    top = [parameter for name, parameter in parameters().items() if "." not in name]
    lines = ["Set any of these with key=value; `evsim explain KEY` tells more about a group or a key.", ""]
    lines += [f"  {parameter.key + ' = ' + _value(parameter.default):<24} {parameter.meaning}" for parameter in top]
    lines.append("")
    for name, model in ((name, model) for name, model in sections().items() if "." not in name):
        count = sum(key.startswith(f"{name}.") for key in parameters())
        lines.append(f"  {name + '.*':<24} {_first_line(model)} ({count})")
    lines += ["", "Named alternatives, chosen by the bare name of the group:", ""]
    lines += [f"  {group}={_names(group)}" for group in ALTERNATIVES]
    return "\n".join(lines)


def _section(name: str) -> str:
    lines = [f"{name}: {_first_line(sections()[name])}"]
    if name in ALTERNATIVES:
        lines.append(f"Named alternatives: {name}={_names(name)}")
    for key, parameter in parameters().items():
        if key.startswith(f"{name}."):
            lines += ["", *_entry(parameter)]
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> str:
    lines = [
        f"{parameter.key} = {_value(parameter.default)}",
        f"  meaning  {parameter.meaning}",
        f"  unit     {parameter.unit}",
        f"  allowed  {parameter.allowed}",
        f"  role     {ROLES.get(parameter.role, parameter.role)}",
        f"  source   {parameter.source}",
    ]
    for model in parameter.nested:
        kind = model.model_fields["kind"].default if "kind" in model.model_fields else model.__name__
        lines += ["", f"An entry with kind: {kind}. {_first_line(model)}"]
        inner = parameters(model)
        lines += [line for key, entry in inner.items() if key != "kind" for line in _entry(entry)]
    if parameter.key == "market.table":
        from evsim.data import describe_market_columns  # reads tables with pandas: only when asked for

        lines += ["", describe_market_columns()]
    return "\n".join(lines)


def _entry(parameter: Parameter) -> list[str]:
    limits = (
        "" if parameter.kind == "text" and not parameter.choices and not parameter.pattern else f"; {parameter.allowed}"
    )
    return [
        f"  {parameter.key} = {_value(parameter.default)}  [{parameter.unit}{limits}; {parameter.role}]",
        f"      {parameter.meaning}",
        f"      source: {parameter.source}",
    ]


def _names(group: str) -> str:
    """The alternatives of a group, in the order in which the parameter they set declares its choices."""
    declared = [
        choice for key, entry in parameters().items() if key.startswith(f"{group}.") for choice in entry.choices
    ]
    return "|".join(
        sorted(
            alternatives(group),
            key=lambda name: (name not in declared, declared.index(name) if name in declared else 0),
        )
    )


def _value(value: Any) -> str:
    if value is PydanticUndefined:
        return "(must be given)"
    if isinstance(value, tuple | list):
        return f"[{', '.join(str(item) for item in value)}]"
    return shown(value)


def _first_line(model: type[Params]) -> str:
    return (model.__doc__ or Scenario.__name__).strip().splitlines()[0]
