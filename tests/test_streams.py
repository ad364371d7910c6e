"""Draws are addressed, reproducible and distributed as they say."""

import numpy as np
import pytest
from scipy import special, stats

from evsim import streams
from evsim.streams import Purpose

# Random123 1.14, kat_vectors: philox 4x32 10 rounds: counter, key, answer
KNOWN_ANSWERS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, answer):
    words = streams.philox4x32(*(np.uint64(word) for word in counter + key))
    assert [int(word) for word in words] == answer


def test_an_address_spells_counter_and_key_as_documented():
    seed, purpose, month, entity, index = 0x299F31D0A4093822, 5, -7, 0x13198A2E85A308D3, 0x243F6A88
    words = streams.philox4x32(
        *(np.uint64(w) for w in (index, 0x85A308D3, 0x13198A2E, (5 << 16) | (32768 - 7), 0xA4093822, 0x299F31D0))
    )
    assert int(streams.bits(seed, purpose, month, entity, index)) == (int(words[1]) << 32) | int(words[0])


def test_scalar_and_block_forms_give_the_same_bits():
    entities = np.array([0, 1, 2**31, 2**40 + 3, 2**62], dtype=np.uint64)
    block = streams.uniforms(7, Purpose.TASTE, 3, entities, 2)
    assert block.tolist() == [streams.uniform(7, 1, 3, int(entity), 2) for entity in entities]


@pytest.mark.parametrize("part", range(5))
def test_every_part_of_the_address_changes_the_draw(part):
    address = [0, 1, 0, 0, 0]
    other = list(address)
    other[part] += 1
    assert streams.bits(*address) != streams.bits(*other)


def test_seed_zero_is_a_seed():
    assert streams.uniform(0, 1, 0, 0, 0) != streams.uniform(1, 1, 0, 0, 0)
    assert 0.0 < streams.uniform(0, 1, 0, 0, 0) < 1.0


def test_uniforms_are_uniform_and_uncorrelated_between_neighbours():
    draws = streams.uniforms(0, Purpose.CHOICE, 5, np.arange(200_000), 1)
    assert stats.kstest(draws, "uniform").pvalue > 1e-4
    next_index = streams.uniforms(0, Purpose.CHOICE, 5, np.arange(200_000), 2)
    for a, b in ((draws[:-1], draws[1:]), (draws, next_index)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(200_000)


def test_the_normal_quantile_agrees_with_scipy():
    probabilities = np.concatenate(
        [10.0 ** -np.arange(1, 17), np.linspace(0.001, 0.999, 997), 1 - 10.0 ** -np.arange(1, 15)]
    )
    ours = np.array([streams.normal_quantile(p) for p in probabilities])
    np.testing.assert_allclose(ours, special.ndtri(probabilities), rtol=2e-13, atol=1e-14)


def test_shocks_drawn_together_are_those_drawn_one_by_one():
    keys = np.random.default_rng(0).integers(0, 2**32, 211)
    together, scratch = np.empty(211), (np.empty(211), np.empty(211, dtype=np.int64))
    streams.gumbels(3, int(Purpose.CHOICE), 17, 2**40 + 5, keys, scratch, together)
    single = [streams.gumbel(3, int(Purpose.CHOICE), 17, 2**40 + 5, key) for key in keys]
    assert together == pytest.approx(np.array(single), rel=1e-13, abs=1e-14)


def test_gumbels_have_their_mean_and_variance():
    gumbels = np.array([streams.gumbel(3, 4, 0, i, 0) for i in range(40_000)])
    assert abs(gumbels.mean() - np.euler_gamma) < 4 * np.pi / np.sqrt(6 * 40_000)
    kurtosis = 5.4  # of a Gumbel; the variance of a sample variance is (kurtosis - 1) sigma^4 / n
    assert gumbels.var() == pytest.approx(np.pi**2 / 6.0, rel=4 * np.sqrt((kurtosis - 1.0) / 40_000))
