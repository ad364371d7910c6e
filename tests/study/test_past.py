"""Runs that part late share their past: the same bits as from the start, for every parameter that acts from a month."""

import numpy as np
import pytest
from study.studies import QUIET, TINY

from evsim.errors import BadRequest
from evsim.scenarios.keys import parameters
from evsim.study import Plan, design_of, drive
from evsim.study.outcomes import simulate
from evsim.study.past import kin_of, n_pasts, shared_past
from evsim.study.runner import SIMULATE
from evsim.study.store import Store

WORLD = [*TINY[:-1], "end=2026-12", "pricing=best_response", "modes.rule=chosen"]
LATE = {  # a value that acts from some month of 2025 or later, with what it needs
    "subsidy.phase_out_start": ["2025-03"],
    "subsidy.phase_out_months": ["5", "subsidy.phase_out_start=2025-02"],
    "subsidy.hold_from": ["2025-06"],
    "credits.hold_from": ["2025-01"],
    "use.hold_from": ["2025-02"],
    "software.advantage_until": ["2025-05"],
    "software.leap_month": ["2025-04", "software.leap_platform=Tesla"],
    "software.leap_platform": ["BYD", "software.leap_month=2025-04"],
    "software.leap_kcny": ["60", "software.leap_platform=Tesla", "software.leap_month=2026-02"],
    "pricing.war_start": ["2025-07", "pricing.war_end=2025-12"],
    "pricing.war_end": ["2025-08", "pricing.war_start=2025-07"],
    "pricing.war_cut": ["0.9", "pricing.war_start=2025-07", "pricing.war_end=2026-03"],
}
OTHER = {  # beside the default, where the default goes with the rest
    "pricing.war_end": "2026-01",
    "pricing.war_start": "2025-05",
    "software.leap_month": "2026-05",
    "software.leap_platform": "Tesla",
    "pricing.war_cut": "0.1",
    "software.leap_kcny": "20",
    "subsidy.phase_out_months": "24",
}


def test_every_parameter_that_acts_from_a_month_is_tried_here():
    assert {key for key, parameter in parameters().items() if parameter.acts_from} == set(LATE)


@pytest.mark.parametrize("key", LATE)
def test_a_run_that_goes_on_from_a_shared_past_has_the_bits_of_one_from_the_start(key):
    value, *rest = LATE[key]
    design = design_of(*WORLD, *rest, f"{key}={OTHER.get(key, 'null')},{value}")
    past = shared_past(design)
    assert past is not None and past.months >= 12
    rows = []
    for run in range(2):
        task = design.task(run)
        mapping = design.scenario(run).model_dump(mode="json")
        alone, shared = (simulate(mapping, task.seed, "panel", **how) for how in ({}, {"past": vars(past)}))
        assert alone.row == shared.row
        for name, table in alone.tables.items():
            for column, values in table.items():
                np.testing.assert_array_equal(values, shared.tables[name][column])
        rows.append(alone.row)
    assert rows[0] != rows[1]  # the value matters


def test_a_store_has_one_digest_whether_runs_share_their_past_or_not(tmp_path):
    asked = [*TINY[:-1], "end=2024-09", "subsidy.phase_out_start=2024-05,2024-08,null"]
    digests = []
    for branch_at in (None, "2024-02"):
        store = Store.create(tmp_path, design_of(*asked, plan=Plan(replications=2, branch_at=branch_at)), SIMULATE)
        digests.append(drive(store, QUIET).digest)
    alone = design_of(*asked, plan=Plan(replications=2))
    store = Store.create(tmp_path, alone, SIMULATE)
    with store.driving(SIMULATE) as driver:
        from evsim.study.engines.work import Job, answer, resolve

        job = Job(SIMULATE, [base.mapping for base in alone.bases], alone.keep)
        driver.acknowledge([answer(job, resolve(SIMULATE), alone.task(run)) for run in driver.missing()])
        driver.finish()
    assert digests == [store.digest] * 2


def test_the_past_ends_before_the_earliest_month_in_which_anything_can_differ():
    design = design_of("subsidy.phase_out_start=2027-01,2029-06,null", "subsidy.phase_out_months=12,24")
    assert shared_past(design).months == 36
    assert shared_past(design, "2026-01").months == 24
    war = ["pricing.war_start=2025-02", "pricing.war_end=2025-03", "pricing.war_cut=0.1,0.2"]
    early = design_of("subsidy.phase_out_start=2027-01,2029-06", *war)
    assert shared_past(early).months == 13


@pytest.mark.parametrize(
    "asked",
    [
        ["subsidy.scale=0,1"],
        ["subsidy.phase_out_start=2024-01,2027-01"],
    ],
)
def test_runs_that_differ_from_the_start_share_nothing(asked):
    assert shared_past(design_of(*asked)) is None


def test_points_that_differ_otherwise_have_pasts_of_their_own_and_kin_of_their_own():
    design = design_of("subsidy.phase_out_start=2027-01,2028-01", "subsidy.scale=0.5,1", plan=Plan(replications=2))
    past = shared_past(design)
    assert n_pasts(design, past) == 2
    kin = kin_of(design, past)
    table = design.table().assign(kin=kin)
    assert len(kin) == design.n_runs == 8
    assert (table.groupby(["subsidy.scale", "seed"])["kin"].nunique() == 1).all() and len(set(kin)) == 4


def test_scenarios_that_differ_late_share_their_past():
    design = design_of("scenario=baseline,extended_subsidies,software_gap_closes")
    past = shared_past(design)
    assert past.months == 23 and n_pasts(design, past) == 1  # policy is held from December 2025


@pytest.mark.parametrize("month", ["2028-01", "2024-01", "soon"])
def test_a_month_that_runs_do_not_share_is_refused(month):
    with pytest.raises(BadRequest, match="branch_at="):
        design_of("subsidy.phase_out_start=2027-01,2028-01", plan=Plan(branch_at=month))
