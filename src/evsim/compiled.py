"""numba's decorator, with a cache that notices every edit.

numba keys a cached kernel by the time stamp of its own file: an edit of a row function in another module goes unnoticed and
the old result comes back. Here the cache folder is named by the digest of every source file of the package that compiles
something, so that any edit of any of them starts a fresh folder. The folder is chosen before numba compiles anything.

`EVSIM_CACHE_DIR` moves the cache; `NUMBA_DISABLE_JIT=1` runs the same lines in plain Python.
"""

import hashlib
import os
from pathlib import Path

PACKAGE = Path(__file__).parent


def compiled_sources() -> list[Path]:
    """Every source file that defines a compiled function, in a fixed order."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "@njit" in path.read_text(encoding="utf-8")]


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

numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # in case numba was imported by someone else before

njit = numba.njit(cache=True, nogil=True)
