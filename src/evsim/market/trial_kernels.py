"""A maker's lines with one brand in another way: what they earn and cost, where prices start, and what they are worth to buyers.

Compiled, for a review asks thousands of times. The slow twin is the market itself in that way, made by `ways.tried` and priced
by `economics.best_reply`; the equations are those of `ways.moved`, `Rates.terms` and `economics.contracts`, which hold it in the
tests.
"""

import numpy as np

from ..compiled import njit
from ..economics.reply_kernels import replied

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
        found[2, place] = max(price[line] + (own + fee) * (1.0 + vat) / (1.0 - share) - covering[line], 1.0)
        found[3, place], found[4, place], found[5, place] = own, share, fee
        found[6, place] = borne(mode, base_price[line], rates, vat)
    return found, told


@njit
def write_tried(columns, told, lent, point, utility):
    """Utilities of the lines at a point before price into a table `[2 S, L]`, the reference taken off.

    Args:
        columns: of the lines in the point's tables, `[L]`; told: codes of `tried_lines`.
        lent: trust lent to each member before and after, utils, and the code of its mode.
        point: its utilities, what stacks add, and its reference, `[2 S]`.
    """
    table, stacks, reference = point
    for place in range(len(columns)):
        column, before, after = columns[place], told[2, place], told[3, place]
        less = lent[0] if told[0, place] == lent[2] else 0.0
        more = lent[1] if told[1, place] == lent[2] else 0.0
        if before == STAYS:
            for i in range(table.shape[0]):
                utility[i, place] = ((table[i, column] + more) - less) - reference[i]
        else:
            for i in range(table.shape[0]):
                stack = stacks[i, after] - stacks[i, before]
                utility[i, place] = (((table[i, column] + more) - less) + stack) - reference[i]


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
def answered(lines, way, lent, books, owners_left, point, reply, tables):
    """`tried_lines`, and the maker's best reply on them: money and codes of the lines, its prices and shares, `[L]` each.

    Args:
        lines: rows, their columns in the point's tables, and the rows that move.
        point: its utilities, what stacks add, its reference; and α, w, and Σ exp U of everything else, `[2 S]` each.
        reply: what buyers pay for the lines: knots, slopes, intercept, jumps; and how many steps are made.
        tables: two `[2 S, L]`, overwritten. The others as there.
    """
    (rows, columns, moving), (seen, consumers), (rule, steps) = lines, point, reply
    found, told = tried_lines(rows, moving, way, books, owners_left)
    write_tried(columns, told, lent, seen, tables[0])
    prices, shares = replied(tables, consumers, (found[0], found[1]), rule, found[2], steps)
    return found, told, prices, shares
