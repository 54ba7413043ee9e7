"""The keys that a shop makes for itself in its data folder, and tokens signed with them."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from kernel.adapters.identity.bearer import authorization
from kernel.adapters.identity.local_key import ISSUER, local_key, local_key_file, sign, write_once
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import Caller, Role
from kernel.settings import Settings
from shop.services import Shop

SERVICE_KEY_FILE = "service-key"
TOKEN_VALID_S = 3600
SESSION_KEY_FILE = "session-key"


def with_own_keys(shop: Shop) -> Shop:
    """In jwt mode, fills each key that no setting provides with a key from the data folder."""
    common = shop.common
    if common.shop_auth == "open":
        return shop
    folder = common.shop_data_dir
    own = {"shop_service_key": common.shop_service_key or secret_of(folder / SERVICE_KEY_FILE)}
    if common.shop_jwt_keys is None:
        local_key(folder)
        own["shop_jwt_keys"] = str(local_key_file(folder))
        own["shop_jwt_issuer"] = common.shop_jwt_issuer or ISSUER
    changes = dict.fromkeys(shop.services, own)
    for name, settings in shop.settings.items():
        if getattr(settings, "shop_session_key", "") is None:
            changes[name] = {**own, "shop_session_key": secret_of(folder / SESSION_KEY_FILE)}
    return shop.replaced(changes)


def secret_of(path: Path) -> str:
    """Returns the secret in this file. If the file does not exist, creates it with a new secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_once(path, secrets.token_urlsafe(48).encode())
    return path.read_text()


def operator_headers(shop: Shop, user: str) -> Mapping[str, str]:
    """Headers with an operator's token, because SHOP_DEPOSITS may forbid deposits by users. The token is
    SHOP_TOKEN, or else one for this user, signed with the local key if it exists."""
    common = shop.common
    token = common.shop_token
    if token is None and local_key_file(common.shop_data_dir).exists():
        token = local_token(common, Caller(Role.OPERATOR, user), valid_s=TOKEN_VALID_S)
    return authorization(token or "")


def local_token(settings: Settings, caller: Caller, *, valid_s: int) -> str:
    """Returns the caller's token, signed with the key in the data folder, valid for `valid_s` seconds."""
    issuer, audience = settings.shop_jwt_issuer or ISSUER, settings.shop_jwt_audience
    key, clock = local_key(settings.shop_data_dir), SystemClock()
    return sign(key, caller, issuer=issuer, audience=audience, valid_s=valid_s, clock=clock)
