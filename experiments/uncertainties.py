"""Which uncertainties matter, and in which region of them does the alliance dominate or fail?

Design: the study `what_matters`: ten things that nobody knows, drawn together over their ranges (Latin hypercube), one run a
draw, each calibrated to the same table where it is structure. Swings of the alliance's share of 2035 between the low and the high
third of each range, in true order; then the region in which that share is in its best quarter, and the one in its worst, as rules
on a few of them (PRIM), with how much of the cases each holds (coverage) and how pure it is (density).

    .venv/bin/python experiments/uncertainties.py [--samples 200] [--workers 2] [--folder experiments/figures] [key=value ...]

The runs stay in a store under `--out`; `evsim analyse` reads it again. Prints the findings and saves the figures.
"""

import argparse
from pathlib import Path

import evsim
from evsim.report.figures.analyses import draw_part
from evsim.study import Execution


def main(arguments: list[str] | None = None) -> list[str]:
    """Sweep, analyse, print, draw; returns the sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="draws of all uncertainties (default 200)")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "figures", help="where figures go")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="where the store goes (default outputs)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes made to all runs")
    options = parser.parse_args(arguments)
    store = evsim.sweep(
        "study=what_matters",
        *options.overrides,
        sampler="lhs",
        samples=options.samples,
        out=options.out,
        execution=Execution(workers=options.workers),
    )
    told = []
    options.folder.mkdir(parents=True, exist_ok=True)
    for direction, name in (("maximise", "dominates"), ("minimise", "fails")):
        analysis = evsim.analyse(store, {"alliance_share": direction}, only=["tornado", "boxes"])
        parts = analysis.parts if name == "dominates" else [analysis["boxes"]]
        for part in parts:
            told += [part.finding, *part.sentences]
            file = "uncertainties" if part.name == "tornado" else f"alliance_{name}"
            for path in draw_part(part, options.folder, file):
                print(path)
    print(*told, sep="\n")
    return told


if __name__ == "__main__":
    main()
