from collections.abc import Callable
from typing import Never


class Untouched:
    """A port that must not be asked anything."""

    def __getattr__(self, name: str) -> Callable[..., Never]:
        def asked(*_: object, **__: object) -> Never:
            raise AssertionError(f"asked for {name}")

        return asked
