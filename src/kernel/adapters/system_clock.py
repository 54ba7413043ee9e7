import asyncio
import random
import time
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils
from asyncpg.pgproto import pgproto


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def cpu_s(self) -> float:
        return time.process_time()

    def new_id(self) -> UUID:
        # The UUID class of the driver asyncpg, a subclass of uuid.UUID in C, is faster than uuid.UUID itself.
        id: UUID = pgproto.UUID(uuid_utils.uuid7().bytes)
        return id

    def random(self) -> float:
        return random.random()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
