import asyncio
import logging
from itertools import takewhile

from gateway.domain.session import Session, SignInFailed, renew_at
from gateway.ports.provider import Provider
from kernel.domain.errors import Unauthenticated, Unavailable
from kernel.domain.value import value
from kernel.ports.clock import Clock
from kernel.ports.tokens import Tokens

# How long a renewal is remembered, for calls that the page sent before it got the new cookie.
REMEMBERED_S = 30.0
# After the provider failed to answer, it is asked again for the same session only after this pause.
AWAY_S = 5.0
REMEMBERED_MAX = 10_000
# The longest wait for a new token while the present one is valid.
PATIENCE_S = 1.0

logger = logging.getLogger(__name__)


@value
class _Renewal:
    outcome: "asyncio.Future[Session | None]"
    until: float


class RenewSession:
    """Renews a session whose access token ends soon. This process uses each refresh token once. A session
    that cannot be renewed stays as it is until its access token ends."""

    def __init__(self, provider: Provider, tokens: Tokens, clock: Clock) -> None:
        self._provider = provider
        self._tokens = tokens
        self._clock = clock
        self._renewals: dict[str, _Renewal] = {}

    async def __call__(self, session: Session) -> Session:
        """Returns the session, renewed if it is due. Raises Unavailable if the access token has ended and the
        provider does not answer."""
        is_good = await self._is_believed(session.access_token)
        if not session.is_due(self._clock.now().timestamp(), is_good=is_good):
            return session
        renewal = self._renewals.get(session.refresh_token)
        if renewal is None or self._clock.monotonic() >= renewal.until:
            self._forget()
            renewal = _Renewal(asyncio.ensure_future(self._renew(session)), float("inf"))
            self._renewals[session.refresh_token] = renewal
        try:
            async with asyncio.timeout(PATIENCE_S if is_good else None):
                # A caller who leaves does not cancel the renewal that others wait for.
                return await asyncio.shield(renewal.outcome) or session
        except (TimeoutError, Unavailable):
            if is_good:
                return session
            raise

    async def _renew(self, session: Session) -> Session | None:
        """Returns the renewed session; None if the provider has ended the session."""
        remembered_s = REMEMBERED_S
        try:
            return await self._renewed(session)
        except SignInFailed as refusal:
            logger.info("a session is not renewed: %s", refusal.why)
            return None
        except Unavailable:
            remembered_s = AWAY_S
            raise
        finally:
            if kept := self._renewals.pop(session.refresh_token, None):
                until = self._clock.monotonic() + remembered_s
                self._renewals[session.refresh_token] = _Renewal(kept.outcome, until)

    async def _renewed(self, session: Session) -> Session:
        grant = await self._provider.renew(session.refresh_token)
        try:
            verified = await self._tokens.verify(grant.access_token)
        except Unauthenticated as error:
            raise SignInFailed("the new access token is not valid") from error
        if verified.caller.id != session.user_id:
            raise SignInFailed("the new access token is somebody else's")
        return Session(
            session.user_id,
            grant.access_token,
            grant.refresh_token or session.refresh_token,
            grant.id_token or session.id_token,
            renew_at(self._clock.now().timestamp(), verified.until),
        )

    async def _is_believed(self, token: str) -> bool:
        try:
            return bool(self._tokens.remembered(token) or await self._tokens.verify(token))
        except (Unauthenticated, Unavailable):
            return False

    def _forget(self) -> None:
        """Removes renewals whose time is over, and the oldest renewal if there are still too many. Finished
        renewals are sorted by their end."""
        now = self._clock.monotonic()
        over = takewhile(lambda token: now >= self._renewals[token].until, self._renewals)
        for token in list(over):
            del self._renewals[token]
        if len(self._renewals) >= REMEMBERED_MAX:
            del self._renewals[next(iter(self._renewals))]
