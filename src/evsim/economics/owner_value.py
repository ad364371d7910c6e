"""What a locked-in owner is worth: the extra margin that whoever owns a product brings at its later purchases.

Every purchase follows the one before after T months. At each a household buys one product (`economics.timing`: a cycle ends
with one purchase), at chances that owning product j tilts towards j's platform and brand. With ΔS_jk the chance that the next
product is k from owning j, less that from owning what a household of the same tastes buys on average, and m_fk the margin
that firm f earns on k, the value of an owner of j to f is (Λ with two indices; Λ_j of the price game is another thing)

    Λ_f(j) = β^T Σ_k ΔS_jk (m_fk + Λ_f(k))

since the next purchase leaves an owner again. That is the geometric sum β^T Σ_k ΔS_jk m_fk / (1 − β^T λ) with the λ that makes
it right, Σ_k ΔS_jk Λ_f(k) / Λ_f(j): the chance to buy from f again in *excess* of a household that owns a rival's product,
`lock_in.excess_repeat` among alike platforms, s_11 − s_21 with two firms. The chance itself would count again and again
buyers who would have come anyway.

Decided 2026-11. Both sides of ΔS have the same tastes, so that Λ is state dependence alone, and 0 without lock-in: those who
like a product buy it again, but not because they own it. The other side owns what such a household buys, not nothing: a
sale lost is a rival's sale, and a rival's owner is bound to the rival. Refused as the other side: the cars a panel happens to
own, since buyers of a product are those who own it already, and each holds one car, drawn once.
What a buyer of j buys next is averaged over all buyers of j, before and after the next purchase: with one taste Λ is exactly
the difference of two discounted streams of margins; with many it leaves out that who buys k after j has other tastes than who
buys k. On 157 lines and 2,000 households Λ per household and then averaged differs by −4 to +1 %, 0.16 kCNY at most, and
takes two hundred times as long. Prices are taken to stay.

Source: Klemperer (1995), Review of Economic Studies 62(4), on investing in market share; Dubé, Hitsch & Rossi (2009), Journal of
Marketing Research 46(4), for loyalty as a gain of staying.
"""

from dataclasses import dataclass

import numpy as np

from evsim.compiled import over_blocks
from evsim.economics.choice import utility_table
from evsim.economics.contracts import Terms
from evsim.economics.owner_kernels import purchase_sums

SMALL = 1e-16  # of the largest margin: later purchases add no digit
MOST_PURCHASES = 10_000


@dataclass(frozen=True)
class Loyalty:
    """What the owner of each product gains from staying, `[J]` each; any integers may be codes."""

    platform: np.ndarray  # code
    brand: np.ndarray  # code
    platform_gain: np.ndarray  # κ s(T), utils, of products on the platform of the one owned; 0: no ecosystem
    brand_gain: np.ndarray  # ι, utils, of products of the brand of the one owned


def extra_purchases(purchases, utility, loyalty: Loyalty, threads=1) -> np.ndarray:
    """What owning a product adds to the chance of each product at the next purchase.

        ΔS_jk = Σ_i b_ij (P_ik(j) − P̄_ik) / Σ_i b_ij,   P̄_ik = Σ_l b_il P_ik(l) / Σ_l b_il
        P_ik(j) = exp(V_ik + g_jk) / Σ_l exp(V_il + g_jl),   g_jk = κ_j 1{g_k = g_j} + ι_j 1{b_k = b_j}

    Args:
        purchases: b, `[N, J]`, what households of each kind of tastes buy now, any scale.
        utility: V, `[N, J]`, utils after price, of a household that owns nothing; −inf: not on offer.
        loyalty: κ and ι of the owner of each product, and whom they favour.
        threads: how many may be used; no number changes a bit.
    Returns:
        ΔS, `[J, J]`: a row for the product owned, which sums to 0; zeros where nobody buys it.
    Raises:
        ValueError: arrays of the wrong shape, negative purchases, or a household that is offered nothing.
    """
    utility = utility_table(utility)
    purchases = np.ascontiguousarray(purchases, dtype=float)
    if purchases.shape != utility.shape or not ((purchases >= 0).all() and np.isfinite(purchases).all()):
        raise ValueError(f"purchases must be finite, not negative, and of the utility's shape {utility.shape}")
    highest = utility.max(axis=1, keepdims=True)
    if not (highest > -np.inf).all():
        raise ValueError("a household is offered nothing: leave its row out")
    groups, boosts, favour = _groups(loyalty, utility.shape[1])
    odds = np.exp(utility - highest)

    def part(block):
        return purchase_sums(purchases[block], odds[block], groups, boosts)

    owners, average = np.sum(over_blocks(part, len(odds), threads), axis=0)
    bought = purchases.sum(axis=0)[:, None]
    return (favour * owners - average) / np.where(bought > 0, bought, 1.0)


def _groups(loyalty, n_products):
    """Codes from 0 of platform, brand and both `[3, J]`; what an owner's odds gain by each `[3, J]`; exp g `[J, J]`."""
    columns = [np.asarray(getattr(loyalty, name)) for name in ("platform", "brand", "platform_gain", "brand_gain")]
    if any(column.shape != (n_products,) for column in columns):
        raise ValueError(f"platforms, brands and gains must each be about {n_products} products")
    platform, brand = (np.unique(codes, return_inverse=True)[1] for codes in columns[:2])
    _, both = np.unique(platform * n_products + brand, return_inverse=True)
    gains = np.expm1(np.array(columns[2:], dtype=float))
    same_platform, same_brand = (codes[:, None] == codes[None, :] for codes in (platform, brand))
    favour = (1.0 + gains[0][:, None] * same_platform) * (1.0 + gains[1][:, None] * same_brand)
    return np.stack([platform, brand, both]), np.stack([gains[0], gains[1], gains[0] * gains[1]]), favour


def owner_values(extra, margins, discount) -> np.ndarray:
    """The value of an owner of each product to each firm.

        Λ_f(j) = D Σ_k ΔS_jk (m_fk + Λ_f(k)),   that is   Σ_n (D ΔS)^n m_f,  n = 1, 2, …

    Args:
        extra: ΔS, `[J, J]`, as of `extra_purchases`.
        margins: m, `[F, J]`, kCNY, what each firm earns on a sale of each product.
        discount: D, from one purchase to the next: β^T times the chance that the owner comes back, below 1.
    Returns:
        Λ, `[F, J]`, kCNY per owner; negative where owners are bound to a rival.
    Raises:
        ValueError: the sum has no end; owners return for certain, or a row of `extra` is none of chances.
    """
    extra, term = np.asarray(extra, dtype=float), np.array(margins, dtype=float, ndmin=2)
    values, smallest = np.zeros_like(term), SMALL * np.abs(term).max()
    for _ in range(MOST_PURCHASES):
        term = discount * np.einsum("jk,fk->fj", extra, term)  # in a fixed order: no BLAS
        values += term
        size = np.abs(term).max()
        if size <= smallest:
            return values
        if not np.isfinite(size):
            break
    raise ValueError(f"discount={discount} is too near 1 for owners as loyal as these: their value has no bound")


def counted_values(values, automaker_of, terms: Terms, cost_weights, leader_weight=0.0) -> np.ndarray:
    """Value of an owner in the account of every decision maker of `contracts.price_weights`: what a sale pays beside m.

    Each counts an owner as it counts the margin on the car itself:

        own car            Λ_f                         fellow member's    φ times that member's own Λ
        leader's net       φ_L times Λ_L, on every car that pays the leader
        leader as setter   Λ_f + Λ_L on members' cars; Λ_L on others that pay

    Owners of cars that pay nothing into an account are left out of it, though a rival's owner costs something: payments on
    every car would fill the tables, and what a household would own instead is the other side of ΔS already.

    Args:
        values: Λ, `[n_automakers + 1, J]`, kCNY; the leader last.
        automaker_of: `[J]` whole numbers below n_automakers.
        terms: the contracts of the J products.
        cost_weights: B, `[n_automakers + 1, J]`: how much of each maker's own margin is in each account.
        leader_weight: φ_L in [0, 1].
    Returns:
        `[n_automakers + 1, J]`, kCNY per car: F is less by this.
    """
    makers = np.asarray(automaker_of)
    counted = cost_weights * values[makers, np.arange(len(makers))]
    pays = (terms.revenue_share > 0) | (terms.unit_fee > 0) | (terms.parts_cost > 0)
    fees = np.where(pays, values[-1], 0.0)
    counted[-1] += fees
    counted[np.unique(makers[terms.member])] += leader_weight * fees
    return counted
