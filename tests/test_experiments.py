"""The experiments on reviews and terms find what they say, at a small size."""

from math import comb

import pandas as pd
import pytest
from study.studies import stub
from test_readme import TINY, experiment

import evsim
from evsim.agents import Incumbent
from evsim.report.figures.intervals import band, bracketed, share_interval
from evsim.report.figures.premium_response import HOLD, PRICE, RESEARCH
from evsim.report.figures.royalty import leaves, peaks
from evsim.study import Plan, Store, design_of, drive

REVIEWS = [*TINY[:-1], "end=2025-01"]  # two of them


@pytest.fixture(scope="module")
def scenario():
    return evsim.load("baseline", *REVIEWS)


def rows(*ways, brand="A", seed=0, month="2024-01"):
    """A value table: way, platform, value, unseen, whether present, whether chosen."""
    columns = ["way", "platform", "value", "unseen", "present", "chosen"]
    table = pd.DataFrame(ways, columns=columns).assign(seed=seed, month=month, automaker="A Motors", brand=brand)
    nothing = ["royalty", "fixed", "autonomy", "volume", "option", "resistance", "chance"]
    table[nothing] = 0.0
    return table.assign(
        market_profit=table["value"], build=False, closed="", turning_term="", turning_change=float("nan")
    )


def test_the_share_interval_covers_the_truth_nine_times_in_ten():
    covered, n = [], 30
    for step in range(1, 100):
        truth = step / 100
        covered.append(
            sum(
                comb(n, count) * truth**count * (1 - truth) ** (n - count)
                for count in range(n + 1)
                if share_interval(count, n)[1] <= truth <= share_interval(count, n)[2]
            )
        )
    assert sum(covered) / len(covered) == pytest.approx(0.90, abs=0.015)


def test_a_band_is_the_students_interval_and_a_lone_seed_has_none():
    mean, low, high = band(pd.DataFrame([[1.0, 3.0]]))[:, 0]
    assert mean == pytest.approx(2.0) and (low, high) == pytest.approx((2.0 - 6.3138, 2.0 + 6.3138), abs=1e-3)
    assert band(pd.DataFrame([[5.0]]))[:, 0] == pytest.approx([5.0, 5.0, 5.0])
    assert bracketed([1.0, 1.0], unit=" %") == "1.0 % [1.0, 1.0]" and bracketed([-0.01]) == "0.0"


def test_only_brands_that_were_outside_flip_and_only_once():
    joins = [("supplier", "supplier", 1.0, 0.0, True, False), ("alliance", "huawei", 3.0, 0.0, False, True)]
    drawn = [("supplier", "supplier", 3.0, 0.0, True, False), ("inside", "huawei", 1.0, 9.0, False, True)]
    stays = [("alliance", "huawei", 3.0, 0.0, True, True), ("supplier", "supplier", 1.0, 0.0, False, False)]
    leaves_it = [("alliance", "huawei", 1.0, 0.0, True, False), ("supplier", "supplier", 3.0, 0.0, False, True)]
    tables = pd.concat(
        [
            rows(*joins, brand="Foreseen"),
            rows(*leaves_it, brand="Foreseen", month="2028-01"),
            rows(*joins, brand="Foreseen", month="2032-01"),
            rows(*drawn, brand="Drawn", seed=1),
            rows(*stays, brand="Member"),
            rows(*leaves_it, brand="Member", month="2027-01"),
            rows(*joins, brand="Member", month="2031-01"),
        ]
    )
    flips = experiment("refusers").first_flips(tables)
    assert flips["brand"].to_list() == ["Foreseen (A Motors)", "Drawn (A Motors)"]
    assert flips["reason"].to_list() == ["market_profit", "unseen"] and flips["year"].to_list() == [2024, 2024]


def test_a_flip_that_did_not_come_is_told_by_the_nearest_way_of_reviews_without_one():
    module = experiment("refusers")
    stays = rows(
        ("supplier", "supplier", 3.0, 0.0, True, True),
        ("alliance", "huawei", 1.0, 0.0, False, False),
        ("inside", "huawei", 2.0, 0.0, False, False),
    )
    stays.loc[1:, ["turning_term", "turning_change"]] = [["market_profit", 0.7], ["royalty", 0.2]]
    other = stays.assign(brand="B", month="2025-01")
    joins = other.assign(chosen=other["way"] == "inside")
    near = module.nearest_flips(pd.concat([stays, stays.assign(month="2025-01"), joins]), "A Motors")
    assert near[["month", "way", "turning_change"]].to_numpy().tolist() == [["2024-01", "inside", 0.2]]


def test_refusers_are_counted(tmp_path):
    finding = experiment("refusers").main(["--seeds", "2", "--workers", "1", "--folder", str(tmp_path), *TINY])
    assert "refusers" in finding[0] and any(text.startswith("SAIC flips in") for text in finding)
    assert (tmp_path / "refusers.png").stat().st_size > 10_000


def curve(*members, seed=0):
    """A curve over the shares 0, 0.1, …: profits rise by one a step while there is a member."""
    return pd.DataFrame(
        {
            "seed": seed,
            "value": [0.1 * place for place in range(len(members))],
            "profit": [float(place) if inside else 0.0 for place, inside in enumerate(members)],
            "members": members,
        }
    )


def test_a_partner_leaves_above_the_last_point_it_is_in_at_and_profits_peak_there():
    table = pd.concat([curve(("A", "B"), ("A",), ()), curve(("A", "B"), ("A", "B"), (), seed=1)])
    assert leaves(table) == {"B": pytest.approx([0.1, 0.2]), "A": pytest.approx([0.2, 0.2])}
    assert peaks(table, "profit") == pytest.approx([0.1, 0.1])
    assert leaves(curve(("A",), ("A",))) == {}  # it stays to the end of the grid


def test_the_leaders_profit_over_its_share_rises_and_falls(tmp_path, monkeypatch):
    module = experiment("royalty")
    monkeypatch.setattr(module, "SHARES", [0.0, 0.1, 0.2, 0.4, 0.8])
    monkeypatch.setattr(module, "FEE_SCALES", [0.0, 1.0, 2.0])
    told = module.main(["--seeds", "2", "--folder", str(tmp_path), *TINY])
    assert "of the price" in told[0] and "[" in told[0]
    assert (tmp_path / "royalty.png").stat().st_size > 10_000
    table = module.curves(evsim.load("baseline", *TINY), seed=0)
    share = table[(table["lever"] == "revenue share") & (table["answering"] == module.PARTNERS)].set_index("value")
    assert share["profit"].idxmax() not in (0.0, 0.8) and not share["members"][0.8]


def test_whom_a_sixth_partner_hurts_is_told(tmp_path):
    module = experiment("sixth_partner")
    told = module.main(["--seeds", "1", "--folder", str(tmp_path), *TINY, "market.lines=150"])
    assert "sixth partner costs" in told[0] and (tmp_path / "sixth_partner.png").stat().st_size > 10_000


def test_the_fifth_partner_is_there_before_anything_is_chosen():
    module = experiment("sixth_partner")
    scenario = module.with_five_partners(evsim.load("baseline"))
    agreed = {brand.brand: brand.agreed for brand in scenario.modes.prospective}
    assert all(agreed[name] < scenario.start for name in ("Luxeed", "Stelato", "Maextro", "Shangjie"))
    assert agreed["Qijing"] >= scenario.start


def test_a_maker_answers_as_its_rule_says(scenario):
    module = experiment("premium_response")
    maker = "BMW Brilliance"
    runs = {name: evsim.run(scenario, agents={maker: rule}) for name, rule in module.RULES.items()}
    own = {name: run.market[run.market["automaker"] == maker] for name, run in runs.items()}
    assert own[HOLD].groupby("product")["price"].nunique().eq(1).all()
    assert own[PRICE].groupby("product")["price"].nunique().gt(1).any()
    research = {name: run.automakers[run.automakers["automaker"] == maker]["rd"].iloc[1] for name, run in runs.items()}
    assert research[RESEARCH] == pytest.approx(module.RESEARCH * research[PRICE])
    chosen = runs[module.INSIDE].decisions.query("automaker == @maker and chosen")
    assert chosen["way"].to_list()[0] == "inside"
    quality = runs[module.LEVEL].platforms.set_index(["platform", "month"])["quality"]
    assert quality["BMW", "2024-02"] == pytest.approx(quality["huawei", "2024-02"], abs=2.1)
    assert issubclass(module.Hold, Incumbent)


def test_what_a_response_saves_is_told(tmp_path):
    finding = experiment("premium_response").main(["--seeds", "1", "--workers", "1", "--folder", str(tmp_path), *TINY])
    assert "Against holding prices and stack" in finding[0]
    assert (tmp_path / "premium_response.png").stat().st_size > 10_000


def test_what_wins_an_owner_back_rises_with_what_holds_it(tmp_path):
    module = experiment("owner_discount")
    told = module.main(["--seeds", "1", "--workers", "1", "--folder", str(tmp_path), *TINY])
    assert "wins an owner in an ecosystem back" in told[0] and (tmp_path / "owner_discount.png").stat().st_size > 10_000
    numbers, laws = module.measured(TINY, 1, 1)
    prices = numbers.set_index("strength")["price"]
    assert list(prices) == sorted(prices) and prices[0.0] == pytest.approx(numbers["free_price"].iloc[0])
    assert laws.groupby("strength")["share"].apply(lambda law: law.is_monotonic_increasing).all()


SWEPT = [*TINY, "pricing=fixed"]


def test_the_tipping_line_is_told_with_its_band(tmp_path):
    told = experiment("tipping").main(
        ["--seeds", "2", "--workers", "1", "--threshold", "0.012", "--folder", str(tmp_path), "--out", str(tmp_path),
         "software.advantage_kcny=0,60,120", "lock_in.switching_cost=0,2", *SWEPT]
    )  # fmt: skip
    assert "lock_in.switching_cost" in " ".join(told) or "crosses" in told[0]
    assert (tmp_path / "tipping.png").stat().st_size > 10_000


def test_what_matters_is_told_in_order_and_as_rules(tmp_path, monkeypatch):
    def swept(*overrides, replications, sampler, samples, out, execution):
        design = design_of(*overrides, plan=Plan(replications, sampler, samples))
        return drive(Store.create(out, design, stub("unsure")), execution, stub("unsure"))

    monkeypatch.setattr(evsim, "sweep", swept, raising=False)
    told = experiment("uncertainties").main(
        ["--samples", "64", "--workers", "1", "--folder", str(tmp_path), "--out", str(tmp_path)]
    )
    assert "lock_in.switching_cost" in told[0]
    assert sum(text.startswith("PRIM: lock_in.switching_cost") for text in told) == 2
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "uncertainties.png", "alliance_dominates.png", "alliance_fails.png"
    }  # fmt: skip
