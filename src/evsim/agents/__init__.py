"""Thin Mesa agents: they observe the market, decide, and write what they decided."""

from .automaker import KINDS, AllianceOEM, Automaker, Incumbent, Independent
from .government import Government
from .orchestrator import Orchestrator

__all__ = ["KINDS", "AllianceOEM", "Automaker", "Government", "Incumbent", "Independent", "Orchestrator"]
