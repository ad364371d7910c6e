# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A sweep, plotted
#
# Many runs into a store that survives an interruption: stop the second cell and run the third one, and nothing is computed twice.

# %%
import tempfile

import evsim
from evsim.study import Execution, resume, tipping_line, tornado
from evsim.study.heat_map import Grid

SMALL = ["consumers.count=4000", "pricing=fixed", "modes=timeline", "market.lines=60", "end=2027-12"]
folder = tempfile.mkdtemp()  # "outputs" to keep it

# %%
store = evsim.sweep(
    "software.advantage_kcny=0,30,60,90",
    "subsidy.scale=0,1",
    *SMALL,
    replications=3,
    out=folder,
    execution=Execution(workers=2),
)
store

# %%
store = resume(store, Execution(workers=2))  # had it been interrupted, this would go on
runs = store.results()
runs[["software.advantage_kcny", "subsidy.scale", "seed", "alliance_share", "nev_penetration"]].head()

# %% [markdown]
# Mean and range over seeds of the alliance's share, by lever.

# %%
spread = 100 * runs.groupby(["subsidy.scale", "software.advantage_kcny"])["alliance_share"].agg(["mean", "min", "max"])
axes = spread["mean"].unstack(0).plot(marker="o", ylabel="alliance's share of sales, %")
for _, rows in spread.groupby(level=0):
    axes.fill_between(rows.index.get_level_values(1), rows["min"], rows["max"], alpha=0.15)

# %% [markdown]
# The same in words, with every analysis that the design allows:

# %%
evsim.analyse(store, {"alliance_share": ""}, only=["heat_map", "tornado"])

# %% [markdown]
# The analyses are plain functions on frames, and so work on any table of runs.

# %%
threshold = float(runs["alliance_share"].mean())
tipping_line(runs, Grid("software.advantage_kcny", "subsidy.scale", "alliance_share"), threshold)

# %%
tornado(runs, "alliance_share", ["software.advantage_kcny", "subsidy.scale"])
