"""Prices for ever where changing the firm costs something: invest in customers, then harvest them.

Firms that are alike, time without end, consumers who buy from one of them in every period with Gumbel tastes that are drawn
anew, and who lose κ when they change. A firm knows its customers and quotes three prices: to its own, to others', and to
newcomers. A customer of firm k is worth V_k to it and V_0 to each other firm; with Δ = V_k − V_0 the first-order conditions are

    own:      p_own − c + β Δ = 1 / (α (1 − q))
    others':  p_rival − c + β Δ = 1 / (α (1 − r)),   r = (1 − q) / (F − 1)

q the chance to stay. Both conditions subtract to ln(q / r) = κ − α (p_own − p_rival), in which the discount does not occur:
z = ln(q / r) solves

    z + e^z / (F − 1) − 1 / (e^z + F − 2) = κ,

the left side rising, so that there is one solution. From it everything else follows, and

    α (p_own − p_rival) = α Δ = κ − z:

the premium that customers pay is what a customer is worth. Being customer of one firm is as good as of any other, so consumers
who look ahead choose as myopic ones do. Logit profit has a single peak in price, hence this is the only equilibrium in which
firms are alike and prices depend on who owns what alone.

With a little lock-in the average price falls in κ, from κ = 0 by β F / ((F² − F + 1) α) per util: firms pay more for customers
than they take from them. With much of it the price rises. Prices in evsim's market are one for all; there the two-period game of
`switching` shows the same forces with one price.

Source: Cabral (2016), Review of Economic Dynamics 20, which has the duopoly; its extension to F firms and newcomers is made here.
Beggs & Klemperer (1992), Econometrica 60(3), and Dubé, Hitsch & Rossi (2009), Journal of Marketing Research 46(4), for one price.
"""

import math
from dataclasses import dataclass

from scipy import optimize


@dataclass(frozen=True)
class CustomerPrices:
    """The equilibrium for ever. kCNY."""

    own: float  # price to one's own customers
    rival: float  # price to customers of another firm
    newcomer: float  # price to those who are nobody's customers yet
    retention: float  # q, chance that a customer stays
    average: float  # price paid on average by those who are somebody's customers: q own + (1 − q) rival
    customer_value: float  # Δ, what a firm gains by having a consumer as its customer rather than another firm's
    prospect_value: float  # V_0, what a consumer who is another firm's customer is worth to a firm
    free: float  # the price to everybody without switching cost

    @property
    def premium(self) -> float:
        """What customers pay beyond the average price without switching cost; negative where lock-in serves them."""
        return self.average - self.free


def customer_prices(n_firms, price_sensitivity, switching_cost, discount, marginal_cost=0.0) -> CustomerPrices:
    """Equilibrium prices with switching cost and without, for firms that are alike.

    Args:
        n_firms: F, at least 2; everybody buys.
        price_sensitivity: α, utils per kCNY, positive.
        switching_cost: κ, utils, not negative.
        discount: β, of a period, times the chance that a customer is still in the market then; in [0, 1).
        marginal_cost: c, kCNY.
    Returns:
        `CustomerPrices`.
    Raises:
        ValueError: a number outside its range.
    """
    if n_firms < 2 or n_firms != int(n_firms):
        raise ValueError(f"n_firms={n_firms} must be a whole number, 2 or more: somebody has to be there to switch to")
    if not 0 < price_sensitivity < math.inf:
        raise ValueError(f"price_sensitivity={price_sensitivity} must be positive and finite")
    if not 0 <= switching_cost < math.inf:
        raise ValueError(f"switching_cost={switching_cost} must be finite and not negative")
    if not 0 <= discount < 1:
        raise ValueError(f"discount={discount} must be in [0, 1)")
    others = n_firms - 1.0
    z = _log_odds_ratio(switching_cost, others)
    value = (switching_cost - z) / price_sensitivity
    odds = math.exp(z)
    markup = (1.0 + 1.0 / (odds + others - 1.0)) / price_sensitivity
    retention, free = odds / (odds + others), marginal_cost + (1.0 + 1.0 / others) / price_sensitivity
    rival = marginal_cost + markup - discount * value
    return CustomerPrices(
        own=rival + value,
        rival=rival,
        newcomer=free - discount * value,
        retention=retention,
        average=rival + retention * value,
        customer_value=value,
        prospect_value=1.0 / (price_sensitivity * (odds + others - 1.0) * (1.0 - discount)),
        free=free,
    )


def _log_odds_ratio(switching_cost, others):
    """z = ln(q / r), between 0 and both κ and ln(1 + (F − 1) κ)."""

    def excess(z):
        return z + math.exp(z) / others - 1.0 / (math.exp(z) + others - 1.0) - switching_cost

    high = min(switching_cost, math.log1p(others * switching_cost))
    return optimize.brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-15) if excess(0.0) < 0.0 < excess(high) else high
