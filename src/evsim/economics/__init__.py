"""The model's equations: pure functions on arrays, each to be held against a textbook.

Nothing here knows an agent, a file, a clock or a random number, and nothing is imported until a module is asked for by
name (`from evsim.economics import choice`). The symbols of the docstrings and the names of the code:

| Symbol | Name | Shape | Unit |
| --- | --- | --- | --- |
| i, j, k, l | consumer, product (`n_consumers`, `n_products`) | N, J | |
| f | firm: whoever sets a price or earns from a sale | F | |
| U, V, δ | `utility`; before price; `mean_utility` | `[N, J]`, `[N, J]`, `[J]` | utils; the outside good is 0 |
| α | `price_sensitivity` | `[N]` | utils per kCNY, positive |
| w | `weights`: what a row of consumers stands for | `[N]` | any; normalised to sum to 1 |
| P | `probabilities` | `[N, J]` | fraction |
| s, s₀ | `shares`, `outside_share` | `[J]`, scalar | fraction of the potential market |
| p | `prices`: posted, VAT included | `[J]` | kCNY per vehicle |
| q, q' | `buyer_prices`: after tax and subsidy; their slope dq/dp | `[J]` | kCNY per vehicle; kCNY per kCNY |
| c | `marginal_costs` | `[J]` | kCNY per vehicle |
| A, B, F | `revenue_weights`, `cost_weights`, `payments` | `[F, J]` | fraction, fraction, kCNY per vehicle |
| m | `margins`: A p − B c − F, what firm f earns on a sale of j | `[F, J]` | kCNY per vehicle |
| Λ, Γ | Σ_i w_i α_i P_ij and Σ_i w_i α_i P_ij P_ik: ∂s_k/∂q_j = Γ_jk − Λ_j δ_jk | `[J]`, `[J, J]` | per kCNY |
| ζ | the price map of Morrow and Skerlos, whose fixed point is Bertrand–Nash | `[J]` | kCNY per vehicle |
| H | `ownership` | `[J, J]` | 0 to 1 |
| ∂s/∂p | `share_jacobian`: the row is the price that moves | `[J, J]` | per kCNY |
| CS | `consumer_surplus` | `[N]` | kCNY |
| | `hhi` | scalar | points, 0 to 10 000 |
| r, w, m | in contracts: `revenue_share`, `unit_fee`, `parts_cost` | `[J]` | fraction, kCNY per vehicle |
| κ, ι, γ | `switching_cost`, `brand_loyalty`, `staying_gain` | scalar | utils |
| θ, N, N₀ | `network_effect`, `installed_base`, `network_scale` | scalar | utils per log point, cars |
| ρ, h, v, W | `overdue_cost`, hazard 1/`pause`, `visits`, `waiting` | `[N]` | utils a month, per month, 1, months |
| σ_g | `correlation` of tastes inside a nest | `[G]` | fraction |
| π | `Belief.mean`: chance that building a stack succeeds | scalar | fraction |
"""
