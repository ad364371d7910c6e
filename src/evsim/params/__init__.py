"""Every parameter of the model, declared once with default, unit, range, meaning and source."""

from .base import Params, param, without_levers
from .scenario import Scenario, month_name, month_number

__all__ = ["Params", "Scenario", "month_name", "month_number", "param", "without_levers"]
