"""Parses a provider's public keys from a JWKS (RFC 7517) or PEM. Skips keys that may not sign tokens."""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import msgspec
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from kernel.domain.value import value

RSA_BITS_MIN = 2048
_PEM = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]*KEY)-----.*?-----END (?P=label)-----", re.DOTALL)

Key = RSAKey | ECKey | OKPKey


@value
class PublicKey:
    id: str | None
    """The `kid` of the key; None if the source names no `kid`."""
    thumbprint: str
    """The thumbprint of the key (RFC 7638). It depends on the key alone, not on the source."""
    algorithms: tuple[str, ...]
    """The names of the algorithms that the key may sign with, such as `ES256`."""
    key: Key


def read_keys(text: bytes) -> list[PublicKey]:
    """The keys in a JWKS or PEM that may sign tokens. Raises ValueError if there is no such key."""
    keys = list(_of_pem(text) if b"-----BEGIN" in text else _of_jwks(text))
    if not keys:
        raise ValueError("it holds no key for RS256, ES256 or Ed25519")
    return keys


def _of_jwks(text: bytes) -> Iterator[PublicKey]:
    """The keys in a JWKS, or a single JWK, that may sign tokens. Raises ValueError for any other text."""
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
        entries = msgspec.convert(found.get("keys", [found]), list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is neither a JWKS nor PEM") from error
    for entry in entries:
        if entry.get("use", "sig") == "sig":
            yield from _usable(entry, entry.get("alg"))


def _of_pem(text: bytes) -> Iterator[PublicKey]:
    for block in _PEM.finditer(text):
        yield from _usable(block[0], None)


def _usable(source: Mapping[str, Any] | bytes, alg: str | None) -> Iterator[PublicKey]:
    key = _imported(source)
    algorithms = _algorithms(key) if key is not None else ()
    if key is not None and algorithms and (alg is None or alg in algorithms):
        id = source.get("kid") if isinstance(source, Mapping) else None
        yield PublicKey(id, key.thumbprint(), algorithms, key)


def _imported(source: Mapping[str, Any] | bytes) -> Key | None:
    for kind in (RSAKey, ECKey, OKPKey):
        if isinstance(source, bytes) or source.get("kty") == kind.key_type:
            try:
                with unwarned():
                    return kind.import_key(cast(Any, source))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return None


@contextmanager
def unwarned() -> Iterator[None]:
    """Silences joserfc's warnings about weak keys and old algorithm names; `_algorithms` checks both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def _algorithms(key: Key) -> tuple[str, ...]:
    if isinstance(key, RSAKey):
        return ("RS256",) if key.public_key.key_size >= RSA_BITS_MIN else ()
    if isinstance(key, ECKey):
        return ("ES256",) if key.curve_name == "P-256" else ()
    # Before RFC 9864, the algorithm of Ed25519 keys was named EdDSA, a name for several curves.
    return ("Ed25519", "EdDSA") if key.curve_name == "Ed25519" else ()
