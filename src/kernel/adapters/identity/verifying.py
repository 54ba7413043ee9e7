"""Parses and verifies a JSON Web Token; shared by the checks of all kinds of tokens."""

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
# The head of a request, which holds the token, has at most 16 KiB.
TOKEN_BYTES_MAX = 12 * 1024
# All that joserfc and msgspec raise for a bad token. The last three are for a text that is not a token.
_BAD_TOKEN = (JoseError, msgspec.MsgspecError, ValueError, TypeError, RecursionError)

C = TypeVar("C", bound=msgspec.Struct)


class Header(msgspec.Struct):
    """The header of a token that is not verified yet."""

    alg: str
    kid: str | None = None
    typ: str | None = None
    # A key that comes with the token, or from an address in it, proves nothing: such a token is refused.
    jku: msgspec.UnsetType = msgspec.UNSET
    jwk: msgspec.UnsetType = msgspec.UNSET
    x5u: msgspec.UnsetType = msgspec.UNSET


def header_of(token: str) -> Header:
    """Raises Unauthenticated if the text is not a token."""
    if len(token) > TOKEN_BYTES_MAX:
        raise Unauthenticated(with_token=True)
    try:
        return msgspec.convert(jws.extract_compact(token.encode()).protected, Header)
    except _BAD_TOKEN as error:
        raise Unauthenticated(with_token=True) from error


def claim_rules(
    clock: Clock, *, issuer: str, audience: str, **others: jwt.ClaimsOption
) -> jwt.JWTClaimsRegistry:
    """The rules for the claims of every token, and those in `others`."""
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
    """The claims, after the signature and the `rules` were checked. Raises Unauthenticated."""
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
