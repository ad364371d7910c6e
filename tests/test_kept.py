"""What is kept for the process: told apart by every number, and never lent out to be changed."""

from dataclasses import dataclass

import numpy as np
import pytest

from evsim.kept import Kept, digest


@pytest.mark.parametrize(
    "other",
    [
        (np.array([1.0, 2.0]), 3, "a", (np.array([1]),)),
        (np.array([1.0, 2.0]), 2, "b", (np.array([1]),)),
        (np.array([1.0, 2.5]), 2, "a", (np.array([1]),)),
        (np.array([[1.0, 2.0]]), 2, "a", (np.array([1]),)),
        (np.array([1, 2]), 2, "a", (np.array([1]),)),
        (np.array([1.0, 2.0]), 2.0, "a", (np.array([1]),)),
        (np.array([1.0, 2.0]), 2, "a", np.array([1])),
        (np.array([1.0, 2.0]), 2, "a", (np.array([1], dtype=np.int16),)),
    ],
)
def test_a_digest_tells_values_types_and_shapes_apart(other):
    parts = (np.array([1.0, 2.0]), 2, "a", (np.array([1]),))
    assert digest(*parts) == digest(*(np.array([1.0, 2.0]), 2, "a", (np.array([1]),)))
    assert digest(*parts) != digest(*other)


@dataclass(frozen=True)
class Shop:
    cars: np.ndarray
    name: str = "shop"


@dataclass
class Open:
    cars: int = 1


def test_a_frozen_dataclass_has_the_digest_of_its_fields_and_one_that_may_change_has_none():
    cars = np.arange(3.0)
    assert digest(Shop(cars)) == digest(Shop(cars.copy())) != digest(Shop(cars + 1.0))
    assert digest(Shop(cars)) != digest(Shop(cars, "other")) != digest((cars, "other"))
    with pytest.raises(TypeError, match="Open has no digest"):
        digest(Open())


def test_an_array_that_is_no_block_of_memory_has_the_digest_of_its_values():
    table = np.arange(12.0).reshape(3, 4)
    assert digest(table[:, ::2]) == digest(table[:, ::2].copy()) != digest(table[:, 1::2])
    assert digest(np.empty((0, 3))) != digest(np.empty((0, 2)))


@pytest.mark.parametrize("part", [[1.0], {"a": 1}, object(), np.array(["a", None], dtype=object)])
def test_what_could_change_unseen_has_no_digest(part):
    with pytest.raises(TypeError, match="no digest"):
        digest(1.0, part)


def test_the_last_results_are_kept_and_cannot_be_changed():
    made = []

    def make(value):
        made.append(value)
        return np.full(2, float(value)), value

    kept = Kept(2)
    for value in (1, 2, 1, 3, 1, 2):  # 3 sends 2 away, as 1 was asked for later
        found, number = kept.get(digest(value), lambda value=value: make(value))
        assert number == value and (found == value).all() and not found.flags.writeable
    assert made == [1, 2, 3, 2] and len(kept.results) == 2
