"""What would China's car market look like without the alliance?

Design: the baseline against `scenario=no_alliance` (from month 1 the platform firm sells nothing to carmakers; member brands
go on with a bought-in stack, brands that exist by the alliance alone do not come), in pairs of runs that share every draw.

    .venv/bin/python experiments/no_alliance.py [--seeds 5] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure. Finding and numbers: experiments/README.md.
"""

import evsim
from evsim import words
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.comparison import comparison


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the pairs, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 5, "pairs of runs").parse_args(arguments)
    worlds = [evsim.load(name, *options.overrides) for name in ("baseline", "no_alliance")]
    baseline, without = ([evsim.run(world, seed=seed) for seed in range(options.seeds)] for world in worlds)
    finding = words.compare(baseline, without)
    return tell(finding, {"no_alliance": lambda: comparison(baseline, without)}, options.folder)


if __name__ == "__main__":
    main()
