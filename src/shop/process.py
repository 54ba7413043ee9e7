"""What the process of a shop asks of Python and of the system."""

import gc
import resource
from contextlib import suppress

YOUNG_OBJECTS_MAX = 50_000


def collect_garbage_rarely() -> None:
    """Reference counts free nearly all that a call leaves; looking for cycles 20 times a batch finds nothing.

    What the imports made lives as long as the process, and is not looked at at all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


def allow_many_connections() -> None:
    """An open stream is an open file, of which a process may often have 1024 only until it asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # as where the system means less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
