"""Tables say what happened: counted once more from the population and from each other."""

import numpy as np
import pandas as pd
import pytest
from market.worlds import opened, run_small

YEAR = {"consumers": {"count": 3_000}}


@pytest.fixture(scope="module")
def run():
    """A year of the small world."""
    return run_small(YEAR)


def test_month_0_is_the_calibrated_table(run):
    base = run.market[run.market["month"] == run.base_month]
    assert (base["orders"] == base["units"]).all()
    assert (base["backlog"] == 0).all()
    assert run.headline["outside_share"].iloc[0] == 0.3
    assert run.headline["alliance_share"].iloc[0] == pytest.approx(0.0101, abs=0.0005)
    assert run.headline["nev_penetration"].iloc[0] == pytest.approx(0.39, abs=0.01)


def test_headline_shares_are_those_of_the_market_table(run):
    market = run.market.assign(nev=run.market["powertrain"] != "ice")
    for month, cars in market.groupby("month"):
        line = run.headline.set_index("month").loc[month]
        total = cars["units"].sum()
        assert line["units"] == pytest.approx(total)
        for camp in ("alliance", "independent", "incumbent"):
            assert line[f"{camp}_share"] == pytest.approx(cars.loc[cars["camp"] == camp, "units"].sum() / total)
        assert line["nev_penetration"] == pytest.approx(cars.loc[cars["nev"], "units"].sum() / total)
        assert line["mean_price"] == pytest.approx((cars["price"] * cars["units"]).sum() / total)
        shares = cars.groupby("brand")["units"].sum() / total
        assert line["hhi_brand"] == pytest.approx(1e4 * (shares**2).sum())


def test_repeat_rates_are_those_of_the_switching_table(run):
    switching = run.switching
    ecosystems = set(run.platforms.loc[run.platforms["ecosystem"], "platform"])
    owners = switching[switching["from_platform"].isin(ecosystems)]
    stayed = owners.loc[owners["from_platform"] == owners["to_platform"], "buyers"].sum()
    assert run.repeat_rate() == pytest.approx(stayed / owners["buyers"].sum())
    bought = switching["buyers"].sum()
    assert bought == pytest.approx(run.headline["units"].iloc[1:].sum())
    first = switching.loc[switching["from_platform"] == "first car", "buyers"].sum()
    assert first / bought == pytest.approx(0.44, abs=0.08)


def test_platforms_sell_what_their_products_sell(run):
    later = run.market[run.market["month"] > run.base_month]
    by_platform = later.groupby(["month", "platform"])["units"].sum()
    table = run.platforms.set_index(["month", "platform"])["units"]
    assert table[by_platform.index].to_numpy() == pytest.approx(by_platform.to_numpy())
    assert run.platforms.groupby("month")["share"].sum().to_numpy() == pytest.approx(1.0)


def test_owners_in_the_population_are_what_was_sold_to_them():
    model = opened(YEAR)
    model.run_model()
    market = model.market
    sold = pd.DataFrame(model.record["market"]).query("month > '2023-12'").groupby("product")["units"].sum()
    since = market.population.bought >= 1
    owned = np.bincount(market.population.line[since], minlength=len(market.offers)) * market.population.weight
    for name, cars in zip(market.offers.product, owned, strict=True):
        assert cars <= sold.get(name, 0.0) + 1e-3
    assert owned.sum() == pytest.approx(sold.sum(), rel=0.03)  # a few have passed on or bought again within the year


def test_the_share_of_shoppers_who_keep_their_car_starts_near_the_assumed(run):
    rows = run.headline["units"].iloc[1:].sum() / run.diagnostics["weight"]
    kept = run.headline["outside_share"].iloc[1:].mean()
    assert kept == pytest.approx(0.3, abs=5.0 * np.sqrt(0.3 * 0.7 / rows))
