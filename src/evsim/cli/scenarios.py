"""`evsim scenarios [NAME]`: what scenarios there are, and what one of them asks and changes."""

import argparse
import json

from .options import Parser, add_config_dir


def parser() -> Parser:
    """Its options."""
    parser = Parser("scenarios", "List the scenarios with their questions, or tell about one.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a scenario")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Print the list, or one scenario."""
    from evsim import scenarios

    own = arguments.config_dir
    if arguments.name is None:
        for name in scenarios.scenario_names(own):
            print(f"{name:<22} {scenarios.describe(name, own).question}")
        return 0
    description = scenarios.describe(arguments.name, own)
    print(f"{description.name}\n  Question: {description.question}\n  Source: {description.source}\n")
    changed = scenarios.differences(scenarios.load(arguments.name, config_dir=own))
    changed.pop("name", None)
    for key, (value, usual) in changed.items():
        print(
            f"  {key} = {json.dumps(value, ensure_ascii=False)}   (baseline: {json.dumps(usual, ensure_ascii=False)})"
        )
    if not changed:
        print("  Nothing differs from the defaults.")
    return 0
