"""How large must the software advantage be, and how strong lock-in, before the alliance's share tips?

Design: the study `tipping`: the alliance's advantage over independents' stacks in January 2024 (a lever), crossed with how much
an owner gains by staying on its platform (κ; structure: each value calibrated anew to the same table), brands as recorded, every
seed at every point. The line is where the alliance's share of 2035 passes `--threshold`; its band resamples seeds.

    .venv/bin/python experiments/tipping.py [--seeds 4] [--workers 2] [--threshold 0.15] [--folder FOLDER] [key=value ...]

The runs stay in a store under `--out`; `evsim analyse` reads it again. Prints the finding and saves the figure.
"""

import argparse
from pathlib import Path

import evsim
from evsim.report.figures.analyses import draw_part
from evsim.study import Execution


def main(arguments: list[str] | None = None) -> list[str]:
    """Sweep, analyse, print, draw; returns the sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="at every point, seeds 0, 1, … (default 4)")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--threshold", type=float, default=0.15, help="share of sales, a fraction (default 0.15)")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "figures", help="where the figure goes")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="where the store goes (default outputs)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes made to all runs")
    options = parser.parse_args(arguments)
    store = evsim.sweep(
        "study=tipping",
        *options.overrides,
        replications=options.seeds,
        out=options.out,
        execution=Execution(workers=options.workers),
    )
    analysis = evsim.analyse(store, {"alliance_share": ""}, options.threshold, ["heat_map"])
    part = analysis["heat_map"]
    told = [part.finding, *part.sentences]
    print(*told, sep="\n")
    options.folder.mkdir(parents=True, exist_ok=True)
    for path in draw_part(part, options.folder, "tipping"):
        print(path)
    return told


if __name__ == "__main__":
    main()
