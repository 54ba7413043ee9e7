"""JSON bodies about the consumers of services, which operators pause and resume."""

from kernel.contracts.http import Moment, RequestBody, ResponseBody
from kernel.contracts.parked import Remark
from kernel.contracts.values import same_fields
from kernel.domain import pauses
from kernel.domain.pauses import ConsumerState


class PauseOrResume(RequestBody, frozen=True):
    note: Remark = ""


class Pause(ResponseBody, frozen=True):
    by: str
    note: str
    since: Moment


class Consumer(ResponseBody, frozen=True):
    """`paused` is null while the consumer takes messages."""

    service: str
    paused: Pause | None


def consumer_body(state: ConsumerState) -> Consumer:
    return Consumer(state.service, same_fields(state.pause, Pause) if state.pause else None)


def consumer_state(body: Consumer) -> ConsumerState:
    pause = same_fields(body.paused, pauses.Pause) if body.paused else None
    return ConsumerState(service=body.service, pause=pause)
