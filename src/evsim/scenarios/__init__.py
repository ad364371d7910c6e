"""From `conf/` and overrides to a Scenario; the only reader of Hydra and YAML.

    load("baseline", "software.advantage_kcny=30")   a checked Scenario
    compose(["scenario=no_alliance"])                the plain mapping before it is checked

Hydra composes once: the defaults declared in `evsim.params`, the scenario's differences, named alternatives, overrides.
Pydantic checks the composed mapping. Every refusal is a BadRequest of one line. Below this package nobody knows YAML.

`library` finds the files, `overrides` reads key=value, `keys` knows every parameter, `composition` brings them
together, `explanation` writes for the reader.
"""

from .composition import as_yaml, compose, differences, from_mapping, load, to_mapping
from .explanation import explain
from .library import Description, alternatives, describe, scenario_names

__all__ = [
    "Description",
    "alternatives",
    "as_yaml",
    "compose",
    "describe",
    "differences",
    "explain",
    "from_mapping",
    "load",
    "scenario_names",
    "to_mapping",
]
