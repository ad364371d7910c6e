"""Stand-ins for the model, for tests of the runner and the store: what a run gives follows from its keys and seed at once.

A stand-in that misbehaves finds a folder for its notes under the scenario's name, for it knows nothing else of the test.
"""

import os
import signal
import time
from pathlib import Path

import numpy as np

from evsim.study.engines.work import Kept


def null(mapping, seed, keep):
    """A run that costs nothing."""
    scale = mapping["subsidy"]["scale"]
    row = {"alliance_share": scale / (1.0 + seed), "mean_price": 100.0 + seed, "repeat_rate": None}
    row["automaker_share.BYD" if seed % 2 else "automaker_share.Seres"] = 0.25
    tables = {"years": {"year": np.array([2024, 2025]), "units": np.array([1.0 + seed, np.nan])}}
    return Kept(row, tables if keep == "panel" else {})


def paired(mapping, seed, keep):
    """A run that costs nothing, of a market in which subsidies move new-energy cars and BYD, but no price and not Geely."""
    scale = mapping["subsidy"]["scale"]
    common, effect, chance = np.random.default_rng(seed).normal(size=3)
    moved = scale * (0.04 + 0.01 * effect)
    row = {
        "alliance_share": 0.1 + 0.01 * common + 0.1 * moved,
        "nev_penetration": 0.4 + 0.05 * common + moved,
        "nev_penetration_2024": 0.4 + 0.05 * common,
        "nev_penetration_2025": 0.4 + 0.05 * common + moved,
        "mean_price": 180.0 + common,
        "hhi_platform": 900.0 + 30.0 * common + scale * 5.0 * chance,
        "repeat_rate": None,
        "automaker_share.BYD": 0.15 + 0.01 * common + 0.5 * moved,
        "automaker_share.Geely": 0.05 + 0.01 * common,
    }
    sellers = {"BYD": 0.15 + moved, "Geely": 0.85 - moved}
    panel = {
        "year": np.repeat([2024, 2025], 2),
        "automaker": np.array([*sellers, *sellers], dtype=object),
        "share": np.array([0.15, 0.85, *sellers.values()]),
    }
    return Kept(row, {"automaker_years": panel} if keep == "panel" else {})


def paired_raising(mapping, seed, keep):
    """The same, but with subsidies runs raise whose seed ends in 3."""
    if mapping["subsidy"]["scale"] and seed % 10 == 3:
        raise ZeroDivisionError("nothing to divide by")
    return paired(mapping, seed, keep)


def policy(mapping, seed, keep):
    """A run that costs nothing: new-energy cars rise with the root of what is given, and concentration with the square.

    With fixed prices there are a tenth more of them; worlds differ by price sensitivity and seed.
    """
    scale, bonus = mapping["subsidy"]["scale"], 0.1 * (mapping["pricing"]["rule"] == "fixed")
    sensitivity = mapping["consumers"]["price_sensitivity"]
    chance = np.random.default_rng(seed).normal()
    row = {
        "nev_penetration": 0.3 + bonus + 0.2 * scale**0.5 + sensitivity + 0.01 * chance,
        "outlay_total": 1e8 * scale * (1.0 + sensitivity),
        "hhi_platform": 1000.0 + 100.0 * scale**2 + 20.0 * chance,
    }
    return Kept(row)


def policy_raising(mapping, seed, keep):
    """The same, but with large subsidies it raises."""
    if mapping["subsidy"]["scale"] > 1.5:
        raise ZeroDivisionError("nothing to divide by")
    return policy(mapping, seed, keep)


def unsure(mapping, seed, keep):
    """A run whose outcome hangs on two of the keys that nobody knows."""
    held, sensitivity = mapping["lock_in"]["switching_cost"], mapping["consumers"]["price_sensitivity"]
    return Kept({"alliance_share": 0.05 + 0.04 * held + 0.5 * sensitivity})


def wide(mapping, seed, keep):
    """A run that costs nothing, with as many outcomes as a real one."""
    values = np.random.default_rng(seed).random(300)
    return Kept({f"automaker_share.{number}": float(value) for number, value in enumerate(values)})


def slow(mapping, seed, keep):
    """A run of a hundredth of a second that notes its process and its seed."""
    _note(mapping, f"{os.getpid()} {mapping['subsidy']['scale']} {seed}")
    time.sleep(0.01)
    return null(mapping, seed, keep)


def raising(mapping, seed, keep):
    """A run that raises with a seed of 93 or more: 7 of the first 100."""
    if seed >= 93:
        raise ZeroDivisionError(f"seed {seed}\nis too large")
    return null(mapping, seed, keep)


def killed_once(mapping, seed, keep):
    """A run whose process is killed the first time, if its seed is a multiple of 5."""
    mark = Path(mapping["name"]) / f"killed-{seed}"
    if seed % 5 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return null(mapping, seed, keep)


def killed_always(mapping, seed, keep):
    """A run whose process is killed every time, if its seed is 3."""
    if seed == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return null(mapping, seed, keep)


def hanging(mapping, seed, keep):
    """A run that never ends, if its seed is 2."""
    while seed == 2:
        time.sleep(1.0)
    return null(mapping, seed, keep)


def tipping(mapping, seed, keep):
    """A run whose alliance share tips along a slanting line of two levers, with noise that belongs to the seed alone."""
    noise = 0.02 * np.random.default_rng(seed).standard_normal()
    past = (mapping["software"]["advantage_kcny"] or 0.0) - 30.0 + 15.0 * mapping["subsidy"]["scale"] + 100.0 * noise
    share = 0.4 / (1.0 + float(np.exp(-past / 6.0))) + 0.02 * mapping["lock_in"]["switching_cost"]
    months = np.array(["2024-01", "2024-02", "2024-03"], dtype=object)
    table = {"month": months, "alliance_share": share * np.array([0.5, 0.8, 1.0])}
    row = {"alliance_share": share, "mean_price": 180.0 - 20.0 * share, "outlay": 1e7 * mapping["subsidy"]["scale"]}
    return Kept(row, {"months": table} if keep == "panel" else {})


def infinite(mapping, seed, keep):
    """A run with an outcome that no store may hold."""
    return Kept({"mean_price": float("inf")})


def _note(mapping, line):
    """Add a line to the notes, all of it or nothing."""
    with open(Path(mapping["name"]) / "notes", "a") as file:
        file.write(f"{line}\n")
