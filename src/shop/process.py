"""Sets up the process of a shop: garbage collection and the limit of open files."""

import gc
import resource
from contextlib import suppress

YOUNG_OBJECTS_MAX = 50_000


def collect_garbage_rarely() -> None:
    """Reference counts free nearly everything that a call leaves, so the 20 collections in each batch would
    find nothing. Objects that imports made live as long as the process, and are never looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


def allow_many_connections() -> None:
    """Raises the limit of open files, which is often 1024: every open stream is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # A system may refuse the maximum that it names.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
