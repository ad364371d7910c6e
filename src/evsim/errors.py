"""What can go wrong, each with its exit code.

An error is one line for the person who made the request: the key or row, its value, what is allowed, what to do.
"""


class EvsimError(Exception):
    """Base of every error evsim raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class BadRequest(EvsimError):
    """The request cannot be met as it stands: unknown key, value out of range, faulty table. Nothing was written."""

    exit_code = 2


class StorageError(EvsimError):
    """A folder or file cannot be read or written."""

    exit_code = 3
