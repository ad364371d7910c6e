"""The lock-in kit: what it measures is there where the model has lock-in, and nowhere else.

Worlds are small: an own table of four lines, or a duel of two alike stacks.
"""

import math

import numpy as np
import pandas as pd
import pytest
from market.worlds import OWN, own_table, small

import evsim
from evsim.economics.lock_in import AlikePlatforms, lock_in_split, opening_network_effect
from evsim.errors import BadRequest, EvsimError
from evsim.market.calendar import paid
from evsim.market.panel import panel_entries, panel_utility
from evsim.model import EVMarket
from evsim.report.figures.lock_in_kit import KIT_FIGURES, draw_kit
from evsim.study.lock_in import PARTS, Sizes, tasks, worlds_of
from evsim.study.lock_in.frozen import entry, lost_lead, share_at_rest, sweep
from evsim.study.lock_in.measures import KINDS
from evsim.study.lock_in.survey import expected_shares, survey
from evsim.study.lock_in.worlds import (
    frozen,
    has_leader,
    open_frozen,
    step,
    watched_platform,
    with_other_firms,
    with_primitives_held,
    without_lock_in,
)
from evsim.words.lock_in import SENTENCES, measured
from evsim.words.pairs import paired_interval

NOTHING = {
    "lock_in": {"switching_cost": 0.0, "brand_loyalty": 0.0, "network_effect": 0.0, "word_of_mouth": 0.0},
    "software": {"data_effect": 0.0},
}
SHORT = {"end": "2024-06", "pricing": {"rule": "fixed", "survey_size": 400}}
SIZES = Sizes(rows=500, survey=300, levels=(-30.0, 0.0, 30.0), block=24, most_blocks=2, held=24, after=24, entry=12)
ALIKE = (
    "b,Beta,Beta Motors,Beta,bev,B,Beta,1000000,200",
    "d,Delta,Delta Motors,Delta,bev,B,huawei,1000000,200",
)
SPREADS = ("income", "software_taste", "electric_taste", "class_taste", "premium_taste")
DUEL = {  # two stacks that nobody has a taste for, and owners bound at once
    "consumers": dict.fromkeys((f"{name}_spread" for name in SPREADS), 0.0)
    | {"phone_share": 0.0, "first_time_share": 0.0, "holding_months": 24.0},
    "lock_in": {"word_of_mouth": 0.0, "tenure_months": 0.01, "brand_loyalty": 0.0, "over_the_air": 0.0},
}
FLEET = 1.32e7  # cars on the road of each stack of the duel: 1 million a year, for a car's mean life of 13.2 years
SCALE = 1.5e7  # N₀ of the duel


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Market tables: four lines, and the duel."""
    return {name: own_table(tmp_path_factory.mktemp(name), rows) for name, rows in (("own", OWN), ("duel", ALIKE))}


@pytest.fixture(scope="module")
def own(tables):
    """A scenario of four lines, one of them on the alliance's stack."""
    return lambda *layers: small(SHORT, {"market": {"table": tables["own"]}}, *layers)


@pytest.fixture(scope="module")
def kit(own):
    """The whole kit of the four lines, two replications."""
    return evsim.lock_in(own(), 2, tuple(PARTS), sizes=SIZES)


# What is measured in one world


def test_the_survey_sees_the_utilities_by_which_the_panel_prices(own):
    model = EVMarket(own({"end": "2024-12"}))
    model.run_model()
    market, rows = model.market, model.market.on_sale()
    seen, entries = survey(market), panel_entries(market)
    utility, _ = panel_utility(market, entries, rows)
    outlay = paid(market.weighed(market.month, rows, entries.people), market.offers.price[rows])
    owners = np.flatnonzero(entries.state[0][: len(entries) // 2] >= 0)
    expected = (utility - entries.sensitivity[:, None] * outlay)[owners]
    assert seen.held() == pytest.approx(expected, abs=1e-12)
    assert seen.platform_gain.max() > 0.5 and seen.bought.sum() == pytest.approx(1.0)


def test_shares_of_the_survey_are_those_of_the_table_where_nothing_holds_owners(own):
    sample = {"consumers": {"reference_size": 600}, "pricing": {"survey_size": 600}}  # the same households
    market = EVMarket(own(NOTHING, sample)).market
    assert expected_shares(market) == pytest.approx(market.offers.base_units / market.offers.base_units.sum(), abs=1e-9)


def test_without_lock_in_the_excess_repeat_that_is_left_when_taste_is_taken_off_covers_zero(own):
    tastes = {"consumers": {"electric_taste_spread": 3.0, "class_taste_spread": 2.0, "count": 4_000}}
    bare = evsim.lock_in(own(NOTHING, tastes, {"end": "2025-12", "pricing": {"survey_size": 2_000}}), 6, ("owners",))
    draws = bare.draws.pivot(index="replication", columns="name", values="value")
    _, low, high = paired_interval(list(draws["counted_excess"] - draws["taste"]))
    assert low < 0.0 < high
    assert bare["counted_excess"].low > 2.0  # a naive observer sees lock-in
    assert bare["state_dependence"].value == pytest.approx(0.0, abs=1e-12)
    assert bare["lock_in_price"].value == pytest.approx(0.0, abs=1e-12)
    assert bare["naive_switching_cost"].value > 0.1 and bare["switching_cost"].value == 0.0


@pytest.mark.parametrize("raised", ["switching_cost", "brand_loyalty"])
def test_lock_in_raises_repeat_purchase_tenure_and_compensation(own, raised):
    names = ("repeat_purchase", "state_dependence", "tenure", "compensating_price", "lock_in_price")
    weak, strong = (evsim.lock_in(own({"lock_in": {raised: value}}), 1, ("owners",)) for value in (0.3, 2.0))
    for name in names:
        assert strong[name].value > weak[name].value, name
    part, other = ("platform_rent", "brand_rent")[:: 1 if raised == "switching_cost" else -1]
    assert strong[part].value > 2.0 * weak[part].value
    assert strong[part].value > strong[other].value


def test_naive_excess_is_state_dependence_and_taste(kit):
    parts = kit["state_dependence"].value + kit["taste"].value
    assert kit["naive_excess"].value == pytest.approx(parts, abs=1e-10)
    assert kit["lock_in_price"].value == pytest.approx(kit["platform_rent"].value + kit["brand_rent"].value, abs=1e-10)
    assert 0.0 < kit["lock_in_price"].value < kit["compensating_price"].value


def test_where_stacks_are_brands_rents_split_as_the_closed_form_says(own):
    market = EVMarket(own()).market
    seen = survey(market)
    bound = seen.of(seen.ecosystem[seen.own_platform])  # each stack of this table has one brand
    answer = tasks.WORLDS["own"](own({"end": "2024-01"}), 0, SIZES)
    assert answer["platform_part"] > 0 and answer["brand_part"] > 0
    platform, brand = lock_in_split(
        bound.lead(False, False), bound.platform_gain, bound.brand_gain, bound.price_sensitivity
    )
    leads = {key: bound.lead(*key) for key in ((True, False), (False, True))}
    assert leads[True, False] - bound.lead(False, False) == pytest.approx(bound.platform_gain, abs=1e-12)
    assert leads[False, True] - bound.lead(False, False) == pytest.approx(bound.brand_gain, abs=1e-12)
    assert answer["platform_part"] == pytest.approx(platform.mean(), rel=0.05)  # one month later
    assert answer["brand_part"] == pytest.approx(brand.mean(), rel=0.05)


def test_churn_sums_to_one_and_its_diagonal_is_repeat_purchase(kit):
    churn = kit.churn
    assert churn.groupby("from_platform")["chance"].sum().to_numpy() == pytest.approx(1.0)
    stay = churn[churn["from_platform"] == churn["to_platform"]].set_index("from_platform")["chance"]
    platforms = kit.platforms.set_index("platform")
    assert stay[platforms.index].to_numpy() == pytest.approx(platforms["repeat"].to_numpy(), abs=1e-12)
    assert (platforms["repeat"] > platforms["unattached"]).all()


# Worlds compared


def test_a_world_without_lock_in_is_its_own_comparison(own):
    bare = evsim.lock_in(own(NOTHING), 2, ("tipping", "loop"), sizes=SIZES)
    for name in ("tipping", "tipping_brand", "share_gain", "loop_width"):
        assert (bare[name].value, bare[name].low, bare[name].high) == (0.0, 0.0, 0.0), name
    assert bare["loop_width_held"].value == pytest.approx(0.0, abs=1e-9)


def test_a_world_without_lock_in_is_inverted_to_the_same_table(own):
    scenario = own()
    free, held = EVMarket(without_lock_in(scenario)), with_primitives_held(scenario, 0)
    assert (free.market.offers.quality != EVMarket(scenario).market.offers.quality).any()
    assert (held.market.offers.quality == EVMarket(scenario).market.offers.quality).all()
    for model in (free, held):
        assert survey(model.market).platform_gain.max() == 0.0 and survey(model.market).brand_gain == 0.0


def test_a_frozen_market_stands_still(own):
    model = open_frozen(frozen(own(NOTHING), SIZES, 60), 0)
    before = expected_shares(model.market)
    step(model, 60)
    assert expected_shares(model.market) == pytest.approx(before, abs=1e-12)
    assert (model.market.offers.price == model.market.offers.base_price).all()


def duel(tables, network_effect, switching_cost, network_scale=SCALE):
    """Two alike stacks."""
    strength = {"network_effect": network_effect, "switching_cost": switching_cost, "network_scale": network_scale}
    return small(DUEL, {"market": {"table": tables["duel"]}, "lock_in": strength})


def theory(network_effect, switching_cost):
    """The same two in closed form."""
    return AlikePlatforms(network_effect, FLEET, SCALE, switching_cost)


@pytest.mark.parametrize(
    ("network_effect", "switching_cost", "loops"),
    [(0.0, 1.0, False), (1.0, 0.0, False), (1.55, 0.0, False), (1.55, 2.0, True), (2.6, 0.0, True)],
)
def test_there_is_a_loop_above_the_threshold_only_and_lock_in_lowers_it(tables, network_effect, switching_cost, loops):
    assert (network_effect > opening_network_effect(theory(network_effect, switching_cost))) is loops
    sizes = Sizes(rows=500, survey=3_000, levels=(-40.0, 0.0, 40.0), block=36, most_blocks=8)
    found = sweep(duel(tables, network_effect, switching_cost), 0, sizes)
    if loops:
        assert found["width"] > 15.0 and found["gap"] > 0.4
    else:  # owners are drawn, so that shares at rest differ by chance
        assert abs(found["width"]) < 3.0 and abs(found["gap"]) < 0.05
    assert not found["open"]


def test_a_leader_that_never_comes_back_draws_a_loop_as_wide_as_the_sweep(tables):
    sizes = Sizes(rows=500, survey=1_000, levels=(-30.0, 0.0, 30.0), block=24, most_blocks=4)
    found = sweep(duel(tables, 3.0, 1.0, network_scale=1e5), 0, sizes)
    assert found["open"] and found["width"] == 60.0
    kit = evsim.lock_in(duel(tables, 3.0, 1.0, network_scale=1e5), 1, ("loop",), sizes=sizes)
    assert "In 1 of 1 sweeps the leader never came back" in str(kit)


def test_rest_is_where_it_was_found(tables):
    sizes = Sizes(rows=500, survey=3_000, block=48, most_blocks=8)
    model = open_frozen(frozen(duel(tables, 0.8, 0.0), sizes, 800), 0)
    share, blocks = share_at_rest(model, sizes)
    assert blocks < sizes.most_blocks and share == pytest.approx(0.5, abs=0.01)
    step(model, 100)
    assert expected_shares(model.market)[1] == pytest.approx(share, abs=0.01)


def test_nothing_is_left_of_a_lead_where_nothing_holds_owners(own):
    free, held = lost_lead(own(NOTHING), 0, SIZES), lost_lead(own(), 0, SIZES)
    assert free["left"] == pytest.approx(0.0, abs=1e-9) and free["half_life"] == 1.0
    assert held["left"] > 0.02
    assert (np.diff(held["lead"][held["months"] <= 0]) > 0).all()  # it grows while the advantage lasts


def test_a_newcomer_sells_what_its_twin_sells_where_nothing_holds_owners(own):
    plain = {"consumers": {"phone_share": 0.0}}
    free, held = entry(own(NOTHING, plain), 0, SIZES), entry(own(plain), 0, SIZES)
    assert free["share"] == pytest.approx(free["twin"], rel=1e-9)
    assert held["share"] < 0.9 * held["twin"] and held["share"] < free["share"]


def test_worlds_of_other_firms_have_the_same_households(own):
    scenario = own({"end": "2024-12"})
    twin = with_other_firms(scenario, scenario.seed)
    models = [EVMarket(each) for each in (scenario, twin)]
    first, second = (model.market.population.columns() for model in models)
    assert all((first[name] == second[name]).all() for name in first)
    for model in models:
        model.run_model()
    first, second = (pd.DataFrame(model.record["platforms"])["quality"] for model in models)
    assert (first != second).any()


def test_naming_the_draws_of_firms_like_the_others_changes_no_bit(own):
    scenario = own({"market": {"table": "2023"}})
    named = scenario.model_copy(update={"firms_seed": scenario.seed})
    assert evsim.run(named).digest == evsim.run(scenario).digest


# What comes out


def test_every_measure_is_a_value_with_its_unit_and_one_sentence(kit):
    kinds = {kind.name for kind in KINDS}
    assert kinds == set(SENTENCES)
    assert set(kit.measures["measure"]) == kinds - {"membership_hysteresis"}  # nobody chooses modes here
    for row in kit.measures.itertuples():
        assert math.isfinite(row.value) and row.low <= row.value <= row.high and row.unit
        assert row.sentence.endswith(".") and "{" not in row.sentence and row.sentence in str(kit).replace("\n  ", " ")


@pytest.mark.parametrize(
    ("numbers", "unit", "text"),
    [
        ((0.3621, 0.34, 0.3899), "fraction", "36.2 % [34.0, 39.0]"),
        ((0.0, -0.004, 0.004), "fraction", "0.00 % [-0.40, 0.40]"),
        ((1234.4, 1200.0, 1300.0), "HHI points", "1,234 HHI points [1,200; 1,300]"),
        ((12.34, math.nan, math.nan), "kCNY", "12.3 kCNY"),
        ((1.0, 1.0, 1.0), "months", "1 month [1, 1]"),
    ],
)
def test_numbers_have_their_unit_and_interval(numbers, unit, text):
    assert measured(*numbers, unit) == text


def test_reviews_tell_how_many_more_members_there_are_from_everybody(own):
    scenario = small({"end": "2025-01", "modes": {"rule": "chosen"}})
    kit = evsim.lock_in(scenario, 1, ("owners",))
    reviews = evsim.run(scenario).reviews
    gap = (reviews["members_from_everybody"] - reviews["members_from_nobody"]).mean()
    assert kit["membership_hysteresis"].value == gap


def test_two_workers_find_what_one_finds(own):
    alone, together = (evsim.lock_in(own(), 1, ("tipping",), workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(alone.measures, together.measures)
    pd.testing.assert_frame_equal(alone.draws, together.draws)


def test_a_world_that_fails_is_named_and_left_out(own, monkeypatch):
    made = tasks.WORLDS["without"]

    def fails(scenario, seed, sizes):
        if seed == 1:
            raise EvsimError("the price game did not settle")
        return made(scenario, seed, sizes)

    monkeypatch.setattr(tasks, "WORLDS", tasks.WORLDS | {"without": fails})
    kit = evsim.lock_in(own({"end": "2024-01"}), 3, ("tipping",))
    assert kit["tipping"].replications == 2 and kit["hhi_platform"].replications == 3
    assert kit.failures == ("World 'without' of seed 1 failed: the price game did not settle",)
    assert kit.failures[0] in kit.summary()


def test_without_the_alliances_stack_the_parts_about_it_are_left_out(tmp_path):
    scenario = small(SHORT, {"market": {"table": own_table(tmp_path, OWN[:3])}})
    assert not has_leader(scenario) and watched_platform(scenario) == "Beta"
    kit = evsim.lock_in(scenario, 1, sizes=SIZES)
    assert kit.parts == ("owners", "tipping", "paths") and "loop" not in kit.tables
    assert "Beta" in kit["path_spread"].sentence
    with pytest.raises(BadRequest, match="alliance.platform=huawei"):
        evsim.lock_in(scenario, 1, ("loop",))


@pytest.mark.parametrize("replications", [0, 1.5, True])
def test_a_number_of_replications_is_whole_and_positive(own, replications):
    with pytest.raises(BadRequest, match="must be a whole number from 1 on"):
        evsim.lock_in(own(), replications)


def test_a_part_of_another_name_is_refused(own):
    with pytest.raises(BadRequest, match="'loops' is no part of the lock-in kit; use some of owners"):
        evsim.lock_in(own(), 1, ("loops",))


def test_a_measure_of_another_name_is_refused(kit):
    with pytest.raises(KeyError, match="is no measure"):
        kit["width"]
    with pytest.raises(AttributeError, match="it has measures"):
        _ = kit.width


def test_every_figure_is_drawn_and_the_kit_shows_itself(kit, tmp_path):
    drawn = {path.name for path in draw_kit(kit, tmp_path)}
    assert drawn == {f"lock_in_{name}{suffix}" for name in KIT_FIGURES for suffix in (".png", ".svg")}
    assert "<table" in kit._repr_html_() and "90 % intervals" in str(kit)


# The command


def test_the_command_writes_tables_figures_and_sentences(evsim, tables, here):
    said = ["modes=timeline", "pricing=fixed", "end=2024-03", "consumers.count=1000", "consumers.reference_size=500"]
    answer = evsim(
        "lock-in", f"market.table={tables['own']}", *said, "--replications", "2", "--parts", "owners,tipping",
        "--workers", "1",
    )  # fmt: skip
    assert answer.code == 0 and "4 worlds, 2 of each kind" in answer.out
    assert "true state dependence" in answer.out and "90 % intervals" in answer.out
    folder = here / "outputs" / "lock-in-baseline-seed0-1"
    names = {path.name for path in folder.iterdir()}
    assert {"measures.csv", "draws.csv", "churn.csv", "lock_in.json", "lock_in_platforms.png"} <= names
    assert len(pd.read_csv(folder / "measures.csv")) > 25


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--parts", "owner"), "'owner' is no part of the lock-in kit"),
        (("--replications", "0"), "'0' must be a whole number from 1 on"),
        (("lock_in.switching_cost=-1",), "lock_in.switching_cost"),
    ],
)
def test_a_bad_request_is_one_line_and_writes_nothing(evsim, here, words, complaint):
    answer = evsim("lock-in", *words)
    assert answer.code == 2 and complaint in answer.err and answer.err.count("\n") == 1
    assert not list(here.iterdir())


def test_a_dry_run_tells_worlds_and_time_and_makes_none(evsim, here, own):
    answer = evsim("lock-in", "--dry-run", "--replications", "3", "--workers", "2")
    assert answer.code == 0 and answer.out.startswith(f"{worlds_of(own(), ('owners',), 3) * 11} worlds, 3 of each kind")
    assert "of one core" in answer.out and "with 2 workers" in answer.out
    assert not list(here.iterdir())
