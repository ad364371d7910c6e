"""How far a sweep is: a bar with the time left on a terminal, elsewhere a line every half minute, on standard error."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from evsim.words import duration

EVERY_SECONDS = 30.0
Tell = Callable[[int, int], None]  # runs entered in all, of them failed


@contextlib.contextmanager
def shown(total: int, entered: int, quiet: bool) -> Iterator[Tell]:
    """A function to call with (runs entered, runs failed) as they come.

    Args:
        total: runs of the design.
        entered: those that were done or failed before.
        quiet: show nothing.
    """
    if quiet:
        yield lambda entered, failed: None
    elif sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, initial=entered, unit="run", leave=False, dynamic_ncols=True) as bar:

            def advance(entered: int, failed: int) -> None:
                if failed:
                    bar.set_postfix(failed=failed, refresh=False)
                bar.update(entered - bar.n)

            yield advance
    else:
        yield _lines(total, entered)


def _lines(total: int, before: int) -> Tell:
    """Tell by a line every half minute."""
    began = last = time.monotonic()

    def tell(entered: int, failed: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < EVERY_SECONDS or entered == before:
            return
        last = now
        left = (total - entered) * (now - began) / (entered - before)
        trouble = f", {failed:,} failed" if failed else ""
        print(f"{entered:,} of {total:,} runs{trouble}, about {duration(left)} left", file=sys.stderr, flush=True)

    return tell
