"""Each term of the utility moves what it should, by how much it should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics import utility
from evsim.economics.utility import ELECTRIC, FIRST_CLASS, INCOME, N_TASTES, PHONE, PREMIUM, SOFTWARE
from evsim.market.kernels import Shelf  # a type of one's own would be written into the compiled functions' cache

CARS = Shelf(  # a petrol car, a foreign premium petrol car, an electric car of the leader, an electric car of a rival
    quality=np.array([1.0, 2.0, 0.5, 0.7]),
    software=np.array([0.0, 3.0, 20.0, 10.0]),
    electric=np.array([0.0, 0.0, 1.0, 0.66]),
    size_class=np.array([0, 3, 3, 5]),
    premium=np.array([0.0, 1.0, 0.0, 0.0]),
    leader=np.array([0.0, 0.0, 1.0, 0.0]),
    platform=np.array([0, 1, 2, 3]),
    brand=np.array([4, 5, 6, 6]),
    key=np.zeros(4, dtype=np.int64),
    outlay=np.zeros(4),
)


def tastes(**changed):
    columns = {"income": INCOME, "software": SOFTWARE, "electric": ELECTRIC, "premium": PREMIUM, "phone": PHONE}
    row = np.zeros(N_TASTES)
    row[INCOME] = row[SOFTWARE] = 1.0
    for name, value in changed.items():
        row[columns[name]] = value
    return row


def before_price(row, sensitivity=0.03, phone_effect=1.2, cars=CARS):
    out = np.full(4, np.nan)
    utility.taste_utility(row, sensitivity, phone_effect, utility.traits_of(cars), out)
    return out


def gains_of_state(platform=-1, lock_in=0.0, brand=-1, loyalty=0.0, word=0.0, whispers=(0.0, 0.0, 0.0, 0.0)):
    out = np.zeros(4)
    heard = np.empty(4)
    utility.heard_utility(CARS.platform, word, np.array(whispers), heard)
    utility.state_utility(CARS, platform, lock_in, brand, loyalty, heard, out)
    return out


def test_a_median_household_without_tastes_sees_quality_and_software():
    assert before_price(tastes()) == pytest.approx(CARS.quality + 0.03 * CARS.software)


@pytest.mark.parametrize(
    ("name", "value", "gain"),
    [
        ("software", 2.0, [0.0, 0.09, 0.6, 0.3]),
        ("electric", 0.5, [0.0, 0.0, 0.5, 0.33]),
        ("premium", -0.7, [0.0, -0.7, 0.0, 0.0]),
        ("phone", 1.0, [0.0, 0.0, 1.2, 0.0]),
        ("income", 3.0, [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_a_taste_moves_the_cars_it_is_for(name, value, gain):
    assert before_price(tastes(**{name: value})) - before_price(tastes()) == pytest.approx(gain, abs=1e-12)


def test_a_taste_for_a_size_moves_the_cars_of_that_size():
    row = tastes()
    row[FIRST_CLASS + 3] = 0.4
    assert before_price(row) - before_price(tastes()) == pytest.approx([0.0, 0.4, 0.4, 0.0], abs=1e-12)


@given(st.floats(0.1, 10.0), st.floats(0.1, 5.0), st.floats(0.0, 50.0))
def test_a_household_pays_its_taste_times_its_income_for_software(income, taste, better):
    row = tastes(income=income, software=taste)
    improved = CARS._replace(software=CARS.software + np.array([0.0, 0.0, better, 0.0]))
    gain = (before_price(row, cars=improved) - before_price(row))[2]
    assert gain / utility.price_sensitivity(0.03, row) == pytest.approx(taste * income * better, abs=1e-9)


def test_the_rich_mind_price_less():
    assert utility.price_sensitivity(0.03, tastes(income=2.0)) == pytest.approx(0.015)


def test_lock_in_gains_the_cars_of_the_own_platform_and_loyalty_those_of_the_own_brand():
    assert gains_of_state(platform=3, lock_in=1.5, brand=6, loyalty=0.6).tolist() == [0.0, 0.0, 0.6, 2.1]
    assert gains_of_state(lock_in=1.5, loyalty=0.6).tolist() == [0.0] * 4  # no car, no tie


def test_word_of_mouth_moves_cars_by_their_platforms_excess_share():
    assert gains_of_state(word=2.0, whispers=(0.1, -0.1, 0.2, -0.2)) == pytest.approx([0.2, -0.2, 0.4, -0.4])


def test_what_a_car_owned_adds_comes_on_top():
    out = np.array([1.0, 2.0, 3.0, 4.0])
    utility.state_utility(CARS, 0, 1.0, -1, 0.6, np.zeros(4), out)
    assert out.tolist() == [2.0, 2.0, 3.0, 4.0]


def test_lock_in_builds_up_with_tenure():
    strength = [utility.lock_in_strength(months, 24.0) for months in (0.0, 24.0, 1e6)]
    assert strength == pytest.approx([0.0, 1.0 - np.exp(-1.0), 1.0])


def test_carrying_on_costs_its_outlay_and_more_when_overdue_and_gains_from_updates():
    assert utility.outside_utility(0.03, 50.0, 0.0, 0.01, 0.0) == pytest.approx(-1.5)
    assert utility.outside_utility(0.03, 50.0, 12.0, 0.01, 0.2) == pytest.approx(-1.5 - 0.12 + 0.2)
