"""Observed data that come with evsim, each table checked on loading.

README.md in this folder says where every number came from. Names are loaded on first use: `from evsim.data import
read_market_table`.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "columns": ("Column", "describe", "read_table"),
    "credits": ("credit_price", "credit_rules", "first_credit_year", "read_credits"),
    "firms": ("read_automakers", "read_brands", "read_firm_figures", "read_firm_quarters"),
    "hardware": ("read_battery", "read_packs", "read_ranges", "read_stock"),
    "launches": ("LAUNCH_COLUMNS", "read_launches"),
    "market": (
        "MARKET_COLUMNS",
        "NO_ECOSYSTEM",
        "POWERTRAINS",
        "SIZE_CLASSES",
        "describe_market_columns",
        "market_table_digest",
        "read_market_table",
    ),
    "membership": ("MEMBERSHIP_COLUMNS", "membership_at", "read_membership"),
    "policy": ("POLICY_COLUMNS", "policy_in_force", "read_policy"),
    "record": ("RECORD_COLUMNS", "read_record"),
    "sales": ("read_monthly_totals", "read_vintages", "seasonal_factors"),
    "shipped": ("data_digests", "shipped_path"),
    "software": ("read_software", "software_quality"),
    "use": (
        "RESALE_AGES",
        "by_powertrain",
        "consumption",
        "energy_path",
        "energy_prices",
        "grid_factor",
        "read_energy",
        "read_resale",
        "read_use",
        "resale_values",
        "use_constant",
    ),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'evsim.data' has no attribute '{name}'")
    return getattr(import_module(f"evsim.data.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
