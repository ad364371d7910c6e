"""A review: who chooses, in which order, that it comes to rest, what the leader takes back, and what the minutes say."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from market.worlds import CHOSEN, brand_of, merged, opened, run_small, small

from evsim.agents import hold_review
from evsim.agents.chair import Chair, choosing, giants, settled
from evsim.agents.minutes import columns
from evsim.market.brands import Way
from evsim.market.changes import bound, brand_name, commit
from evsim.market.forecast import Forecast
from evsim.market.values import PARTS_OF_VALUE
from evsim.market.ways import PARTS, on_sale
from evsim.simulation import run

WIDE = merged(CHOSEN, {"market": {"lines": 60}})
ALLIANCE, INSIDE = Way("alliance", "huawei"), Way("inside", "huawei")
EAGER = {  # whoever gains by joining joins, by luck nobody
    "modes": {"rule": "chosen", "autonomy_cost": 0.0, "precision": 1e5, "base_change_rate": 0.99},
    "alliance": {"terms": "given"},
    "software": {"advantage_kcny": 100.0},
}
GIVEN_AWAY = {
    "alliance": {"terms": "given", "offer_share": 0.0, "offer_fee_scale": 0.0}
}  # every car costs the leader money


def in_review(*layers):
    """A model in the month of its first review, all that comes before the review done."""
    model = opened(WIDE, *layers)
    reviewed, model._review = model._review, lambda: None
    model.step()
    model._review = reviewed
    return model


def chair_of(model):
    brands = choosing(model.market)
    return Chair(model, Forecast(model.market), brands)


@cache
def decisions(seed=0, **layers):
    """The decisions of some years, in the baseline or another world."""
    return run_small(WIDE, {"end": "2027-01"}, WORLDS[layers.get("world", "baseline")], seed=seed).tables["decisions"]


WORLDS = {"baseline": {}, "eager": EAGER, "given away": merged(EAGER, GIVEN_AWAY)}


# Who chooses, in which order.


def test_the_order_is_keyed_by_seed_month_and_brand_alone():
    model = opened(WIDE)
    market = model.market
    first = [brand.key for brand in choosing(market)]
    market.brands.reverse()
    assert [brand.key for brand in choosing(market)] == first
    market.month += 12
    later = [brand.key for brand in choosing(market)]
    assert set(later) == set(first) and later != first
    other = [brand.key for brand in choosing(opened(WIDE, {"seed": 1}).market)]
    assert set(other) == set(first) and other != first
    removed = market.brands.pop(3)
    assert [brand.key for brand in choosing(market)] == [key for key in later if key != removed.key]


def test_brands_bound_gone_or_not_yet_come_do_not_choose_and_prospective_ones_do():
    model = opened(WIDE)
    market = model.market
    names = {brand_name(market, brand) for brand in choosing(market)}
    assert "Qijing" in names and "Aion" in names
    assert not names & {"AITO", "Luxeed", "Stelato", "Avatr"}  # bound since they joined
    assert not names & {"Onvo", "Xiaomi"}  # no line on sale yet
    commit(market, model.books, brand_of(market, "Aion"), ALLIANCE, 0.0)
    assert "Aion" not in {brand_name(market, brand) for brand in choosing(market)}


def test_reviews_are_held_in_january_and_in_no_other_month():
    table = decisions()
    assert set(table["month"]) == {"2024-01", "2025-01", "2026-01", "2027-01"}
    assert run_small({"modes": {"rule": "timeline"}}).tables.get("decisions", ()).__len__() == 0


def test_large_brands_are_the_giants():
    model = opened(WIDE)
    forecast, brands = Forecast(model.market), model.market.brands
    found = {brand_name(model.market, brand) for brand in brands if brand.key in giants(forecast, brands)}
    assert "BYD" in found and "Aion" not in found


# What keeps a brand where it is.


def test_at_the_base_date_every_brand_would_move_as_often_as_brands_did():
    """By the short cut; a giant whose choice is close is looked at again in the full game."""
    model = opened(WIDE)
    market, chair, kept = model.market, Chair(model, Forecast(model.market), []), 0
    for brand in market.brands:
        if on_sale(market, brand):
            review = chair.review_of(brand, model.automakers[brand.automaker])
            moving = 1.0 - review.chances[0]
            assert moving == pytest.approx(0.02, rel=1e-6) or (brand.resistance == 0.0 and moving < 0.02)
            kept += brand.resistance > 0.0
    assert kept > 20


def test_levers_act_on_brands_whose_motives_were_recovered_without_them():
    plain = opened(WIDE)
    pulled = opened(
        WIDE,
        {
            "modes": {"autonomy_cost": 80.0, "prior_successes": 50.0, "horizon_years": 4, "rival_platform": None},
            "alliance": {"offer_share": 0.3, "offer_fee_scale": 2.0, "commitment_years": 1, "barred_origins": []},
            "software": {"alliance_rd": 2.0, "own_stack_rd": 9.0},
            "subsidy": {"timeline": "none"},
        },
    )
    assert [brand.resistance for brand in pulled.market.brands] == [brand.resistance for brand in plain.market.brands]
    assert pulled.orchestrator.aims == plain.orchestrator.aims
    moved = opened(WIDE, {"modes": {"base_change_rate": 0.2}})
    assert [brand.resistance for brand in moved.market.brands] != [brand.resistance for brand in plain.market.brands]


def test_a_brand_to_come_is_kept_by_as_much_as_the_middle_one_and_a_prospective_one_by_nothing():
    market = opened(WIDE).market
    known = [brand.resistance for brand in market.brands if on_sale(market, brand)]
    assert market.usual_resistance == pytest.approx(np.median(known))
    assert brand_of(market, "Onvo").resistance == market.usual_resistance
    assert brand_of(market, "Qijing").resistance == 0.0


# Rest.


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("world", ["baseline", "eager"])
def test_a_review_rests_where_no_brand_would_rather_move_draws_and_refusals_counted(seed, world):
    model = in_review(WORLDS[world], {"seed": seed})
    chair = chair_of(model)
    rest = settled(chair)
    assert rest.settled and not rest.cycled
    for place, (brand, way) in enumerate(zip(chair.brands, rest.choices, strict=True)):
        if place in chair.reviews:
            review = chair.review_of(brand, model.automakers[brand.automaker])
            for (refused, other), reason in chair.refused.items():
                review = review.closing(other, reason) if refused == place else review
            gain = (review.values + review.unseen).max()
            taken = next(index for index, row in enumerate(review.table) if row.way == way)
            regret = gain - (review.values + review.unseen)[taken]
            second_look = model.market.scenario.modes.second_look / model.market.scenario.modes.precision
            assert regret * review.precision <= second_look * model.market.scenario.modes.precision
            assert chair.forecast.ways[brand.key] == way


def test_draws_belong_to_brand_mode_and_review():
    model = in_review()
    chair, aion = chair_of(model), brand_of(model.market, "Aion")
    maker = model.automakers[aion.automaker]
    first, again = (chair.review_of(aion, maker) for _ in range(2))
    assert np.array_equal(first.shocks, again.shocks)  # asked in every round, drawn once
    chair.forecast.follow(brand_of(model.market, "Voyah"), INSIDE)
    assert np.array_equal(chair.review_of(aion, maker).shocks, first.shocks)
    voyah = chair.review_of(brand_of(model.market, "Voyah"), model.automakers[aion.automaker])
    assert not set(voyah.shocks) & set(first.shocks)
    model.market.month += 12
    assert not set(chair.review_of(aion, maker).shocks) & set(first.shocks)


def test_one_seed_has_one_outcome_on_any_number_of_threads():
    scenario = small(WIDE, {"end": "2025-02"})
    one, two = (run(scenario, threads=threads) for threads in (1, 2))
    assert one.digest == two.digest
    assert len(one.tables["decisions"]) > 100
    assert run(small(WIDE, {"end": "2025-02", "seed": 1}), threads=1).digest != one.digest


def test_a_seed_of_the_firms_changes_what_firms_draw_and_not_what_households_do():
    plain, other = (run_small(WIDE, {"end": "2024-01", "firms_seed": seed}) for seed in (None, 7))
    assert plain.tables["decisions"]["unseen"].tolist() != other.tables["decisions"]["unseen"].tolist()
    base = plain.base_month
    before, after = (each.market[each.market["month"] == base] for each in (plain, other))
    assert before["units"].tolist() == after["units"].tolist()


# What the leader takes back.


def test_brands_that_the_leader_refuses_choose_again():
    table = decisions(world="given away")
    refused = table[table["closed"] == "the leader would earn less with it"]
    assert len(refused) > 0 and not refused["chosen"].any()
    assert (refused["chance"] == 0.0).all()
    for (month, automaker, brand), rows in table.groupby(["month", "automaker", "brand"]):
        assert rows["chosen"].sum() == 1, (month, automaker, brand)
    admissions = run_small(WIDE, {"end": "2027-01"}, WORLDS["given away"]).tables["admissions"]
    unwelcome = admissions[~admissions["welcome"]].groupby(["month", "applicant", "way"])["leader_gain"].max()
    for row in refused.itertuples():
        assert unwelcome[row.month, row.brand, row.way] <= 0.0


@pytest.mark.parametrize(("admissions", "onboardings"), [(0, 0), (1, 1), (2, 3), (100, 100)])
def test_no_more_brands_come_in_a_year_than_the_leader_can_take(admissions, onboardings):
    caps = {"alliance": {"admissions": admissions, "onboardings": onboardings}}
    table = run_small(WIDE, EAGER, caps, {"end": "2024-01"}).tables["decisions"]
    new = table[table["chosen"] & ~table["present"]]["way"].value_counts()
    assert new.get("alliance", 0) <= admissions and new.get("inside", 0) <= onboardings
    if admissions <= 2:
        assert new.get("alliance", 0) == admissions and new.get("inside", 0) == onboardings  # more would have come
    else:
        assert new["alliance"] > 2 and new["inside"] > 3


def test_of_those_that_ask_the_leader_takes_the_ones_that_bring_it_most():
    run_ = run_small(WIDE, EAGER, {"alliance": {"admissions": 2, "onboardings": 0}}, {"end": "2024-01"})
    asked = run_.tables["admissions"].query("way == 'alliance'").drop_duplicates("applicant")
    taken, others = asked[asked["welcome"]], asked[~asked["welcome"]]
    chosen = run_.tables["decisions"].query("chosen and not present and way == 'alliance'")["brand"]
    assert set(taken["applicant"]) == set(chosen) and len(taken) == 2
    assert taken["leader_gain"].min() > others["leader_gain"].max()


# Minutes.


def test_every_brand_has_one_present_way_one_choice_and_chances_that_sum_to_one():
    table = decisions()
    groups = table.groupby(["month", "automaker", "brand"])
    assert (groups["present"].sum() == 1).all() and (groups["chosen"].sum() == 1).all()
    assert groups["chance"].sum().to_numpy() == pytest.approx(np.ones(groups.ngroups))
    assert (table.loc[table["closed"] != "", "chance"] == 0.0).all()
    parts = table[list(PARTS_OF_VALUE)].sum(axis=1)
    assert table["value"].to_numpy() == pytest.approx(parts.to_numpy(), rel=1e-9, abs=1e-3)


def test_the_choice_is_the_way_with_most_value_resistance_and_luck():
    table = decisions()
    seen = (table["value"] + table["resistance"] + table["unseen"]).where(table["closed"] == "", -np.inf)
    best = seen.groupby([table["month"], table["automaker"], table["brand"]]).transform("max")
    within = (best - seen)[table["chosen"]]
    scale = table["value"].abs().groupby([table["month"], table["automaker"], table["brand"]]).transform("max")
    assert (within / scale[table["chosen"]] <= 0.01).all()  # a lead that no rival's move turns is not looked at again
    assert (within == 0.0).mean() > 0.99


def test_the_change_that_would_have_turned_a_choice_closes_its_gap():
    table = decisions()
    seen = table["value"] + table["resistance"] + table["unseen"]
    taken = seen.where(table["chosen"]).groupby([table["month"], table["automaker"], table["brand"]]).transform("max")
    turned = table[table["turning_term"] != ""]
    assert len(turned) > 50 and not turned["chosen"].any() and (turned["closed"] == "").all()
    for index, row in turned.iterrows():
        change = row["turning_change"] * abs(row[row["turning_term"]])
        assert change == pytest.approx(max(taken[index] - seen[index], 0.0), rel=1e-6, abs=1e-3)
    assert table.loc[table["turning_term"] == "", "turning_change"].isna().all()


def test_reviews_count_who_would_go_and_come_without_their_draws():
    run_ = run_small(WIDE, {"end": "2027-01"}, EAGER)
    table, reviews = run_.tables["decisions"], run_.tables["reviews"].set_index("month")
    for month, rows in table.groupby("month"):
        leaving = joining = 0
        for _, brand in rows.groupby(["automaker", "brand"]):
            open_ = brand[brand["closed"] == ""]
            best = open_.loc[(open_["value"] + open_["resistance"]).idxmax(), "way"]
            taken = brand.loc[brand["chosen"], "way"].iloc[0]
            leaving += taken == "alliance" and best != "alliance"
            joining += taken != "alliance" and best == "alliance"
        assert (reviews.loc[month, "would_leave"], reviews.loc[month, "would_join"]) == (leaving, joining)
        assert reviews.loc[month, "choosing"] == rows.groupby(["automaker", "brand"]).ngroups


def test_members_of_a_review_are_those_there_and_those_on_their_way():
    run_ = run_small(WIDE, {"end": "2025-03"}, EAGER)
    decided = run_.tables["decisions"].query("month == '2024-01' and chosen and not present and way == 'alliance'")
    first, second = run_.tables["reviews"]["members"]
    there = run_.orchestrator.set_index("month")["members"]
    assert first == there["2024-01"] + len(decided) + 1  # Stelato starts in August
    assert there["2025-02"] == first and second >= first  # 13 months later they are there


def test_moves_and_rounds_are_counted_over_all_of_a_review():
    model = in_review(EAGER, {"alliance": {"admissions": 0, "onboardings": 0}})
    chair = chair_of(model)
    rest = settled(chair)
    assert rest.rounds > 1 and len(rest.movers) > 3  # brands asked, were turned away and chose again
    assert all(rest.choices[place] not in (ALLIANCE, INSIDE) for place in range(len(chair.brands)))
    moved = hold_review(in_review(EAGER, {"alliance": {"admissions": 0, "onboardings": 0}}))["reviews"]
    assert moved["moves"] == [len(rest.movers)] and moved["rounds"] == [rest.rounds] and moved["settled"] == [True]


def test_a_review_without_rows_has_no_columns():
    assert columns([]) == {}
    assert columns([{"a": 1}, {"a": 2}]) == {"a": [1, 2]}


def test_what_was_decided_is_on_its_way():
    model = in_review(EAGER)
    table = pd.DataFrame(hold_review(model)["decisions"])
    market, moved = model.market, table[table["chosen"] & ~table["present"]]
    assert len(moved) >= 2
    for row in moved.itertuples():
        brand = brand_of(market, row.brand, row.automaker)
        assert brand.change.way == Way(row.way, row.platform) and bound(market, brand)
    on_their_way = {
        (market.names.automakers[each.automaker], brand_name(market, each)) for each in market.brands if each.change
    }
    assert on_their_way == set(zip(moved["automaker"], moved["brand"], strict=True))
    assert model.books.investment.sum() > 0.0
    assert brand_of(market, "Jetta").way == PARTS  # nothing to choose, nothing said
    assert "Jetta" not in set(table["brand"])
