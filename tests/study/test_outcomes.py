"""Outcomes of a run are what its tables say."""

import re

import numpy as np
import pytest
from synthetic_run import synthetic_run

from evsim.errors import BadRequest, EvsimError
from evsim.study.outcomes import OUTCOMES, PANELS, check_outcomes, describe, kept_of


@pytest.fixture(scope="module")
def run():
    """A made-up run of two and a half years."""
    return synthetic_run(seed=3, end="2026-06")


@pytest.fixture(scope="module")
def kept(run):
    """All that is kept of it."""
    return kept_of(run, "panel")


def test_shares_and_prices_of_a_year_are_those_of_the_yearly_table(run, kept):
    years = run.yearly()
    for name in ("alliance_share", "independent_share", "incumbent_share", "nev_penetration", "mean_price", "units"):
        for year in years.index:
            assert kept.row[f"{name}_{year}"] == pytest.approx(years.loc[year, name], rel=1e-9)


def test_outcomes_without_a_year_are_over_the_last_twelve_months(run, kept):
    assert kept.row["alliance_share"] == pytest.approx(run.shares("camp")["alliance"])
    assert kept.row["automaker_share.BYD"] == pytest.approx(run.shares("automaker")["BYD"])
    assert kept.row["platform_share.BYD"] == pytest.approx(run.shares("platform")["BYD"])
    assert kept.row["units"] == pytest.approx(run.headline["units"].tail(12).sum())
    assert kept.row["repeat_rate"] == run.repeat_rate()


def test_flows_of_the_years_add_up_to_the_total(kept):
    flows = [name for name, outcome in OUTCOMES.items() if outcome.how == "sum"]
    assert {"outlay", "tax_receipts", "leader_profit", "units"} <= set(flows)
    for name in flows:
        parts = sum(value for key, value in kept.row.items() if re.fullmatch(rf"{name}_\d{{4}}", key))
        assert kept.row[f"{name}_total"] == pytest.approx(parts, rel=1e-12)


def test_outlay_is_what_is_paid_and_what_is_waived(run, kept):
    state = run.government
    assert kept.row["outlay_total"] == pytest.approx((state["subsidies"] + state["tax_waived"]).sum())


def test_profits_by_kind_add_up_to_all_makers_profit(run, kept):
    kinds = sum(kept.row[f"{kind}_profit_total"] for kind in ("alliance_oem", "independent", "incumbent"))
    assert kinds == pytest.approx(run.automakers["profit"].sum())


def test_shares_of_automakers_add_up_to_one(kept):
    for share in ("automaker_share.", "platform_share."):
        assert sum(value for name, value in kept.row.items() if name.startswith(share)) == pytest.approx(1.0)


def test_every_outcome_and_every_column_has_a_unit_and_a_meaning(kept):
    for name in kept.row:
        assert describe(name).unit and describe(name).description
    for name, table in kept.tables.items():
        assert list(table) == list(PANELS[name])
        assert all(column.unit and column.description for column in PANELS[name].values())


def test_yearly_tables_agree_with_the_row(kept):
    years = kept.tables["years"]
    assert list(years["year"]) == [2024, 2025, 2026]
    assert years["hhi_platform"][1] == kept.row["hhi_platform_2025"]
    makers = kept.tables["automaker_years"]
    for year in (2024, 2025, 2026):
        assert makers["units"][makers["year"] == year].sum() == pytest.approx(kept.row[f"units_{year}"])
        assert makers["share"][makers["year"] == year].sum() == pytest.approx(1.0)


def test_a_summary_keeps_the_same_row_and_no_table(run, kept):
    summary = kept_of(run)
    assert summary.row == kept.row and summary.tables == {}


def test_tables_kept_as_columns_and_as_frames_have_the_same_outcomes(run, kept):
    from dataclasses import replace

    frames = kept_of(replace(run, tables=dict(run.tables)), "panel")
    assert frames.row == kept.row
    for name, table in kept.tables.items():
        for column, values in table.items():
            np.testing.assert_array_equal(frames.tables[name][column], values)


def test_a_summary_makes_no_frame(monkeypatch):
    monkeypatch.setattr("pandas.DataFrame", None)
    assert kept_of(synthetic_run(seed=4, end="2024-06")).row["units"] > 0


def test_what_is_not_defined_is_none_and_what_is_infinite_is_refused(run):
    from dataclasses import replace

    headline = run.headline
    silent = replace(run, tables={**run.tables, "headline": headline.assign(units=0.0)})
    assert kept_of(silent).row["mean_price"] is None
    wild = replace(run, tables={**run.tables, "headline": headline.assign(hhi_brand=np.inf)})
    with pytest.raises(EvsimError, match="outcome hhi_brand is inf"):
        kept_of(wild)


def test_outcomes_of_years_that_are_not_simulated_are_refused():
    check_outcomes(["alliance_share_2030", "outlay_total", "automaker_share.BYD"], range(2024, 2036))
    with pytest.raises(BadRequest, match="alliance_share_2040"):
        check_outcomes(["alliance_share_2040"], range(2024, 2036))
