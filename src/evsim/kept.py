"""Results kept for the process under a digest of every number they were made from.

A sweep opens many markets that differ in what happens later, or in a few parameters: what was worked out for the very same
numbers need not be worked out anew. The key is made of the numbers themselves, not of the parameters behind them, so that it
cannot leave one out. What is kept must not be changed by who gets it: arrays are made read-only here.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

import numpy as np

Result = TypeVar("Result", bound=tuple)
PLAIN = (bool, int, float, str, np.bool_, np.integer, np.floating, type(None))


def digest(*parts: Any) -> bytes:
    """20 bytes that tell these numbers, texts, arrays, and tuples and frozen dataclasses of them from all others: values, types
    and shapes.

    Raises:
        TypeError: a part is of another kind, which could change unseen.
    """
    found = hashlib.blake2b(digest_size=20)
    _take(found, parts)
    return found.digest()


def _take(found, part: Any) -> None:
    if isinstance(part, np.ndarray) and part.dtype != object:
        found.update(f"array {part.dtype.str} {part.shape} ".encode())
        found.update(np.ascontiguousarray(part).data if part.size else b"")
    elif isinstance(part, tuple):
        found.update(f"tuple {len(part)} ".encode())
        for each in part:
            _take(found, each)
    elif is_dataclass(part) and getattr(type(part), "__dataclass_params__").frozen:  # noqa: B009 - its type has no stub
        found.update(f"{type(part).__qualname__} ".encode())
        for each in fields(part):
            _take(found, getattr(part, each.name))
    elif isinstance(part, PLAIN):
        found.update(f"{type(part).__name__} {part!r} ".encode())
    else:
        raise TypeError(f"a {type(part).__name__} has no digest")


class Kept(Generic[Result]):
    """The last results asked for, at most so many."""

    def __init__(self, most: int):
        self.most = most
        self.results: OrderedDict[bytes, Result] = OrderedDict()

    def get(self, key: bytes, make: Callable[[], Result]) -> Result:
        """The result kept under the key, or made now; its arrays are read-only."""
        result = self.results.get(key)
        if result is None:
            result = make()
            for part in result:
                if isinstance(part, np.ndarray):
                    part.setflags(write=False)
        self.results[key] = result
        self.results.move_to_end(key)
        while len(self.results) > self.most:
            self.results.popitem(last=False)
        return result
