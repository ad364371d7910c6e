"""The tipping line of a grid, found with a third of its runs: coarse points first, then only where the line must pass.

    1. every fourth row and column, and the last ones
    2. half way between coarse neighbours on two sides of the threshold, until they are neighbours of the grid
    3. along the line: the corners of each cell of the grid that the line is known to enter, until it closes or leaves the grid

A step's points follow from the outcomes of the points before it and from nothing else, so that a search that was interrupted
goes on where it was. Runs are those of the whole grid's design, in its store, by its runner; the rest of it is never run.

What it cannot find: a closed island, or a channel, that passes between the coarse points (up to three rows or columns wide), and
specks that noise makes far from the line; more replications make them rarer. Where the line is longer than the runs allow
(a third of the grid's), the parts that are left are known to within a coarse cell; the search says how many.

2026-11: refused were a surface fitted to the runs (Gaussian process: where the market tips the surface is a cliff, which it
rounds off) and a quadtree (it refines whole blocks: 1.5 times the points for a slanting line).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from evsim.errors import BadRequest, StorageError
from evsim.files import write_whole
from evsim.scenarios.keys import shown

from .axes import Axis
from .design import Design
from .engines import Execution
from .store import Store

ABOUT = "boundary.json"
COARSE = 4  # rows or columns from one coarse point to the next
PART = 3  # of the grid's points one in so many may be run
LEAST_VALUES = 5  # of a key, for a search to be worth it
Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Search:
    """What a search looks for.

    Attributes:
        x, y: keys of the grid.
        outcome: whose mean tips.
        threshold: where; none: half way between the lowest and the highest mean of the coarse points.
    """

    x: str
    y: str
    outcome: str
    threshold: float | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What a search has found so far.

    Attributes:
        search: what it looks for.
        threshold: the line's; nan before the coarse points are known.
        values: mean outcomes of the grid, `[rows, columns]`, nan where nothing was run.
        batch: places to be run next; none: it is finished.
        left: places beside the line that the allowed runs did not reach.
    """

    search: Search
    threshold: float
    values: np.ndarray
    batch: tuple[Place, ...]
    left: int

    @property
    def points(self) -> int:
        """Points that were run."""
        return int(np.isfinite(self.values).sum())


def most_points(n_points: int) -> int:
    """How many points of a grid a search may run."""
    return n_points // PART


def next_places(values: np.ndarray, threshold: float | None = None, barred: np.ndarray | None = None) -> list[Place]:
    """The points to be run next; none: the line is found.

    Args:
        values: mean outcomes, `[rows, columns]`; nan: not run.
        threshold: at or above it is one side, below it the other; none: half way between the extremes of the coarse points.
        barred: points that cannot be known, because their runs failed, `[rows, columns]`.
    Returns:
        Places (row, column) in order: the coarse points, else those half way between coarse neighbours, else those along the
        line.
    """
    closed = np.isfinite(values) if barred is None else np.isfinite(values) | barred
    start = [place for place in _coarse_places(values) if not closed[place]]
    if start:
        return start
    threshold = _threshold(values, threshold)
    for wanted in (_halves(values, threshold), _corners(values, threshold)):
        places = sorted(place for place in wanted if not closed[place])
        if places:
            return places
    return []


def most_runs(design: Design, search: Search) -> int:
    """How many runs of a design a search may make."""
    _, (n_rows, n_columns) = _places(design, search)
    return most_points(n_rows * n_columns) * (design.n_runs // (n_rows * n_columns))


def find(
    store: Store,
    search: Search,
    execution: Execution | None = None,
    simulate: str | None = None,
    retry_failed: bool = False,
) -> Found:
    """Run what a search needs of a store's grid, and keep what it looks for beside it (`boundary.json`).

    Args:
        store: of a design that is a grid over the search's keys.
        search: what is looked for.
        execution, simulate, retry_failed: as of `runner.drive`, which makes the runs.
    Raises:
        BadRequest: the store's design is no grid over the two keys; or it is another search's store.
    """
    from . import runner

    check(store.design, search)
    former = search_of(store)
    if former is None:
        write_whole(store.path / ABOUT, f"{json.dumps(asdict(search), indent=1)}\n".encode())
    elif former != search:
        raise BadRequest(f"{store.path}: made to find another line ({former.outcome} over {former.x} and {former.y})")
    if retry_failed:
        runner.drive(store, execution, simulate or runner.SIMULATE, [], retry_failed=True)
    places = _runs_of_places(store.design, search)
    while (found := found_of(store)).batch:
        runs = sorted(run for place in found.batch for run in places[place])
        runner.drive(store, execution, simulate or runner.SIMULATE, runs)
    return found


def found_of(store: Store) -> Found:
    """How far the search of a store is, told from its runs alone: it is replayed up to the first that is missing.

    Raises:
        BadRequest: it is no search's store; StorageError: what it looks for cannot be read.
    """
    search = search_of(store)
    if search is None:
        raise BadRequest(f"{store.path}: no search of a line; `evsim sweep … --boundary KEY1,KEY2` makes one")
    entered, means = _means(store, search)
    values, barred = np.full(means.shape, np.nan), np.zeros(means.shape, dtype=bool)
    most = most_points(values.size)
    while True:
        wanted = next_places(values, search.threshold, barred)
        batch = _spread(wanted, most - int((np.isfinite(values) | barred).sum()))
        if not batch or not all(entered[place] for place in batch):
            known = np.isfinite(values).any()
            threshold = _threshold(values, search.threshold) if known else np.nan
            return Found(search, float(threshold), values, tuple(batch), len(wanted) - len(batch))
        for place in batch:
            values[place] = means[place]
            barred[place] = np.isnan(means[place])


def missing_runs(store: Store) -> int:
    """How many runs a store lacks: all that are not entered, or of a search those that it needs next."""
    if search_of(store) is None:
        return store.n_runs - store.counts().entered
    found = found_of(store)
    places = _runs_of_places(store.design, found.search)
    return sum(len(places[place]) for place in found.batch)


def search_of(store: Store) -> Search | None:
    """What the search of a store looks for; None when it is a sweep of the whole design.

    Raises:
        StorageError: it cannot be read.
    """
    path: Path = store.path / ABOUT
    if not path.is_file():
        return None
    try:
        return Search(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"{path} is damaged: {error}") from error


def check(design: Design, search: Search) -> None:
    """Check that a design is a grid over the keys of a search.

    Raises:
        BadRequest: it is not; one line says what would be right.
    """
    axes = {axis.key: axis for axis in design.axes}
    if search.x == search.y:
        raise BadRequest(f"--boundary: {shown(search.x)} is named twice; give two keys")
    for key in (search.x, search.y):
        if key not in axes or not _is_long(axes[key]):
            raise BadRequest(
                f"--boundary: {shown(key)} must run over {LEAST_VALUES} or more numbers, such as {shown(key)}=range(0,21,1)"
            )
    for key, axis in axes.items():
        drawn = "sample" in design.points and (axis.low is not None or axis.role == "uncertainty")
        if key not in (search.x, search.y) and not drawn:
            raise BadRequest(f"--boundary: {key} has several values too; give it one, or sweep without --boundary")


def _spread(places: list[Place], most: int) -> list[Place]:
    """At most so many of some places, from all along the list."""
    chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype("int64"))
    return [places[at] for at in chosen]


def _is_long(axis: Axis) -> bool:
    """Whether it runs over enough numbers."""
    numbers = axis.kind in ("a number", "a whole number") and None not in axis.values
    return numbers and len(axis.values) >= LEAST_VALUES


def _threshold(values: np.ndarray, threshold: float | None) -> float:
    """The threshold asked for, else half way between the lowest and the highest coarse point."""
    if threshold is not None:
        return threshold
    coarse = np.array([values[place] for place in _coarse_places(values)])
    return float((np.nanmin(coarse) + np.nanmax(coarse)) / 2.0) if np.isfinite(coarse).any() else np.nan


def _coarse(count: int) -> np.ndarray:
    """Coarse ones of so many rows or columns, the first and the last among them."""
    return np.unique(np.rint(np.linspace(0, count - 1, int(np.ceil((count - 1) / COARSE)) + 1)).astype("int64"))


def _coarse_places(values: np.ndarray) -> list[Place]:
    """The points that a search begins with."""
    rows, columns = (_coarse(count).tolist() for count in values.shape)
    return [(row, column) for row in rows for column in columns]


def _halves(values: np.ndarray, threshold: float) -> set[Place]:
    """Half way between points of a coarse row or column on both sides of the line that have others between them."""
    rows, columns = (_coarse(count).tolist() for count in values.shape)
    along = {(row, at) for row in rows for at in _middles(values[row], threshold)}
    return along | {(at, column) for column in columns for at in _middles(values[:, column], threshold)}


def _middles(line: np.ndarray, threshold: float) -> list[int]:
    """Half way between neighbours among the known points of a line that lie on two sides."""
    known = np.flatnonzero(np.isfinite(line))
    left, right = known[:-1], known[1:]
    split = ((line[left] >= threshold) != (line[right] >= threshold)) & (right - left > 1)
    return ((left + right) // 2)[split].tolist()


def _corners(values: np.ndarray, threshold: float) -> set[Place]:
    """Corners of the grid's cells of which one side is known to be crossed by the line."""
    side = np.where(np.isfinite(values), (values >= threshold).astype("float64"), np.nan)
    across, up = np.abs(np.diff(side, axis=1)) == 1.0, np.abs(np.diff(side, axis=0)) == 1.0
    entered = across[:-1] | across[1:] | up[:, :-1] | up[:, 1:]
    return {
        (row + below, column + beside)
        for row, column in np.argwhere(entered).tolist()
        for below in (0, 1)
        for beside in (0, 1)
    }


def _places(design: Design, search: Search) -> tuple[np.ndarray, tuple[int, int]]:
    """Where each point of a design is on the grid, rows · columns counted through, and the grid's shape."""
    x, y = (np.unique(design.points[key]) for key in (search.x, search.y))
    row, column = np.searchsorted(y, design.points[search.y]), np.searchsorted(x, design.points[search.x])
    return row * len(x) + column, (len(y), len(x))


def _runs_of_places(design: Design, search: Search) -> dict[Place, list[int]]:
    """The runs of each place."""
    place, (_, n_columns) = _places(design, search)
    runs: dict[Place, list[int]] = {}
    for point, at in enumerate(place.tolist()):
        first = point * len(design.seeds)
        runs.setdefault(divmod(at, n_columns), []).extend(range(first, first + len(design.seeds)))
    return runs


def _means(store: Store, search: Search) -> tuple[np.ndarray, np.ndarray]:
    """For each place of the grid whether all its runs are entered, and the mean outcome of those done (nan: none)."""
    place, shape = _places(store.design, search)
    results, failures = store.results(), store.failures()
    size = shape[0] * shape[1]
    points = np.concatenate([results["point"].to_numpy(), failures["point"].to_numpy()]).astype("int64")
    entered = np.bincount(place[points], minlength=size)
    wanted = np.bincount(place, minlength=size) * len(store.design.seeds)
    known = results[results[search.outcome].notna()] if search.outcome in results else results.iloc[:0]
    at = place[known["point"].to_numpy(dtype="int64")]
    sums = np.bincount(at, known[search.outcome] if len(known) else None, minlength=size)
    count = np.bincount(at, minlength=size)
    means = np.divide(sums, count, out=np.full(size, np.nan), where=count > 0)
    return (entered == wanted).reshape(shape), means.reshape(shape)
