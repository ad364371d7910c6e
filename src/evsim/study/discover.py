"""Where in the space of keys the cases of interest lie: boxes by PRIM and CART, with few plain limits each.

A box is a set of limits, one a key at most. Its coverage is the part of all cases that it holds, its density the part of its
points that are cases (Bryant & Lempert 2010, Technological Forecasting & Social Change 77). The algorithms are those of
ema-workbench (Friedman & Fisher 1999; Breiman et al. 1984). They see keys, names and listed numbers by their number:
ema-workbench drops a column named `scenario`, goes through names in an order that differs between processes, and takes no
whole numbers. Leaves of its tree are read here, since it lets them share one set of names. Which of PRIM's many boxes is told
is decided here: the one with the largest harmonic mean of coverage and density, less the limits that chance would explain.
"""

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from evsim.errors import BadRequest

LEAST_POINTS, LEAST_CASES = 40, 8
MOST_BOXES = 2
LEAST_MASS = 0.05  # of the points, in a box
TELLING = 0.05  # quasi-p-value below which a limit is told
LIFT = 1.5  # how much denser than all points a box must be
Codes = dict[str, tuple[str, np.ndarray | None]]  # column -> key, and what its numbers stand for


@dataclass(frozen=True)
class Limit:
    """What a box says of a key: from `low` to `high` (none: no limit on that side), or one of `names`."""

    low: float | None = None
    high: float | None = None
    names: tuple[str, ...] = ()

    def holds(self, column: pd.Series) -> pd.Series:
        """Which values are within it."""
        if self.names:
            return as_names(column).isin(self.names)
        inside = pd.Series(True, index=column.index)
        if self.low is not None:
            inside &= column >= self.low
        if self.high is not None:
            inside &= column <= self.high
        return inside


@dataclass(frozen=True)
class Box:
    """A box in the space of keys.

    Attributes:
        limits: by key.
        coverage: cases in it, of all cases.
        density: cases in it, of all points in it.
        mass: points in it, of all points.
    """

    limits: Mapping[str, Limit]
    coverage: float
    density: float
    mass: float

    @property
    def merit(self) -> float:
        """Harmonic mean of coverage and density."""
        both = self.coverage + self.density
        return 2.0 * self.coverage * self.density / both if both > 0.0 else 0.0


def inside(points: pd.DataFrame, limits: Mapping[str, Limit]) -> np.ndarray:
    """Which points lie in a box, `[n]`."""
    held = np.ones(len(points), dtype=bool)
    for key, limit in limits.items():
        held &= limit.holds(points[key]).to_numpy()
    return held


def measured(points: pd.DataFrame, cases: np.ndarray, limits: Mapping[str, Limit]) -> Box:
    """A box with its coverage, density and mass."""
    held = inside(points, limits)
    found = int((held & cases).sum())
    return Box(limits, found / max(int(cases.sum()), 1), found / max(int(held.sum()), 1), float(held.mean()))


def prim_boxes(points: pd.DataFrame, cases: np.ndarray, most: int = MOST_BOXES) -> list[Box]:
    """Boxes by the patient rule induction method; the second among the cases that the first leaves, and so on.

    Args:
        points: a row a point, a column a key: numbers, or names.
        cases: whether a point is of interest, `[n]`.
        most: boxes.
    Returns:
        Boxes, measured against all points; none in which cases are not clearly more frequent than everywhere.
    Raises:
        BadRequest: ema-workbench is not installed, or there are too few points or cases.
    """
    coded, codes = _coded(points)
    _check(points, cases)
    prim = _workbench("prim")
    boxes: list[Box] = []
    left = np.ones(len(points), dtype=bool)
    while len(boxes) < most and (cases & left).sum() >= LEAST_CASES and left.sum() >= LEAST_POINTS:
        box = _best_peeled(prim, coded[left], cases[left], codes)
        if box is None:
            break
        limits = _needed(points[left], cases[left], box)
        found = measured(points, cases, limits)
        if found.density < min(LIFT * cases.mean(), 0.5 + cases.mean() / 2.0):
            break
        boxes.append(found)
        left &= ~inside(points, limits)
    return boxes


def cart_boxes(points: pd.DataFrame, cases: np.ndarray) -> list[Box]:
    """The leaves of a classification tree in which most points are cases, the largest coverage first.

    Args, raises: as `prim_boxes`.
    """
    coded, codes = _coded(points)
    _check(points, cases)
    cart = _workbench("cart")
    with _same_ties():
        grown = cart.CART(coded, cases, mass_min=LEAST_MASS)
        grown.build_tree()
    leaves = _leaves(grown.clf.tree_, grown.feature_names, grown.sep, coded)
    boxes = [measured(points, cases, _limits(bounds, coded, codes)) for bounds in leaves]
    return sorted((box for box in boxes if box.density > 0.5 and box.limits), key=lambda box: -box.coverage)


def box_table(boxes: Sequence[Box]) -> pd.DataFrame:
    """Boxes as a frame, a row a limit: box, coverage, density, mass, key, low, high, names."""
    rows = [
        (number, box.coverage, box.density, box.mass, key, limit.low, limit.high, ", ".join(limit.names))
        for number, box in enumerate(boxes, 1)
        for key, limit in box.limits.items()
    ]
    return pd.DataFrame(rows, columns=["box", "coverage", "density", "mass", "key", "low", "high", "names"])


def _check(points: pd.DataFrame, cases: np.ndarray) -> None:
    n, found = len(points), int(cases.sum())
    if n < LEAST_POINTS or found < LEAST_CASES or n - found < LEAST_CASES:
        raise BadRequest(
            f"{n} points, {found} of them cases: boxes need {LEAST_POINTS} points, {LEAST_CASES} cases and as many others"
        )


def _workbench(name: str) -> ModuleType:
    """A module of ema-workbench, whose import takes some seconds and warns of what it does without."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ema_workbench.analysis import cart, prim
    except ImportError as error:
        raise BadRequest("boxes need ema-workbench; pip install 'evsim[analysis]' brings it") from error
    return {"prim": prim, "cart": cart}[name]


@contextlib.contextmanager
def _same_ties() -> Iterator[None]:
    """scikit-learn breaks ties of splits by numpy's global draws: the same ones each time, and left as they were."""
    state = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(state)


def _coded(points: pd.DataFrame) -> tuple[pd.DataFrame, Codes]:
    """Points as ema-workbench is to see them, and for each of its columns the key, with the values of a listed one."""
    columns: dict[str, np.ndarray] = {}
    codes: Codes = {}
    for number, key in enumerate(points.columns):
        column, values = points[key], None
        if not _is_number(column):
            values, ranks = np.unique(as_names(column).to_numpy(dtype=object), return_inverse=True)
            columns[f"x{number}"] = np.array(ranks.tolist(), dtype=object)
        elif column.nunique() <= len(column) // 2:
            values, ranks = np.unique(column.to_numpy(dtype="float64"), return_inverse=True)
            columns[f"x{number}"] = ranks.astype("float64")
        else:
            columns[f"x{number}"] = column.to_numpy(dtype="float64")
        codes[f"x{number}"] = (str(key), values)
    return pd.DataFrame(columns), codes


def as_names(column: pd.Series) -> pd.Series:
    """Values of a key as names; where it is left open, `none`."""
    return column.astype(object).where(column.notna(), "none").astype(str)


def _is_number(column: pd.Series) -> bool:
    """Whether a key's values are numbers, all of them: one that may be left open goes by names."""
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return bool(number and column.notna().all())


def _best_peeled(prim: Any, coded: pd.DataFrame, cases: np.ndarray, codes: Codes) -> dict[str, Limit] | None:
    """Limits of the box with the largest merit among those that PRIM peels; None when it is no box at all."""
    coded = coded.reset_index(drop=True)
    options = {"threshold": 1e-9} if "threshold" in inspect.signature(prim.Prim.__init__).parameters else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peeled = prim.Prim(coded, cases.astype("int64"), mass_min=LEAST_MASS, **options).find_box()
    trajectory = peeled.peeling_trajectory
    coverage, density = trajectory["coverage"].to_numpy("float64"), trajectory["density"].to_numpy("float64")
    best = int(np.argmax(coverage * density / np.maximum(coverage + density, 1e-12)))
    bounds = {column: tuple(peeled.box_lims[best][column]) for column in coded}
    return _limits(bounds, coded, codes) or None


def _leaves(tree: Any, features: Sequence[str], mark: str, coded: pd.DataFrame) -> list[dict[str, tuple[Any, Any]]]:
    """The bounds of each leaf of a classification tree, as PRIM writes them: column -> low and high, or twice the codes."""
    start: dict[str, tuple[Any, Any]] = {}
    for column in coded:
        codes = set(coded[column]) if coded[column].dtype == object else None
        start[str(column)] = (-np.inf, np.inf) if codes is None else (codes, codes)
    leaves, waiting = [], [(0, start)]
    while waiting:
        node, bounds = waiting.pop()
        children = (tree.children_left[node], tree.children_right[node])
        if children[0] == children[1]:
            leaves.append(bounds)
            continue
        column, named, code = features[tree.feature[node]].partition(mark)
        at, (low, high) = float(tree.threshold[node]), bounds[column]
        if named:
            sides: tuple = (low - {int(code)}, low & {int(code)})
            waiting += [(child, bounds | {column: (side, side)}) for child, side in zip(children, sides, strict=True)]
        else:
            waiting += [
                (children[0], bounds | {column: (low, min(high, at))}),
                (children[1], bounds | {column: (max(low, at), high)}),
            ]
    return leaves


def _limits(bounds: Mapping[str, tuple[Any, Any]], coded: pd.DataFrame, codes: Codes) -> dict[str, Limit]:
    """Bounds of columns as limits of keys, those that leave nothing out left out."""
    limits: dict[str, Limit] = {}
    for column, (low, high) in bounds.items():
        key, values = codes[column]
        if isinstance(low, set):
            assert values is not None  # names are always listed
            if len(low) < coded[column].nunique():
                limits[key] = Limit(names=tuple(str(values[code]) for code in sorted(low)))
            continue
        low = None if low <= coded[column].min() else float(low)
        high = None if high >= coded[column].max() else float(high)
        if values is not None:  # ranks; a tree splits half way between two
            low = None if low is None else float(values[int(np.ceil(low))])
            high = None if high is None else float(values[int(np.floor(high))])
            low, high = (values[0] if high == values[0] else low), (values[-1] if low == values[-1] else high)
        if low is not None or high is not None:
            limits[key] = Limit(low if low is None else float(low), high if high is None else float(high))
    return limits


def _needed(points: pd.DataFrame, cases: np.ndarray, limits: dict[str, Limit]) -> dict[str, Limit]:
    """Limits that chance would not explain, the least telling taken away one by one; one is left in any case.

    The quasi-p-value of a limit: how likely a box drawn at random from the one without it would hold as many cases,
    P(B(n, q) ≥ c), with n points and c cases in the box, and q the density without the limit.

    Source:
        Bryant & Lempert (2010), Technological Forecasting & Social Change 77(1).
    """
    limits = dict(limits)
    while len(limits) > 1:
        held = inside(points, limits)
        n, found = int(held.sum()), int((held & cases).sum())
        chances = {}
        for key in limits:
            density = measured(points, cases, {name: limit for name, limit in limits.items() if name != key}).density
            chances[key] = float(bdtrc(found - 1, n, density)) if found else 1.0
        key = max(chances, key=lambda name: chances[name])
        if chances[key] < TELLING:
            break
        del limits[key]
    return limits
