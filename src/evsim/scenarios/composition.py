"""Defaults, a scenario's differences, alternatives and overrides composed into one checked Scenario.

Alternatives come after the scenario, so that `scenario=no_alliance modes=open` does what it says: what the user
names counts before what a file sets.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from evsim.errors import BadRequest
from evsim.params import Scenario

from . import library
from .keys import NONE_WORDS, Parameter, misfit, parameters, sections, shown, unknown_key
from .overrides import read

_one_at_a_time = threading.Lock()  # Hydra keeps its state in a global


def load(name: str = "baseline", *overrides: str, config_dir: str | Path | None = None) -> Scenario:
    """A scenario by name, with overrides as on the command line.

    Args:
        name: a scenario of `conf/scenario`, or of the user's folder; an override `scenario=…` counts before it.
        overrides: "key=value" with dotted keys ("software.advantage_kcny=30"), or "pricing=fixed" for an alternative.
        config_dir: a folder of one's own with `scenario/*.yaml`.
    Raises:
        BadRequest: anything about the request that cannot be met; one line says what would be right.
    """
    return from_mapping(compose([f"scenario={name}", *overrides], config_dir))


def compose(overrides: Iterable[str], config_dir: str | Path | None = None) -> dict[str, Any]:
    """The plain mapping that Hydra composes from the overrides, not yet checked.

    Raises:
        BadRequest: an override or a file cannot be read as what it should be.
    """
    request = read(["scenario=baseline", *overrides], config_dir)
    own = {group: library.check_choice(group, name, config_dir) for group, name in request.groups.items()}
    settings = []
    if config_dir is not None:
        folder = str(library.own_folder(config_dir)).replace("'", r"\'")
        settings = [f"hydra.searchpath=['file://{folder}']"]
    ConfigStore.instance().store("parameters", to_mapping(Scenario()))
    try:
        with _one_at_a_time, initialize_config_dir(str(library.configuration_folder()), version_base="1.3"):
            composed = hydra_compose("config", overrides=[*request.for_hydra(), *settings])
        mapping = OmegaConf.to_container(composed, resolve=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise BadRequest(f"{' '.join(request.for_hydra())}: {str(error).splitlines()[0]}") from error
    assert isinstance(mapping, dict)
    if "name" not in request.values and "name" not in own["scenario"]:
        mapping["name"] = request.groups["scenario"]
    return {str(key): value for key, value in mapping.items()}


def from_mapping(mapping: Mapping[str, Any]) -> Scenario:
    """The checked Scenario of a plain mapping; what is left out has its default.

    Raises:
        BadRequest: unknown key, wrong type or value out of range.
    """
    values = _read_as_meant(mapping)
    try:
        # By way of JSON: strict there means no number from text or from true, yet lists are read as tuples.
        return Scenario.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        raise _refusal(error, values) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequest(f"the scenario is not plain data: {shown(str(error))}") from error


def to_mapping(scenario: Scenario) -> dict[str, Any]:
    """Every parameter of a scenario as plain data; `from_mapping` gives the scenario back."""
    return scenario.model_dump(mode="json")


def as_yaml(scenario: Scenario) -> str:
    """A scenario written out in full; saved as `scenario/NAME.yaml` in a folder of one's own it can be loaded."""
    text = yaml.safe_dump(to_mapping(scenario), sort_keys=False, allow_unicode=True, width=120)
    return f"{library.HEADER}\n{text}"


def differences(scenario: Scenario, other: Scenario | None = None) -> dict[str, tuple[Any, Any]]:
    """Keys on which two scenarios differ, with (value, value in the other); the other is by default the baseline."""
    ours, theirs = _flat(to_mapping(scenario)), _flat(to_mapping(other or Scenario()))
    return {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}


def _flat(mapping: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = value
    return flat


def _read_as_meant(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The mapping with spelling variants of a value made one: `none` is null, 1e5 a whole number, 2021 a text."""
    values: dict[str, Any] = {}
    for name, value in mapping.items():
        key = f"{prefix}{name}"
        if key in sections() and isinstance(value, Mapping):
            values[name] = _read_as_meant(value, f"{key}.")
        else:
            values[name] = _variant(parameters().get(key), value)
    return values


def _variant(parameter: Parameter | None, value: Any) -> Any:
    if parameter is None:
        return value
    if parameter.optional and isinstance(value, str) and value.lower() in NONE_WORDS:
        return None
    if parameter.kind == "text" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if parameter.kind == "a whole number" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _refusal(error: ValidationError, values: dict[str, Any]) -> BadRequest:
    """The first thing pydantic found, in one line."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return unknown_key(key)
    if first["type"] in ("model_type", "model_attributes_type") and key in sections():
        return unknown_key(key)
    if key in parameters() and first["type"] != "value_error":
        given: Any = values
        for part in key.split("."):
            given = given[part]
        return misfit(key, given)
    message = first["msg"].removeprefix("Value error, ")
    return BadRequest(f"{key}={shown(first['input'])}: {message}" if key else message)
