"""Sentences say what the tables hold, in numbers a reader can take in."""

import dataclasses
import re

import pytest
from scipy import stats
from synthetic_run import synthetic_run

from evsim import words


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
