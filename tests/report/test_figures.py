"""Figures state their finding, keep their labels inside and apart, and are the same bytes every time."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text
from synthetic_reviews import refused_then_joined, review, way, with_tables
from synthetic_run import record, synthetic_run

from evsim import words
from evsim.errors import StorageError
from evsim.params import Scenario
from evsim.report.figures import EMPTY, FIGURES, comparison, draw, draw_all, draw_comparison
from evsim.report.figures.alliance import observed_so_far
from evsim.report.figures.lock_in import switching_matrix
from evsim.report.figures.modes import COLOURS, NOT_SOLD, brands_drawn, modes, ways_sold
from evsim.report.figures.partners import (
    middles,
    partners,
    partners_finding,
    reported_quarters,
    reported_scope,
    simulated_quarters,
)
from evsim.report.figures.series import observed, trailing, trailing_prices, trailing_shares
from evsim.report.figures.style import house_style, label_ends, new_figure, spread
from evsim.results import Run


@pytest.fixture(scope="module")
def run():
    return synthetic_run()


@pytest.fixture(scope="module")
def pairs():
    return [[synthetic_run(seed, without_alliance=gone) for seed in (0, 1)] for gone in (False, True)]


def boxes(artist):
    """Texts of a drawn figure and their boxes in pixels, tick labels and arrows left out."""
    ticks = {
        label for axes in artist.findobj(Axes) for axis in (axes.xaxis, axes.yaxis) for label in axis.findobj(Text)
    }
    return {
        text.get_text(): Text.get_window_extent(text)
        for text in artist.findobj(Text)
        if text.get_text().strip() and text not in ticks
    }


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page_and_no_labels_overlap(run, name):
    with house_style():
        figure = FIGURES[name](run)
        FigureCanvasAgg(figure).draw()
        page = figure.bbox
        for text, box in boxes(figure).items():
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1, text
        for axes in figure.axes:
            labels = [Text.get_window_extent(text) for text in axes.texts]
            for at, box in enumerate(labels):
                assert not any(box.overlaps(other) for other in labels[at + 1 :]), axes.texts[at].get_text()


@pytest.mark.parametrize("name", FIGURES)
def test_a_title_states_a_finding_and_axes_have_units(run, name):
    with house_style():
        figure = FIGURES[name](run)
    title = figure.get_suptitle().replace("\n", " ")
    assert len(title) > 30 and any(character.isdigit() for character in title)
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_ylabel()


def test_a_title_is_the_sentence_of_words(run):
    with house_style():
        title = FIGURES["camps"](run).get_suptitle().replace("\n", " ")
    assert title + "." == words.shares_finding(run)


def test_drawing_twice_gives_the_same_bytes_in_png_and_svg(run, tmp_path):
    first, second = (draw("camps", run, tmp_path / at) for at in "ab")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a" / "camps.svg").read_bytes()


def test_draw_all_writes_every_figure_twice_and_leaves_matplotlib_as_it_was(run, tmp_path):
    before = dict(matplotlib.rcParams)
    written = draw_all(run, tmp_path / "图 表")
    assert [path.name for path in written] == [f"{name}{suffix}" for name in FIGURES for suffix in (".png", ".svg")]
    assert all(path.stat().st_size > 1000 for path in written)
    assert dict(matplotlib.rcParams) == before


def test_a_folder_that_cannot_be_made_is_a_storage_error(run, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError):
        draw("camps", run, tmp_path / "taken")


def drawn(run):
    """Every figure of a run, drawn on a small canvas."""
    with house_style():
        figures = [make(run) for make in FIGURES.values()]
        for figure in figures:
            figure.set_dpi(30)
            FigureCanvasAgg(figure).draw()
    return figures


@pytest.mark.parametrize("end", ["2024-01", "2024-06", "2025-02"])
def test_every_figure_can_be_drawn_of_a_short_run(end):
    assert len(drawn(synthetic_run(0, "2024-01", end))) == len(FIGURES)


def test_figures_of_a_world_without_alliance_cars_can_be_drawn():
    made = {name: dict(columns) for name, columns in record(0, "2024-01", "2024-12").items()}
    made["market"]["camp"] = np.where(
        np.array(made["market"]["camp"]) == "alliance", "incumbent", made["market"]["camp"]
    )
    made["headline"]["alliance_cumulative_deliveries"] = np.zeros(13)
    run = Run.from_record(Scenario(name="no_alliance", end="2024-12"), 0, made, {})
    assert len(drawn(run)) == len(FIGURES)
    assert words.deliveries_finding(run) == "The alliance delivers no car by December 2024."


def test_trailing_shares_start_at_month_zero_and_end_with_the_last_twelve_months(run):
    shares = trailing_shares(run, "camp")
    assert shares.iloc[0].to_dict() == pytest.approx(run.base_shares("camp"))
    assert shares.iloc[-1].to_dict() == pytest.approx(run.shares("camp"))
    assert np.allclose(shares.sum(axis=1), 1.0)


def test_trailing_sums_take_the_season_out():
    season = pd.DataFrame({"cars": [10.0] + [10.0 + 3.0 * np.sin(2 * np.pi * month / 12) for month in range(36)]})
    assert np.ptp(trailing(season)["cars"].iloc[12:]) < 1e-9


def test_a_trailing_price_is_weighted_by_cars(run):
    last = run.market.query("month >= '2035-01' and camp == 'alliance'")
    assert trailing_prices(run, "camp")["alliance"].iloc[-1] == pytest.approx(
        np.average(last["price"], weights=last["units"])
    )


def test_rows_of_the_switching_matrix_sum_to_one_and_first_cars_come_last(run):
    matrix = switching_matrix(run, 2035)
    assert np.allclose(matrix.sum(axis=1), 1.0)
    assert matrix.index[-1] == words.FIRST_CAR and matrix.columns[-1] == "others"


def test_observed_deliveries_are_added_up_from_the_runs_first_year():
    history = SimpleNamespace(scenario=Scenario(start="2022-01", end="2025-12", market={"table": "2021"}))
    points = observed_so_far(history)
    assert list(points) == [2023.0, 2024.0, 2025.0, 2026.0]
    assert points[2024.0] == pytest.approx((76_180 + 94_380) / 1e6)
    assert points[2026.0] == pytest.approx((76_180 + 94_380 + 448_092 + 588_549) / 1e6)


def test_a_partners_quarter_is_the_sum_of_its_three_months_and_ends_with_the_reports(run):
    quarters = simulated_quarters(run)
    assert list(quarters.index) == [*(f"2024Q{n}" for n in (1, 2, 3, 4)), "2025Q1", "2025Q2", "2025Q3"]
    assert set(quarters) == set(reported_quarters()) == {"Seres", "Chery", "BAIC", "JAC", "SAIC"}
    months = run.automakers.query("automaker == 'BAIC' and '2024-10' <= month <= '2024-12'")
    assert quarters.loc["2024Q4", "BAIC"] == pytest.approx(months["profit"].sum() / 1e6)


def test_reported_quarters_are_those_of_the_companies():
    reported = reported_quarters()
    assert reported["Seres"]["2025Q1":"2025Q3"].tolist() == [0.748, 2.193, 2.371]
    assert (reported["BAIC"] < 0).all() and (reported["JAC"]["2025Q1":] < 0).all()
    assert middles(["2024Q1", "2025Q4"]).tolist() == [2024.125, 2025.875]


def test_the_partners_finding_compares_makers_with_accounts_of_their_own_in_the_quarters_both_have():
    reported, scope = reported_quarters(), reported_scope()
    simulated = reported.copy()
    simulated.loc[:, "Seres"], simulated.loc[:, "BAIC"] = 2.0, 1.0
    told = partners_finding(simulated.loc["2025Q2":], reported, scope)
    assert told.startswith(
        "From 2025Q2 to 2025Q3 Seres earns 2.0 bn CNY a quarter in the model and 2.3 by its accounts;"
    )
    assert "BAIC earns 1.0 bn CNY a quarter in the model and loses 1.2 by its accounts." in told
    assert "JAC" not in told


def test_partners_are_drawn_only_of_runs_with_a_quarter_that_was_reported(tmp_path):
    def written(run):
        return [path.stem for path in draw_all(run, tmp_path)]

    assert "partners" not in written(synthetic_run(0, "2024-01", "2024-02"))
    quarter = synthetic_run(0, "2024-01", "2024-04")
    assert "partners" in written(quarter)
    lines = [len(axes.get_lines()[1].get_xdata()) for axes in partners(quarter).axes]
    assert lines == [1] * 5


def test_a_market_without_partners_has_no_quarters_to_compare():
    accounts = synthetic_run(0, "2024-01", "2024-06").automakers
    for kept in (accounts["kind"] != "alliance_oem", accounts["automaker"] == "Chery"):  # Chery reported only 2025Q1
        few = SimpleNamespace(automakers=accounts[kept], switching=[1])
        assert EMPTY["partners"](few) and not EMPTY["switching"](few)
        with house_style():
            assert partners(few).get_suptitle().startswith("No whole quarter of this run")


def test_a_partner_that_stops_is_drawn_until_it_does():
    made = {name: dict(columns) for name, columns in record(0, "2024-01", "2024-12").items()}
    accounts = made["automakers"]
    kept = (np.array(accounts["automaker"]) != "JAC") | (np.array(accounts["month"]) < "2024-07")
    stopped = SimpleNamespace(automakers=pd.DataFrame({name: np.array(accounts[name])[kept] for name in accounts}))
    quarters = simulated_quarters(stopped)
    assert quarters["JAC"].notna().tolist() == [True, True, False, False] and quarters["Seres"].notna().all()
    with house_style():
        assert len(partners(stopped).axes) == 5


def one_brand(*years):
    """A market in which Alpha is sold in the given ways in each year from 2024 on, and Beta in one way throughout."""
    rows = [
        {"month": f"{2024 + year}-{month:02}", "automaker": maker, "brand": brand, "mode": mode, "platform": stack}
        for year, ways in enumerate(years)
        for month in range(1, 13)
        for maker, brand, sold in (("Alpha Motors", "Alpha", ways), ("Beta", "Beta", [("supplier", "none")]))
        for mode, stack in sold
    ]
    market = pd.DataFrame(rows)
    nobody = synthetic_run(0, "2024-01", "2024-06")
    return SimpleNamespace(
        market=market, decisions=nobody.decisions, exits=nobody.exits, base_month="2024-01", scenario=Scenario(),
        headline=pd.DataFrame({"month": sorted(market["month"].unique())}),
    )  # fmt: skip


def test_a_brand_is_coloured_by_its_way_month_by_month():
    run = one_brand(
        [("in_house", "Alpha")], [("inside", "huawei"), ("in_house", "Alpha")], [("alliance", "huawei")], []
    )
    ways = ways_sold(run)["Alpha Motors", "Alpha"]
    assert [ways.get(f"{year}-05", NOT_SOLD) for year in range(2024, 2028)] == [
        "in-house",
        "inside",
        "alliance",
        NOT_SOLD,
    ]
    with house_style():
        figure = modes(run)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Alpha (Alpha Motors)"]
    spans = {to_hex(bar.get_facecolor()).upper(): (bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches}
    expected = {"in-house": (2024, 2025), "inside": (2025, 2026), "alliance": (2026, 2027)}
    assert spans == {COLOURS[way_name]: pytest.approx(span) for way_name, span in expected.items()}


def test_brands_that_never_moved_and_never_met_the_leader_are_left_out():
    still = one_brand([("in_house", "Alpha")], [("in_house", "Alpha")])
    assert brands_drawn(still) == [] and EMPTY["modes"](still)
    moved = one_brand([("supplier", "momenta")], [("supplier", "none")])
    assert brands_drawn(moved) == [("Alpha Motors", "Alpha")] and not EMPTY["modes"](moved)
    member = one_brand([("alliance", "huawei")])
    assert brands_drawn(member) == [("Alpha Motors", "Alpha")]
    with house_style():
        assert modes(still).axes


def test_a_brand_that_chose_to_change_is_drawn_with_a_ring_and_a_stopped_maker_with_a_cross(run):
    exits = [{"month": "2030-03", "name": "BMW Brilliance", "event": "stopped"}]
    chose = with_tables(run, decisions=refused_then_joined(), exits=exits)
    assert {("SAIC", "Roewe"), ("BMW Brilliance", "BMW")} <= set(brands_drawn(chose))
    with house_style():
        figure = modes(chose)
        FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    marks = {
        (line.get_marker(), labels[round(float(line.get_ydata()[0]))], round(float(line.get_xdata()[0]), 2))
        for line in axes.get_lines()
        if line.get_marker() in ("o", "X") and len(line.get_xdata())
    }
    assert marks == {
        ("o", "IM (SAIC)", 2024.0), ("o", "Roewe (SAIC)", 2025.0), ("o", "BMW (BMW Brilliance)", 2026.0),
        ("X", "BMW (BMW Brilliance)", 2030.25),
    }  # fmt: skip
    assert figure.get_suptitle().replace("\n", " ") + "." == words.modes_finding(chose)


def test_a_figure_of_many_brands_says_how_many_it_leaves_out(run):
    rows = [
        row
        for number in range(40)
        for row in review("2024-01", f"M{number}", f"M{number}", way("none", "none", 1.0), way("inside", "huawei", 2.0))
    ]
    many = with_tables(run, decisions=rows)
    with house_style():
        figure = modes(many)
    assert len(figure.axes[0].get_yticks()) == 30
    assert f"{len(brands_drawn(many)) - 30} more brands are left out." in figure.get_supxlabel().replace("\n", " ")


def test_the_observed_record_has_the_alliance_and_the_penetration():
    assert observed("alliance", "HIMA", "nev_retail")[2025] == pytest.approx(588_549, rel=1e-3)
    assert 0.5 < observed("market", "market", "nev_penetration")[2025] < 0.6


@pytest.mark.parametrize("letter", ["i", "m", "W"])
def test_a_title_and_a_note_of_wide_letters_stay_on_the_page(letter):
    with house_style():
        figure, _ = new_figure(*[" ".join([9 * letter] * 40)] * 2)
        texts = [figure.get_suptitle(), figure.get_supxlabel()]
        ends = [text.get_window_extent().x1 for text in figure.texts]
    assert all(text.count("\n") for text in texts) and len(ends) == 2
    assert max(ends) < figure.bbox.x1


@pytest.mark.parametrize("count", [1, 2, 7, 19])
def test_labels_are_kept_apart_in_order_and_within_the_axes(count):
    heights = np.sort(np.random.default_rng(count).beta(0.3, 0.3, count))
    places = spread(heights, 0.05)
    assert (np.diff(places) >= 0.05 - 1e-12).all() and places[0] >= 0.0 and places[-1] <= 1.0


def test_labels_far_apart_stay_where_they_are():
    heights = np.array([0.1, 0.4, 0.9])
    assert spread(heights, 0.05) == pytest.approx(heights)


def test_labels_are_moved_no_more_than_the_least_squares_need():
    """Against scipy's solver of the same problem."""
    from scipy.optimize import minimize

    heights, gap = np.array([0.02, 0.03, 0.04, 0.5, 0.52]), 0.05
    gaps = {"type": "ineq", "fun": lambda places: np.diff(places) - gap}
    start = np.array([0.05, 0.15, 0.25, 0.45, 0.6])
    distance = lambda places: ((places - heights) ** 2).sum()  # noqa: E731
    best = minimize(distance, start, constraints=[gaps], bounds=[(0, 1)] * 5, tol=1e-12)
    assert spread(heights, gap) == pytest.approx(best.x, abs=1e-5)


def test_end_labels_stand_at_the_height_of_their_series_when_there_is_room():
    with house_style():
        figure, (axes,) = new_figure("Title", "Note")
        axes.set_ylim(0.0, 10.0)
        label_ends(axes, [("low", 1.0, "#000000"), ("high", 9.0, "#000000")])
    assert [text.xyann[1] for text in axes.texts] == pytest.approx([0.1, 0.9])


def test_a_comparison_draws_zero_at_month_zero_and_names_winner_and_loser(pairs, tmp_path):
    with house_style():
        figure = comparison(*pairs)
    for series in figure.axes[0].get_lines():
        x, y = np.asarray(series.get_xdata(), float), np.asarray(series.get_ydata(), float)
        if len(x) > 100:
            assert y[0] == pytest.approx(0.0, abs=1e-9)
    assert "BYD gains" in figure.get_suptitle() and "Seres loses" in figure.get_suptitle()
    assert [path.name for path in draw_comparison(*pairs, tmp_path)] == ["comparison.png", "comparison.svg"]


def test_a_comparison_of_one_pair_has_no_interval(pairs, tmp_path):
    draw_comparison(pairs[0][:1], pairs[1][:1], tmp_path)
    assert "[" not in words.comparison_finding(pairs[0][:1], pairs[1][:1])
    with pytest.raises(ValueError, match="seeds"):
        draw_comparison(pairs[0], pairs[1][:1], tmp_path)
