"""numba's decorator, with a cache that notices every edit.

numba keys a cached kernel by the time stamp of its own file: an edit of a row function in another module goes unnoticed and
the old result comes back. Here the cache folder is named by the digest of every source file of the package that compiles
something, so that any edit of any of them starts a fresh folder. The folder is chosen before numba compiles anything.

Compiled functions release the interpreter's lock, so blocks of rows may be handed to threads (`over_blocks`). Blocks are
fixed and results are put together in their order: no number of threads changes a bit. Refused: numba's `parallel=True`,
whose sums depend on the number of threads.

`EVSIM_CACHE_DIR` moves the cache; `NUMBA_DISABLE_JIT=1` runs the same lines in plain Python.
"""

import ctypes
import hashlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

PACKAGE = Path(__file__).parent
BLOCK_ROWS = 1_024
Part = TypeVar("Part")


def compiled_sources() -> list[Path]:
    """Every source file that defines a compiled function, in a fixed order."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py")))
    return [path for path, text in texts if "@njit" in text or "@inlined" in text]


def sources_digest() -> str:
    """SHA-256, first 16 digits, over names and texts of the compiled sources."""
    digest = hashlib.sha256()
    for path in compiled_sources():
        digest.update(str(path.relative_to(PACKAGE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: one folder for each state of the sources."""
    base = os.environ.get("EVSIM_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(Path.home(), ".cache"), "evsim"
    )
    return Path(base) / sources_digest()


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

import numba  # noqa: E402 - numba reads NUMBA_CACHE_DIR once, on import
import numba.extending  # noqa: E402
import numpy as np  # noqa: E402
from llvmlite import ir  # noqa: E402

numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # in case numba was imported by someone else before

# x/0 is inf: were every division checked, loops would take one product at a time.
njit = numba.njit(cache=True, nogil=True, error_model="numpy")
# For row functions that take whole tables: handing dozens of arrays over for each row took longer than the row itself.
inlined = numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")


@numba.extending.intrinsic
def fused(typing_context, a, b, c):
    """a b + c, rounded once: the same bits on every processor."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return numba.float64(numba.float64, numba.float64, numba.float64), generate


@numba.extending.intrinsic
def power_of_two(typing_context, k):
    """2^k of a whole number −1022 ≤ k ≤ 1023, given as a float: its bits are put together, without a table to look it up in."""

    def generate(context, builder, signature, arguments):
        whole = builder.fptosi(arguments[0], ir.IntType(64))
        biased = builder.add(whole, ir.IntType(64)(1023))
        return builder.bitcast(builder.shl(biased, ir.IntType(64)(52)), ir.DoubleType())

    return numba.float64(numba.float64), generate


if numba.config.DISABLE_JIT:  # plain Python rounds a b + c twice: the last digit may differ

    def fused(a, b, c):
        return a * b + c

    def power_of_two(k):
        return float(np.ldexp(1.0, int(k))) if np.isfinite(k) else np.nan


def over_blocks(task: Callable[[slice], Part], n_rows: int, threads: int = 1) -> list[Part]:
    """Results of a task over fixed blocks of rows, in the order of the blocks, on at most `threads` threads."""
    blocks = [slice(first, min(first + BLOCK_ROWS, n_rows)) for first in range(0, n_rows, BLOCK_ROWS)]
    if threads <= 1 or len(blocks) <= 1:
        return [task(block) for block in blocks]
    return list(_pool(threads).map(task, blocks))


@cache
def keep_freed_memory() -> None:
    """Let this process keep memory that it frees, up to 256 MB, for the next month's tables.

    glibc hands blocks of some megabytes back to the system at once, and getting them anew, page by page, took a fifth of a run.
    With any other C library nothing happens.
    """
    trim_threshold, mmap_threshold = -1, -3  # names of the parameters in glibc's malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(trim_threshold, 256 << 20)
        mallopt(mmap_threshold, 32 << 20)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """One pool for each number of threads, kept: a month has dozens of short passes."""
    return ThreadPoolExecutor(threads, thread_name_prefix="evsim")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child has the pool, but not its threads
