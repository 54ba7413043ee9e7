"""Authenticates the callers of a service, and the service to other services."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from kernel.adapters.identity.bearer import authorization
from kernel.adapters.identity.fetching import is_url
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.words import in_words
from kernel.domain.caller import Caller
from kernel.domain.value import value
from kernel.ports.tokens import Tokens
from kernel.settings import Settings, SettingsError, require_all, required

if TYPE_CHECKING:
    from kernel.adapters.identity.key_ring import KeyRing
    from kernel.adapters.identity.services import ServiceTokens


@value
class Identity:
    tokens: Tokens | None = None
    """None in open mode."""
    own: "ServiceTokens | None" = None
    keys: "KeyRing | None" = None
    """The provider's keys; None in open mode."""

    @property
    def jobs(self) -> "Sequence[KeyRing]":
        return [self.keys] if self.keys else []

    def as_service(self, audience: str, acting: Caller | None = None) -> Mapping[str, str]:
        """Returns the header for a call to the service `audience`, made for this service or for a person.
        Returns no header in open mode."""
        return authorization(self.own.signed(audience, acting) if self.own else "")


@asynccontextmanager
async def open_identity(settings: Settings, service: str) -> AsyncIterator[Identity]:
    """In jwt mode, raises SettingsError for a setting that is missing or a file that cannot be read."""
    if settings.shop_auth == "open":
        yield Identity()
        return
    require_all(settings)
    # Imported here: these libraries cost time and memory, which a service in open mode need not pay.
    from kernel.adapters.identity.jwt_tokens import JwtTokens
    from kernel.adapters.identity.key_ring import KeyRing, source_of
    from kernel.adapters.identity.services import ServiceTokens
    from kernel.adapters.identity.users import UserTokens

    clock, location = SystemClock(), required(settings, "shop_jwt_keys")
    if not is_url(location):
        _require_readable(location)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        keys = KeyRing(source_of(location, session), clock)
        users = UserTokens(keys, required(settings, "shop_jwt_issuer"), settings.shop_jwt_audience, clock)
        own = ServiceTokens(required(settings, "shop_service_key").split(","), service, clock)
        yield Identity(JwtTokens(users, own, clock), own, keys)


def _require_readable(path: str) -> None:
    from kernel.adapters.identity.public_keys import read_keys

    try:
        read_keys(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"SHOP_JWT_KEYS: {in_words(error)}") from error
