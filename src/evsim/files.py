"""Files written whole or not at all, and names that stay inside their folder.

A file appears under its name only when all of it is on the disk; a run folder appears under its name only when all its
files are in it. Whatever interrupts the writing leaves the former state (at worst, after kill -9, a hidden `.….partial`
beside it).
"""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evsim.errors import StorageError

LONGEST_NAME = 150  # bytes; file systems take 255, and the hidden name is longer than the final one


@dataclass
class RunFolder:
    """Where the files of a run go: `path` while they are written; `final` once the folder is whole (None before)."""

    path: Path
    final: Path | None = None


def write_whole(path: str | os.PathLike[str], content: bytes | Callable[[BinaryIO], object]) -> Path:
    """Write a file so that readers see either the former file or all of the new one.

    Args:
        path: the file; its folder must exist.
        content: the bytes, or a function that writes them to the open file it is given.
    Returns:
        The path.
    Raises:
        StorageError: the file cannot be written; the former one, if any, is untouched.
    """
    path = Path(path)
    temporary = _hidden_beside(path)
    with storage_trouble(f"cannot write {path}"):
        try:
            with open(temporary, "xb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    return path


@contextlib.contextmanager
def new_run_folder(base: str | os.PathLike[str], name: str, seed: int) -> Iterator[RunFolder]:
    """A folder for one run: `<base>/<name>-seed<seed>-<n>`, n the first number that is free.

    Inside the `with` block files go to `folder.path`, a hidden folder beside the final one, so that a base folder that
    cannot be written is noticed at once. When the block ends well the folder gets its name, `folder.final`; when it
    ends in an error or an interruption nothing is left, not even a base folder that was made for it.

    Raises:
        StorageError: the base folder cannot be made or written.
    """
    base = Path(base)
    stem = f"{safe_name(name)}-seed{int(seed)}"
    folder = RunFolder(_hidden_beside(base / stem))
    made: list[Path] = []
    try:
        with storage_trouble(f"cannot write in {base}"):
            made = _missing_folders(base)
            folder.path.mkdir(parents=True)
        yield folder
        with storage_trouble(f"cannot write in {base}"):
            folder.final = _take_free_name(folder.path, base, stem)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        for parent in made:
            with contextlib.suppress(OSError):  # never made, or no longer empty: somebody else uses it
                parent.rmdir()
        raise


@contextlib.contextmanager
def whole_folder(final: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to write into that takes its name, and a former one's place, when the block ends well.

    The folder above it must exist. When the block ends in an error or an interruption the former one is as it was.

    Raises:
        StorageError: the folder above cannot be written.
    """
    final = Path(final)
    fresh, former = _hidden_beside(final), _hidden_beside(final)
    try:
        with storage_trouble(f"cannot write {final}"):
            fresh.mkdir()
        yield fresh
        with storage_trouble(f"cannot write {final}"):
            if final.exists():
                os.replace(final, former)
            try:
                os.replace(fresh, final)
            except BaseException:
                if former.exists():
                    os.replace(former, final)
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(former, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name from any text: letters and digits of every script, `.`, `_` and `-`; never a path, never hidden."""
    cleaned = re.sub(r"[^\w.-]+", "_", name).encode("utf-8", "ignore")[:LONGEST_NAME].decode("utf-8", "ignore")
    return cleaned.strip("._-") or "unnamed"


@contextlib.contextmanager
def storage_trouble(what: str) -> Iterator[None]:
    """Turn the operating system's refusals into one line that says what could not be done.

    Raises:
        StorageError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what}: {error.strerror or error}") from error


def _hidden_beside(path: Path) -> Path:
    """A name in the same folder that nobody else uses."""
    return path.with_name(f".{safe_name(path.name)}.{secrets.token_hex(6)}.partial")


def _take_free_name(partial: Path, base: Path, stem: str) -> Path:
    """Rename a folder to `stem-n`, n the first free number; two processes never get the same."""
    number = 1
    while True:
        final = base / f"{stem}-{number}"
        try:
            final.mkdir()  # fails when taken: this is what makes the number ours
        except FileExistsError:
            number += 1
            continue
        os.replace(partial, final)
        return final


def _missing_folders(folder: Path) -> list[Path]:
    """The folders that would have to be made for `folder` to exist, deepest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]
