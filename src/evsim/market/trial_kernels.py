"""A maker's lines with one brand in another way: what they earn and cost, where prices start, and what they are worth to buyers.

Compiled, for a review asks thousands of times, and starting from what a point knows: a line that does not move has the point's
odds. The slow twin is the market itself in that way, made by `ways.tried` and priced by `economics.best_reply`; the equations are
those of `ways.moved`, `Rates.terms` and `economics.contracts`, which hold it in the tests.
"""

import numpy as np

from ..compiled import njit
from ..economics.price_rule import buyer_prices
from ..economics.reply_kernels import add_to, copy_scaled, replied
from ..vectors import exponentials

STAYS = -1  # in place of a stack: the line keeps its own


@njit
def borne(mode, base_price, rates, vat):
    """What the leader bears of a line, kCNY a car: parts, and the shops it sells in; as in `Rates.terms`."""
    return rates[2][mode] + rates[3][mode] * base_price / (1.0 + vat)


@njit
def relieved(mode, platform, base_price, books):
    """What a line is spared of its own cost, kCNY a car: `ways.relief`; a rival supplier's stack costs its fee."""
    _, _, rates, vat, (_, rival, _), (_, components, supplier), rival_fee = books
    bought = mode in (supplier, components)
    return borne(mode, base_price, rates, vat) - (rival_fee if platform == rival and bought else 0.0)


@njit
def tried_lines(rows, moving, way, books, owners_left):
    """Terms, costs and stacks of a maker's lines once some of them have moved.

    Args:
        rows: the maker's lines on sale then, `[L]`; moving: those of them that move, both rising.
        way: mode and platform that they move to, codes; how many platforms there are.
        books: the first seven of `trials.Ledger`.
        owners_left: what a car sold leaves in owner value, `[all lines]`, kCNY.
    Returns:
        Money `[7, L]`: A and c of `economics.best_reply`, the price to start from, cost before fees, r, w, m.
        Codes `[4, L]`: mode before and after, stack before and after (columns of `panel.stack_utility`; `STAYS`: no move).
    """
    (platforms, modes), money, rates, vat, (leader, _, parts), (_, components, _), _ = books
    cost, base_price, price, saved, credit, covering = money
    n_platforms = way[2]
    found, told = np.empty((7, len(rows))), np.empty((4, len(rows)), dtype=np.int64)
    at = 0
    for place in range(len(rows)):
        line = rows[place]
        platform, mode, own = platforms[line], modes[line], cost[line]
        told[0, place] = told[1, place] = mode
        told[2, place] = told[3, place] = STAYS
        if at < len(moving) and moving[at] == line:
            at += 1
            told[2, place] = platform + n_platforms * (mode == components)
            own += relieved(mode, platform, base_price[line], books)
            if way[0] != components:
                platform = way[1]
            elif platform == leader:
                platform = parts
            mode = way[0]
            own -= relieved(mode, platform, base_price[line], books)
            told[1, place], told[3, place] = mode, platform + n_platforms * (mode == components)
        share, fee = rates[0][mode], rates[1][mode]
        own = max(own - saved[line], 0.1) + credit[line]
        found[0, place] = (1.0 - share) / (1.0 + vat)
        found[1, place] = own + fee - owners_left[line]
        dearer = (own + fee) * (1.0 + vat) / (1.0 - share) - covering[line]
        found[2, place] = price[line] if told[2, place] == STAYS else max(price[line] + dearer, 1.0)
        found[3, place], found[4, place], found[5, place] = own, share, fee
        found[6, place] = borne(mode, base_price[line], rates, vat)
    return found, told


@njit
def write_tried(columns, told, lent, point, outlay, odds, total):
    """Odds of the lines at the prices to start from into a table `[2 S, L]`: exp(V − α q − reference); they join the total.

    A line that stays has those of the point, but for lent trust.

    Args:
        columns: of the lines in the point's tables, `[L]`; told: codes of `tried_lines`.
        lent: trust lent to each member before and after, utils, and the code of its mode.
        point: its utilities, what stacks add, its excess and reference, and α, `[2 S]`.
        outlay: q, `[L]`, kCNY.
    """
    table, stacks, excess, reference, sensitivity = point
    utilities, adds, known, products, net = table.T, stacks.T, excess.T, odds.T, np.empty(reference.shape[0])
    for place in range(len(columns)):
        column, before, after, paid = columns[place], told[2, place], told[3, place], outlay[place]
        less = lent[0] if told[0, place] == lent[2] else 0.0
        more = lent[1] if told[1, place] == lent[2] else 0.0
        if before == STAYS:
            copy_scaled(known[column], np.exp(more - less), products[place], total)
        else:
            utility, adds_then, adds_now = utilities[column], adds[after], adds[before]
            for i in range(net.shape[0]):
                stack = adds_then[i] - adds_now[i]
                net[i] = ((((utility[i] + more) - less) + stack) - reference[i]) - sensitivity[i] * paid
            exponentials(net, 0.0, products[place])
            add_to(products[place], total)


@njit
def set_utility(columns, utility, outlay, point, excess):
    """New utilities of lines, `[2 S, L]`, into a point's table, and what the excess is the exponential of: V − α q − reference.

    Args:
        columns: of the lines in the point's tables, `[L]`; outlay: q, `[L]`, kCNY.
        point: its utilities, its reference, and α, `[2 S]`.
    """
    table, reference, sensitivity = point
    for place in range(len(columns)):
        column, paid = columns[place], outlay[place]
        for i in range(table.shape[0]):
            table[i, column] = utility[i, place]
            excess[i, place] = (utility[i, place] - sensitivity[i] * paid) - reference[i]


@njit
def answered(lines, way, lent, books, owners_left, point, reply, odds):
    """`tried_lines`, and the maker's best reply on them: money and codes of the lines, its prices and shares, `[L]` each.

    Args:
        lines: rows, their columns in the point's tables, and the rows that move.
        point: its utilities, what stacks add, its excess, its reference and α; and `consumers` of `reply_kernels.replied`.
        reply: what buyers pay for the lines: knots, slopes, intercept, jumps; and how many steps are made.
        odds: a table `[2 S, L]`, overwritten. The others as there.
    """
    (rows, columns, moving), (seen, consumers), (rule, steps) = lines, point, reply
    found, told = tried_lines(rows, moving, way, books, owners_left)
    total = consumers[3].copy()
    write_tried(columns, told, lent, seen, buyer_prices(found[2], rule), odds, total)
    prices, shares = replied(odds, total, consumers, (found[0], found[1]), rule, found[2], steps)
    return found, told, prices, shares


@njit
def earnings(rows, sold, costs, fees, modes, own, vat):
    """What a maker's lines earn a year, as `forecast.Flows`.

    Args:
        rows, costs, fees: of `forecast.Answer`, `[L]` each; sold: its prices and cars.
        modes: codes of the lines' modes, and which modes are the leader's full stack.
        own: brands of all lines, and the brand whose own lines are told apart.
    """
    (prices, cars), (share, fee), (codes, full_stack), (brands, brand) = sold, fees, modes, own
    market_profit = royalty = all_cars = leader_cars = brand_profit = brand_cars = 0.0
    for place in range(len(rows)):
        net = prices[place] / (1.0 + vat)
        margin, paid, units = net - costs[place], share[place] * net + fee[place], cars[place]
        market_profit += units * margin
        royalty += units * paid
        all_cars += units
        if full_stack[codes[place]]:
            leader_cars += units
        if brands[rows[place]] == brand:
            brand_profit += units * (margin - paid)
            brand_cars += units
    return market_profit, royalty, all_cars, leader_cars, brand_profit, brand_cars
