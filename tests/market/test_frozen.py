"""A market in which nothing changes stands still.

Bounds are five standard errors or a chi² quantile of one in a million: no test here fails by chance.
"""

import numpy as np
import pandas as pd
import pytest
from market.worlds import STILL, merged, opened, run_small
from scipy import stats

from evsim.economics.choice import shares
from evsim.market.calendar import paid
from evsim.market.panel import panel_demand
from evsim.market.population import NEVER

YEARS, ROWS = 12, 20_000
LONG = {"end": "2035-12", "consumers": {"count": ROWS, "reference_size": 5_000}, "market": {"lines": 25}}
CERTAIN = 1e-6


@pytest.fixture(scope="module")
def still():
    """Twelve years of the still market."""
    return run_small(STILL, LONG)


def yearly_rows(run):
    """Rows that bought each product in each year, and what the table says, `[years, products]` and `[products]`."""
    market, weight = run.market, run.diagnostics["weight"]
    base = market[market["month"] == run.base_month].set_index("product")["units"] * 12.0 / weight
    later = market[market["month"] > run.base_month]
    sold = later.pivot_table(index=later["month"].str[:4], columns="product", values="units", aggfunc="sum") / weight
    return sold[base.index], base


def test_yearly_totals_of_a_frozen_market_stay_those_of_the_table(still):
    sold, base = yearly_rows(still)
    assert len(sold) == YEARS
    drift = sold.sum(axis=1) / base.sum() - 1.0
    assert np.abs(drift).max() < 5.0 / np.sqrt(base.sum())
    assert abs(drift.mean()) < 0.02  # twelve years' buyers: half a per cent of sampling error at most


def test_shares_of_a_frozen_market_stay_those_of_the_table(still):
    sold, base = yearly_rows(still)
    large = base >= 20.0
    assert large.sum() >= 20
    for _, row in sold.iterrows():
        expected = base[large] * (row[large].sum() / base[large].sum())
        distance = ((row[large] - expected) ** 2 / expected).sum()
        # a reference sample of 5,000 adds its own sampling error, a quarter of a year's shoppers'
        assert distance < 1.5 * stats.chi2.isf(CERTAIN, large.sum() - 1)


def test_shares_do_not_drift_from_the_first_half_to_the_second(still):
    sold, base = yearly_rows(still)
    large = base >= 20.0
    table = np.array([sold.iloc[: YEARS // 2].sum()[large], sold.iloc[YEARS // 2 :].sum()[large]])
    assert stats.chi2_contingency(table).pvalue > CERTAIN


def test_growth_raises_yearly_sales_by_its_rate_and_not_at_once():
    horizon = {**LONG, "end": "2029-12"}
    growth, months = 0.1, np.arange(1, 73)
    (flat, _), (grown, _) = (
        yearly_rows(run_small(STILL, merged(horizon, {"market": {"growth": rate}}))) for rate in (0.0, growth)
    )
    more = (grown.sum(axis=1) - flat.sum(axis=1)).to_numpy()  # all who bought without growth buy with it as well
    households = (1.0 + growth) ** (months / 12.0) - 1.0
    expected = flat.sum(axis=1).mean() * households.reshape(-1, 12).mean(axis=1)
    assert (np.abs(more - expected) < 5.0 * np.sqrt(expected)).all()
    assert more.sum() == pytest.approx(expected.sum(), abs=4.0 * np.sqrt(expected.sum()))
    assert (np.diff(more) > 0).all()
    assert more[0] < 0.08 * flat.iloc[0].sum()


def test_as_many_households_wait_at_the_end_as_at_the_start():
    model = opened(STILL, {**LONG, "end": "2030-12"})
    waiting = []
    while model.running:
        population = model.market.population
        waiting.append(float((population.due <= model.market.month).mean()))
        model.step()
    error = np.sqrt(waiting[0] / ROWS)
    assert np.abs(np.array(waiting) - waiting[0]).max() < 6.0 * error


def test_a_season_moves_months_and_no_years(still):
    flat = run_small(STILL, {**LONG, "market": {"lines": 25, "seasonality": False}, "end": "2029-12"})
    years = range(2024, 2030)
    months = {}
    for name, run in (("season", still), ("flat", flat)):
        headline = run.headline.iloc[1:].assign(weight=run.diagnostics["weight"])
        rows = headline["units"] / headline["weight"]
        months[name] = rows.groupby(headline["month"].str[:4].astype(int)).sum().loc[list(years)]
    difference = months["season"] / months["flat"] - 1.0
    assert np.abs(difference).max() < 5.0 * np.sqrt(2.0 / months["flat"].mean())
    by_month = still.headline.iloc[1:].groupby(still.headline["month"].str[5:])["units"].sum()
    assert by_month["12"] > 1.2 * by_month["02"]


def test_owners_cars_are_as_old_as_the_renewal_law_says():
    population = opened(STILL, LONG).market.population
    holding = population.due >= 1
    whole = (population.due - population.bought)[holding]
    shape, mean = 2.5, 81.0
    scale = mean / stats.weibull_min.mean(shape)
    length_biased_mean = stats.weibull_min.moment(2, shape) * scale**2 / mean
    assert whole.mean() == pytest.approx(length_biased_mean, abs=5.0 * whole.std() / np.sqrt(holding.sum()) + 0.5)
    residual = population.due[holding]
    assert residual.mean() == pytest.approx(
        length_biased_mean / 2.0, abs=5.0 * residual.std() / np.sqrt(holding.sum()) + 0.5
    )
    assert (population.visit[holding] == population.due[holding]).all()
    assert (population.visit < NEVER).all()


def test_prices_of_a_frozen_market_move_less_than_half_a_per_cent_a_month():
    run = run_small(STILL, {"end": "2026-12", "pricing": {"rule": "nash", "survey_size": 2_000}})
    assert run.headline["price_residual"].max() <= run.scenario.pricing.tolerance
    price = run.market.pivot(index="month", columns="product", values="price")
    moves = price.pct_change().abs().iloc[1:]
    assert moves.max().max() < 0.005


def test_the_survey_still_wants_what_buyers_buy_after_twelve_years():
    model = opened(STILL, {**LONG, "pricing": {"rule": "fixed", "survey_size": 5_000}})
    model.run_model()
    market, rows = model.market, model.market.on_sale()
    demand, rule = panel_demand(market, rows)
    outlay = paid(rule, market.offers.price[rows])
    wanted = shares(demand.utility - demand.price_sensitivity[:, None] * outlay, demand.weights, demand.outside_utility)
    sold = pd.DataFrame(model.record["market"]).query("month > '2023-12'").groupby("product")["units"].sum()
    sold = sold[np.array(market.offers.product)[rows]].to_numpy() / market.population.weight
    expected = sold.sum() * wanted / wanted.sum()
    large = expected > 200.0
    # 5,000 households in the survey: more spread than the 35,000 sales themselves, so the bound is in shares
    assert large.sum() > 15
    assert np.abs(sold / expected - 1.0)[large].max() < 0.25
    assert np.abs(sold - expected).sum() / sold.sum() < 0.08
