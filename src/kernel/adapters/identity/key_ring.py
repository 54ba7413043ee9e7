"""The keys that tokens are trusted by, as fresh as their source."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

from kernel.adapters.identity.fetching import whole_text
from kernel.adapters.identity.public_keys import PublicKey, read_keys
from kernel.adapters.words import in_words
from kernel.domain.errors import Unavailable
from kernel.ports.clock import Clock

REFRESH_S = 300.0
# For an unknown `kid`, at most so often: anybody can make one up.
AGAIN_S = 10.0
FETCH_WITHIN_S = 5.0
JWKS_BYTES_MAX = 1024 * 1024

Source = Callable[[], Awaitable[bytes]]

logger = logging.getLogger(__name__)


class KeyRing:
    def __init__(
        self, source: Source, clock: Clock, *, refresh_s: float = REFRESH_S, again_s: float = AGAIN_S
    ) -> None:
        """`source` gives a JWKS or PEM. Raises OSError or aiohttp.ClientError where it is away."""
        self._source = source
        self._clock = clock
        self._refresh_s = refresh_s
        self._again_s = again_s
        self._keys: Mapping[str, PublicKey] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._fetched_at = float("-inf")
        self._is_away = False

    def trusts(self, thumbprint: str) -> bool:
        return thumbprint in self._keys

    async def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """Raises Unavailable where no keys could be fetched yet."""
        found = self._find(kid, algorithm)
        if found is None and self._clock.monotonic() - self._fetched_at >= self._again_s:
            await self.fetch()
            found = self._find(kid, algorithm)
        if found is None and not self._keys:
            raise Unavailable("the keys that tokens are checked with cannot be fetched")
        return found

    def _find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """A token without `kid` needs none where only one key can have signed it."""
        fitting = [key for key in self._keys.values() if algorithm in key.algorithms]
        if kid is not None:
            fitting = [key for key in fitting if key.id in (kid, None)]
        return fitting[0] if len(fitting) == 1 else None

    async def fetch(self) -> None:
        """Once for all who wait for it. What was trusted stays so while the source is away."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            keys = read_keys(await self._source())
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            if not self._is_away:
                self._is_away = True
                logger.warning("SHOP_JWT_KEYS: %s; known keys stay trusted", in_words(error))
        else:
            self._keys = {key.thumbprint: key for key in keys}
            if self._is_away:
                self._is_away = False
                logger.info("SHOP_JWT_KEYS: there again")
        finally:
            self._fetched_at = self._clock.monotonic()
            self._fetching = None

    async def run(self) -> None:
        while True:
            await self.fetch()
            await self._clock.sleep(self._refresh_s)


def source_of(location: str, session: aiohttp.ClientSession) -> Source:
    """`location` is a URL, or the path of a file."""

    async def fetched() -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_WITHIN_S)
        async with session.get(location, timeout=timeout, raise_for_status=True) as response:
            return await whole_text(response, JWKS_BYTES_MAX)

    async def read() -> bytes:
        return await asyncio.to_thread(Path(location).read_bytes)

    return fetched if is_url(location) else read


def is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))
