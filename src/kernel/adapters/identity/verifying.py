"""Parses and verifies JSON Web Tokens, of people and of services."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from kernel.adapters.identity.public_keys import unwarned
from kernel.domain.errors import Unauthenticated
from kernel.domain.value import value
from kernel.ports.clock import Clock
from kernel.ports.tokens import Verified

LEEWAY_S = 30
# A token has to fit into the head of a request, which has at most 16 KiB.
TOKEN_BYTES_MAX = 12 * 1024
# All errors that joserfc and msgspec raise for a bad token, the last three for a text that is no token.
_BAD_TOKEN = (JoseError, msgspec.MsgspecError, ValueError, TypeError, RecursionError)

C = TypeVar("C", bound=msgspec.Struct)


class Header(msgspec.Struct):
    """The header of a token that is not verified yet."""

    alg: str
    kid: str | None = None
    typ: str | None = None
    # A token that names its own key, or the address of its key, proves nothing, so it is refused.
    jku: msgspec.UnsetType = msgspec.UNSET
    jwk: msgspec.UnsetType = msgspec.UNSET
    x5u: msgspec.UnsetType = msgspec.UNSET


def header_of(token: str) -> Header:
    """The unverified header of a token. Raises Unauthenticated if the text is not a token."""
    if len(token) > TOKEN_BYTES_MAX:
        raise Unauthenticated(with_token=True)
    try:
        return msgspec.convert(jws.extract_compact(token.encode()).protected, Header)
    except _BAD_TOKEN as error:
        raise Unauthenticated(with_token=True) from error


def claim_rules(
    clock: Clock, *, issuer: str, audience: str, **others: jwt.ClaimsOption
) -> jwt.JWTClaimsRegistry:
    """The rules for the claims that every token has, and the further rules in `others`."""
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock.now().timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
        **others,
    )


def claims_of(
    token: str, key: Key, algorithms: Sequence[str], rules: jwt.JWTClaimsRegistry, kind: type[C]
) -> C:
    """Checks the signature and the `rules`, and returns the claims. Raises Unauthenticated."""
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    try:
        with unwarned():
            claims = jwt.decode(token, cast(Any, key), registry=registry).claims
        rules.validate(claims)
        return msgspec.convert(claims, kind)
    except _BAD_TOKEN as error:
        raise Unauthenticated(with_token=True) from error


@value
class Checked:
    verified: Verified
    is_trusted: Callable[[], bool]
    """Whether the key that signed the token is still trusted."""
