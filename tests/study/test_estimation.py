"""What a dry run times is what a sweep will take, not what a process does once."""

import time

import pytest
from study.studies import TINY

from evsim import model as model_module
from evsim.scenarios import compose
from evsim.study import estimation
from evsim.study.outcomes import SUMMARY

LOADING = 0.05  # seconds


@pytest.fixture
def cold(monkeypatch):
    """A process in which something is compiled in each month of a model that no model has had before."""
    seen = set()

    class Cold(model_module.EVMarket):
        def step(self):
            month = len(self.record["headline"]["month"])
            if month not in seen:
                seen.add(month)
                time.sleep(LOADING)
            super().step()

    monkeypatch.setattr(model_module, "EVMarket", Cold)
    monkeypatch.setattr(estimation, "_warm", [])


def test_what_is_compiled_on_its_first_call_is_not_timed(cold):
    mapping = compose([*TINY[:-1], "modes=timeline", "end=2025-03"], None) | {"seed": 0}
    first, second = (estimation.probe(mapping, 0, SUMMARY).row for _ in range(2))
    assert first["months"] == second["months"] == 15
    assert max(first["month"], second["month"]) < LOADING
