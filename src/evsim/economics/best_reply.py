"""One firm's best prices on all its products, everybody else's held: a monopolist whose outside good is the rest of the market.

With U_i0 the log-sum of everything the firm does not sell, its first-order conditions are those of `pricing` with one setter,

    A_j s_j − q'_j (Λ_j m_j − Σ_k Γ_jk m_k) = 0,    m_k = A_k p_k − c_k,

and a few steps of the same map ζ (`price_kernels.kinked_replies`) come near enough: profit errs by the square of what the
prices err. One pass over the consumers makes a step, without the tables that a game of many setters needs, so that trying a
move of one firm costs a few exponentials for each consumer and product of its own. A forecast, which asks thousands of times and
knows the odds at the prices to start from, has the same steps compiled: `reply_kernels.replied`.
"""

from dataclasses import dataclass

import numpy as np

from evsim.economics.price_rule import BuyerPrice, buyer_prices
from evsim.economics.reply_kernels import reply_shares, reply_sums, stepped, write_odds


@dataclass(frozen=True)
class Margins:
    """What the firm keeps of each car: A p − c."""

    revenue: np.ndarray  # A, [L], positive
    cost: np.ndarray  # c, fees a car included, [L], kCNY


def best_reply(
    utility, price_sensitivity, weights, rest, margins: Margins, buyer_price: BuyerPrice, prices, steps: int
):
    """Prices after some steps towards the firm's best reply, and what it then sells.

    Args:
        utility: V, of the firm's products before price, `[N, L]`, utils.
        price_sensitivity: α, `[N]`, utils per kCNY; weights: w, `[N]`, summing to 1.
        rest: Σ exp U_ik over everything else, the outside good included, `[N]`, positive, in the same units as exp V: both may
            be divided by one factor a consumer, so that neither overflows.
        margins: A and c of each product.
        buyer_price: the tax rule of the L products.
        prices: p to start from, `[L]`, kCNY.
        steps: of ζ, at least 0.
    Returns:
        (prices `[L]`, kCNY; shares `[L]` at these prices).
    """
    prices = np.array(prices, dtype=float)
    utility = np.asfortranarray(utility, dtype=float)
    sensitivity, weights, rest = (
        np.ascontiguousarray(column, dtype=float) for column in (price_sensitivity, weights, rest)
    )
    odds, rule, parts = np.empty_like(utility), buyer_price.parts, (margins.revenue, margins.cost)
    write_odds(utility, sensitivity, buyer_prices(prices, rule), odds)
    for _ in range(steps):
        margin = margins.revenue * prices - margins.cost
        sums = reply_sums(odds, rest + odds.sum(axis=1), sensitivity, weights, margin)
        prices = stepped(prices, sums, parts, rule)
        write_odds(utility, sensitivity, buyer_prices(prices, rule), odds)
    return prices, reply_shares(odds, rest + odds.sum(axis=1), weights)
