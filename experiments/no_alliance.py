"""What would China's car market look like without the alliance?

Design: the baseline against `scenario=no_alliance` (from month 1 the platform firm sells nothing to carmakers; member brands
go on with a bought-in stack, brands that exist by the alliance alone do not come), in pairs of runs that share every draw.

    .venv/bin/python experiments/no_alliance.py [--seeds 5] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure. Finding and numbers: experiments/README.md.
"""

import argparse
from pathlib import Path

import evsim
from evsim import words
from evsim.report.figures import draw_comparison


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the pairs, print what they say, draw them; returns the sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="pairs of runs, seeds 0, 1, … (default 5)")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "figures", help="where the figure goes")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes made to both worlds")
    options = parser.parse_args(arguments)
    worlds = [evsim.load(name, *options.overrides) for name in ("baseline", "no_alliance")]
    baseline, without = ([evsim.run(world, seed=seed) for seed in range(options.seeds)] for world in worlds)
    finding = words.compare(baseline, without)
    print(*finding, sep="\n")
    for path in draw_comparison(baseline, without, options.folder, name="no_alliance"):
        print(path)
    return finding


if __name__ == "__main__":
    main()
