"""Thin Mesa agents: they observe the market, decide, and write what they decided."""

from .automaker import KINDS, AllianceOEM, Automaker, Incumbent, Independent
from .chair import hold_review, recover_motives
from .consumer import Consumer
from .consumers import Consumers
from .government import Government
from .orchestrator import Orchestrator
from .review import Review

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
    "Review",
    "hold_review",
    "recover_motives",
]
