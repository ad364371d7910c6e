"""Energy prices, consumption and resale values as they are shipped."""

import re

import numpy as np
import pytest

from evsim.data import (
    RESALE_AGES,
    consumption,
    energy_prices,
    grid_factor,
    read_energy,
    read_resale,
    read_use,
    resale_values,
    shipped_path,
    use_constant,
)
from evsim.data.columns import read_table
from evsim.data.market import POWERTRAINS, SIZE_CLASSES
from evsim.data.use import RESALE_COLUMNS, check_falling
from evsim.errors import BadRequest


def test_energy_prices_are_means_of_years_and_jump_in_no_january():
    assert read_energy()["month"].max() == "2025-12"
    assert energy_prices("2021-12")["petrol"] == 6.9 and energy_prices("2023-12")["petrol"] == 7.9
    assert energy_prices("2022-06")["petrol"] == pytest.approx(0.5 * (6.9 + 8.3))
    months = [f"{year}-{month:02d}" for year in range(2018, 2027) for month in range(1, 13)]
    for item, most in (("petrol", 1.4), ("home_power", 0.0), ("public_power", 0.15)):
        steps = np.diff([energy_prices(month)[item] for month in months])
        assert np.abs(steps).max() == pytest.approx(most / 12.0)
    assert energy_prices("2009-01") == energy_prices("2018-12") and energy_prices("2035-01") == energy_prices("2025-12")


def test_every_powertrain_and_class_has_a_consumption_and_larger_classes_take_more():
    used = consumption()
    assert set(used) == {(powertrain, size) for powertrain in POWERTRAINS for size in SIZE_CLASSES}
    for powertrain in POWERTRAINS:
        fuel, power = np.array([used[powertrain, size] for size in SIZE_CLASSES]).T
        assert (fuel > 0).all() == (powertrain != "bev") and (power > 0).all() == (powertrain != "ice")
        assert (np.diff(fuel) > 0).all() == (powertrain != "bev") and (np.diff(power) > 0).all() == (
            powertrain != "ice"
        )


def test_a_figure_with_a_range_is_its_middle_and_a_filled_class_keeps_the_ratio_of_the_classes():
    figures = read_use()
    found = figures[figures["low"].notna() & figures["item"].isin(["fuel", "power", "distance"])]
    assert np.allclose(found["value"], 0.5 * (found["low"] + found["high"]))
    assert (figures["confidence"] == "assumption")[figures["source"].str.startswith("assumption")].all()
    used = consumption()
    for powertrain, filled, near, measure, place in (
        ("phev", "D", "B", "ice", 0),
        ("erev", "B", "C", "ice", 0),
        ("phev", "B", "A", "bev", 1),
        ("erev", "A00", "D", "bev", 1),
    ):
        ratio = used[measure, filled][place] / used[measure, near][place]
        assert used[powertrain, filled][place] == pytest.approx(used[powertrain, near][place] * ratio, abs=0.01)


def test_a_battery_car_emits_about_half_of_what_a_petrol_car_does_and_costs_a_quarter_to_run():
    used, loss, prices = consumption(), use_constant("charging_loss"), energy_prices("2023-12")
    litres, power = used["ice", "A"][0] / 100.0, used["bev", "A"][1] / 100.0 * (1.0 + loss)
    mean_power = 0.5 * (prices["home_power"] + prices["public_power"])
    assert use_constant("home_share") == 0.5
    assert 0.4 < power * grid_factor(2023) / (litres * use_constant("petrol_factor")) < 0.6
    assert 0.2 < power * mean_power / (litres * prices["petrol"]) < 0.3
    assert grid_factor(2030) == grid_factor(2023) < grid_factor(2021) < grid_factor(2018)


def test_battery_cars_lose_more_than_petrol_cars_and_others_lie_between():
    values = resale_values()
    assert all(len(of) == len(RESALE_AGES) for of in values.values())
    for between in ("phev", "erev"):
        assert (values["bev"] < values[between]).all() and (values[between] < values["ice"]).all()


def test_no_resale_value_was_published_after_2023():
    years = [int(year) for source in read_resale()["source"] for year in re.findall(r"\b20[12]\d", source)]
    assert years and max(years) <= 2023


def test_a_powertrain_without_all_its_resale_values_is_noticed(tmp_path):
    lines = shipped_path("resale.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "resale.csv"
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(BadRequest, match="erev has no value at some of the ages"):
        read_table(path, RESALE_COLUMNS, check_falling)
