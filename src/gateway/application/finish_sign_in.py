from gateway.domain.session import Session, SignIn, SignInAnswer, SignInFailed, renew_at, require_person
from gateway.ports.provider import Provider
from kernel.domain.errors import Forbidden, Unauthenticated
from kernel.ports.clock import Clock
from kernel.ports.tokens import Tokens


class FinishSignIn:
    """Finishes a sign-in after the provider has sent the browser back."""

    def __init__(self, provider: Provider, tokens: Tokens, clock: Clock) -> None:
        self._provider = provider
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, begun: SignIn | None, answer: SignInAnswer) -> Session:
        """Returns the new session. `begun` is the sign-in that the browser kept. Raises SignInFailed,
        NotFound if there is no provider, and Unavailable if the provider does not answer."""
        now = self._clock.now().timestamp()
        if not await self._provider.accepts(answer.issuer):
            raise SignInFailed("the redirect names another issuer, or none")
        if begun is None or not begun.is_answered(answer.state, now):
            raise SignInFailed("this browser did not begin it, or began it more than 10 minutes ago")
        if answer.error or not answer.code:
            raise SignInFailed("the provider gave no code")
        grant = await self._provider.redeem(begun, answer.code)
        try:
            verified = await self._tokens.verify(grant.access_token)
            require_person(verified.caller)
        except (Unauthenticated, Forbidden) as error:
            raise SignInFailed(
                "the provider's access token is not valid for this shop: look at SHOP_JWT_ISSUER,"
                " SHOP_JWT_AUDIENCE and SHOP_JWT_KEYS"
            ) from error
        return Session(
            verified.caller.id,
            grant.access_token,
            grant.refresh_token,
            grant.id_token,
            renew_at(now, verified.until),
        )
