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
# # Lock-in, explained
#
# Owners of an ecosystem's car buy it again more often than its share says. Part of that is taste: they liked it before they owned
# it. The rest is lock-in: they stay *because* they own it. An observer of sales sees only the sum; the model knows both.

# %%
import numpy as np

import evsim
from evsim.economics.lock_in import compensating_price
from evsim.economics.network_loop import AlikePlatforms, opening_network_effect

SMALL = ["consumers.count=6000", "pricing=fixed", "modes=timeline", "market.lines=60", "end=2027-12",
         "consumers.reference_size=3000", "pricing.survey_size=1500"]  # fmt: skip

# %%
kit = evsim.lock_in(evsim.load("baseline", *SMALL), replications=3, parts=("owners",))
for name in ("repeat_purchase", "naive_excess", "state_dependence", "taste", "compensating_price", "lock_in_price"):
    print(kit[name].sentence)

# %% [markdown]
# ## The price of an owner
#
# An owner whose own car is $d$ utils ahead of the best rival, and who gains $\kappa$ by staying, leaves for a payment that is
# on the mean $E \ln(1 + e^{d + \kappa}) / \alpha$. What lock-in adds is the difference to $\kappa = 0$:

# %%
alpha, lead = 0.03, -1.0  # utils per kCNY; utils
for kappa in (0.0, 0.5, 1.0, 2.0):
    price = float(np.mean(compensating_price(lead, kappa, alpha)))
    print(f"κ = {kappa:.1f}: {price:5.1f} kCNY")

# %%
law = kit.compensation
axes = 100 * law.pivot(index="price", columns="lock_in", values="share")
axes = axes.plot(xlabel="payment, kCNY", ylabel="owners who leave both stack and brand, %")

# %% [markdown]
# ## When it tips
#
# κ alone slows the market and leaves one rest point. With a network effect θ on the installed base $N$ there can be several:
# alike platforms leave the symmetric state where $\theta N/(N + N_0)$ exceeds a threshold that κ lowers.

# %%
for kappa in (0.0, 0.5, 1.0, 2.0):
    alike = AlikePlatforms(network_effect=0.0, installed_base=10e6, network_scale=1e6, switching_cost=kappa)
    print(f"κ = {kappa:.1f}: a loop opens from θ = {opening_network_effect(alike):.2f}")
