"""What a parameter is: a value with its unit, range, meaning, source and role, declared once.

Roles:
    lever      acts from month 1 on a market that was calibrated without it
    structure  part of the explanation of the base table; a change calibrates the market anew
    setting    how the simulation is set up or computed
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["lever", "structure", "setting"]


class Params(BaseModel):
    """Base of every parameter model: frozen, unknown keys forbidden, no nan or inf."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def param(
    default: Any,
    meaning: str,
    *,
    unit: str,
    source: str,
    role: Role = "structure",
    acts_from: str = "",
    **limits: Any,
) -> Any:
    """Declare one parameter; the field is the one home of all of this.

    Args:
        default: value used when nobody says otherwise.
        meaning: one line for a reader who does not know the code.
        unit: "fraction", "kCNY", "utils", "months", ….
        source: where the value comes from, or "assumption: …".
        role: lever, structure or setting.
        acts_from: the parameter of the same group whose month it acts from (itself, or another): before that month, and where
            that is none, its value is without effect. Empty: it may act from the start.
        limits: pydantic's `ge`, `gt`, `le`, `lt`, `pattern`.
    """
    about: dict[str, Any] = {"unit": unit, "source": source, "role": role}
    if acts_from:
        about["acts_from"] = acts_from
    return Field(default, description=meaning, json_schema_extra=about, **limits)


def without_levers(params: Any) -> Any:
    """The same parameters with every lever at its default: what calibration at the base date may know."""
    changes: dict[str, Any] = {}
    for name, field in type(params).model_fields.items():
        value = getattr(params, name)
        if isinstance(value, Params):
            changes[name] = without_levers(value)
        elif isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("role") == "lever":
            changes[name] = field.get_default()
    return params.model_copy(update=changes)
