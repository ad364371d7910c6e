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
# # A first look
#
# One scenario, one seed: what a run gives, what its tables are, and what changes with one lever. The market is kept small
# here, so that every cell answers in seconds; leave `SMALL` out for the real size.

# %%
import evsim

SMALL = ["consumers.count=20000", "pricing=best_response", "modes=timeline", "end=2028-12"]

# %%
scenario = evsim.load("baseline", *SMALL)
run = evsim.run(scenario, seed=0)
run

# %% [markdown]
# Tables are pandas frames. `.attrs` tells units and meanings; `run.tables` has them all.

# %%
run.headline[["month", "units", "alliance_share", "nev_penetration", "mean_price", "co2"]].tail(3)

# %%
{name: run.headline.attrs["descriptions"][name] for name in ("alliance_share", "mean_price", "co2")}

# %% [markdown]
# Shares of platforms by year, drawn with pandas.

# %%
cars = run.market[run.market["month"] > run.base_month].assign(year=lambda table: table["month"].str[:4])
by_platform = cars.pivot_table(index="year", columns="platform", values="units", aggfunc="sum")
shares = 100 * by_platform.div(by_platform.sum(axis=1), axis=0)
axes = shares[shares.iloc[-1].nlargest(6).index].plot(ylabel="share of cars delivered, %", xlabel="")

# %% [markdown]
# ## One lever
#
# The same seed means the same draws, so the difference is what the lever does.

# %%
stronger = evsim.run(evsim.load("baseline", "software.advantage_kcny=60", *SMALL), seed=0)
{name: round(stronger.final_shares()["kind"][name] - share, 4) for name, share in run.final_shares()["kind"].items()}

# %% [markdown]
# ## Who gains
#
# The accounts of both runs, and who has what of one yuan of support for new-energy cars.

# %%
from evsim.economics.welfare import incidence

without = evsim.run(evsim.load("baseline", "subsidy.timeline=none", *SMALL), seed=0)
found = incidence(run.welfare(), without.welfare())
{"households": round(float(found.buyers.sum()), 2), "makers": round(float(found.makers.sum()), 2),
 "leader": round(found.leader, 2), "state, in taxes": round(found.state, 2)}  # fmt: skip

# %%
fifths = run.households.groupby("income_group")[["surplus", "benefits"]].sum() / 1e6
fifths.rename_axis("fifth by income").round(1)  # bn CNY
