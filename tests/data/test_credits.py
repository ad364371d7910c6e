"""The credit rules as they are shipped, held against what the law says and what was published."""

import numpy as np
import pytest

from evsim.data import credit_price, credit_rules, read_credits, read_market_table, read_ranges
from evsim.economics.credits import CreditRule, balances, earned_per_car, required_per_car
from evsim.errors import BadRequest


def test_the_credits_of_a_year_are_those_of_the_law():
    assert [credit_rules(year)["ratio"] for year in (2018, 2019, 2021, 2023, 2025, 2027, 2031)] == [
        0.0, 0.10, 0.14, 0.18, 0.38, 0.58, 0.58,
    ]  # fmt: skip
    of_400_km = {2019: 5.0, 2021: 0.0056 * 400 + 0.4, 2024: 0.0034 * 400 + 0.2, 2027: 0.0034 * 400 + 0.2}
    for year, expected in of_400_km.items():
        assert earned_per_car([True], [False], [400.0], CreditRule(**credit_rules(year))) == pytest.approx(expected)
    for year in range(2018, 2036):
        assert CreditRule(**credit_rules(year)).store_above == (2.0 if year >= 2023 else np.inf)
    with pytest.raises(BadRequest, match="credits begin in 2018"):
        credit_rules(2017)


def test_a_credit_costs_what_the_last_trades_known_say():
    assert read_credits().query("item == 'price'")["last_year"].max() == 2022
    assert [credit_price(year) for year in (2010, 2019, 2021, 2022, 2030)] == [1.0, 1.0, 2.088, 1.128, 1.128]


def test_the_rule_and_the_sales_of_2021_give_about_the_credits_that_were_published():
    table, ranges, rule = read_market_table("2021"), read_ranges(), CreditRule(**credit_rules(2021))
    reach = np.zeros(len(table))
    for row in ranges[(ranges["first_year"] <= 2021) & (ranges["last_year"] >= 2021)].fillna(0.0).to_dict("records"):
        fits = (table["powertrain"] == row["powertrain"]) & (table["size_class"] == row["size_class"])
        fits &= (table["price"] >= row["price_from"]) & (table["price"] < (row["price_below"] or np.inf))
        reach[fits] = 0.5 * (row["range_low"] + row["range_high"])
    powertrain, cars = table["powertrain"], table["units"].to_numpy()
    maker = table["automaker"].astype("category").cat.codes.to_numpy(dtype=np.int64)
    earned = earned_per_car(powertrain == "bev", powertrain.isin(["phev", "erev"]), reach, rule)
    net = earned - required_per_car(powertrain == "ice", maker, cars, rule)
    balance = balances(net, maker, int(maker.max()) + 1, cars)
    assert balance[balance > 0].sum() == pytest.approx(6.79e6, rel=0.2)  # with exports
    assert -balance[balance < 0].sum() == pytest.approx(0.798e6, rel=0.25)
