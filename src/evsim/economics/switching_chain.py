"""Consumers who buy again and again with brand loyalty and platform lock-in: a Markov chain over products.

Given that a consumer of type i who owns product j buys, it buys k with the logit probability of

    U_jk = δ_ik + κ_i 1{platform of k = platform of j} + ι_i 1{brand of k = brand of j}

and a household new to the market, which owns nothing, with that of δ_ik. After each purchase a share ν of households leaves and
as many come anew. Lock-in has its full strength: it does not build up with tenure, as it may in the market model. Every type
buys equally often.

The gain from j to k is that from k to j, so with ν = 0 the chain is reversible, and its stationary law is known:

    π_ij ∝ exp(δ_ij) Σ_k exp U_jk

An observer who sees only what was bought before and what is bought now takes for lock-in whatever makes people repeat. Here it
is known how much of that is taste: types differ, and buy the same again because they like the same.

Source: Heckman (1981), in Studies in Labor Markets, on state dependence and taste; Dubé, Hitsch & Rossi (2010), RAND Journal of
Economics 41(3); Kelly (1979), Reversibility and Stochastic Networks, section 1.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from evsim.economics.choice import choice_probabilities, inclusive_value, normalised_weights, utility_table


@dataclass(frozen=True)
class SwitchingChain:
    """Who chooses among what, and how strongly what they own holds them."""

    mean_utility: np.ndarray  # δ, [N, J] or [J], utils without state dependence, by type; −inf: not on offer
    brand: np.ndarray  # [J], codes; −1: none, no loyalty
    platform: np.ndarray  # [J], codes; −1: no ecosystem, no lock-in
    switching_cost: np.ndarray | float = 0.0  # κ, scalar or [N], utils: gain of staying on the platform
    brand_loyalty: np.ndarray | float = 0.0  # ι, scalar or [N], utils: gain of staying with the brand
    weights: np.ndarray | None = None  # [N], of the types; None: all alike; normalised to sum to 1
    turnover: float = 0.0  # ν, fraction of households that leave after a purchase, in [0, 1]

    def __post_init__(self):
        utility = utility_table(np.atleast_2d(np.asarray(self.mean_utility, dtype=float)), "mean_utility")
        if not np.isfinite(utility.max(axis=1)).all():
            raise ValueError("mean_utility must leave every type of consumer something on offer")
        weights = normalised_weights(self.weights, len(utility))
        if (utility[weights > 0].max(axis=0) == -np.inf).any():
            raise ValueError("mean_utility must let somebody buy every product: leave out those that nobody can")
        if not 0 <= self.turnover <= 1:
            raise ValueError(f"turnover={self.turnover} must be a fraction, in [0, 1]")
        object.__setattr__(self, "mean_utility", utility)
        object.__setattr__(self, "weights", weights)
        for name in ("brand", "platform"):
            object.__setattr__(self, name, _group_codes(getattr(self, name), utility.shape[1], name))
        for name in ("switching_cost", "brand_loyalty"):
            gain = np.asarray(getattr(self, name), dtype=float)
            if gain.shape not in ((), (len(utility),)) or not np.isfinite(gain).all():
                raise ValueError(f"{name} must be finite, a number or one for each of {len(utility)} types")
            object.__setattr__(self, name, np.broadcast_to(gain, len(utility)))

    @property
    def utility(self) -> np.ndarray:
        """U, `[N, J, J]`, utils: row j, what an owner of j has from each product."""
        held = np.asarray(self.switching_cost)[:, None, None] * _same(self.platform)
        return self.mean_utility[:, None, :] + held + np.asarray(self.brand_loyalty)[:, None, None] * _same(self.brand)


def transition_matrix(chain: SwitchingChain) -> np.ndarray:
    """Chance that an owner of j who buys takes k, P, `[N, J, J]`; rows sum to 1."""
    utility = chain.utility
    return choice_probabilities(utility.reshape(-1, utility.shape[-1]), -np.inf).reshape(utility.shape)


def newcomer_law(chain: SwitchingChain) -> np.ndarray:
    """Chance that a consumer who owns nothing takes each product, P⁰, `[N, J]`."""
    return choice_probabilities(chain.mean_utility, -np.inf)


def stationary_law(chain: SwitchingChain) -> np.ndarray:
    """What each type owns in the long run, π, `[N, J]`; rows sum to 1.

        ν = 0: π_ij ∝ exp(δ_ij) Σ_k exp U_jk;   ν > 0: π = ν P⁰ (I − (1 − ν) P)^(−1)

    Args:
        chain: `SwitchingChain`.
    """
    if chain.turnover == 0:
        utility = chain.utility
        worth = inclusive_value(utility.reshape(-1, utility.shape[-1]), -np.inf).reshape(chain.mean_utility.shape)
        return choice_probabilities(chain.mean_utility + worth, -np.inf)
    stayers = (1.0 - chain.turnover) * transition_matrix(chain)
    flow = np.eye(stayers.shape[-1]) - np.swapaxes(stayers, 1, 2)
    law = chain.turnover * np.linalg.solve(flow, newcomer_law(chain)[:, :, None])[:, :, 0]
    return law / law.sum(axis=1, keepdims=True)


def stationary_shares(chain: SwitchingChain) -> np.ndarray:
    """Share of each product in what is owned and, as all buy equally often, in what is sold: s, `[J]`."""
    return chain.weights @ stationary_law(chain)


def churn_matrix(chain: SwitchingChain, groups) -> np.ndarray:
    """Of the owners in each group who buy again, the fraction that goes to each group.

        C_ab = Σ_i w_i Σ_{j ∈ a} π_ij Σ_{k ∈ b} P_ijk / Σ_i w_i Σ_{j ∈ a} π_ij

    Args:
        chain: `SwitchingChain`.
        groups: `[J]`, whole numbers: `chain.brand`, `chain.platform`, or any other. Rows are in the order of
            `np.unique(groups)`, and −1 is a group like any other.
    Returns:
        C, `[G, G]`; rows sum to 1, the diagonal is retention.
    """
    return _measures(chain, groups)[1]


@dataclass(frozen=True)
class RepeatPurchase:
    """How often buyers stay, what an observer makes of it, and what it really is. Fractions."""

    groups: np.ndarray  # [G], the codes
    shares: np.ndarray  # [G], of what is owned and sold
    retention: np.ndarray  # [G]: of a group's owners who buy, those that buy there again
    unattached: np.ndarray  # [G]: what the same owners' chance to buy there were if they owned nothing

    @property
    def repeat(self) -> float:
        """Of all purchases by owners, those in the group already owned: Σ_g s_g R_g."""
        return float(self.shares @ self.retention)

    @property
    def naive_excess(self) -> float:
        """Repeat purchase beyond the groups' shares, Σ_g s_g (R_g − s_g): what is seen from outside."""
        return float(self.shares @ (self.retention - self.shares))

    @property
    def state_dependence(self) -> float:
        """Repeat purchase beyond the same owners' chance had they owned nothing: what owning does."""
        return float(self.shares @ (self.retention - self.unattached))

    @property
    def taste(self) -> float:
        """The rest of the naive excess: owners like their group better than others do, and would buy it anyhow."""
        return float(self.shares @ (self.unattached - self.shares))


def repeat_purchase(chain: SwitchingChain, groups) -> RepeatPurchase:
    """Retention by group, and the excess of repeat purchase over share split into state dependence and taste.

    With one type of consumers and platforms that are alike, state dependence is λ (1 − 1/G) and taste is 0.

    Args:
        chain: `SwitchingChain`; groups: as in `churn_matrix`.
    """
    names, churn, owners, member = _measures(chain, groups)
    chances = newcomer_law(chain) @ member
    shares = owners.sum(axis=(0, 1))
    unattached = np.einsum("ijg,ig->g", owners, chances) / shares
    return RepeatPurchase(names, shares, np.diag(churn).copy(), unattached)


def expected_tenure(chain: SwitchingChain, groups, months_between_purchases):
    """Mean length of a household's unbroken stay in each group, from when it comes to when it leaves, `[G]`, months.

        months / (1 − (1 − ν) R_g)

    A spell ends with a purchase elsewhere or when the household leaves the market; each spell counts once. inf where nobody
    ever leaves.

    Args:
        chain: `SwitchingChain`; groups: as in `churn_matrix`.
        months_between_purchases: mean, positive.
    """
    months = _positive_months(months_between_purchases)
    churn = churn_matrix(chain, groups)
    away = np.where(np.eye(len(churn)) == 1, 0.0, churn).sum(axis=1)  # 1 − R, without rounding where it is 0
    ends = chain.turnover + (1.0 - chain.turnover) * away
    return np.divide(months, ends, out=np.full(len(ends), np.inf), where=ends > 0)


def remaining_tenure(chain: SwitchingChain, groups, months_between_purchases):
    """Mean months until those who have just bought in a group leave it, each buyer of the long run counting once, `[G]`.

        months · Σ_i w_i π_ig (I − (1 − ν) P_gg)^(−1) 1 / Σ_i w_i π_ig 1

    It exceeds `expected_tenure` where consumers or products of a group differ: the loyal make up more of the owners than of
    those who come. inf where somebody never leaves.

    Args:
        chain: `SwitchingChain`; groups: as in `churn_matrix`.
        months_between_purchases: mean, positive.
    """
    months = _positive_months(months_between_purchases)
    names, _, owners, member = _measures(chain, groups)
    stay = (1.0 - chain.turnover) * transition_matrix(chain)
    purchases = np.empty(len(names))
    for g in range(len(names)):
        own, other = np.flatnonzero(member[:, g]), np.flatnonzero(member[:, g] == 0)
        types = np.flatnonzero(owners[:, own, g].sum(axis=1))
        if chain.turnover == 0 and (stay[types][:, own][:, :, other].sum(axis=(1, 2)) == 0).any():
            purchases[g] = np.inf
            continue
        inside = np.eye(len(own)) - stay[types][:, own][:, :, own]
        lengths = np.linalg.solve(inside, np.ones((len(types), len(own), 1)))[:, :, 0]
        held = owners[types][:, own, g]
        purchases[g] = (held * lengths).sum() / held.sum()
    return months * purchases


def owner_rents(chain: SwitchingChain, margins, discount) -> np.ndarray:
    """What an owner of each product is worth to each firm beyond what the same consumer, owning nothing, would be.

        R_fj = Σ_{t ≥ 1} β^t (1 − ν)^t ((P^t)_j − P⁰ P^(t−1)) m_f

    With automakers' margins and the platform leader's fees as rows it splits the rent of lock-in between brands and platform.
    The other side owns nothing; what a firm loses when a rival makes a sale instead is more, as the rival's owner is bound too.
    Prices are given: what firms pay for customers beforehand is not taken off (`customer_prices`, `switching`).

    Args:
        chain: `SwitchingChain`; owners' types are those of the long run, π.
        margins: m, `[F, J]`, kCNY per car: what each firm earns when product j is sold.
        discount: β per time between purchases, in [0, 1]; β (1 − ν) must be below 1.
    Returns:
        R, `[F, J]`, kCNY per owner.
    Raises:
        ValueError: margins of another shape, or a discount outside its range.
    """
    n_products = chain.mean_utility.shape[1]
    margins = np.asarray(margins, dtype=float)
    if margins.ndim != 2 or margins.shape[1] != n_products or not np.isfinite(margins).all():
        raise ValueError(f"margins must be finite, firms by {n_products} products")
    weight = discount * (1.0 - chain.turnover)
    if not (0 <= discount <= 1 and weight < 1):
        raise ValueError(f"discount={discount} must be in [0, 1], and below 1 where turnover is 0")
    values = np.linalg.solve(np.eye(n_products) - weight * transition_matrix(chain), margins.T[None])  # [N, J, F]
    newcomer = weight * np.einsum("ij,ijf->if", newcomer_law(chain), values)
    rents = values - margins.T - newcomer[:, None, :]
    owners = np.asarray(chain.weights)[:, None] * stationary_law(chain)
    return np.einsum("ij,ijf->fj", owners / owners.sum(axis=0), rents)


def _group_codes(codes, n_products, name="groups"):
    """Codes of products as whole numbers, `[J]`.

    Raises:
        ValueError: not one whole number, −1 or more, for each product.
    """
    codes = np.asarray(codes)
    if codes.shape != (n_products,) or not (codes == np.floor(codes)).all() or (codes < -1).any():
        raise ValueError(f"{name} must be a whole number, -1 or more, for each of {n_products} products")
    return codes.astype(np.int64)


def _same(codes):
    """Whether two products have the same code, `[J, J]`; −1 is nobody's."""
    return (codes[:, None] == codes) & (codes[:, None] >= 0)


def _measures(chain, groups):
    """The groups' codes `[G]`, their churn `[G, G]`, owners by type, product and group `[N, J, G]`, and members `[J, G]`."""
    groups = _group_codes(groups, chain.mean_utility.shape[1])
    names = np.unique(groups)
    member = (groups[:, None] == names).astype(float)
    owners = (chain.weights[:, None] * stationary_law(chain))[:, :, None] * member
    bought = transition_matrix(chain) @ member
    churn = np.einsum("ijg,ijh->gh", owners, bought) / owners.sum(axis=(0, 1))[:, None]
    return names, churn, owners, member


def _positive_months(months):
    if not 0 < months < math.inf:
        raise ValueError(f"months_between_purchases={months} must be positive and finite")
    return months
