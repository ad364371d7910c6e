"""What a setter gains by moving one price: against profits computed anew."""

import numpy as np
import pytest
from economics.price_twins import KINDS, game_of, profits_twin

from evsim.economics.deviations import best_reply, gains_of_prices
from evsim.economics.price_point import evaluate
from evsim.economics.pricing import equilibrium_prices, largest_gain, profits
from evsim.economics.subsidy import compose


def taxed_game(kind):
    rule = compose([("tax_exemption", np.arange(8) < 5, 0.0, 1.0, 15.0, 1.0)], 8)
    return game_of(kind, 6, rule)


@pytest.mark.parametrize("kind", KINDS)
def test_profits_are_margins_times_shares(kind):
    game = taxed_game(kind)
    prices = game.marginal_costs * 1.4
    assert profits(game, prices) == pytest.approx(profits_twin(game, prices), rel=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_gains_along_a_price_are_the_differences_of_the_setters_profit(kind):
    game = taxed_game(kind)
    prices = game.marginal_costs * 1.4
    point, tried = evaluate(game, prices), np.array([-500.0, 60.0, 169.5, 200.0, 900.0, 1e5])
    for j in range(8):
        setter = game.setter[j]
        moved = [profits_twin(game, np.where(np.arange(8) == j, price, prices))[setter] for price in tried]
        expected = np.array(moved) - profits_twin(game, prices)[setter]
        assert gains_of_prices(game, point, j, tried) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_from_a_wrong_price_the_best_reply_is_where_a_fine_grid_says(kind):
    game = taxed_game(kind)
    prices = equilibrium_prices(game).prices * np.array([1.0, 1.2, 0.9, 1.0, 1.4, 1.0, 0.7, 1.0])
    point, fine = evaluate(game, prices), np.linspace(50.0, 900.0, 8501)
    for j in range(8):
        gains = gains_of_prices(game, point, j, fine)
        price, gain = best_reply(game, point, j)
        assert price == pytest.approx(fine[gains.argmax()], abs=0.06)
        assert gain >= gains.max() - 1e-12


def test_the_largest_gain_names_the_price_that_is_wrong():
    game = taxed_game("ordinary")
    prices = equilibrium_prices(game).prices
    wrong = prices.copy()
    wrong[3] *= 1.5
    found = largest_gain(game, wrong)
    assert found.product == 3
    assert found.price == pytest.approx(prices[3], rel=0.2)
    assert found.gain == found.gains.max() > 0
    assert largest_gain(game, prices).gain <= 1e-12
    assert largest_gain(game, wrong, np.array([prices[3]])).gain == pytest.approx(found.gain, rel=0.1)
