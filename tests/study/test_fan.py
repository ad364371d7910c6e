"""Fan charts: paths as the panel has them, quantiles as pandas has them."""

import numpy as np
import pandas as pd
import pytest
from study.studies import at_once

from evsim.errors import BadRequest
from evsim.study import Plan, design_of
from evsim.study.fan import MONTHS, PARTS, fan_quantiles


def test_paths_are_the_panels_by_month_and_run(tmp_path):
    design = design_of("subsidy.scale=0,1", plan=Plan(replications=3, keep="panel"), outcomes=["alliance_share"])
    store = at_once(tmp_path, design, "tipping")
    months, paths = store.paths("alliance_share")
    panel = store.panel("months", ["month", "alliance_share"])
    expected = panel.pivot(index="month", columns="run", values="alliance_share")
    assert months == list(expected.index) and np.array_equal(paths, expected.to_numpy())
    with pytest.raises(BadRequest, match="outlay is not kept by month"):
        store.paths("outlay")


@pytest.mark.parametrize("holes", [False, True])
def test_quantiles_are_pandas_of_means_of_twelve_months(holes):
    generator = np.random.default_rng(3)
    paths = generator.random((30, 50))
    if holes:
        paths[generator.random(paths.shape) < 0.05] = np.nan
    months = [f"{2024 + at // 12}-{at % 12 + 1:02d}" for at in range(30)]
    expected = pd.DataFrame(paths, months).rolling(MONTHS, min_periods=1).mean().quantile(PARTS, axis=1).T
    assert fan_quantiles(months, paths).to_numpy() == pytest.approx(expected.to_numpy())
