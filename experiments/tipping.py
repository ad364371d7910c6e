"""How large must the software advantage be, and how strong lock-in, before the alliance's share tips?

Design: the study `tipping`: the alliance's advantage over independents' stacks in January 2024 (a lever), crossed with how much
an owner gains by staying on its platform (κ; structure: each value calibrated anew to the same table), brands as recorded, every
seed at every point. The line is where the alliance's share of 2035 passes `--threshold`; its band resamples seeds.

    .venv/bin/python experiments/tipping.py [--seeds 4] [--workers 2] [--threshold 0.15] [--folder FOLDER] [key=value ...]

The runs stay in a store under `--out`; `evsim analyse` reads it again. Prints the finding and saves the figure.
"""

import evsim
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.analyses import PART_FIGURES
from evsim.study import Execution


def main(arguments: list[str] | None = None) -> list[str]:
    """Sweep, analyse, print, draw; returns the sentences."""
    parser = experiment_parser(__doc__, 4, "at every point", workers=2, out=True)
    parser.add_argument("--threshold", type=float, default=0.15, help="share of sales, a fraction (default 0.15)")
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
    return tell(told, {"tipping": lambda: PART_FIGURES["heat_map"](part)}, options.folder)


if __name__ == "__main__":
    main()
