"""EVMarket as a whole: parameters move outcomes as theory says, and comparisons are differences of pairs."""

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened, run_small

from evsim.market.brands import Way
from evsim.market.changes import commit
from evsim.model import HEADLINE, EVMarket

TWENTY = {"kind": "per_unit", "name": "gift", "start": "2024-01", "amount_kcny": 20.0}
GIFT = {"subsidy": {"instruments": (TWENTY,)}}
GIFT_CUT = {"subsidy": {"instruments": (TWENTY,), "scale": 0.2}}
WAR = {"pricing": {"war_start": "2024-02", "war_end": "2025-12"}}
YEARS = {"end": "2025-06", "consumers": {"count": 5_000}, "pricing": {"rule": "nash", "survey_size": 300}}


def later(run):
    return run.market[run.market["month"] > run.base_month]


def share(run, where):
    cars = later(run)
    return cars.loc[where(cars), "units"].sum() / cars["units"].sum()


def alliance_share(run):
    return share(run, lambda cars: cars["camp"] == "alliance")


def nev_share(run):
    return share(run, lambda cars: cars["powertrain"] != "ice")


def repeat_rate(run):
    owners = run.switching[run.switching["from_platform"].isin(run.platforms.query("ecosystem")["platform"])]
    return owners.loc[owners["from_platform"] == owners["to_platform"], "buyers"].sum() / owners["buyers"].sum()


def brand_repeat_rate(run):
    return run.headline["brand_repeat_rate"].mean()


def mean_price(run):
    """Mean of last prices, each line at its base weight: the mix does not count."""
    base = run.market[run.market["month"] == run.base_month].set_index("product")
    last = later(run).groupby("product")["price"].last()[base.index]
    return (last * base["units"]).sum() / base["units"].sum()


def nev_price(run):
    return later(run).query("powertrain != 'ice'").groupby("product")["price"].last().mean()


def subsidies(run):
    return run.government["subsidies"].sum()


def royalties(run):
    return run.orchestrator["royalties"].sum()


def sales(run):
    return run.headline["units"].iloc[1:].sum()


STATICS = [  # what is changed, from, to, what moves, up (+1) or down (−1)
    ("software advantage", {}, {"software": {"advantage_kcny": 60.0}}, alliance_share, +1),
    ("software advantage", {}, {"software": {"advantage_kcny": 60.0}}, royalties, +1),
    ("no alliance", {}, {"modes": {"rule": "none"}}, alliance_share, -1),
    ("switching cost", {"lock_in": {"switching_cost": 0.0}}, {"lock_in": {"switching_cost": 3.0}}, repeat_rate, +1),
    ("brand loyalty", {"lock_in": {"brand_loyalty": 0.0}}, {"lock_in": {"brand_loyalty": 2.0}}, brand_repeat_rate, +1),
    ("smaller benefits", GIFT, GIFT_CUT, nev_share, -1),
    ("smaller benefits", GIFT, GIFT_CUT, sales, -1),
    ("benefits", {}, GIFT, subsidies, +1),
    ("price war", {}, WAR, mean_price, -1),
    ("price war", {}, WAR, sales, +1),
    ("battery learning", {"battery": {"learning_rate": 0.0}}, {"battery": {"learning_rate": 0.5}}, nev_price, -1),
    ("chargers", {"chargers": {"value": 0.0}}, {"chargers": {"value": 3.0}}, nev_share, +1),
    ("hardware", {"products": {"hardware_gap": 0.0}}, {"products": {"hardware_gap": 1.0}}, nev_share, +1),
    ("growth", {}, {"market": {"growth": 0.2}}, sales, +1),
]


@pytest.mark.parametrize(
    ("before", "after", "outcome", "direction"),
    [row[1:] for row in STATICS],
    ids=[f"{row[0]} - {row[3].__name__}" for row in STATICS],
)
def test_parameters_move_outcomes_as_theory_says(before, after, outcome, direction):
    old, new = outcome(run_small(YEARS, before)), outcome(run_small(YEARS, after))
    assert direction * (new - old) > 0.005 * abs(old)


def test_scenarios_share_their_draws():
    base, other = ({"pricing": {"rule": "fixed"}, "subsidy": {"scale": scale}} for scale in (1.0, 0.5))
    seeds = range(6)
    one = np.array([nev_share(run_small(base, seed=seed)) for seed in seeds])
    two = np.array([nev_share(run_small(other, seed=seed)) for seed in seeds])
    paired, unpaired = np.var(two - one, ddof=1), np.var(one, ddof=1) + np.var(two, ddof=1)
    assert unpaired > 5.0 * paired
    assert (two < one).all()


def test_until_a_change_acts_two_scenarios_are_the_same_bits():
    change = {"subsidy": {"instruments": ({**TWENTY, "start": "2024-05"},)}}
    plain, changed = run_small(), run_small(change)
    for table in ("market", "headline", "automakers", "platforms"):
        before, after = (run.tables[table].query("month < '2024-05'") for run in (plain, changed))
        assert before.equals(after)
    assert not plain.headline.equals(changed.headline)


def test_a_step_is_a_month_and_the_run_ends_at_the_end():
    model = opened({"end": "2024-03"})
    assert (model.market.month, model.running) == (0, True)
    for month in (1, 2, 3):
        assert model.running
        model.step()
        assert model.market.month == model.steps == month
    assert not model.running
    assert model.recorder.month == "2024-03"
    assert model.record["headline"]["month"].tolist() == ["2023-12", "2024-01", "2024-02", "2024-03"]


def test_the_collector_holds_the_headline_series_month_by_month():
    model = opened({"end": "2024-03"})
    model.run_model()
    frame = model.datacollector.get_model_vars_dataframe()
    assert len(frame) == 3
    for name in HEADLINE:
        assert frame[name].tolist() == model.record["headline"][name][1:].tolist()


def test_january_is_the_month_of_reviews():
    model = opened({"end": "2025-02"})
    januaries = []
    while model.running:
        model.step()
        januaries += [model.recorder.month] if model.is_january else []
    assert januaries == ["2024-01", "2025-01"]


def test_firms_review_their_modes_in_january_and_what_they_decide_comes_when_it_is_ready():
    model = opened(CHOSEN, {"end": "2025-03", "market": {"lines": 60}})
    market, decided = model.market, {}
    while model.running:
        before = {brand.key: (brand.way, brand.change) for brand in market.brands}
        model.step()
        for brand in market.brands:
            way, change = before[brand.key]
            if brand.change != change and brand.change is not None:
                assert model.is_january
                decided[brand.key] = brand.change
            if brand.way != way:
                assert market.month == decided[brand.key].month and brand.way == decided[brand.key].way
    assert decided


def test_a_maker_out_of_cash_stops_with_its_attempt_and_its_plans():
    model = opened(CHOSEN, {"end": "2024-04", "market": {"lines": 60}})
    market, books = model.market, model.books
    voyah = brand_of(market, "Voyah")
    commit(market, books, voyah, Way("in_house", "Dongfeng"), 0.0)
    model.step()
    assert books.development[voyah.automaker] > 0.0
    fellows = [code for code, name in enumerate(market.names.automakers) if market.groups.get(name, name) == "Dongfeng"]
    books.cash[fellows], books.past_profit[:, fellows] = -1e12, -1.0
    model.step()
    assert books.gone[voyah.automaker] and not market.offers.on_sale[voyah.lines].any()
    assert voyah.change is None and books.development[voyah.automaker] == 0.0
    assert "Voyah" in model.record["exits"]["name"]
    model.run_model()
    assert not model.recorder.parts["automakers"][-1]["rd"][
        model.recorder.parts["automakers"][-1]["automaker"] == "Voyah"
    ].any()


def test_a_seed_given_to_the_model_replaces_the_scenarios():
    scenario = opened().market.scenario
    model = EVMarket(scenario, rng=11)
    assert model.market.scenario.seed == 11
    assert EVMarket(scenario, rng=0).market.scenario.seed == 0
