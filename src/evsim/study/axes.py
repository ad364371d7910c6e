"""What a design varies: each key's values, and how points are drawn where a key has an interval.

Levers are crossed, every value with every other; uncertainties with an interval are drawn by a sampler, and with a
sampler those with listed values are drawn too. The drawing has a seed of its own: a design is the same every time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from evsim.errors import BadRequest
from evsim.scenarios.keys import NONE_WORDS, misfit, parameters, shown
from evsim.scenarios.library import GROUPS
from evsim.scenarios.sweeps import Swept

Role = Literal["lever", "uncertainty"]
Column = np.ndarray
SAMPLERS = ("lhs", "sobol", "morris")
MORRIS_LEVELS = 4
LEAST_BLOCKS = 8  # base samples of sobol or trajectories of morris, for an analysis
IN_BLOCKS = ("sobol", "morris")  # samplers whose points belong together in blocks


@dataclass(frozen=True)
class Axis:
    """One key of a design.

    Attributes:
        key: a parameter, or a group of alternatives such as `scenario`.
        kind: of its values: a parameter's kind, or "a group".
        role: whether somebody decides it or nobody does.
        text: the values as they were asked for.
        values: those listed; empty: drawn from `low` to `high`.
    """

    key: str
    kind: str
    role: Role
    text: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def is_group(self) -> bool:
        """Whether its values are names of alternatives."""
        return self.kind == "a group"

    def column(self, values: Sequence[Any]) -> Column:
        """Values as a column of the design table: numbers as such, a list as JSON, the rest as text."""
        if self.kind == "a list":
            return np.array([json.dumps(value) for value in values], dtype=object)
        if self.kind == "a number":
            return np.array([np.nan if value is None else value for value in values], dtype="float64")
        kinds = {"a whole number": "int64", "true or false": "bool"}
        return np.array(values, dtype=object if None in values else kinds.get(self.kind, object))

    def value(self, cell: Any) -> Any:
        """The plain value of a cell of the design table."""
        if cell is None or (isinstance(cell, float) and np.isnan(cell)):
            return None
        if self.kind == "a list":
            return json.loads(cell)
        return cell.item() if isinstance(cell, np.generic) else cell


def axis_of(swept: Swept, role: Role) -> Axis:
    """The axis of a sweep, its values of the parameter's kind.

    Raises:
        BadRequest: a value is of another kind, or given twice.
    """
    if swept.key in GROUPS:
        kind = "a group"
        values = tuple(str(value) for value in swept.values)
    else:
        kind = parameters()[swept.key].kind
        values = tuple(_typed(swept.key, value) for value in swept.values)
    low, high = swept.low, swept.high
    if low is not None and high is not None and kind == "a whole number" and np.ceil(low) > np.floor(high):
        raise BadRequest(f"{swept.key}={shown(swept.text)}: the interval holds no whole number")
    if not isinstance(swept.values, range):
        seen: set[str] = set()
        for value in values:
            if json.dumps(value) in seen:
                raise BadRequest(f"{swept.key}={shown(swept.text)}: {shown(value)} is given twice")
            seen.add(json.dumps(value))
    return Axis(swept.key, kind, role, swept.text, values, swept.low, swept.high)


def _typed(key: str, value: Any) -> Any:
    """A value as its parameter's kind, with the variants of spelling that a scenario allows."""
    parameter = parameters()[key]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if parameter.optional and (value is None or (isinstance(value, str) and value.lower() in NONE_WORDS)):
        return None
    if parameter.kind == "text" and (isinstance(value, str) or number):
        return str(value)
    if parameter.kind == "a number" and number:
        return float(value)
    if parameter.kind == "a whole number" and number and float(value).is_integer():
        return int(value)
    if parameter.kind == "true or false" and isinstance(value, bool):
        return value
    if parameter.kind == "a list" and isinstance(value, list | tuple):
        return list(value)
    raise misfit(key, value)


def sample_size(sampler: str, samples: int, n_axes: int) -> int:
    """How many points a sampler draws: Saltelli's N (D + 2) without second order, Morris's N (D + 1), else N.

    Raises:
        BadRequest: an unknown sampler, or a number of samples it cannot take.
    """
    if sampler not in SAMPLERS:
        raise BadRequest(f"--sampler={shown(sampler)}: must be one of {', '.join(SAMPLERS)}")
    if samples < 1:
        raise BadRequest(f"--samples={samples}: must be a whole number from 1 on")
    if sampler == "sobol" and samples & (samples - 1):
        near = 1 << (samples.bit_length() - 1)
        raise BadRequest(f"--samples={samples}: with --sampler=sobol a power of two, such as {near} or {2 * near}")
    return {"lhs": samples, "sobol": samples * (n_axes + 2), "morris": samples * (n_axes + 1)}[sampler]


def draw(sampler: str, samples: int, axes: Sequence[Axis], seed: int = 0) -> list[Column]:
    """Columns of drawn values, one an axis, in the order that the sampler's analysis needs.

    Raises:
        BadRequest: the sampler's library is not installed.
    """
    unit = unit_points(sampler, samples, len(axes), seed)
    return [_placed(axis, unit[:, index]) for index, axis in enumerate(axes)]


def salib_problem(n_axes: int) -> dict[str, Any]:
    """The unit cube as SALib describes it; draws and analyses must agree on it."""
    return {"num_vars": n_axes, "names": [f"x{axis}" for axis in range(n_axes)], "bounds": [[0.0, 1.0]] * n_axes}


def unit_points(sampler: str, samples: int, n_axes: int, seed: int = 0) -> np.ndarray:
    """Points of the unit cube, `[n, D]`, from which `draw` makes values.

    Raises:
        BadRequest: the sampler's library is not installed.
    """
    if sampler == "lhs":
        return _latin_hypercube(samples, n_axes, seed)
    try:
        from SALib.sample import morris, sobol
    except ImportError as error:
        raise BadRequest(f"--sampler={sampler}: needs SALib; pip install 'evsim[analysis]' brings it") from error
    problem = salib_problem(n_axes)
    if sampler == "sobol":
        return np.asarray(sobol.sample(problem, samples, calc_second_order=False, seed=seed))
    return np.asarray(
        morris.sample(problem, samples, num_levels=MORRIS_LEVELS, seed=seed + 1)
    )  # to SALib 1.5, 0 is no seed


def _latin_hypercube(samples: int, n_axes: int, seed: int) -> np.ndarray:
    """Each axis cut into as many strata as points, one point in each, paired at random: (π(i) + u) / n.

    Source:
        McKay, Beckman & Conover (1979), Technometrics 21(2).
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    strata = np.stack([generator.permutation(samples) for _ in range(n_axes)], axis=1)
    return (strata + generator.random((samples, n_axes))) / samples


def _placed(axis: Axis, unit: np.ndarray) -> Column:
    """Numbers from 0 to 1 as values of an axis, each listed or whole value having the same part of it."""
    if axis.values:
        rank = np.minimum((unit * len(axis.values)).astype("int64"), len(axis.values) - 1)
        return axis.column(axis.values)[rank]
    assert axis.low is not None and axis.high is not None  # an axis without values is an interval
    if axis.kind == "a whole number":
        low, high = int(np.ceil(axis.low)), int(np.floor(axis.high))
        return np.minimum(low + (unit * (high - low + 1)).astype("int64"), high)
    return axis.low + unit * (axis.high - axis.low)
