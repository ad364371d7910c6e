"""Thin Mesa agents: they observe the market, decide, and write what they decided."""

from .automaker import KINDS, AllianceOEM, Automaker, Incumbent, Independent
from .consumer import Consumer
from .consumers import Consumers
from .government import Government
from .orchestrator import Orchestrator

__all__ = [
    "KINDS",
    "AllianceOEM",
    "Automaker",
    "Consumer",
    "Consumers",
    "Government",
    "Incumbent",
    "Independent",
    "Orchestrator",
]
