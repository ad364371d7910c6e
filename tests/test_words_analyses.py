"""Words of analyses: digits and units that a reader wants, rules as they are typed."""

from types import SimpleNamespace

import pandas as pd
import pytest

from evsim.study.discover import Box, Limit
from evsim.study.outcomes import OUTCOMES
from evsim.words import analyses as said
from evsim.words import outcomes as names

SHARE = SimpleNamespace(outcome="alliance_share", unit="fraction", direction="maximise")
NAN = float("nan")


def test_every_outcome_has_a_name():
    assert set(OUTCOMES) <= set(names.OUTCOMES)
    assert names.outcome_name("alliance_share_2030") == "the alliance's share in 2030"
    assert names.outcome_name("outlay_total") == "the state's outlay over the whole run"
    assert names.outcome_name("automaker_share.BYD") == "BYD's share"
    assert names.outcome_name("platform_share.huawei") == "Huawei's share of platforms"
    assert names.outcome_name("something_else") == "something_else"


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (0.052, 0.0491, 0.055, "fraction", "5.2 points [4.91, 5.5]"),
        (-0.052, NAN, NAN, "fraction", "-5.2 points"),
        (376.4e6, 375e6, 378e6, "kCNY", "376 bn CNY [375, 378]"),
        (-849_000.0, -2.84e6, 1.12e6, "kCNY", "-0.85 bn CNY [-2.84, 1.12]"),
        (-1.25, NAN, NAN, "kCNY", "-1.25 kCNY"),
        (1.3e6, NAN, NAN, "cars", "1.3 million cars"),
        (0.0, 0.0, 0.0, "points", "0 points [0, 0]"),
        (1490e6, 1460e6, 1520e6, "kCNY", "1,490 bn CNY [1,460; 1,520]"),
    ],
)
def test_a_change_has_its_unit_and_interval(value, low, high, unit, text):
    assert names.change(value, low, high, unit) == text


def test_a_box_is_a_plain_rule():
    limits = {
        "software.advantage_kcny": Limit(low=31.04), "subsidy.scale": Limit(high=0.4), "scenario": Limit(names=("a", "b")),
        "lock_in.switching_cost": Limit(0.5, 1.5), "alliance.members": Limit(3.0, 3.0),
    }  # fmt: skip
    assert said.box_rule(limits) == (
        "software.advantage_kcny from 31 up, subsidy.scale up to 0.4, scenario a or b, lock_in.switching_cost from 0.5 to 1.5 "
        "and alliance.members 3"
    )
    sentence = said.box_sentence(SHARE, Box({"subsidy.scale": Limit(high=0.4)}, 0.62, 0.87, 0.2), 0.15)
    assert sentence == (
        "subsidy.scale up to 0.4: 87.0 % of these worlds have the alliance's share at 15.0 % or more, and they are 62.0 % of all "
        "such worlds."
    )


def test_the_caption_says_which_keys_are_levers_and_which_structure():
    note = names.roles_note(
        {"subsidy.scale": "lever", "lock_in.switching_cost": "structure", "scenario": "alternative"}
    )
    assert note == (
        "subsidy.scale is a lever and acts from month 1 on the market as it was calibrated without it. lock_in.switching_cost is "
        "structure: each value is calibrated anew to the same table. scenario is a choice between alternatives."
    )
    assert names.roles_note(dict.fromkeys("abcdef", "structure")).startswith("6 keys are structure")


def test_a_line_is_told_row_by_row_with_limits_off_the_grid():
    line = pd.DataFrame(
        {"y": [0.0, 1.0, 2.0], "x": [31.04, NAN, 12.0], "low": [28.0, NAN, float("-inf")], "high": [35.0, NAN, 14.0]}
    ).assign(crossings=[1, 0, 3])
    assert said.tipping_sentences(line, ("x", "y")) == [
        "At y=0 it crosses where x is 31 [28, 35].",
        "At y=1 it does not cross.",
        "At y=2 it crosses where x is 12 [off the grid, 14], and crosses 3 times in all.",
    ]
    assert said.tipping_finding(SHARE, line, ("x", "y"), 0.2) == (
        "The alliance's share passes 20.0 % at x=31 where y=0, and at 12 where it is 2"
    )
    assert said.tipping_finding(SHARE, line, ("x", "y"), 0.2, "z=3").endswith("and at 12 where it is 2 (z=3)")
    vague = line.assign(low=float("-inf"), high=float("inf"))
    assert said.tipping_finding(SHARE, vague, ("x", "y"), 0.2) == (
        "Where the alliance's share passes 20.0 % cannot be told from so few seeds: it may be anywhere on the grid"
    )
    assert said.tipping_sentences(vague, ("x", "y"))[0] == "At y=0 it cannot be told where it crosses."
    nowhere = line.assign(x=NAN)
    assert (
        said.tipping_finding(SHARE, nowhere, ("x", "y"), 0.2)
        == "The alliance's share crosses 20.0 % nowhere on the grid"
    )
