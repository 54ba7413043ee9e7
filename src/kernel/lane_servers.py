"""The database servers of a service, and the lanes that each server holds (docs/decisions/0023-lanes.md)."""

import logging
from collections.abc import Sequence
from functools import partial

from kernel.adapters.lanes.lane import Lane, every_lane
from kernel.adapters.postgres.connections.urls import in_schema, names_lanes, urls_of_lanes
from kernel.adapters.reread import made_of
from kernel.domain.value import value
from kernel.settings import Settings, required, variable

logger = logging.getLogger(__name__)


@value
class LaneServer:
    """A database, and the lanes of a service that it holds."""

    url: str
    lanes: Sequence[Lane]

    def url_of(self, lane: Lane) -> str:
        """Returns the URL for sessions that find the tables of the lane."""
        if lane.schema is None:
            return self.url
        return made_of(self.url, partial(in_schema, schema=lane.schema))


def lane_servers(settings: Settings) -> list[LaneServer]:
    """Returns the servers of a service with their lanes. A service whose settings have no field `lane_urls`
    has one lane. Raises SettingsError if no database is set."""
    urls = getattr(settings, "lane_urls", None)
    lanes = every_lane(settings.shop_lanes if hasattr(settings, "lane_urls") else 1)
    if urls is None:
        return [LaneServer(required(settings, "database_url"), lanes)]
    return [
        LaneServer(made_of(urls, partial(_url_of_part, named=named)), [lanes[number] for number in named])
        for named, _ in urls_of_lanes(urls)
    ]


def say_what_is_not_used(settings: Settings) -> None:
    """Warns if a database URL is set although the servers in `lane_urls` hold all lanes."""
    if getattr(settings, "lane_urls", None) and getattr(settings, "database_url", None):
        used, unused = (variable(type(settings), name) for name in ("lane_urls", "database_url"))
        logger.warning("%s is set, so %s is not used", used, unused)


def owner_url_of(settings: Settings, server: LaneServer) -> str:
    """Returns the URL of the role that owns these lanes' tables; by default the service's own URL."""
    owner: str | None = getattr(settings, "migration_url", None)
    if owner is None:
        return server.url
    if not names_lanes(owner):
        return owner
    named = range(server.lanes[0].number, server.lanes[-1].number + 1)
    return made_of(owner, partial(_url_of_part, named=named))


def urls_of(servers: Sequence[LaneServer]) -> Sequence[str]:
    """Returns the URL of each lane, in the order of the lanes' numbers, for sessions that find its tables."""
    urls = {lane.number: server.url_of(lane) for server in servers for lane in server.lanes}
    return [urls[number] for number in sorted(urls)]


def _url_of_part(urls: str, named: range) -> str:
    """Returns the URL for these lanes. Raises ValueError if a file that was read again does not name them."""
    for lanes, url in urls_of_lanes(urls):
        if lanes == named:
            return url
    raise ValueError(f"no server is named for the lanes {named.start}-{named.stop - 1}")
