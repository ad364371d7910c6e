"""Cars for sale as columns: ages, refresh cycles, and rows that wait for their launch."""

import numpy as np
import pytest
from market.worlds import opened

from evsim.data import by_powertrain
from evsim.data.market import POWERTRAINS
from evsim.streams import key_of

LONG = {"end": "2025-12"}


@pytest.fixture(scope="module")
def market():
    """The small world to the end of 2025 at its base date."""
    return opened(LONG).market


def test_age_is_a_sawtooth_of_the_lines_refresh_cycle(market):
    offers = market.offers
    ages = np.array([offers.age(month) for month in range(200)])
    assert (ages >= 0).all()
    assert (ages < offers.cycle).all()
    assert (offers.cycle == np.maximum(48.0 / np.maximum(offers.nameplates, 1.0), 1.0)).all()
    long_cycle = offers.cycle == 48.0
    assert (np.diff(ages[:, long_cycle], axis=0) == 1).mean() == pytest.approx(47.0 / 48.0, abs=0.01)


def test_lines_to_come_are_not_on_sale_at_the_base_date(market):
    future = market.offers.base_units == 0
    assert future.sum() > 20
    assert not market.offers.on_sale[future].any()
    assert market.offers.on_sale[~future].all()


def test_a_lines_draws_are_named_by_the_line_and_nothing_else(market):
    shorter = opened({"end": "2024-12"}).market.offers
    keys = dict(zip(shorter.product, shorter.key.tolist(), strict=True))
    later = dict(zip(market.offers.product, market.offers.key.tolist(), strict=True))
    assert {name: later[name] for name in keys} == keys
    assert len(set(later.values())) == len(later)
    assert keys["AITO range extender >400"] == key_of("AITO range extender >400")


def test_independents_are_at_the_hardware_frontier_and_the_rest_behind_by_their_electric_share(market):
    offers, names, kind = market.offers, market.names.automakers, market.traits.kind
    share = by_powertrain("electric_share")
    electric = np.array([share[POWERTRAINS[code]] for code in offers.powertrain])
    behind = np.array([kind.get(names[code], "incumbent") != "independent" for code in offers.automaker])
    assert offers.hardware_gap == pytest.approx(0.6 * electric * behind, abs=1e-15)
    assert 0 < behind.sum() < len(behind)
