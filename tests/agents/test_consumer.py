"""One consumer: what it decides is what the month's clearing makes it do."""

import copy

import mesa
import numpy as np
import pytest
from small_market import small_scenario

from evsim.agents import Consumer
from evsim.economics.utility import ELECTRIC, FIRST_CLASS, INCOME, PHONE, PREMIUM, SOFTWARE
from evsim.market import clearing
from evsim.market.calendar import paid, people_of
from evsim.model import EVMarket


@pytest.fixture(scope="module")
def model() -> EVMarket:
    """A market one month old, that no test changes."""
    model = EVMarket(small_scenario(), rng=11)
    model.step()
    return model


def test_consumers_are_agents_that_the_model_does_not_register(model):
    before = len(model.agents)
    consumers = list(model.consumers)
    assert isinstance(consumers[0], mesa.Agent)
    assert len(model.agents) == before and not any(isinstance(agent, Consumer) for agent in model.agents)
    numbers = [consumer.unique_id for consumer in consumers] + [agent.unique_id for agent in model.agents]
    assert len(set(numbers)) == len(numbers)


def test_two_views_of_a_row_are_the_same_consumer(model):
    assert model.consumers[4] == Consumer(model, 4) != model.consumers[5]
    assert len({model.consumers[4], Consumer(model, 4), model.consumers[5]}) == 2
    assert model.consumers[4] != EVMarket(small_scenario(), rng=11).consumers[4]


def test_a_view_shows_the_market_as_it_is_now():
    model = EVMarket(small_scenario(count=300), rng=11)
    consumer = model.consumers[0]
    model.market.population.due[0] = 77
    assert consumer.due == 77
    tenure = consumer.tenure
    model.market.month += 1
    assert consumer.tenure == tenure + 1


def test_a_consumer_cannot_be_removed(model):
    with pytest.raises(TypeError, match="cannot be removed"):
        model.consumers[0].remove()


@pytest.mark.parametrize("rule", ["fixed", "nash"])
def test_views_decide_what_the_clearing_makes_their_households_do(monkeypatch, rule):
    """Before the month's shopping for households that stay, after it (no car has changed hands yet) for all."""
    model = EVMarket(small_scenario(count=3_000, rule=rule), rng=5)
    products, shop = model.market.offers.product, clearing.shop
    stayed, passed, bought = 0, 0, 0

    def watched(market, rows, early):
        nonlocal stayed, passed, bought
        views = model.consumers.select(model.consumers.get("visit") == market.month)
        households, expected = views.get("household"), views.map("decide")
        made = shop(market, rows, early)
        did = [products[rows[chosen]] if chosen >= 0 else None for chosen in made.choice]
        same = views.get("household") == households
        assert made.rows.tolist() == views.rows.tolist()
        assert [name for name, stays in zip(expected, same, strict=True) if stays] == [
            name for name, stays in zip(did, same, strict=True) if stays
        ]
        assert views.map("decide") == did
        stayed, passed = stayed + int(same.sum()), passed + int((~same).sum())
        bought += sum(name is not None for name in did)
        return made

    monkeypatch.setattr(clearing, "shop", watched)
    model.run_model()
    assert stayed > 50 and passed > 20 and 20 < bought < stayed + passed


def test_deciding_writes_nothing(model):
    market = model.market
    before = copy.deepcopy((market.population, market.offers, market.platforms, market.community))
    model.consumers[:50].do("decide").do("chances")
    after = (market.population, market.offers, market.platforms, market.community)
    for old, new in zip(before[:3], after[:3], strict=True):
        for name, value in vars(old).items():
            np.testing.assert_array_equal(getattr(new, name), value)
    np.testing.assert_array_equal(after[3], before[3])


def utilities(model: EVMarket, consumer: Consumer) -> tuple[dict[str, float], float]:
    """Utility of each product on offer and of keeping the car, written out from the equation in `economics.utility`."""
    market, habits, tastes = model.market, model.market.habits, consumer.tastes
    offers, platforms = market.offers, market.platforms
    sensitivity = habits.median_sensitivity / tastes[INCOME]
    leader = platforms.names.index(market.scenario.alliance.platform)
    alike, found = market.quality_alike(), {}
    claims = people_of(market, market.population, np.array([consumer.row]))
    community = market.population.platform[consumer.community * 50 : consumer.community * 50 + 50]
    for line in np.flatnonzero(offers.on_sale):
        platform = offers.platform[line]
        rule = market.policy.classes(market.month, np.array([line]), claims)
        outlay = np.ravel(paid(rule, offers.price[[line]]))[0] + market.beside_price[line]
        value = alike[line] + habits.median_sensitivity * tastes[SOFTWARE] * platforms.quality[platform]
        value += tastes[ELECTRIC] * offers.electric[line] + tastes[PREMIUM] * offers.premium[line]
        value += tastes[FIRST_CLASS + offers.size_class[line]]
        value += habits.phone_effect * tastes[PHONE] * (platform == leader)
        in_community = np.mean(community[community >= 0] == platform)
        in_market = np.mean(market.population.platform[market.population.platform >= 0] == platform)
        value += habits.word_of_mouth * (in_community - in_market)
        if platform == consumer.platform and platforms.ecosystem[platform]:
            value += habits.switching_cost * (1.0 - np.exp(-consumer.tenure / habits.tenure_scale))
        if consumer.brand == market.names.brands[offers.brand[line]]:
            value += habits.brand_loyalty
        found[offers.product[line]] = value - sensitivity * outlay
    keep = -sensitivity * habits.outside_outlay - habits.overdue_cost * max(market.month - consumer.due, 0)
    if consumer.platform >= 0:
        path = platforms.quality_path[:, consumer.platform]
        gain = path[market.month] - path[max(consumer.bought, 0)]
        keep += habits.over_the_air * habits.median_sensitivity * tastes[SOFTWARE] * gain
    return found, keep


@pytest.mark.parametrize("row", [0, 1, 2, 3, 100, 333])
def test_chances_are_the_logit_of_the_utilities_written_out(model, row):
    utility, keep = utilities(model, model.consumers[row])
    total = np.exp(keep) + sum(np.exp(value) for value in utility.values())
    expected = {name: np.exp(value) / total for name, value in utility.items()} | {None: np.exp(keep) / total}
    chances = model.consumers[row].chances()
    assert chances == pytest.approx(expected, rel=1e-9)
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-12)


def test_consumers_decide_as_often_as_their_chances_say(model):
    """Over independent households the number that choose a product has mean Σp and variance Σp(1 − p)."""
    chances, decisions = model.consumers.map("chances"), model.consumers.map("decide")
    totals = {name: sum(chance[name] for chance in chances) for name in chances[0]}
    often = [None, *sorted((name for name in totals if name), key=totals.__getitem__)[-8:]]
    for name in often:
        spread = np.sqrt(sum(chance[name] * (1.0 - chance[name]) for chance in chances))
        assert abs(decisions.count(name) - totals[name]) < 3.5 * spread, name
    assert totals[None] > 50
