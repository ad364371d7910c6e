"""Named random draws: every draw has an address, none is "the next number".

The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), a keyed
bijection of a counter. The address is laid out so that two different addresses never meet:

    key      = seed, 64 bits
    counter  = index (32 bits), entity (64 bits), purpose (16 bits) and month (16 bits, offset 32 768)

so a draw depends on (seed, purpose, month, entity, index) and on nothing else: not on order, threads, workers, or on what
else is drawn. Scenarios share draws; a comparison is a difference of pairs. The block forms call the scalar ones.

Published known-answer vectors of the Random123 distribution hold the generator in tests/test_streams.py.
"""

import enum
import zlib

import numpy as np

from .compiled import inlined, njit
from .vectors import logarithms


class Purpose(enum.IntEnum):
    """What a draw is for. Numbers are part of the address: never renumber, only add."""

    TASTE = 1  # household's tastes; index = which taste
    START = 2  # a row's state at the base date; index = which part
    OWNED = 3  # line a household bought in the past; index = line
    CHOICE = 4  # taste shock of an alternative; index = product's key
    HOLDING = 5  # when a buyer shops again
    PAUSE = 6  # when a keeper shops again
    TURNOVER = 7  # whether a due row passes to a new household
    RESEARCH = 8  # success of a platform's R&D
    LAUNCH = 9  # quality of a launched brand or line
    CYCLE = 10  # where a line stands in its refresh cycle
    SHUFFLE = 11  # order of agents where a user asks for one
    QUEUE = 12  # order of buyers of one month in a queue
    REVIEW = 13  # order in which brands choose their modes at a review
    MODE = 14  # what a maker sees in a mode and the model does not; entity = brand, index = mode
    CLAIM = 16  # whether a household is among those a benefit is for; index = instrument
    SHIFT = 17  # what it costs a household to shop a month sooner or later
    BUILD = 15  # length and result of an attempt at a stack of one's own


MONTH_OFFSET = 32_768

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_11 = np.uint64(11)


@inlined
def philox4x32(counter0, counter1, counter2, counter3, key0, key1):
    """Ten rounds of Philox4x32; all six arguments and the four results are 32-bit numbers held in uint64."""
    for _ in range(10):
        product0 = _M0 * counter0
        product1 = _M1 * counter2
        counter0, counter1, counter2, counter3 = (
            (product1 >> _32) ^ counter1 ^ key0,
            product1 & _LOW,
            (product0 >> _32) ^ counter3 ^ key1,
            product0 & _LOW,
        )
        key0 = (key0 + _W0) & _LOW
        key1 = (key1 + _W1) & _LOW
    return counter0, counter1, counter2, counter3


@inlined
def bits(seed, purpose, month, entity, index):
    """64 random bits at an address. All arguments are whole numbers; entity is not negative."""
    seed = np.uint64(seed)
    entity = np.uint64(entity)
    when = np.uint64((np.int64(purpose) << 16) | (np.int64(month) + 32_768))
    word0, word1, _, _ = philox4x32(
        np.uint64(index) & _LOW, entity & _LOW, entity >> _32, when, seed & _LOW, seed >> _32
    )
    return (word1 << _32) | word0


@inlined
def uniform(seed, purpose, month, entity, index):
    """A number in (0, 1), 53 bits, never 0 or 1: (k + 1/2) / 2⁵³."""
    return (np.float64(bits(seed, purpose, month, entity, index) >> _11) + 0.5) * (1.0 / 9007199254740992.0)


@njit
def gumbel(seed, purpose, month, entity, index):
    """Standard Gumbel (type I extreme value): -ln(-ln u)."""
    return -np.log(-np.log(uniform(seed, purpose, month, entity, index)))


@njit
def gumbels(seed, purpose, month, entity, indices, scratch, out):
    """`gumbel` of one entity at many indices, into `out`, `[J]`, several at once: to 1e-14 the same numbers.

    Args:
        scratch: two rows `[J]`, of float64 and of int64.
    """
    numbers, patterns = scratch
    fill_uniforms_of(seed, purpose, month, entity, indices, out)
    logarithms(out, patterns, numbers)
    for j in range(len(numbers)):
        numbers[j] = -numbers[j]
    logarithms(numbers, patterns, out)
    for j in range(len(out)):
        out[j] = -out[j]


@njit
def fill_uniforms_of(seed, purpose, month, entity, indices, out):
    """`uniform` of one entity at many indices, into `out`, `[J]`: the same bits."""
    for j in range(len(indices)):
        out[j] = uniform(seed, purpose, month, entity, indices[j])


# Wichura's coefficients, highest power first: numerator and denominator of each of three regions
_CENTRE = np.array(
    [
        [2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608],
        [5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0],
    ]
)  # fmt: skip
_MIDDLE = np.array(
    [
        [0.00077454501427834140764, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734],
        [1.05075007164441684324e-9, 0.0005475938084995344946, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0],
    ]
)  # fmt: skip
_TAIL = np.array(
    [
        [2.01033439929228813265e-7, 0.0000271155556874348757815, 0.0012426609473880784386, 0.026532189526576123093,
         0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772],
        [2.04426310338993978564e-15, 1.4215117583164458887e-7, 0.000018463183175100546818, 0.0007868691311456132591,
         0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0],
    ]
)  # fmt: skip


@njit
def _ratio(coefficients, r):
    """Quotient of two polynomials of degree 7, by Horner's rule."""
    top, low = coefficients[0, 0], coefficients[1, 0]
    for power in range(1, 8):
        top = top * r + coefficients[0, power]
        low = low * r + coefficients[1, power]
    return top / low


@njit
def normal_quantile(probability):
    """Φ⁻¹ by Wichura's AS 241 (PPND16), relative error about 1e-16.

    Source: Wichura (1988), Applied Statistics 37(3), algorithm AS 241.
    """
    q = probability - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(_CENTRE, 0.180625 - q * q)
    r = np.sqrt(-np.log(probability if q < 0.0 else 1.0 - probability))
    value = _ratio(_MIDDLE, r - 1.6) if r <= 5.0 else _ratio(_TAIL, r - 5.0)
    return -value if q < 0.0 else value


@njit
def normal(seed, purpose, month, entity, index):
    """Standard normal, by inversion of one uniform."""
    return normal_quantile(uniform(seed, purpose, month, entity, index))


@njit
def bounded_normal(seed, purpose, month, entity, index):
    """A standard normal cut at −2 and 2, by inversion; its standard deviation is 0.8796."""
    tail = 0.022750131948179195  # Φ(−2)
    return normal_quantile(tail + (1.0 - 2.0 * tail) * uniform(seed, purpose, month, entity, index))


@njit
def _fill_uniforms(seed, purpose, month, entities, index, out):
    for i in range(len(entities)):
        out[i] = uniform(seed, purpose, month, entities[i], index)


def uniforms(seed, purpose, month, entities, index=0):
    """Uniforms of many entities, `[n]`: the same bits as `uniform` of each."""
    entities = np.ascontiguousarray(entities, dtype=np.uint64)
    out = np.empty(len(entities))
    _fill_uniforms(seed, int(purpose), month, entities, index, out)
    return out


def key_of(name: str) -> int:
    """A stable 32-bit key of a name (CRC-32 of its UTF-8), so that a product's draws do not depend on its row."""
    return zlib.crc32(name.encode("utf-8"))
