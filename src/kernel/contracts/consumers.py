"""Consumers that operators pause, as services and the console tell of them."""

from kernel.contracts.http import Moment, RequestBody, ResponseBody
from kernel.contracts.parked import Remark
from kernel.domain.pauses import ConsumerState


class PauseOrResume(RequestBody, frozen=True):
    note: Remark = ""


class Pause(ResponseBody, frozen=True):
    by: str
    note: str
    since: Moment


class Consumer(ResponseBody, frozen=True):
    """`paused` is null while it takes messages."""

    service: str
    paused: Pause | None


def consumer_body(state: ConsumerState) -> Consumer:
    pause = state.pause
    return Consumer(state.service, Pause(pause.by, pause.note, pause.since) if pause else None)
