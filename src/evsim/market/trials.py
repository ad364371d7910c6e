"""A market's lines as the kernels of a trial read them (`trial_kernels`): plain arrays, one ledger a market."""

from typing import NamedTuple

import numpy as np

from ..economics.contracts import price_for_net
from .offers import MODE
from .state import Market
from .ways import PARTS

MODES = (MODE["alliance"], MODE["components"], MODE["supplier"])  # those that a trial asks for


class Ledger(NamedTuple):
    """A market's lines as a trial reads them, plain arrays."""

    codes: tuple[np.ndarray, np.ndarray]  # platform, mode; [all lines]
    # [all lines] kCNY: cost, base price, price, saved on batteries, credits, price that covers
    money: tuple[np.ndarray, ...]
    rates: tuple[np.ndarray, ...]  # [modes]: r, w, parts, shops
    vat: float
    stacks: tuple[int, int, int]  # the leader's platform, the rival supplier's, and that of bought parts
    modes: tuple[int, int, int]  # codes of alliance, components, supplier
    rival_fee: float  # kCNY a car
    on_sale: np.ndarray  # [all lines] bool
    member: np.ndarray  # [all lines] bool: on sale in mode `alliance`
    member_lines: np.ndarray  # [brands] how many
    members: int  # brands that have one
    lent_trust: float  # utils


def ledger(market: Market) -> Ledger:
    """A market's ledger."""
    offers, rates, scenario = market.offers, market.rates, market.scenario
    vat = scenario.subsidy.vat
    covering = price_for_net(market.costs(), market.terms(np.arange(len(offers))), vat)
    saved = offers.pack_kwh * (market.base_pack_price - market.pack_price)
    credit = market.credit_cost + np.zeros(len(offers))
    code = market.platform_code
    member = offers.on_sale & (offers.mode == MODES[0])
    return Ledger(
        codes=(offers.platform, offers.mode),
        money=(offers.cost, offers.base_price, offers.price, saved, credit, covering),
        rates=(rates.revenue_share, rates.unit_fee, rates.parts_cost, rates.channel_share),
        vat=vat,
        stacks=(code(scenario.alliance.platform), code(scenario.modes.rival_platform or ""), code(PARTS.platform)),
        modes=MODES,
        rival_fee=scenario.contracts.rival_fee,
        on_sale=offers.on_sale,
        member=member,
        member_lines=np.bincount(offers.brand[member], minlength=len(market.names.brands)),
        members=market.members(),
        lent_trust=market.lent_trust(),
    )
