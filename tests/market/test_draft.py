"""What is kept from one opening to the next changes no bit, and misses no parameter."""

import numpy as np
import pytest
from market.worlds import OWN, own_table, small

from evsim.market import base, draft, owners
from evsim.model import EVMarket


def forget():
    """Open the next market as the first one of a process."""
    draft._kept.cache_clear()
    for kept in (base.INVERTED, base.COSTS, owners.FITTED, owners.SETTLED):
        kept.results.clear()


def opened(*changes, seed=1):
    """Columns of a market at its base date, and its run's first month."""
    model = EVMarket(small(*changes), rng=seed)
    model.step()
    market = model.market
    arrays = {name: part for name, part in vars(market.offers).items() if isinstance(part, np.ndarray)}
    arrays |= market.population.columns() | {
        f"panel {name}": part for name, part in market.panel.owners.columns().items()
    }
    return arrays | {
        "lines": np.array(market.offers.product),
        "events": np.array([event.row for event in market.calendar]),
    }


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f") for name in first
    )


def test_a_second_opening_gives_the_same_bits_and_shares_nothing():
    forget()
    first, second = EVMarket(small(), rng=3), EVMarket(small(), rng=3)
    first.run_model()
    second.run_model()
    for table, columns in first.record.items():
        for name, values in columns.items():
            assert np.array_equal(values, second.record[table][name], equal_nan=values.dtype.kind == "f"), (table, name)
    for name, part in vars(first.market.offers).items():
        if isinstance(part, np.ndarray):
            assert part.flags.writeable and not np.shares_memory(part, getattr(second.market.offers, name)), name
    assert first.market.traits.kind is not second.market.traits.kind
    assert first.market.calendar is not second.market.calendar


@pytest.mark.parametrize(
    "change",
    [
        {"market": {"lines": 40}},
        {"market": {"price_tiers": (100.0, 200.0, 300.0)}},
        {"market": {"granularity": "full"}},
        {"market": {"keep_brands": ("Tesla",)}},
        {"alliance": {"platform": "BYD"}},
        {"products": {"launches": "none"}},
        {"products": {"refresh_months": 30}},
        {"products": {"hardware_gap": 0.4}},
        {"modes": {"rule": "chosen"}},
        {"modes": {"rule": "none"}},
        {"lock_in": {"brand_loyalty": 0.9}},
        {"lock_in": {"switching_cost": 2.0}},
        {"consumers": {"outside_share": 0.5}},
        {"consumers": {"price_sensitivity": 0.05}},
        {"consumers": {"phone_effect": 0.5}},
        {"consumers": {"holding_months": 70}},
        {"end": "2027-12"},
    ],
    ids=str,
)
def test_what_is_kept_of_another_market_is_not_taken_for_this_one(change):
    opened()
    after_another = opened(change)
    forget()
    alone = opened(change)
    assert same(after_another, alone)
    assert not same(after_another, opened())


def test_a_table_that_has_been_edited_is_read_anew(tmp_path):
    at = {"market": {"table": own_table(tmp_path)}}
    before = opened(at)
    assert same(before, opened(at))
    own_table(tmp_path, (OWN[0].replace("400000", "410000"), *OWN[1:]))
    assert not same(before, opened(at))


def test_a_draft_reads_nothing_but_its_settings():
    settings = draft.settings_of(
        small({"lock_in": {"switching_cost": 2.0}, "market": {"growth": 0.01}, "alliance": {"lent_trust": 0.3}})
    )
    assert settings == draft.settings_of(small()) != draft.settings_of(small({"market": {"lines": 40}}))
    assert settings.seed == draft.settings_of(small({"seed": 8})).seed
