"""Which way choices move with what makers and the leader face: 20 pairs of seeds, three values each.

What is compared are expected joins at the first review, Σ over brands of the chance to choose the leader's full stack, others'
ways given: seeds are paired exactly, and no draw blurs the sign. Beside them stand the joins that the draws make of these
chances, summed over the seeds. Levers act on a market calibrated without them, so one opened market of each seed serves all
values.

Where theory is not sure of the sign: a higher share also makes `inside`, which pays none, the better bargain for a brand that
wants the stack, so that the number on the full stack may rise; members of the alliance fall. A better stack brings more buyers
to a member, and more rivals; here others' ways are given, and joins rise.
"""

import json
from functools import cache

import numpy as np
import pytest
from market.worlds import CHOSEN, brand_of, opened

from evsim.agents.chair import Chair, choosing
from evsim.market.brands import Way
from evsim.market.forecast import Forecast
from evsim.market.offers import MODE
from evsim.market.progress import set_advantage
from evsim.market.rates import offered_rates
from evsim.market.ways import equipped

SEEDS = range(20)
WORLD = {"market": {"lines": 35}, "pricing": {"survey_size": 120}, "consumers": {"count": 1_000}}
ALLIANCE = Way("alliance", "huawei")


@cache
def opened_once(seed):
    """A market at its base date, its brands' and its leader's motives recovered."""
    return opened(WORLD, CHOSEN, {"seed": seed})


def forecast_with(seed, levers):
    """The model of a seed at its first review, under other levers; and the state to put back.

    `in_house_ahead` raises every in-house stack, kCNY, and so one that is yet to be built.
    """
    model = opened_once(seed)
    market = model.market
    untouched = (market.scenario, market.rates, market.platforms.quality.copy(), market.month)
    changes = {
        group: getattr(market.scenario, group).model_copy(update=values)
        for group, values in levers.items()
        if group != "in_house_ahead"
    }
    market.scenario, market.month = market.scenario.model_copy(update=changes), 1
    market.rates = offered_rates(market.scenario)
    built = np.unique(market.offers.platform[market.own_software()])
    market.platforms.quality[built] += levers.get("in_house_ahead", 0.0)
    if market.scenario.software.advantage_kcny is not None:
        set_advantage(market, market.scenario.software.advantage_kcny)
    return model, untouched


def restore(model, untouched):
    """The market as it was opened."""
    market = model.market
    market.scenario, market.rates, market.platforms.quality, market.month = untouched


def joins(seed, levers, modes):
    """Brands in the given modes once all have chosen, each against the others' present ways: expected, and by its draws."""
    return _joins(seed, json.dumps(levers), modes)


@cache
def _joins(seed, levers_json, modes):
    levers = json.loads(levers_json)
    model, untouched = forecast_with(seed, levers)
    try:
        chair = Chair(model, Forecast(model.market), [])
        expected, drawn = 0.0, 0
        for brand in choosing(model.market):
            review = chair.review_of(brand, model.automakers[brand.automaker])
            expected += sum(
                chance for row, chance in zip(review.table, review.chances, strict=True) if row.way.mode in modes
            )
            drawn += review.best().mode in modes
        return expected, drawn
    finally:
        restore(model, untouched)


JOINS = ("alliance", "inside")
# what moves, its values, whose number, and the sign
STATICS = [
    ("the share", [{"alliance": {"offer_share": x}} for x in (0.05, 0.10, 0.25)], ("alliance",), -1),
    ("the fees", [{"alliance": {"offer_fee_scale": x}} for x in (0.5, 1.0, 2.0)], JOINS, -1),
    # where a stack of one's own is worth having; at today's quality and cost it is not, and nothing moves
    (
        "success in building one's own",
        [
            {
                "in_house_ahead": 30.0,
                "software": {"own_stack_rd": 1.0},
                "modes": {"prior_successes": successes, "prior_failures": 11.0 - successes},
            }
            for successes in (1.0, 6.0, 10.0)
        ],
        JOINS,
        -1,
    ),
    ("autonomy", [{"modes": {"autonomy_cost": x}} for x in (0.0, 5.0, 20.0)], JOINS, -1),
    ("the software advantage", [{"software": {"advantage_kcny": x}} for x in (5.0, 15.0, 40.0)], JOINS, +1),
    ("the leader's commitment", [{"alliance": {"commitment_years": x}} for x in (1, 3, 7)], JOINS, +1),
]


@pytest.mark.parametrize(("values", "modes", "sign"), [case[1:] for case in STATICS], ids=[case[0] for case in STATICS])
def test_members_move_as_theory_says_in_every_pair_of_seeds(values, modes, sign):
    expected, drawn = np.array([[joins(seed, levers, modes) for levers in values] for seed in SEEDS]).transpose(2, 0, 1)
    moved = sign * np.diff(expected, axis=1)
    assert (moved >= -1e-9).all(), moved.min()
    assert (moved.sum(axis=0) > 1e-3).all()  # of brands, over all seeds
    assert (sign * np.diff(drawn.sum(axis=0)) >= 0).all(), drawn.sum(axis=0)


def test_draws_move_with_what_is_expected():
    """Of the largest moves, some are made."""
    drawn = np.array(
        [[joins(seed, {"software": {"advantage_kcny": x}}, JOINS)[1] for x in (5.0, 40.0)] for seed in SEEDS]
    )
    assert drawn[:, 1].sum() > drawn[:, 0].sum()


def test_a_larger_advantage_gives_members_a_larger_share_at_given_prices():
    for seed in SEEDS:
        shares = []
        for advantage in (5.0, 15.0, 40.0):
            model, untouched = forecast_with(seed, {"software": {"advantage_kcny": advantage}})
            point = Forecast(model.market).points[0]
            member = model.market.offers.mode[point.rows] == MODE["alliance"]
            shares.append(point.shares()[member].sum() / point.shares().sum())
            restore(model, untouched)
        assert shares[0] < shares[1] < shares[2]


MASS, PREMIUM = "Aion", "Voyah"  # cars at 140, and at 310 to 420 kCNY


def worth_of_joining(seed, levers, name):
    """Value of the alliance to a brand's maker under the leader's terms, kCNY."""
    model, untouched = forecast_with(seed, levers)
    try:
        brand = brand_of(model.market, name)
        review = Chair(model, Forecast(model.market), []).review_of(brand, model.automakers[brand.automaker])
        return next(row.value for row in review.table if row.way == ALLIANCE)
    finally:
        restore(model, untouched)


def test_a_share_is_light_for_a_mass_maker_and_heavy_for_a_premium_one_and_a_fee_the_reverse():
    """A share alone, or the fee that takes as much of a car at 220 kCNY: each maker likes the one that is light for it."""
    share, price = 0.2, 220.0
    for seed in SEEDS:
        market = opened_once(seed).market
        cost = [
            market.offers.base_price[equipped(market, brand_of(market, name), ALLIANCE)] for name in (MASS, PREMIUM)
        ]
        assert cost[0].max() < price and np.median(cost[1]) > price
        fee = share * price / (1.0 + market.scenario.subsidy.vat) / market.scenario.contracts.alliance.unit_fee
        by_share, by_fee = (
            {"alliance": {"offer_share": r, "offer_fee_scale": w}} for r, w in ((share, 0.0), (0.0, fee))
        )
        assert worth_of_joining(seed, by_share, MASS) > worth_of_joining(seed, by_fee, MASS)
        assert worth_of_joining(seed, by_share, PREMIUM) < worth_of_joining(seed, by_fee, PREMIUM)


@pytest.mark.parametrize("name", [MASS, PREMIUM])
@pytest.mark.parametrize("key", ["offer_share", "offer_fee_scale"])
def test_to_both_a_higher_share_and_a_higher_fee_make_joining_worth_less(key, name):
    values = (0.0, 0.1, 0.2) if key == "offer_share" else (0.5, 1.0, 2.0)
    for seed in SEEDS:
        worth = [worth_of_joining(seed, {"alliance": {key: value}}, name) for value in values]
        assert worth[0] > worth[1] > worth[2]
