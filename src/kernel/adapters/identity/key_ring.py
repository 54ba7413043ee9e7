"""The public keys for verifying tokens, fetched every five minutes from a URL or a file."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

from kernel.adapters.identity.fetching import is_url, whole_text
from kernel.adapters.identity.public_keys import PublicKey, read_keys
from kernel.adapters.words import in_words
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.clock import Clock

REFRESH_S = 300.0
# The shortest time between two fetches for an unknown `kid`, which anybody can invent.
AGAIN_S = 10.0
FETCH_WITHIN_S = 5.0
JWKS_BYTES_MAX = 1024 * 1024

Source = Callable[[], Awaitable[bytes]]


class KeyRing:
    def __init__(self, source: Source, clock: Clock) -> None:
        """`source` returns a JWKS or PEM, or, if unreachable, raises OSError or aiohttp.ClientError."""
        self._source = source
        self._clock = clock
        self._keys: Mapping[str, PublicKey] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._fetched_at = float("-inf")
        self._trouble = Trouble("the source of SHOP_JWT_KEYS", clock, ends_quietly=False)

    def trusts(self, thumbprint: str) -> bool:
        return thumbprint in self._keys

    async def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key for this `kid` and algorithm, or None. Raises Unavailable if no key was ever fetched."""
        found = self._find(kid, algorithm)
        if found is None and self._clock.monotonic() - self._fetched_at >= AGAIN_S:
            await self.fetch()
            found = self._find(kid, algorithm)
        if found is None and not self._keys:
            raise Unavailable("the keys that tokens are checked with cannot be fetched")
        return found

    def _find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key if exactly one fits the algorithm and the `kid`, else None. A missing `kid` fits any."""
        fitting = [key for key in self._keys.values() if algorithm in key.algorithms]
        if kid is not None:
            fitting = [key for key in fitting if key.id in (kid, None)]
        return fitting[0] if len(fitting) == 1 else None

    async def fetch(self) -> None:
        """Fetches the keys, once for concurrent calls. If the fetch fails, the known keys stay trusted."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            keys = read_keys(await self._source())
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._trouble.report("away", f"fails: {in_words(error)}; known keys stay trusted")
        else:
            self._keys = {key.thumbprint: key for key in keys}
            self._trouble.over()
        finally:
            self._fetched_at = self._clock.monotonic()
            self._fetching = None

    async def run(self) -> None:
        while True:
            await self.fetch()
            await self._clock.sleep(REFRESH_S)


def source_of(location: str, session: aiohttp.ClientSession) -> Source:
    """A function that reads the keys from `location`, an http(s) URL or the path of a file."""

    async def read() -> bytes:
        if not is_url(location):
            return await asyncio.to_thread(Path(location).read_bytes)
        timeout = aiohttp.ClientTimeout(total=FETCH_WITHIN_S)
        async with session.get(location, timeout=timeout, raise_for_status=True) as response:
            return await whole_text(response, JWKS_BYTES_MAX)

    return read
