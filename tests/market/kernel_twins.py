"""Slow twins of the consumer kernels: the equations in plain Python, one household and one product at a time."""

import math

from evsim.economics.utility import ELECTRIC, FIRST_CLASS, INCOME, PHONE, PREMIUM, SIZE_CLASSES, SOFTWARE
from evsim.streams import Purpose, key_of, normal, uniform

KEEP = key_of("keep the car")


def tastes_twin(seed, household, habits):
    """A household's tastes by name."""

    def draw(index):
        return float(normal(seed, Purpose.TASTE, 0, household, index))

    spread = habits.software_spread
    return {
        "income": math.exp(habits.income_spread * draw(INCOME)),
        "software": math.exp(spread * draw(SOFTWARE) - spread**2 / 2.0),
        "electric": habits.electric_spread * draw(ELECTRIC),
        "premium": habits.premium_spread * draw(PREMIUM),
        "phone": float(uniform(seed, Purpose.TASTE, 0, household, PHONE) < habits.phone_share),
        "classes": [habits.class_spread * draw(FIRST_CLASS + code) for code in range(SIZE_CLASSES)],
    }


def utility_twin(state, tastes, habits, shelf, world):
    """V_ij before price of every product, by the equation; `state` is a dict of the row's columns."""
    lock_in = 0.0
    if state["platform"] >= 0 and world.ecosystem[state["platform"]]:
        tenure = world.month - state["joined"]
        lock_in = habits.switching_cost * (1.0 - math.exp(-tenure / habits.tenure_scale))
    result = []
    for j in range(len(shelf.quality)):
        value = shelf.quality[j]
        value += habits.median_sensitivity * tastes["software"] * shelf.software[j]
        value += tastes["electric"] * shelf.electric[j] + tastes["premium"] * shelf.premium[j]
        value += tastes["classes"][shelf.size_class[j]] + habits.phone_effect * tastes["phone"] * shelf.leader[j]
        value += habits.word_of_mouth * world.whispers[state["row"] // world.community_size][shelf.platform[j]]
        if shelf.platform[j] == state["platform"]:
            value += lock_in
        if state["line"] >= 0 and shelf.brand[j] == world.line_brand[state["line"]]:
            value += habits.brand_loyalty
        result.append(value)
    return result


def outside_twin(state, overdue, tastes, habits, world):
    """V_i0: carrying on with the old car."""
    gain = 0.0
    if state["platform"] >= 0:
        path = world.quality_path[:, state["platform"]]
        better = path[world.month] - path[max(state["bought"], 0)]
        gain = habits.over_the_air * habits.median_sensitivity * tastes["software"] * better
    sensitivity = habits.median_sensitivity / tastes["income"]
    return -sensitivity * habits.outside_outlay - habits.overdue_cost * overdue + gain


def choice_twin(seed, state, tastes, habits, shelf, world):
    """The product with the highest utility and shock, or −1: carrying on."""
    month, row = world.month, state["row"]

    def shock(key):
        return -math.log(-math.log(uniform(seed, Purpose.CHOICE, month, row, key)))

    overdue = max(month - state["due"], 0)
    before_price = utility_twin(state, tastes, habits, shelf, world)
    sensitivity = habits.median_sensitivity / tastes["income"]
    values = [
        value - sensitivity * outlay + shock(key)
        for value, outlay, key in zip(before_price, shelf.outlay, shelf.key.tolist(), strict=True)
    ]
    keeping = outside_twin(state, overdue, tastes, habits, world) + shock(KEEP)
    return values.index(max(values)) if max(values) > keeping else -1


def past_line_twin(seed, household, constants, tastes, habits, shelf):
    """The line a household without a car would have bought under a vintage's constants, by inversion of one draw."""
    sensitivity = habits.median_sensitivity / tastes["income"]
    odds = []
    for j, constant in enumerate(constants):
        value = constant - sensitivity * shelf.outlay[j]
        value += habits.median_sensitivity * tastes["software"] * shelf.software[j]
        value += tastes["electric"] * shelf.electric[j] + tastes["premium"] * shelf.premium[j]
        value += tastes["classes"][shelf.size_class[j]] + habits.phone_effect * tastes["phone"] * shelf.leader[j]
        odds.append(math.exp(value) if math.isfinite(value) else 0.0)
    target = uniform(seed, Purpose.OWNED, 0, household, 0) * sum(odds)
    total = 0.0
    for j, part in enumerate(odds):
        total += part
        if total >= target:
            return j
    return len(odds) - 1
