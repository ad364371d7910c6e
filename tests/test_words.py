"""Sentences say what the tables hold, in numbers a reader can take in."""

import dataclasses
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from synthetic_reviews import refused_then_joined, review, table, way, with_tables
from synthetic_run import synthetic_run

from evsim import words
from evsim.data.membership import MODES
from evsim.market.values import PARTS_OF_VALUE
from evsim.market.ways import WITH_LEADER
from evsim.words import choices, reviews

MONTHS = ("2024-01", "2025-01")  # of made-up reviews


@pytest.fixture(scope="module")
def run():
    return synthetic_run()


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.124, "12.4 %"), (0.0, "0 %"), (1.0, "100 %"), (0.9996, "100 %"), (0.0005, "0.05 %"), (0.00996, "1.0 %"),
     (-0.021, "-2.1 %"), (0.000999, "0.1 %"), (0.00099, "0.1 %"), (12.5, "1250 %")],
)  # fmt: skip
def test_a_fraction_reads_as_per_cent_with_a_digit_that_matters(fraction, text):
    assert words.percent(fraction) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(21_712_345, "21.7 million cars"), (448_092, "448,000 cars"), (999_999, "1 million cars"),
     (1, "1 car"), (0, "0 cars"),
     (37.2, "37.2 cars"), (1234, "1,230 cars"), (2.5e9, "2.5 billion cars")],
)  # fmt: skip
def test_cars_are_counted_in_three_digits(count, text):
    assert words.cars(count) == text


def test_money_and_months_read_as_people_write_them():
    assert words.price(183.4) == "183,000 CNY"
    assert words.money(12.34e6) == "12.3 bn CNY" and words.money(-1234e6) == "-1,234 bn CNY"
    assert words.month("2024-01") == "January 2024" and words.month("2035-12") == "December 2035"
    assert words.names(["A"]) == "A" and words.names("ABC") == "A, B and C"
    assert words.platform_name("huawei") == "Huawei" and words.platform_name("BYD") == "BYD"


def test_findings_are_six_to_ten_sentences(run):
    facts = words.findings(run)
    assert 6 <= len(facts) <= 10
    for fact in facts:
        assert (
            fact[0].isupper() and fact.endswith(".") and "nan" not in fact and "None" not in fact and "  " not in fact
        )


def test_the_first_finding_has_the_shares_of_the_tables(run):
    market = run.market
    base = market[market["month"] == "2023-12"]
    last = market[market["month"] >= "2035-01"]
    for months in (base, last):
        share = months.loc[months["camp"] == "alliance", "units"].sum() / months["units"].sum()
        assert words.percent(share) in words.shares_finding(run)


def test_the_first_million_is_named_by_its_month(run):
    deliveries = run.alliance_cumulative_deliveries()
    month = next(name for name, count in deliveries.items() if count >= 1e6)
    assert f"the first million in {words.month(month)}" in words.deliveries_finding(run)
    assert "a million is not reached" in words.deliveries_finding(synthetic_run(0, "2024-01", "2024-06"))


def test_winners_gain_and_losers_lose(run):
    winner = re.match(
        r"(.+?) gains most: ([\d.]+) points, from ([\d.]+) % of sales to ([\d.]+) %", words.winners_finding(run)
    )
    loser = re.match(
        r"(.+?) loses most: ([\d.]+) points, from ([\d.]+) % of sales to ([\d.]+) %", words.losers_finding(run)
    )
    assert float(winner[4]) - float(winner[3]) == pytest.approx(float(winner[2]), abs=0.11)
    assert float(loser[3]) - float(loser[4]) == pytest.approx(float(loser[2]), abs=0.11)


def test_pooled_makers_are_neither_winners_nor_losers(run):
    market = run.market.assign(automaker=lambda table: table["automaker"].replace({"BYD": "Other makers"}))
    pooled = dataclasses.replace(run, tables=dict(run.tables) | {"market": market})
    assert words.winners_finding(pooled).startswith("Seres gains most")


def test_a_run_of_half_a_year_has_findings_too():
    short = synthetic_run(0, "2024-01", "2024-06")
    assert "the 6 months to June 2024" in words.shares_finding(short)
    assert "2024 (6 m)" in words.summary(short)


def test_the_summary_fits_a_terminal_of_100_columns_and_has_every_year(run):
    lines = run.summary().splitlines()
    assert max(map(len, lines)) <= 100
    assert [line[:4] for line in lines if line.startswith("20")] == ["2023", *map(str, range(2024, 2036))]
    assert lines[-1] == f"digest {run.digest}"


def test_a_number_is_not_parted_from_its_unit():
    text = words.wrap("aaaa 12.4 % bbbb", 8)
    assert "12.4 %" in text.splitlines()


def test_the_paired_interval_is_scipys_t_interval():
    differences = [0.021, 0.018, 0.025, 0.019, 0.022]
    mean, low, high = words.paired_interval(differences, 0.90)
    expected = stats.t.interval(0.90, 4, loc=mean, scale=stats.sem(differences))
    assert (low, high) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.128, "0.13 s"), (4.2, "4.2 s"), (40.0, "40 s"), (720.0, "12 min"), (12_600.0, "3.5 h")],
)
def test_a_duration_has_the_digits_that_say_something(seconds, text):
    assert words.duration(seconds) == text


def test_a_plan_tells_worlds_seeds_and_runs():
    assert (
        words.sweep_plan(3, 40) == "3 scenarios × 40 seeds = 120 runs"
        and words.sweep_plan(1, 1) == "1 scenario = 1 run"
    )
    assert words.comparison_plan(["a=1, b=2", "a=1, b=3", "a=2, b=2"], 5) == (
        "3 worlds × 5 seeds = 15 runs\n  a=1, b=3; a=2, b=2 against a=1, b=2"
    )
    many = words.comparison_plan([f"a={number}" for number in range(21)], 2)
    assert many.endswith("a=6, … (20 worlds) against a=0")
    assert words.search_plan(8, 1, 5, 5).startswith(
        "8 policies × 5 worlds (5 seeds) = 40 runs, then the front in 5 fresh"
    )


def test_a_headline_that_does_not_change_is_told_as_such():
    row = {"world": "b", "outcome": "alliance_share", "unit": "fraction", "difference": 0.0, "low": 0.0, "high": 0.0}
    said = words.headline_finding([row], {"b": {"subsidy.scale": 1.0}}, "2025")
    assert said == "With subsidy.scale=1, nothing changes for the alliance in 2025"


def test_a_change_is_measured_the_verbs_way():
    assert words.share_change((0.021, 0.018, 0.024)) == "gains 2.1 points [1.8, 2.4]"
    assert words.share_change((-0.021, -0.024, -0.018), plural=True) == "lose 2.1 points [1.8, 2.4]"
    assert words.share_change((0.0002, -0.0001, 0.0005)) == "gains 0.0 points [0.0, 0.1]"
    assert words.share_change((0.021, float("nan"), float("nan"))) == "gains 2.1 points"


def test_comparison_says_who_gains_without_the_alliance():
    runs = [[synthetic_run(seed, without_alliance=gone) for seed in (0, 1, 2)] for gone in (False, True)]
    said = words.compare(*runs)
    gains = [b.shares("automaker")["BYD"] - a.shares("automaker")["BYD"] for a, b in zip(*runs, strict=True)]
    assert f"Without the alliance, BYD gains {100 * sum(gains) / 3:.1f} points [" in " ".join(said)
    assert any(re.search(r"Seres loses [\d.]+ points \[", text) for text in said)
    assert said[-1] == "Mean of 3 paired seeds, 90 % interval in brackets."


def test_a_comparison_of_like_worlds_names_no_winner():
    runs = [synthetic_run(seed) for seed in (0, 1, 2)]
    assert "no automaker's share changes by more than chance" in words.comparison_finding(runs, runs)


def test_comparison_refuses_runs_that_are_not_pairs():
    with pytest.raises(ValueError, match="seeds"):
        words.compare([synthetic_run(0)], [synthetic_run(1)])
    with pytest.raises(ValueError, match="same months"):
        words.compare([synthetic_run(0)], [synthetic_run(0, "2024-01", "2024-06")])


# Choices


def told(rows):
    """The value table of one review."""
    return table("decisions", rows)


def test_words_know_every_part_of_a_value_and_every_mode():
    assert set(choices.PARTS) == {*PARTS_OF_VALUE, "resistance", "unseen"}
    assert set(reviews.TERMS) == set(PARTS_OF_VALUE)
    assert set(choices.MODES) == set(MODES)
    assert choices.WITH_LEADER == WITH_LEADER


@pytest.mark.parametrize(
    ("mode", "platform", "build", "text"),
    [("alliance", "huawei", False, "alliance (Huawei)"), ("in_house", "SAIC", True, "in-house (attempt)"),
     ("in_house", "VW (Cariad)", False, "in-house (VW (Cariad))"), ("supplier", "momenta", False, "supplier (Momenta)"),
     ("supplier", "supplier", False, "bought-in stack"), ("supplier", "none", False, "no stack"),
     ("none", "none", False, "not sold")],
)  # fmt: skip
def test_a_way_is_told_by_its_mode_and_stack(mode, platform, build, text):
    assert words.way_name(mode, platform, build) == text


@pytest.mark.parametrize(
    ("years", "text"),
    [([2024], "2024"), ([2026, 2024, 2025], "2024 to 2026"), ([2024, 2025], "2024 and 2025"),
     ([2024, 2026, 2027, 2028, 2030, 2031], "2024, 2026 to 2028, 2030 and 2031")],
)  # fmt: skip
def test_years_in_a_row_are_told_as_a_span(years, text):
    assert words.spans(years) == text


def test_a_refuser_that_comes_to_the_leader_is_a_flip_with_its_reason():
    roewe, bmw = words.flips(told(refused_then_joined()))
    assert (roewe.month, roewe.brand, roewe.before, roewe.after) == (
        "2025-01",
        "Roewe",
        "bought-in stack",
        "alliance (Huawei)",
    )
    assert (roewe.reason, roewe.difference, roewe.joined) == ("market_profit", pytest.approx(11e6), True)
    assert "its market profit is 11 bn CNY higher" in roewe.sentence and "Roewe (SAIC)" in roewe.sentence
    assert (bmw.reason, bmw.difference) == ("fixed", pytest.approx(9e6))
    assert "its fixed costs are 9 bn CNY lower" in bmw.sentence


def test_a_flip_tells_whether_it_was_the_draw_and_what_had_moved_since_the_refusal():
    roewe, bmw = words.flips(told(refused_then_joined()))
    assert not roewe.foreseen and roewe.gained == "unseen" and 0.0 < roewe.chance < 0.5
    assert roewe.sentence.endswith("without what is unseen it would have been bought-in stack.")
    assert bmw.foreseen and bmw.gained == "" and "unseen" not in bmw.sentence


def test_a_closed_way_is_nobodys_choice_however_much_it_is_worth():
    ways = (way("supplier", "none", 5.0), way("inside", "huawei", 6.0), way("alliance", "huawei", 9.0, closed="barred"))
    (flip,) = words.flips(told(review("2030-01", "A", "A", *ways)))
    assert flip.after == "inside (Huawei)" and flip.foreseen


def test_the_runner_up_is_the_one_nearest_in_sight():
    ways = (way("supplier", "none", 9.0), way("inside", "huawei", 5.0), way("components", "huawei", 4.0, unseen=2.0))
    assert reviews.runner_up(told(review("2030-01", "A", "A", *ways)))["way"] == "components"


def test_only_a_change_to_or_from_the_leaders_full_stack_is_a_flip():
    worse = {"fixed": -9.0}
    pairs = {
        ("alliance", "inside"): None,
        ("components", "supplier"): None,
        ("none", "alliance"): True,
        ("alliance", "components"): False,
        ("inside", "in_house"): False,
    }
    for (before, after), joined in pairs.items():
        rows = review("2030-01", "SAIC", "Roewe", way(before, "huawei", 10.0, **worse), way(after, "huawei", 10.0))
        assert [flip.joined for flip in words.flips(told(rows))] == ([] if joined is None else [joined])


def test_flips_stand_in_order_of_time():
    later = review("2030-01", "A", "A", way("none", "none", 1.0), way("alliance", "huawei", 2.0))
    sooner = review("2025-01", "B", "B", way("none", "none", 1.0), way("alliance", "huawei", 2.0))
    assert [flip.brand for flip in words.flips(told([*later, *sooner]))] == ["B", "A"]
    assert words.flips(told([])) == []


@settings(max_examples=40)
@given(
    st.lists(st.floats(1.0, 50.0), min_size=2, max_size=4),
    st.lists(st.floats(-40.0, 0.0), min_size=4, max_size=4),
    st.floats(-3.0, 3.0),
)
def test_the_change_told_is_the_one_that_turns_the_choice(profits, costs, unseen):
    """A little more of the change makes the runner-up the choice, a little less does not."""
    ways = [
        way(mode, "huawei", profit, fixed=cost, unseen=unseen)
        for mode, profit, cost in zip(("supplier", "alliance", "inside", "components"), profits, costs, strict=False)
    ]
    table_of = lambda ways: told(review("2030-01", "SAIC", "Roewe", *ways, resistance=1.0))  # noqa: E731
    second = reviews.runner_up(table_of(ways))
    term, change, place = second["turning_term"], second["turning_change"], second.name
    assume(change > 1e-3)
    for part, turned in ((1.001, True), (0.999, False)):
        value = ways[place][term]
        moved = [dict(entry) for entry in ways]
        moved[place][term] = value + abs(value) * change * part
        assert bool(table_of(moved).loc[place, "chosen"]) is turned


def test_the_turning_sentence_raises_a_gain_and_lowers_a_cost():
    rows = told(
        review("2030-01", "A", "A", way("supplier", "supplier", 10.0), way("inside", "huawei", 12.0, royalty=-3.0))
    )
    assert (
        reviews.turning(rows.iloc[1])
        == "Inside (Huawei) would have been chosen had its market profit been 8.3 % higher."
    )
    rows = told(
        review("2030-01", "A", "A", way("supplier", "supplier", 10.0), way("inside", "huawei", 12.0, fixed=-20.0))
    )
    assert (
        reviews.turning(rows.iloc[1]) == "Inside (Huawei) would have been chosen had its fixed costs been 90.0 % lower."
    )
    rows = told(
        review("2030-01", "A", "A", way("supplier", "supplier", 40.0), way("inside", "huawei", 12.0, fixed=-20.0))
    )
    assert reviews.turning(rows.iloc[1]) == "Inside (Huawei) would not have been chosen even without its fixed costs."
    rows = told(review("2030-01", "A", "A", way("supplier", "supplier", -1.0), way("none", "none", -2.0)))
    assert reviews.turning(rows.iloc[1]) == "Not sold would have been chosen had its market loss been 50.0 % lower."
    assert reviews.turning(rows.iloc[0]) == ""


def test_a_choice_is_told_with_the_part_that_made_the_largest_difference():
    rows = refused_then_joined()
    stays, comes = (told([row for row in rows if row["brand"] == "Roewe" and row["month"] == when]) for when in MONTHS)
    assert reviews.choice_sentence("Roewe", stays) == (
        "Roewe stays as it is, bought-in stack: compared with alliance (Huawei), the next best, it pays 9 bn CNY less in"
        " royalties."
    )
    assert reviews.choice_sentence("Roewe", comes).startswith(
        "Roewe goes from bought-in stack to alliance (Huawei): its market"
    )
    assert "without what is unseen" not in reviews.choice_sentence("Roewe", stays)
    assert reviews.closed_sentence(comes) == "Closed: inside (Huawei): the leader would earn less with it."
    assert "2 bn CNY for bought-in stack" in reviews.resistance_sentence("Roewe", comes)


def test_a_choice_that_the_table_does_not_speak_for_says_so():
    rows = told(
        review("2030-01", "A", "A", way("supplier", "supplier", 9.0), way("inside", "huawei", 2.0, chosen=True))
    )
    assert "though the table speaks for bought-in stack" in reviews.choice_sentence("A", rows)
    assert reviews.turning_sentence(rows) == ""


def test_a_brand_with_one_open_way_has_no_runner_up():
    rows = told(
        review("2030-01", "A", "A", way("supplier", "none", 9.0), way("inside", "huawei", 12.0, closed="barred"))
    )
    assert "no other way was open" in reviews.choice_sentence("A", rows) and reviews.turning_sentence(rows) == ""


def test_value_tables_mark_each_way_and_fit_a_terminal():
    run = with_tables(synthetic_run(0, "2024-01", "2024-06"), decisions=refused_then_joined())
    out = words.why(run, "SAIC", "2025-01").splitlines()
    assert max(map(len, out)) <= 100
    marks = {
        line[7:].split("  ")[0]: line[:7].strip() for line in out if line[:7].strip() in ("now", "chosen", "closed")
    }
    assert marks == {"bought-in stack": "now", "alliance (Huawei)": "chosen", "inside (Huawei)": "closed"}
    chosen = next(line for line in out if line.startswith("chosen")).split()
    assert chosen[3:] == ["28.00", "-9.00", "-2.00", "-", "-", "17.00", "3.00", "11.9", "%"]
    assert "IM had no choice: it was bound by its choice of January 2024, components (Huawei)." in out


@pytest.mark.parametrize("size", [99.994, 199.94, 1999.4])
def test_the_widest_value_table_fits_a_terminal_with_its_numbers_apart(size):
    wide = dict.fromkeys(("royalty", "fixed", "autonomy", "volume", "option", "unseen"), -size)
    ways = (way("in_house", "Chery Jaguar Land Rover", size, **wide), way("inside", "huawei", 0.0, **wide))
    lines = reviews.value_lines("Land Rover", told(review("2030-01", "A", "A", *ways)))
    assert max(map(len, lines)) <= 98 and "in-house (Chery" in lines[2]
    numbers = lines[3].removesuffix("%").split("(Huawei)")[1].split()
    assert len(numbers) == 9 and {number.count(",") for number in numbers} <= {0, 1}


def test_volume_has_a_column_only_where_it_counts():
    of = lambda volume: told(review("2030-01", "A", "A", way("supplier", "none", 9.0, volume=volume)))  # noqa: E731
    assert "volume" in reviews.value_lines("A", of(0.5))[1]
    assert "volume" not in reviews.value_lines("A", of(0.0))[1]


@pytest.mark.parametrize(
    ("size", "text"), [(0.123456, "0.123"), (12.3456, "12.35"), (123.456, "123.5"), (1234.56, "1,235")]
)
def test_sums_are_written_with_the_digits_that_their_table_needs(size, text):
    rows = told(review("2030-01", "A", "A", way("supplier", "none", size)))
    assert text in reviews.value_lines("A", rows)[2].split()


@pytest.mark.parametrize(
    ("automaker", "brand", "reason"),
    [("Seres", "AITO", "it was bound by its contract"), ("Seres", "Landian", "it was not on sale"),
     ("Geely", "Geely", "there was no other way")],
)  # fmt: skip
def test_a_brand_without_a_choice_has_its_reason_told(automaker, brand, reason):
    stays = (way("supplier", "supplier", 2.0), way("alliance", "huawei", 1.0))
    rows = review("2024-01", automaker, brand, *stays) + review("2024-06", automaker, "Another", *stays)
    run = with_tables(synthetic_run(0, "2024-01", "2024-06"), decisions=rows)
    assert f"{brand} had no choice: {reason}." in words.why(run, automaker, "2024-06")


def test_the_summary_tells_who_came_who_left_who_built_and_who_stopped():
    rows = refused_then_joined()
    rows += review("2030-01", "Chery", "Luxeed", way("alliance", "huawei", 5.0), way("supplier", "supplier", 6.0))
    rows += review("2024-01", "BYD", "BYD", way("supplier", "supplier", 5.0), way("in_house", "BYD", 6.0, build=True))
    rows += review(
        "2024-01", "Hozon", "Neta", way("supplier", "supplier", 5.0), way("in_house", "Hozon", 6.0, build=True)
    )
    exits = [
        {"month": "2027-11", "name": "NIO", "event": "stopped"},
        {"month": "2027-11", "name": "NIO", "event": "orphaned"},
    ]
    run = with_tables(synthetic_run(), decisions=rows, exits=exits)
    assert words.choices_finding(run) == (
        "Roewe (2025) and BMW (2026) choose Huawei's full stack; Luxeed (2030) leaves it; BYD builds a stack; Hozon tries to"
        " build a stack without result by December 2035; NIO (2027) stops for want of cash."
    )
    assert words.choices_finding(run) in words.findings(run)


def test_of_choices_nothing_is_said_where_nobody_had_any(run):
    assert words.choices_finding(run) == "" and "" not in words.findings(run)
    rows = review("2024-01", "SAIC", "Roewe", way("supplier", "supplier", 2.0), way("alliance", "huawei", 1.0))
    assert words.choices_finding(with_tables(run, decisions=rows)) == (
        "Nobody comes to Huawei's full stack or leaves it by December 2035."
    )


def test_many_names_are_cut_short():
    rows = [
        row
        for number in range(7)
        for row in review("2024-01", f"M{number}", f"M{number}", way("none", "none", 1.0), way("inside", "huawei", 2.0))
    ]
    run = with_tables(synthetic_run(0, "2024-01", "2024-06"), decisions=rows)
    assert "M4 (2024) and 2 others choose" in words.choices_finding(run)


def test_brands_on_the_leaders_stack_are_counted_at_both_ends(run):
    start = run.market[(run.market["month"] == "2023-12") & (run.market["mode"] == "alliance")]["brand"].nunique()
    assert words.modes_finding(run).startswith(
        f"{start} brands in December 2023 and {start} in December 2035 are sold with"
    )
    told_of = words.modes_finding(with_tables(run, decisions=refused_then_joined()))
    assert told_of.endswith("of 3 changes of mode chosen at reviews, 2 lead to it and none away.")


# Worlds held against each other


def estimate(outcome="mean_price", unit="kCNY", difference=1.0, low=0.5, high=1.5, first=100.0):
    """A row of a comparison's table."""
    limits = {"difference": difference, "low": low, "high": high}
    return (
        {"world": "w", "outcome": outcome, "unit": unit, "first": first, "other": first + difference}
        | limits
        | {"pairs": 9}
    )


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (estimate(), "the mean price rises by 1.0 kCNY [0.5, 1.5]"),
        (estimate(difference=-1.2, low=-1.5, high=-0.9), "the mean price falls by 1.2 kCNY [0.9, 1.5]"),
        (estimate("automaker_share.BYD", "fraction", 0.021, 0.018, 0.024), "BYD gains 2.1 points [1.8, 2.4]"),
        (estimate("nev_penetration_2030", "fraction", -0.004, -0.006, -0.002), "new-energy cars lose 0.40 points [0.20, 0.60]"),
        (estimate("outlay_total", "kCNY", 3.2e8, 3.1e8, 3.3e8), "the state's outlay rises by 320 bn CNY [310, 330]"),
        (estimate("platform_share.huawei", "fraction", 0.01, -0.01, 0.03), "Huawei as a stack gains 1.0 points [-1.0, 3.0]"),
        (estimate("something", "crates", 0.0004, 0.0002, 0.0006), "something rises by 0.00040 crates [0.00020, 0.00060]"),
    ],
)  # fmt: skip
def test_a_difference_is_told_the_verbs_way_with_its_interval_and_unit(row, text):
    assert words.comparisons.change(row) == text


@pytest.mark.parametrize(
    ("changes", "name", "phrase"),
    [
        ({"scenario": "no_alliance"}, "no_alliance", "Without the alliance"),
        ({"subsidy.scale": 0.5}, "subsidy.scale=0.5", "With subsidy.scale=0.5"),
        ({"scenario": "no_alliance", "subsidy.scale": 0.0}, "scenario=no_alliance, subsidy.scale=0",
         "Without the alliance and with subsidy.scale=0"),
    ],
)  # fmt: skip
def test_a_world_is_named_by_what_it_changes(changes, name, phrase):
    assert (words.world_name(changes), words.comparisons.world_phrase(changes)) == (name, phrase)


def test_what_cannot_be_told_from_zero_is_no_finding():
    blurred = estimate(low=-0.5, high=2.5)
    title = words.headline_finding([blurred], {"w": {"subsidy.scale": 0.0}}, "2035")
    assert "no change that can be told from zero (1.0 kCNY [-0.5, 2.5]) in 2035" in title


def test_other_outcomes_rank_by_their_per_cent_and_shares_by_points():
    import pandas as pd

    rows = [
        estimate("hhi_platform", "HHI points", 40.0, 30.0, 50.0, first=1000.0),  # 4 %
        estimate("automaker_share.BYD", "fraction", 0.05, 0.04, 0.06, first=0.1),  # 5 points
        estimate("mean_price", "kCNY", 1.0, 0.5, 1.5),  # 1 %, but the headline
        estimate("automaker_share.Other makers", "fraction", 0.5, 0.4, 0.6),  # pooled: no maker
    ]
    told = words.comparison_words(
        pd.DataFrame(rows), ["mean_price", "hhi_platform"], {"w": {"subsidy.scale": 0.0}}, "2035"
    )
    assert [text.split(", ")[1].split(" by")[0] for text in told] == [
        "the mean price rises", "BYD gains 5.0 points [4.0", "the concentration of platforms rises",
    ]  # fmt: skip
