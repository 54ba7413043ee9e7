import asyncio

import aiohttp

from kernel.application.trouble import Trouble
from kernel.ports.clock import Clock

LOOK_EVERY_S = 2.0
MISSED_EVERY_S = 0.25
ANSWERS_WITHIN_S = 2.0


class Neighbour:
    """Asks a service in the background whether it is ready. So the gateway's health check answers at once,
    and frequent checks of the gateway do not cause frequent checks of the service."""

    def __init__(self, name: str, url: str, clock: Clock, stop: asyncio.Event) -> None:
        """Once `stop` is set, the service is no longer asked: it may be stopping too."""
        self.name = name
        self._answers = True  # Assumed until the first check.
        self._url = f"{url}/health/ready"
        self._clock = clock
        self._stop = stop
        self._trouble = Trouble(f"the {name} service", clock)

    async def is_ready(self) -> bool:
        return self._answers

    async def run(self) -> None:
        # The checks have connections of their own, because all connections for calls may be in use.
        timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not self._stop.is_set():
                await self._look(session)
                await self._clock.sleep(LOOK_EVERY_S if self._answers else MISSED_EVERY_S)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(self._url, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError) as error:
            self._answers = False
            self._trouble.report("away", f"does not answer: {str(error) or 'not in time'}")
            return
        self._answers = status == 200
        if self._answers:
            self._trouble.over()
        else:
            self._trouble.report("not ready", f"is not ready: it answers {status}")
