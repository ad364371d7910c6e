"""Nested logit, one level, the outside good alone: shares, surplus, derivatives, prices, and its inversion.

Products of a nest g are closer to one another than to the rest, by σ_g in [0, 1); σ = 0 is the plain logit. Consumer i
(all alike, or a few types with weights) chooses a nest, then a product in it:

    P_j|g = exp(U_j / (1 − σ_g) − log D_g),   D_g = Σ_{k in g} exp(U_k / (1 − σ_g)),   I_g = (1 − σ_g) log D_g,
    P_g = exp(I_g) / (exp U_0 + Σ_h exp I_h),   P_j = P_g P_j|g,   U_ij = V_ij − α_i p_j

The derivative of shares has the shape of the mixed logit's, ∂s_k/∂p_j = Γ_jk − Λ_j δ_jk, with

    Λ_j = Σ_i w_i α_i P_ij / (1 − σ_g),   Γ_jk = Σ_i w_i α_i (P_ij P_ik + 1{same nest} σ_g / (1 − σ_g) P_ij P_ik|g)

so that the price map of Morrow and Skerlos carries over: m_j ← (s_j + Σ_k H_jk Γ_jk m_k) / Λ_j = ζ_j − c_j, m = p − c,
H_jk the weight of product k's profit for whoever sets the price of j (H_jj = 1). A step is short where σ is near 1, and
that keeps rivals of one nest from circling; where the direction stays, the search lengthens it. (Tried and refused: the
nest's part of Γ on the left as well; steps are then as long as in the plain logit, and circle from σ = 0.95 on.)

Each row is homogeneous in the P_ij of its product, taken relative to its likeliest buyer's, so that faint products count.

Source: McFadden (1978); Berry (1994), RAND Journal 25(2); Train (2009), chapter 4; Morrow & Skerlos (2011).
"""

from dataclasses import dataclass

import numpy as np

from evsim.economics.choice import positive_sensitivity
from evsim.economics.price_game import Demand
from evsim.economics.price_search import PriceSolution, krylov

FEWEST, MOST = 4, 64  # ζ steps between attempts at a Newton step, doubled after each that fails
COMPLEX_STEP = 1e-30  # an imaginary price change so small that its square is nothing: exact derivatives


@dataclass(frozen=True)
class Nests:
    """Which products are close substitutes, and how close."""

    nest: np.ndarray  # g, [J], whole numbers from 0, every number in use
    correlation: np.ndarray  # σ, [G], fraction in [0, 1); a number: the same in all nests

    def __post_init__(self):
        nest = np.array(self.nest, ndmin=1)
        if nest.dtype.kind not in "iu" or nest.ndim != 1 or set(nest.tolist()) != set(range(int(nest.max()) + 1)):
            raise ValueError("nest must give each product a whole number from 0, without gaps")
        correlation = np.array(self.correlation, dtype=float)
        if correlation.ndim and correlation.shape != (nest.max() + 1,):
            raise ValueError(f"correlation must be a number or have one entry for each of {nest.max() + 1} nests")
        if not ((correlation >= 0) & (correlation < 1)).all():
            raise ValueError("correlation must be in [0, 1)")
        object.__setattr__(self, "nest", nest)
        object.__setattr__(self, "correlation", np.broadcast_to(correlation, (int(nest.max()) + 1,)))

    @property
    def within(self) -> np.ndarray:
        """1 − σ of each product's nest, `[J]`."""
        return 1.0 - self.correlation[self.nest]

    @property
    def member(self) -> np.ndarray:
        """Whether a product is in a nest, `[J, G]`, 0 or 1."""
        return (self.nest[:, None] == np.arange(len(self.correlation))[None, :]).astype(float)


@dataclass(frozen=True)
class NestedChoice:
    """Choice probabilities of the nested logit, and the value of the choice set."""

    log_probabilities: np.ndarray  # log P, [N, J]; -inf: not on offer
    given_nest: np.ndarray  # P_j|g, [N, J]; 0 in a nest where nothing is on offer
    nest_values: np.ndarray  # I_g, [N, G], utils: what the nest is worth
    outside: np.ndarray  # P_0, [N]
    inclusive: np.ndarray  # log(exp U_0 + Σ_g exp I_g), [N], utils

    @property
    def probabilities(self) -> np.ndarray:
        """P, `[N, J]`."""
        return np.exp(self.log_probabilities)


def nested_choice(utility, nests: Nests, outside_utility=0.0) -> NestedChoice:
    """Choice among nests, then within them.

    Args:
        utility: U, `[N, J]`, utils; −inf: not on offer. Complex numbers are accepted, for derivatives.
        nests: `Nests` of the J products.
        outside_utility: U_0, scalar or `[N]`, utils; −inf: no outside good.
    Returns:
        `NestedChoice`; safe for utilities of any size.
    Raises:
        ValueError: utility is not `[N, J]`, or is NaN or +inf somewhere, or a consumer has nothing to choose.
    """
    utility = np.atleast_2d(np.asarray(utility))
    if utility.ndim != 2 or utility.shape[1] != len(nests.nest):
        raise ValueError(f"utility must be [N, {len(nests.nest)}], one column for each product that has a nest")
    outside = np.broadcast_to(np.asarray(outside_utility, dtype=float), (len(utility),))
    if not ((utility.real < np.inf).all() and (outside < np.inf).all()):
        raise ValueError("utilities must be finite, or -inf where a product is not on offer")
    if not (np.maximum(utility.real.max(axis=1), outside) > -np.inf).all():
        raise ValueError("a consumer has nothing to choose from: no product on offer and no outside good")
    offered = utility.real > -np.inf
    scaled = np.where(offered, utility, 0.0) / nests.within
    size = np.where(offered, scaled.real, -np.inf)
    highest = np.stack([size[:, nests.nest == g].max(axis=1) for g in range(len(nests.correlation))], axis=1)
    empty = highest == -np.inf
    highest = np.where(empty, 0.0, highest)
    scaled = scaled - highest[:, nests.nest]
    log_total = np.log(np.where(offered, np.exp(np.where(offered, scaled, 0.0)), 0.0) @ nests.member + empty)
    log_given = scaled - log_total[:, nests.nest]
    values = (1.0 - nests.correlation) * (highest + log_total)
    top = np.maximum(np.where(empty, -np.inf, values.real).max(axis=1), outside)
    stays = np.exp(outside - top)
    goes = np.where(empty, 0.0, np.exp(np.where(empty, 0.0, values - top[:, None])))
    inclusive = top + np.log(stays + goes.sum(axis=1))
    return NestedChoice(
        np.where(offered, log_given + values[:, nests.nest] - inclusive[:, None], -np.inf),
        np.where(offered, np.exp(np.where(offered, log_given, 0.0)), 0.0),
        np.where(empty, -np.inf, values),
        np.exp(outside - inclusive),
        inclusive,
    )


def nested_surplus(utility, price_sensitivity, nests: Nests, outside_utility=0.0):
    """Expected surplus of each consumer, `[N]`, kCNY: log(exp U_0 + Σ_g exp I_g) / α_i. Only differences mean anything.

    Source:
        Small & Rosen (1981), Econometrica 49(1).
    """
    return nested_choice(utility, nests, outside_utility).inclusive / positive_sensitivity(price_sensitivity)


def nested_mean_utilities(shares, nests: Nests):
    """δ, `[J]`, utils, at which consumers who are all alike buy these shares: Berry's closed form.

        δ_j = ln s_j − ln s_0 − σ_g ln s_j|g,   s_0 = 1 − Σ_j s_j

    Args:
        shares: s, `[J]`, fractions of the potential market, positive, of a sum below 1.
        nests: `Nests`.
    Raises:
        ValueError: a share is not positive, or nothing is left outside.
    Source:
        Berry (1994), RAND Journal 25(2), on the nested logit.
    """
    shares = np.asarray(shares, dtype=float)
    if shares.shape != nests.nest.shape or not (shares > 0).all():
        raise ValueError(f"shares must be {len(nests.nest)} positive numbers, one per product")
    outside = 1.0 - shares.sum()
    if not outside > 0:
        raise ValueError("shares must sum to less than 1: somebody has to be left outside")
    given_nest = shares / (shares @ nests.member)[nests.nest]
    return np.log(shares) - np.log(outside) - nests.correlation[nests.nest] * np.log(given_nest)


def nested_shares(demand: Demand, nests: Nests, prices):
    """s, `[J]`, at these prices."""
    demand = demand.one_by_one
    return demand.weights @ _choice_at(demand, nests, _priced(demand, prices)).probabilities


def nested_share_jacobian(demand: Demand, nests: Nests, prices):
    """∂s_k/∂p_j, `[J, J]`, per kCNY; row j: the price that moves."""
    demand = demand.one_by_one
    choice = _choice_at(demand, nests, _priced(demand, prices))
    sensitive, cross = _sums(demand, nests, choice, demand.weights[:, None] * choice.probabilities)
    return cross - np.diag(sensitive)


def nested_markups(demand: Demand, nests: Nests, prices, ownership):
    """p − c that the first-order conditions imply at these prices, `[J]`, kCNY: −(H ∘ ∂s/∂p)⁻¹ s.

    Args:
        demand: `Demand`; its utility is before price.
        nests: `Nests`.
        prices: p, `[J]`, kCNY.
        ownership: H, `[J, J]`: how much whoever sets the price in the row cares for the profit of the column; 1 on the
            diagonal, usually 1 for own products and 0 for others, ones everywhere for joint pricing.
    """
    prices = _priced(demand, prices)
    jacobian = nested_share_jacobian(demand, nests, prices)
    return np.linalg.solve(-_owned(ownership, len(prices)) * jacobian, nested_shares(demand, nests, prices))


def nested_prices(
    demand: Demand, nests: Nests, marginal_costs, ownership, *, start=None, tolerance=1e-10, max_iterations=5000
) -> PriceSolution:
    """Bertrand–Nash prices: ζ steps, and Newton steps wherever they at least halve p − ζ(p).

    Args:
        demand: `Demand`, utility before price; consumers who are all alike are one row.
        nests: `Nests`.
        marginal_costs: c, `[J]`, kCNY.
        ownership: H, `[J, J]`, as in `nested_markups`.
        start: p to start from, `[J]`, kCNY; None: unit costs.
        tolerance: largest |p − ζ(p)| / (1 − σ) accepted, kCNY; never less than rounding.
        max_iterations: evaluations of ζ, or of its derivative, allowed.
    Returns:
        `PriceSolution`: a solution of the first-order conditions; `converged` and `message` say how the search ended.
    Raises:
        ValueError: tables of the wrong shape, costs that are not finite, or a product that nobody may buy.
    """
    demand, costs = demand.one_by_one, _priced(demand, marginal_costs, "marginal_costs")
    search = _Search(demand, nests, costs, _owned(ownership, len(costs)))
    if not (demand.utility[demand.weights > 0].max(axis=0) > -np.inf).all():
        raise ValueError("a product that is on offer to nobody has no price: leave it out")
    search.move(costs if start is None else _priced(demand, start, "start"))
    accepted = max(tolerance * float(nests.within.min()), 4e-15 * float(np.abs(costs).max()))
    batch, method = FEWEST, "zeta"
    while search.residual > accepted and search.evaluations < max_iterations:
        if search.newton_step():
            method = "newton"
            continue
        search.zeta_steps(batch, accepted)
        batch = min(2 * batch, MOST)
    converged = search.residual <= accepted
    message = (
        "first-order conditions hold"
        if converged
        else f"no equilibrium found: |p − ζ(p)| is {search.residual:.3g} kCNY"
    )
    bought = nested_shares(demand, nests, search.prices)
    return PriceSolution(search.prices, bought, search.residual, search.evaluations, method, converged, message)


class _Search:
    """One search for prices: where it is, and what it has cost."""

    def __init__(self, demand, nests, costs, owned):
        self.demand, self.nests, self.costs, self.owned = demand, nests, costs, owned
        self.evaluations = 0

    def zeta(self, prices):
        """ζ(p), `[J]`, kCNY; complex where prices are."""
        self.evaluations += 1
        choice = _choice_at(self.demand, self.nests, prices)
        likeliest = choice.log_probabilities[self.demand.weights > 0].real.max(axis=0)
        buyers = self.demand.weights[:, None] * np.exp(choice.log_probabilities - likeliest)
        sensitive, cross = _sums(self.demand, self.nests, choice, buyers)
        return self.costs + (buyers.sum(axis=0) + (self.owned * cross) @ (prices - self.costs)) / sensitive

    def move(self, prices, target=None):
        """Go to other prices."""
        self.prices = prices
        self.gap = (self.zeta(prices) if target is None else target) - prices

    @property
    def residual(self):
        """max_j |p_j − ζ_j(p)|, kCNY."""
        return float(np.abs(self.gap).max())

    def newton_step(self):
        """p ← p + x, (I − dζ/dp) x = ζ(p) − p, if x goes uphill with ζ and at least halves p − ζ(p); False if not."""

        def system(x):
            return x - self.zeta(self.prices + 1j * COMPLEX_STEP * x).imag / COMPLEX_STEP

        step = krylov(system, self.gap)
        if not np.isfinite(step).all() or (step * self.gap).sum() <= 0:
            return False
        target = self.zeta(self.prices + step)
        if not np.linalg.norm(target - self.prices - step) <= 0.5 * np.linalg.norm(self.gap):
            return False
        self.move(self.prices + step, target)
        return True

    def zeta_steps(self, most, accepted):
        """p ← p + length (ζ(p) − p): longer while the direction stays, short again where that overshoots."""
        length = 1.0
        for _ in range(most):
            if self.residual <= accepted:
                return
            trial = self.prices + length * self.gap
            target = self.zeta(trial)
            gap = target - trial
            cosine = (gap * self.gap).sum() / max(np.linalg.norm(gap) * np.linalg.norm(self.gap), 1e-300)
            if cosine < 0 and length > 1.0:
                length = 1.0
                continue
            self.move(trial, target)
            length = 2.0 * length if cosine > 0.9 else max(0.5 * length, 0.25) if cosine < -0.5 else min(length, 1.0)


def _choice_at(demand, nests, prices):
    utility = demand.utility - demand.price_sensitivity[:, None] * prices
    return nested_choice(utility, nests, demand.outside_utility)


def _sums(demand, nests, choice, buyers):
    """(Λ `[J]`, Γ `[J, J]`), per kCNY; `buyers` is w_i P_ij, or each column of it times a number that scales that row."""
    sensitive = demand.price_sensitivity[:, None] * buyers
    same_nest = nests.nest[:, None] == nests.nest[None, :]
    closeness = (1.0 - nests.within) / nests.within
    inside = same_nest * closeness[:, None] * (sensitive.T @ choice.given_nest)
    return sensitive.sum(axis=0) / nests.within, sensitive.T @ choice.probabilities + inside


def _priced(demand, values, what="prices"):
    """A number per product, checked."""
    values = np.asarray(values, dtype=float)
    if values.shape != (demand.utility.shape[1],) or not np.isfinite(values).all():
        raise ValueError(f"{what} must be {demand.utility.shape[1]} finite numbers, one per product")
    return values


def _owned(ownership, n_products):
    """H, checked."""
    ownership = np.asarray(ownership, dtype=float)
    if ownership.shape != (n_products, n_products) or not np.isfinite(ownership).all():
        raise ValueError(f"ownership must be a table of numbers [{n_products}, {n_products}]")
    if not ((np.diag(ownership) == 1).all() and (ownership >= 0).all() and (ownership <= 1).all()):
        raise ValueError("ownership must be weights from 0 to 1, and 1 on the diagonal")
    return ownership
