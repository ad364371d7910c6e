"""Which uncertainties matter, and in which region of them does the alliance dominate or fail?

Design: the study `what_matters`: ten things that nobody knows, drawn together over their ranges (Latin hypercube), one run a
draw, each calibrated to the same table where it is structure. Swings of the alliance's share of 2035 between the low and the high
third of each range, in true order; then the region in which that share is in its best quarter, and the one in its worst, as rules
on a few of them (PRIM), with how much of the cases each holds (coverage) and how pure it is (density).

    .venv/bin/python experiments/uncertainties.py [--samples 160] [--seeds 1] [--workers 2] [--folder FOLDER] [key=value ...]

The runs stay in a store under `--out`; `evsim analyse` reads it again. Prints the findings and saves the figures.
"""

from functools import partial

import evsim
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.analyses import PART_FIGURES
from evsim.study import Execution


def main(arguments: list[str] | None = None) -> list[str]:
    """Sweep, analyse, print, draw; returns the sentences."""
    parser = experiment_parser(__doc__, 1, "of each draw", workers=2, out=True)
    parser.add_argument("--samples", type=int, default=160, help="draws of all uncertainties (default 160)")
    options = parser.parse_args(arguments)
    store = evsim.sweep(
        "study=what_matters",
        *options.overrides,
        replications=options.seeds,
        sampler="lhs",
        samples=options.samples,
        out=options.out,
        execution=Execution(workers=options.workers),
    )
    large, small = (
        evsim.analyse(store, {"alliance_share": direction}, only=["tornado", "boxes"])
        for direction in ("maximise", "minimise")
    )
    parts = {
        "uncertainties": large["tornado"],
        "alliance_dominates": large["boxes"],
        "alliance_fails": small["boxes"],
    }
    told = [text for part in parts.values() for text in (part.finding, *part.sentences)]
    return tell(told, {name: partial(PART_FIGURES[part.name], part) for name, part in parts.items()}, options.folder)


if __name__ == "__main__":
    main()
