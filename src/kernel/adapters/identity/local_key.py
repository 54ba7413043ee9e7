"""The signing key for development: `shop token` signs tokens with it, and `shop up` trusts them."""

import os
from pathlib import Path

import msgspec
from joserfc import jwt
from joserfc.jwk import OKPKey

from kernel.adapters.identity.users import OPERATOR, VIEWER
from kernel.domain.caller import Caller, Role
from kernel.ports.clock import Clock

ISSUER = "urn:shop:local"
FILE = "token-key.json"
_ALGORITHM = "Ed25519"
_SCOPES = {Role.OPERATOR: OPERATOR, Role.VIEWER: VIEWER, Role.USER: ""}


def local_key(folder: Path) -> OKPKey:
    """The signing key in this data folder, generated if there is none. Raises OSError, or ValueError if the
    file does not hold such a key."""
    path = local_key_file(folder)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)
        write_once(path, msgspec.json.encode(key.as_dict(private=True)))
    return OKPKey.import_key(msgspec.json.decode(path.read_bytes()))


def local_key_file(folder: Path) -> Path:
    return folder / FILE


def write_once(path: Path, text: bytes) -> None:
    """Writes `text` to a new file atomically. Only its owner can read it. An existing file is not changed."""
    own = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def sign(key: OKPKey, caller: Caller, *, issuer: str, audience: str, valid_s: int, clock: Clock) -> str:
    now = int(clock.now().timestamp())
    scope = {"scope": _SCOPES[caller.role]} if _SCOPES[caller.role] else {}
    claims = {"iss": issuer, "sub": caller.id, "aud": audience, "iat": now, "exp": now + valid_s, **scope}
    return jwt.encode({"alg": _ALGORITHM, "kid": key.kid}, claims, key, algorithms=[_ALGORITHM])
