"""Elementary functions of whole rows, compiled so that the processor takes several entries at once.

A compiled loop that calls `math.exp` or `math.log` goes one entry at a time, and a plain loop for a sum or a maximum waits at
each entry for the one before. Here the functions are polynomials, and sums have four parts, in a fixed order: the same bits on
every processor, and two to seven times as fast. A row may be written over itself, but then the loop goes one by one again.

Polynomials go by `fused`, a b + c rounded once: half the instructions, on every processor since 2013.
"""

import numpy as np

from .compiled import fused, njit, power_of_two

INVERSE_LN2 = 1.4426950408889634
LN2_HIGH, LN2_LOW = (
    6.93147180369123816490e-01,
    1.90821492927058770002e-10,
)  # ln 2 in two parts: k times the first is exact
MANTISSA, EXPONENT_OF_ONE, BIAS = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000, 1023  # how a double is laid out
SQRT_2 = 1.4142135623730951


@njit
def whole_vectors(length):
    """The next multiple of 8: a row that long, its last entries filled with −inf or 0, leaves no entry to go by itself."""
    return (length + 7) // 8 * 8


@njit
def exponentials(exponents, shift, out):
    """exp(x_j − shift) of a row, into `out`, `[J]`: several at once, where calls of `math.exp` go one by one.

        exp v = 2^k exp(v − k ln 2),  k = ⌊v / ln 2 + 1/2⌋

    the second factor by its Taylor polynomial of degree 12: within 2 units in the last place, the same bits on every processor.

    Args:
        exponents: x, `[J]`; shift: what is taken off all of them.
        out: `[J]`; 0 where x − shift < −708, inf where it is above 709. It may be `exponents` itself, which takes longer.
    """
    for j in range(exponents.shape[0]):
        v = exponents[j] - shift
        k = np.floor(v * INVERSE_LN2 + 0.5)
        r = fused(-k, LN2_LOW, fused(-k, LN2_HIGH, v))
        p = fused(r, 1 / 479001600, 1 / 39916800)
        p = fused(r, fused(r, fused(r, p, 1 / 3628800), 1 / 362880), 1 / 40320)
        p = fused(r, fused(r, fused(r, p, 1 / 5040), 1 / 720), 1 / 120)
        p = fused(r, fused(r, fused(r, p, 1 / 24), 1 / 6), 1 / 2)
        near_one = fused(r, fused(r, p, 1.0), 1.0)
        within = 0.0 if v < -708.0 else near_one * power_of_two(k)
        out[j] = np.inf if v > 709.0 else within


@njit
def highest_of(row):
    """The largest entry of a row, −inf of none; four at a time."""
    a = b = c = d = -np.inf
    whole = row.shape[0] - row.shape[0] % 4
    for j in range(0, whole, 4):
        a, b, c, d = max(a, row[j]), max(b, row[j + 1]), max(c, row[j + 2]), max(d, row[j + 3])
    for j in range(whole, row.shape[0]):
        a = max(a, row[j])
    return max(max(a, b), max(c, d))


@njit
def sum_of(row):
    """The sum of a row: four partial sums, added in a fixed order."""
    a = b = c = d = 0.0
    whole = row.shape[0] - row.shape[0] % 4
    for j in range(0, whole, 4):
        a, b, c, d = a + row[j], b + row[j + 1], c + row[j + 2], d + row[j + 3]
    for j in range(whole, row.shape[0]):
        a += row[j]
    return (a + b) + (c + d)


@njit
def dot_of(row, other):
    """Σ_j x_j y_j of two rows: four partial sums, added in a fixed order."""
    a = b = c = d = 0.0
    whole = row.shape[0] - row.shape[0] % 4
    for j in range(0, whole, 4):
        a, b = a + row[j] * other[j], b + row[j + 1] * other[j + 1]
        c, d = c + row[j + 2] * other[j + 2], d + row[j + 3] * other[j + 3]
    for j in range(whole, row.shape[0]):
        a += row[j] * other[j]
    return (a + b) + (c + d)


@njit
def logarithms(numbers, scratch, out):
    """ln x_j of a row, into `out`, `[J]`.

        ln x = k ln 2 + ln m,  ln m = 2 (s + s³/3 + s⁵/5 + …),  s = (m − 1) / (m + 1)

    with x = 2^k m and m between √½ and √2, to s^21: within 3 units in the last place.

    Args:
        numbers: x, `[J]`, positive and normal.
        scratch: `[J]` of int64, for the bits of m.
        out: `[J]`, other memory than `numbers`.
    """
    patterns, mantissas = numbers.view(np.int64), scratch.view(np.float64)
    for j in range(numbers.shape[0]):
        scratch[j] = (patterns[j] & MANTISSA) | EXPONENT_OF_ONE
    for j in range(numbers.shape[0]):
        m, k = mantissas[j], np.float64((patterns[j] >> 52) - BIAS)
        large = m > SQRT_2
        m, k = (0.5 * m if large else m), (k + 1.0 if large else k)
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        p = fused(z, fused(z, fused(z, 1 / 21, 1 / 19), 1 / 17), 1 / 15)
        p = fused(z, fused(z, fused(z, p, 1 / 13), 1 / 11), 1 / 9)
        series = z * fused(z, fused(z, fused(z, p, 1 / 7), 1 / 5), 1 / 3)
        out[j] = k * LN2_HIGH + (2.0 * s + (2.0 * s * series + k * LN2_LOW))
