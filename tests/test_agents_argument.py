"""A firm's rule replaced from Python: `evsim.run(scenario, seed, agents={"XPeng": MyRule})`."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from market.worlds import CHOSEN, small

import evsim
from evsim.agents import AllianceOEM, Automaker, Incumbent, Independent, Review
from evsim.errors import BadRequest, EvsimError
from evsim.market.brands import Way
from evsim.model import EVMarket
from evsim.simulation import run

WORLD = small(CHOSEN, {"market": {"lines": 60}, "end": "2024-02"})
YEARS = small(CHOSEN, {"market": {"lines": 60}, "end": "2025-03"})


class Joins(Independent):
    """Goes with the leader whenever it may."""

    def choose_mode(self, review: Review) -> Way:
        return next((way for way in review.ways if way.mode == "inside"), review.best())


class Stays(Independent):
    """Never moves."""

    def choose_mode(self, review):
        return review.ways[0]


class Cheap(Independent):
    """A third off what its cars cost at the base date."""

    def price(self):
        offers = self.model.market.offers
        return {offers.product[row]: 0.67 * offers.base_price[row] for row in self.lines}


class Half(Incumbent):
    """Sets the price of its first line alone."""

    def price(self):
        offers = self.model.market.offers
        return {offers.product[self.lines[0]]: 111.0}


def refusal(call, kind=BadRequest):
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert message and "\n" not in message
    return message


@cache
def plain(scenario):
    """The scenario with every maker's own rule."""
    return run(scenario, seed=3, threads=1)


def answer(scenario, **rules):
    return run(scenario, seed=3, threads=1, agents=rules)


def decisions(answer, automaker):
    return answer.tables["decisions"].query("automaker == @automaker")


def test_the_public_names_are_enough_to_write_a_rule_of_ones_own():
    assert evsim.Automaker is Automaker and evsim.Independent is Independent
    assert evsim.run is run


def test_a_mode_chosen_by_a_rule_of_ones_own_is_the_one_taken():
    mine = answer(YEARS, XPeng=Joins)
    chosen = decisions(mine, "XPeng").query("month == '2024-01' and chosen")
    assert chosen["way"].tolist() == ["inside"]
    assert decisions(plain(YEARS), "XPeng").query("month == '2024-01' and chosen")["way"].tolist() != ["inside"]
    cars = mine.market.query("brand == 'XPeng' and month == '2025-02' and price > 200")
    assert set(cars["mode"]) == {"inside"} and set(cars["platform"]) == {"huawei"}


def test_who_never_moves_does_not_and_others_go_on_by_their_own_rules():
    mine = answer(YEARS, XPeng=Stays)
    assert decisions(mine, "XPeng").query("chosen")["present"].all()
    others = [
        each.tables["decisions"].query("automaker != 'XPeng' and month == '2024-01'") for each in (mine, plain(YEARS))
    ]
    pd.testing.assert_series_equal(others[0]["unseen"], others[1]["unseen"])


def test_a_rule_that_does_what_the_kind_does_changes_no_bit():
    class Same(Independent):
        def choose_mode(self, review):
            return review.best()

        def price(self):
            return {}

    assert answer(YEARS, XPeng=Same).digest == plain(YEARS).digest


@pytest.mark.parametrize("pricing", ["nash", "fixed", "cost_plus"])
def test_a_price_set_by_a_rule_of_ones_own_is_posted_under_every_pricing_rule(pricing):
    scenario = WORLD.model_copy(update={"pricing": WORLD.pricing.model_copy(update={"rule": pricing})})
    mine = answer(scenario, NIO=Cheap)
    cars = mine.market.query("brand == 'NIO'").set_index(["product", "month"])["price"]
    base = cars.xs(mine.base_month, level="month")
    later = cars.drop(mine.base_month, level="month").unstack("month")
    assert later.to_numpy() == pytest.approx(np.repeat(0.67 * base.to_numpy()[:, None], 2, axis=1))
    sold = [
        each.market.query("brand == 'NIO' and month != @each.base_month")["orders"].sum()
        for each in (mine, plain(scenario))
    ]
    assert sold[0] > 1.5 * sold[1]


def test_lines_left_out_are_priced_by_the_scenarios_rule_and_rivals_reply():
    mine = answer(WORLD, BYD=Half)
    prices = [each.market.query("month == '2024-02'").set_index("product")["price"] for each in (mine, plain(WORLD))]
    byd = mine.market.query("automaker == 'BYD' and month == '2024-02'")["product"].tolist()
    assert (prices[0][byd] == 111.0).sum() == 1
    others = [name for name in prices[0].index if name not in byd]
    assert (prices[0][others] != prices[1][others]).mean() > 0.8


def test_runs_say_whose_rules_were_replaced():
    mine = answer(WORLD, XPeng=Stays, NIO=Cheap)
    assert mine.diagnostics["agents"] == {
        "XPeng": f"{__name__}.Stays",
        "NIO": f"{__name__}.Cheap",
    }
    assert "agents" not in plain(WORLD).diagnostics


def test_a_mesa_user_finds_ones_own_kind_among_the_agents():
    model = EVMarket(WORLD, agents={"XPeng": Stays})
    (xpeng,) = model.agents_by_type[Stays]
    assert xpeng.name == "XPeng" and isinstance(xpeng, Independent)
    model.step()
    frame = model.datacollector.get_agenttype_vars_dataframe(Stays)
    assert frame["name"].tolist() == ["XPeng"]
    assert len(model.agents_by_type[AllianceOEM]) > 2


# What is refused, in one line.


def test_an_automaker_that_there_is_not_is_refused_with_the_nearest():
    assert "XPeng" in refusal(lambda: answer(WORLD, Xpeng=Stays))
    assert "NIO" in refusal(lambda: answer(WORLD, Nio=Stays))


@pytest.mark.parametrize("rule", [Stays.__name__, object, dict, lambda review: review.best(), None, Review])
def test_what_is_no_kind_of_automaker_is_refused(rule):
    message = refusal(lambda: answer(WORLD, XPeng=rule))
    assert "XPeng" in message and "evsim.Automaker" in message


@pytest.mark.parametrize(
    "way",
    [Way("alliance", "huawei"), Way("none", "none"), "inside", None, Way("in_house", "NIO"), ("inside", "momenta")],
)
def test_a_way_that_is_not_open_is_refused_with_those_that_are(way):
    class Wrong(Independent):
        def choose_mode(self, review):
            return way

    message = refusal(lambda: answer(WORLD, XPeng=Wrong), EvsimError)
    assert "Wrong.choose_mode of XPeng" in message and "in_house (XPeng)" in message


@pytest.mark.parametrize("price", [0.0, -5.0, np.nan, np.inf, "cheap", None, [200.0], True, False])
def test_a_price_that_is_none_is_refused(price):
    class Wrong(Independent):
        def price(self):
            return {self.model.market.offers.product[self.lines[0]]: price}

    message = refusal(lambda: answer(WORLD, XPeng=Wrong))
    assert "Wrong.price of XPeng" in message and repr(price) in message


def test_a_price_for_a_line_that_it_does_not_sell_is_refused_with_those_it_sells():
    class Wrong(Independent):
        def price(self):
            return {"Tesla electric 250-400": 100.0}

    message = refusal(lambda: answer(WORLD, XPeng=Wrong))
    assert "XPeng has no line 'Tesla electric 250-400'" in message and "XPeng electric" in message


@pytest.mark.parametrize("prices", [None, 5.0, ["XPeng electric 150-250"]])
def test_prices_that_are_no_mapping_are_refused(prices):
    class Wrong(Independent):
        def price(self):
            return prices

    assert "Wrong.price of XPeng" in refusal(lambda: answer(WORLD, XPeng=Wrong))
