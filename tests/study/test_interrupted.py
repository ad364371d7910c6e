"""What is stopped in Python, as in a notebook, names the call that goes on, and that call ends it as if nothing had been."""

import contextlib

import pytest
from study.studies import QUIET, TINY

import evsim
from evsim.study import runner as runner_module

WORDS = ("subsidy.scale=0,1", *TINY, "modes=timeline")


@contextlib.contextmanager
def stopping(total, entered, quiet):
    """Progress that somebody interrupts once two runs are entered."""

    def tell(entered, failed):
        if entered >= 2:
            raise KeyboardInterrupt

    yield tell


def gone_on(monkeypatch, call):
    """What comes of a call that is interrupted, by the call that the interruption names."""
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt) as stopped:
        patched.setattr(runner_module, "shown", stopping)
        call()
    (note,) = stopped.value.__notes__
    assert note.startswith("go on with evsim.study.")
    return eval(note.removeprefix("go on with "), {"evsim": evsim})


def test_a_sweep_that_is_interrupted_is_resumed_by_the_call_it_names(tmp_path, monkeypatch):
    whole = evsim.sweep(*WORDS, replications=2, out=tmp_path / "whole", execution=QUIET)
    store = gone_on(monkeypatch, lambda: evsim.sweep(*WORDS, replications=2, out=tmp_path / "stopped", execution=QUIET))
    assert store.counts().done == 4 and store.digest == whole.digest


def test_a_comparison_that_is_interrupted_is_gone_on_with_by_the_call_it_names(tmp_path, monkeypatch):
    found = gone_on(monkeypatch, lambda: evsim.compare(*WORDS, replications=2, out=tmp_path, execution=QUIET))
    assert found.store.counts().done == 4 and len(found.words) > 1
