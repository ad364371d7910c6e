"""A small market: what takes a second to open and run, for tests of behaviour rather than of figures."""

from evsim.params import Scenario


def small_scenario(months: int = 3, count: int = 600, rule: str = "fixed", **market) -> Scenario:
    """A few months of a few hundred households and some forty lines."""
    return Scenario.model_validate(
        {
            "end": f"2024-{months:02d}",
            "consumers": {"count": count, "reference_size": 500},
            "pricing": {"rule": rule, "survey_size": 100},
            "market": {"lines": 20, **market},
            "lock_in": {"community_size": 50},
        }
    )
