"""The form of an experiment: a script's options, its runs in several processes, and how it tells and draws what it found.

options = experiment_parser(__doc__, seeds=5, of="pairs of runs").parse_args(arguments)
table = pd.concat(in_processes(outcome, jobs, options.workers))
return tell(finding(table), {"mine": lambda: figure_of(table)}, options.folder)
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from evsim.report.figures.style import house_style, save_figure

FOLDER = Path("experiments") / "figures"


def experiment_parser(
    doc: str | None, seeds: int, of: str, *, workers: int = 0, out: bool = False
) -> argparse.ArgumentParser:
    """The options that experiments have.

    Args:
        doc: of the script: question, design, command.
        seeds: how many, usually.
        of: what a seed is of.
        workers: processes, usually; 0: there is no such option.
        out: whether it keeps its runs in a store.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=seeds, help=f"{of}, seeds 0, 1, … (default {seeds})")
    if workers:
        parser.add_argument("--workers", type=int, default=workers, help=f"runs at a time (default {workers})")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where figures go (default {FOLDER})")
    if out:
        parser.add_argument("--out", type=Path, default=Path("outputs"), help="where the store goes (default outputs)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes made to all worlds")
    return parser


def in_processes(work: Callable[[Any], Any], jobs: Iterable[Any], workers: int) -> list[Any]:
    """What a function of a module says of each job, in their order; with one worker in this process."""
    if workers <= 1:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, jobs))


def tell(told: Sequence[str], figures: Mapping[str, Callable[[], Figure]], folder: Path) -> list[str]:
    """Print the sentences, then draw and save the figures by name in the folder, and print where they lie.

    Returns:
        The sentences.
    """
    print(*told, sep="\n")
    folder.mkdir(parents=True, exist_ok=True)
    with house_style():
        for name, figure in figures.items():
            print(*save_figure(figure(), folder, name), sep="\n")
    return list(told)
