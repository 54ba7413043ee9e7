"""The keys of a shop in jwt mode, and tokens signed with them."""

from collections.abc import Mapping
from pathlib import Path

from kernel.adapters.identity.local_key import ISSUER, local_key, local_key_file, sign
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import Caller, Role
from shop.identity import SERVICE_KEY_FILE, SESSION_KEY_FILE, secret_of

AUDIENCE = "shop"
VALID_S = 24 * 3600


class Keys:
    """The keys of a data folder, as `shop up` makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def settings(self) -> dict[str, str]:
        """The settings for `shop serve`, which makes no keys. The rate limits are too high to be reached."""
        local_key(self.folder)
        return {
            "SHOP_AUTH": "jwt",
            "SHOP_RATE_LIMIT": "1000000/second",
            "SHOP_JWT_ISSUER": ISSUER,
            "SHOP_JWT_KEYS": str(local_key_file(self.folder)),
            "SHOP_SERVICE_KEY": secret_of(self.folder / SERVICE_KEY_FILE),
            "SHOP_SESSION_KEY": secret_of(self.folder / SESSION_KEY_FILE),
        }

    def token(self, user: str, role: Role = Role.USER, *, valid_s: int = VALID_S) -> str:
        key, clock = local_key(self.folder), SystemClock()
        return sign(key, Caller(role, user), issuer=ISSUER, audience=AUDIENCE, valid_s=valid_s, clock=clock)

    def service_token(self, service: str, audience: str, acting: Caller | None = None) -> str:
        tokens = ServiceTokens([secret_of(self.folder / SERVICE_KEY_FILE)], service, SystemClock())
        return tokens.signed(audience, acting)

    def headers(self, user: str, role: Role = Role.USER) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token(user, role)}"}
