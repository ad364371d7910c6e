"""The experiments on subsidies compare what they say, and run at a small size."""

import numpy as np
import pandas as pd
import pytest
from test_readme import TINY, experiment

import evsim
from evsim.economics.welfare import Welfare
from evsim.report.figures.intervals import pseudo_ratios
from evsim.report.figures.pull_forward import ANNOUNCED, NOTHING, UNSEEN
from evsim.report.figures.subsidy_yuan import PARTIES
from evsim.report.figures.waning_subsidies import COLUMNS

SMALL = TINY[:-1]  # without an end


def test_pseudo_values_of_a_ratio_are_the_ratios_themselves_where_all_denominators_are_alike():
    assert pseudo_ratios([1.0, 2.0, 6.0], [4.0, 4.0, 4.0]) == pytest.approx([0.25, 0.5, 1.5])
    assert pseudo_ratios([3.0], [4.0]) == pytest.approx([0.75])


def test_pseudo_values_do_without_the_bias_of_a_mean_of_ratios():
    draw = np.random.default_rng(1)
    below, above = draw.poisson(8.0, (4_000, 10)) + 1.0, draw.poisson(9.0, (4_000, 10))
    jackknifed = np.mean([pseudo_ratios(top, bottom).mean() for top, bottom in zip(above, below, strict=True)])
    assert abs(jackknifed - 1.0) < 0.005 < 0.05 < (above / below).mean() - 1.0


def test_a_year_end_is_told_by_the_months_around_it():
    module = experiment("pull_forward")
    months = ["2022-11", "2022-12", "2023-01", "2023-02"]
    cars = pd.DataFrame({"A": [1.0, 4.0, 3.0, 2.0], "B": [1.0, 4.0, np.nan, 2.0]}, index=months)
    table = module.ratios(cars, (2022,)).set_index(["who", "span"])
    assert table.loc[("A", 1), ["before", "after"]].to_list() == [4.0, 3.0]
    assert table.loc[("A", 2), ["before", "after"]].to_list() == [5.0, 5.0]
    assert np.isnan(table.loc[("B", 1), "after"]) and np.isnan(table.loc[("B", 2), "after"])


def test_the_published_fall_after_december_2022_is_the_one_of_the_press():
    seen = experiment("pull_forward").observed().set_index(["who", "year", "span"])
    fall = seen["after"] / seen["before"] - 1.0
    assert fall["new-energy cars", 2022, 1] == pytest.approx(-0.483, abs=0.003)
    total = seen.loc["new-energy cars"] + seen.loc["combustion cars"]
    assert total.loc[(2022, 1), "after"] / total.loc[(2022, 1), "before"] - 1.0 == pytest.approx(-0.404, abs=0.001)
    assert np.isnan(fall["new-energy cars", 2025, 1])  # nothing is recorded after 2025


def test_where_nothing_changes_the_same_benefits_are_in_force_before_and_after_every_year_end():
    module = experiment("pull_forward")
    for world, years, scenario in module.worlds(SMALL):
        policy, base = evsim.EVMarket(scenario).market.policy, int(scenario.start[:4])
        changes = []
        for year in years:
            december = 12 * (year - base) + 12
            changes.append({e.key for e in policy.dated(december)} != {e.key for e in policy.dated(december + 1)})
        assert changes == ([False] * len(years) if world == NOTHING else [True] * len(years))
        assert (scenario.consumers.horizon_months == 0) == (world == UNSEEN)


def test_year_ends_are_told(tmp_path):
    module = experiment("pull_forward")
    arguments = ["--seeds", "2", "--workers", "1", "--folder", str(tmp_path), *SMALL, "consumers.count=3000"]
    told = module.main(arguments)
    assert "New-energy cars sold in January 2023" in told[0] and "not known yet" in "".join(told)
    assert (tmp_path / "pull_forward.png").stat().st_size > 10_000
    assert {world for world, _, _ in module.worlds([])} == {ANNOUNCED, UNSEEN, NOTHING}


def test_a_design_that_pays_by_a_power_of_its_scale_is_scaled_exactly(monkeypatch):
    module = experiment("subsidy_yuan")
    monkeypatch.setattr(module, "world", lambda design, scale, overrides: scale)
    monkeypatch.setattr(module, "support", lambda scale: 70.0 * scale**1.3)
    assert 70.0 * module.scale_for(("per_car", 100.0, [])) ** 1.3 == pytest.approx(100.0)
    assert module.scale_for(("per_car", 1e6, [])) == module.LARGEST_SCALE


def test_designs_are_for_new_energy_cars_alone_and_stand_instead_of_the_record():
    module = experiment("subsidy_yuan")
    assert {path.stem for path in (module.FILES / "subsidy").iterdir()} == set(module.DESIGNS)
    for design in module.DESIGNS:
        subsidy = module.world(design, 1.0, []).subsidy
        assert subsidy.timeline == "none" and subsidy.instruments
        assert all("ice" not in entry.powertrains for entry in subsidy.instruments)


def accounts(**changes):
    """The accounts of a world with a given change against one in which all is 100."""
    world = {"consumer_surplus": np.full(5, 100.0), "producer_surplus": np.full(3, 100.0), "leader_profit": 100.0}
    world |= {"outlay": 0.0, "purchase_tax": 100.0, "value_added_tax": 100.0}
    return Welfare(**(world | changes))


def test_who_has_a_yuan_is_counted_in_fen_that_sum_to_a_hundred():
    module = experiment("subsidy_yuan")
    counts = {"seed": 0, "nev": 10.0, "allied": 1.0, "tons": -5.0, "hhi": 900.0}
    poorest = np.array([106.0, 100.0, 100.0, 100.0, 100.0])
    incumbents = np.array([100.0, 103.0, 99.0])
    with_it = accounts(consumer_surplus=poorest, producer_surplus=incumbents, outlay=10.0, value_added_tax=101.0)
    results = [(counts | {"design": "none"}, accounts()), (counts | {"design": "per_car", "nev": 14.0}, with_it)]
    gains, shares = module.against_none(results)
    assert gains[["nev", "support", "hhi"]].to_numpy().tolist() == [[4.0, 10.0, 0.0]]
    row = shares[list(PARTIES)].iloc[0]
    assert row.sum() == pytest.approx(100.0)
    expected = {"buyers 1": 60.0, "independent": 30.0, "incumbent": -10.0, "state": 10.0, "lost": 10.0}
    assert row[row.abs() > 1e-9].to_dict() == pytest.approx(expected)


def test_what_a_yuan_buys_is_told(tmp_path):
    arguments = [
        "--seeds",
        "1",
        "--workers",
        "1",
        "--folder",
        str(tmp_path),
        *SMALL,
        "subsidy.end=2024-03",
        "end=2024-04",
    ]
    told = experiment("subsidy_yuan").main(arguments)
    assert len(told) == 7 and "bn CNY" in told[1]
    for name in ("subsidy_yuan", "subsidy_incidence"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_camps_and_segments_each_share_out_the_market():
    module = experiment("waning_subsidies")
    module.WINDOWS = {"2024": ("2024", "2024")}
    table = module.outcome((module.DATED, evsim.load("baseline", *TINY), 0))
    assert table[["alliance", "independent", "incumbent"]].sum(axis=1).to_list() == pytest.approx([1.0])
    assert table[["mass", "middle", "premium"]].sum(axis=1).to_list() == pytest.approx([1.0])


def test_waning_is_told_against_the_dated_policy():
    module = experiment("waning_subsidies")
    facts = {"window": "2024 to 2027", "cars": 200.0, "given": 2e6} | dict.fromkeys(COLUMNS, 0.25)
    dated = [facts | {"seed": seed, "world": module.DATED} for seed in (0, 1)]
    held = [facts | {"seed": 0, "world": "w", "alliance": 0.27}, facts | {"seed": 1, "world": "w", "cars": 210.0}]
    changes = module.against_dated(pd.DataFrame(dated + held)).set_index("seed")
    assert changes["alliance"].to_list() == pytest.approx([2.0, 0.0]) and changes["cars"].to_list() == pytest.approx(
        [0.0, 5.0]
    )
    assert (changes[["given", "nev"]] == 0).all(axis=None)


def test_a_faster_fall_gives_less(tmp_path, monkeypatch):
    module = experiment("waning_subsidies")
    monkeypatch.setattr(module, "WINDOWS", {"2024": ("2024", "2024"), "2025": ("2025", "2025")})
    told = module.main(["--seeds", "1", "--workers", "1", "--folder", str(tmp_path), *SMALL, "end=2025-02"])
    assert told[0].startswith("With subsidies gone in 6 months from July 2024")
    assert (tmp_path / "waning_subsidies.png").stat().st_size > 10_000
    worlds = module.worlds([*SMALL, "end=2024-12"])
    monkeypatch.setattr(module, "WINDOWS", {"2024": ("2024", "2024")})
    given = {name: module.outcome((name, world, 0))["given"].iloc[0] for name, world in list(worlds.items())[1:4]}
    assert list(given.values()) == sorted(given.values()) and len(set(given.values())) == 3
