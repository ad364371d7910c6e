"""Figures of analyses: titles state findings, axes have units, nothing leaves the page, colours say what tables say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.contour import QuadContourSet
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from study.studies import at_once

from evsim.report.figures.analyses import PART_FIGURES, draw_analysis
from evsim.report.figures.choices import _two_keys
from evsim.report.figures.indices import VAGUE, tornado
from evsim.report.figures.style import house_style
from evsim.study import Plan, analyse, design_of
from evsim.study.analysis import Part, Subject
from evsim.words.outcomes import key_label

WORLDS = (
    "lock_in.switching_cost=interval(0,2)",
    "subsidy.scale=interval(0,2)",
    "software.advantage_kcny=interval(0,60)",
)
GRID = ("subsidy.scale=0,0.5,1,1.5", "software.advantage_kcny=range(0,70,10)")
MIX = ("scenario=baseline,price_war", "software.advantage_kcny=0,30,60", WORLDS[0])
STUDIES = {
    "heat_map": (GRID, {"replications": 5}),
    "sobol": (WORLDS, {"sampler": "sobol", "samples": 16}),
    "morris": (WORLDS, {"sampler": "morris", "samples": 10}),
    "tornado": (MIX, {"sampler": "lhs", "samples": 15}),
    "boxes": (WORLDS, {"sampler": "lhs", "samples": 90}),
    "regret": (MIX, {"sampler": "lhs", "samples": 15}),
    "fan": (GRID, {"replications": 2, "keep": "panel"}),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    found = {}
    for name, (words, plan) in STUDIES.items():
        design = design_of(*words, plan=Plan(**plan), outcomes=["alliance_share"])
        store = at_once(tmp_path_factory.mktemp(name), design, "tipping")
        found[name] = analyse(store, {"alliance_share": "maximise"}, only=[name])
    return found


@pytest.mark.parametrize("name", PART_FIGURES)
def test_a_figure_states_its_finding_has_units_and_stays_on_the_page(parts, name):
    part = parts[name][name]
    with house_style():
        figure = PART_FIGURES[name](part)
        FigureCanvasAgg(figure).draw()
    title = figure.get_suptitle().replace("\n", " ")
    assert title == part.finding and len(title) > 30
    assert any(axes.get_xlabel() or axes.get_ylabel() for axes in figure.axes)
    if "roles" in part.about:
        assert "lever" in figure.get_supxlabel() and "act" in figure.get_supxlabel()
    texts = [
        *figure.texts,
        *(text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)),
    ]
    for text in texts:
        box = Text.get_window_extent(text)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text.get_text()


@pytest.mark.parametrize(("name", "where"), [("heat_map", "xy"), ("boxes", "xy"), ("sobol", "y"), ("tornado", "y")])
def test_keys_beside_axes_are_told_in_words_and_named_beside_or_below(parts, name, where):
    part = parts[name][name]
    with house_style():
        figure = PART_FIGURES[name](part)
        FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    ticks = [text.get_text().replace("\n", " ") for text in axes.get_yticklabels()]
    labels = [axes.get_xlabel(), axes.get_ylabel()] if where == "xy" else ticks
    assert "Alliance's quality less the sales-weighted mean of independents' stacks in month 1, kCNY" in " ".join(
        labels
    )
    named = figure.get_supxlabel().replace("\n", " ") if where == "xy" else " ".join(ticks)
    assert ("Across: " in named) == (where == "xy") and "software.advantage_kcny" in named


def test_a_key_beside_an_axis_is_its_meaning_without_additions_and_its_unit():
    assert key_label("a.b", "the fall (κ); none: never", "utils", 40) == "Fall, utils"
    assert key_label("a.b", "Weibull shape", "1", 40) == "Weibull shape"
    assert key_label("a.b", "from this month (YYYY-MM) all are level", "month", 40) == "From this month all are level"
    assert key_label("scenario", "", "", 40) == "scenario"


def test_figures_are_the_same_bytes_every_time(parts, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        draw_analysis(parts["heat_map"], tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["alliance_share-heat_map.png", "alliance_share-heat_map.svg"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_bars_whose_interval_crosses_zero_are_grey_and_the_largest_is_on_top():
    table = pd.DataFrame(
        {
            "key": ["a.one", "b.two", "c.three"], "from": [0, 0, 0], "to": [1, 1, 1], "at_from": [0.1] * 3, "at_to": [0.3] * 3,
            "swing": [0.2, -0.1, 0.05], "low": [0.1, -0.15, -0.01], "high": [0.3, -0.05, 0.11], "clear": [True, True, False],
        }
    )  # fmt: skip
    about = {"roles": "", "units": {}, "base": None}
    part = Part("tornado", Subject("alliance_share", "fraction", ""), "A finding", [], {"swings": table}, about)
    (axes,) = tornado(part).axes
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars] == pytest.approx([5.0, -10.0, 20.0])
    assert [to_hex(bar.get_facecolor()).upper() == VAGUE for bar in bars] == [True, False, False]
    assert axes.get_xlabel().endswith("points")


def test_the_heat_map_draws_the_line_where_the_means_cross_the_threshold(parts):
    part = parts["heat_map"]["heat_map"]
    with house_style():
        axes = PART_FIGURES["heat_map"](part).axes[0]
    contours = [each for each in axes.collections if isinstance(each, QuadContourSet)]
    line = next(each for each in contours if list(each.levels) == [part.about["threshold"]])
    corners = line.get_paths()[0].vertices
    corners = corners[np.argsort(corners[:, 1])]
    told = part.tables["line"]
    x = np.interp(told[part.about["keys"][1]], corners[:, 1], corners[:, 0])
    assert x == pytest.approx(told[part.about["keys"][0]].to_numpy(), abs=1e-6)


def test_the_frame_of_the_box_holds_the_points_that_the_box_holds(parts):
    part = parts["boxes"]["boxes"]
    with house_style():
        axes = PART_FIGURES["boxes"](part).axes[0]
    frame = next(patch for patch in axes.patches if isinstance(patch, Rectangle))
    keys = _two_keys(part)
    box, points = part.about["boxes"][0], part.tables["points"]
    limits = {key: limit for key, limit in box.limits.items() if key in keys}
    held = np.logical_and.reduce([limit.holds(points[key]) for key, limit in limits.items()])
    framed = points[keys[0]].between(frame.get_x(), frame.get_x() + frame.get_width()) & points[keys[1]].between(
        frame.get_y(), frame.get_y() + frame.get_height()
    )
    assert np.array_equal(held, framed)
