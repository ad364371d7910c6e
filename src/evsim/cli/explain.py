"""`evsim explain [KEY]`: what a parameter means."""

import argparse

from .options import Parser


def parser() -> Parser:
    """Its options."""
    parser = Parser("explain", "What a parameter means: value, unit, range, role, source. Without KEY: an overview.")
    parser.add_argument("key", nargs="?", metavar="KEY", help="a parameter (pricing.rule) or a group of them (pricing)")
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    from evsim.scenarios import explain

    print(explain(arguments.key))
    return 0
