"""Passes the notifications of the orders service to the hub."""

import logging

import msgspec

from gateway import wire
from gateway.application.hub import Hub
from kernel.ports.bus import Notifications

logger = logging.getLogger(__name__)


class StatusChanges:
    def __init__(self, notifications: Notifications, hub: Hub) -> None:
        self._notifications = notifications
        self._hub = hub

    async def run(self) -> None:
        await self._notifications.listen(wire.STATUS_CHANGES, self._notify)

    def _notify(self, body: bytes) -> None:
        try:
            changes = wire.notified(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("an unreadable notification is ignored: %s", error)
            return
        self._hub.notify(changes)
