"""Lines: a table's rows added up, without a car lost."""

import numpy as np
import pytest

from evsim.data import read_market_table, read_vintages
from evsim.errors import BadRequest
from evsim.market.lines import OTHER, lines_of, tier_name, tier_of, vintage_shares
from evsim.params.market import MarketParams

EDGES = MarketParams().price_tiers
TABLE = read_market_table("2023")
START = "2023-10"


def compact(n_lines=30, **changes):
    return lines_of(TABLE, MarketParams(lines=n_lines, **changes), START)


@pytest.mark.parametrize("n_lines", [1, 30, 2_000])
@pytest.mark.parametrize("granularity", ["compact", "full"])
def test_lines_carry_the_years_cars_whatever_is_pooled(n_lines, granularity):
    lines = lines_of(TABLE, MarketParams(granularity=granularity, lines=n_lines), START)
    assert 12.0 * lines["units"].sum() == pytest.approx(TABLE["units"].sum(), rel=1e-12)
    assert lines["product"].is_unique
    assert (lines["units"].diff().iloc[1:] <= 0).all()


def test_pooling_keeps_what_was_paid_for_all_cars():
    few, many = compact(5), compact(2_000)
    assert not many["pooled"].any()
    assert (few["units"] * few["price"]).sum() == pytest.approx((many["units"] * many["price"]).sum(), rel=1e-12)
    assert few["nameplates"].sum() == many["nameplates"].sum()


def test_brands_with_a_story_are_never_pooled():
    lines = compact(1)
    kept = {"AITO", "Luxeed", "Avatr", "Arcfox", "Voyah", "Tesla"}
    assert kept <= set(lines.loc[~lines["pooled"], "brand"])
    assert kept.isdisjoint(compact(1, keep_brands=())["brand"])


def test_each_powertrain_has_its_own_pool():
    pools = compact().query("pooled")
    assert pools["powertrain"].is_unique
    assert set(pools["automaker"]) == {OTHER}
    assert set(pools["platform"]) == {"supplier"}


def test_units_follow_the_base_window_at_the_years_volume():
    lines = compact(2_000).groupby("brand")["units"].sum()
    window = TABLE.groupby("brand")["window_units"].sum()
    for brand in ("AITO", "BYD", "Tesla"):
        assert lines[brand] / lines.sum() == pytest.approx(window[brand] / window.sum(), rel=1e-12)


@pytest.mark.parametrize(("price", "tier"), [(79.9, "<80"), (80.0, "80-150"), (249.0, "150-250"), (400.0, ">400")])
def test_a_price_on_an_edge_belongs_to_the_tier_above(price, tier):
    assert tier_name(tier_of(price, EDGES), EDGES) == tier


def test_a_base_window_without_sales_is_refused():
    with pytest.raises(BadRequest, match="no product was sold"):
        lines_of(TABLE.assign(window_units=0.0), MarketParams(), START)


def test_a_line_launched_within_the_window_is_in_its_ramp_up():
    lines = lines_of(TABLE, MarketParams(granularity="full"), START).set_index("product")
    first = TABLE.set_index("product")["first_month"]
    late = first[lines.index] > START
    assert late.any()
    assert (lines["settled"] == ~late).all()


@pytest.mark.parametrize("granularity", ["compact", "full"])
def test_every_years_vintage_adds_up_to_one(granularity):
    lines = lines_of(TABLE, MarketParams(granularity=granularity, lines=30), START)
    shares = vintage_shares(read_vintages(), lines, EDGES, list(range(2018, 2024)))
    assert shares.shape == (6, len(lines))
    assert shares.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-12)
    assert (shares >= 0).all()


def test_a_vintage_goes_to_the_line_of_its_brand_powertrain_and_nearest_price():
    vintages = read_vintages()
    aito = vintages[(vintages["brand"] == "AITO") & (vintages["year"] == 2022)]
    lines = compact(2_000)
    shares = vintage_shares(vintages, lines, EDGES, [2022])[0]
    assert shares[lines["brand"] == "AITO"].sum() == pytest.approx(
        aito["units"].sum() / vintages.loc[vintages["year"] == 2022, "units"].sum(), rel=0.02
    )  # a few sales are of brands without a line


def test_years_beyond_the_panel_sell_as_the_table_does():
    lines = compact()
    shares = vintage_shares(read_vintages(), lines, EDGES, [2040])[0]
    assert shares == pytest.approx(lines["units"] / lines["units"].sum(), abs=1e-12)
