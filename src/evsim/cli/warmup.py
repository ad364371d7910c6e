"""`evsim warmup`: compile the kernels ahead of the first run, by way of a few months of a tiny market."""

import argparse
import sys
import time

from .options import Parser

TINY = (
    "consumers.count=2000",
    "consumers.reference_size=500",
    "pricing.survey_size=200",
    "pricing.owner_value=0.5",  # or its kernels would not be called
    "end=2024-02",
)
RULES = ("nash", "best_response", "cost_plus", "fixed")


def parser() -> Parser:
    """It has no options."""
    return Parser("warmup", "Compile the kernels, so that the first run starts at once. Takes a minute the first time.")


def execute(arguments: argparse.Namespace) -> int:
    """Run a tiny market once with every pricing rule, so that every kernel is compiled and cached."""
    from evsim.compiled import cache_folder
    from evsim.scenarios import load
    from evsim.simulation import run

    began = time.perf_counter()
    for rule in RULES:
        print(f"pricing.rule={rule} …", file=sys.stderr)
        run(load("baseline", *TINY, f"pricing.rule={rule}"), threads=1)
    print(f"Kernels are compiled and kept in {cache_folder()} ({time.perf_counter() - began:.0f} s).")
    return 0
