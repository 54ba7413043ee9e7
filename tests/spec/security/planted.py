"""A shop with a known text in place of each secret, and everything that it tells."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
from aiohttp import web
from yarl import URL

from kernel.domain.caller import Role
from tests.servers import raw
from tests.servers.keys import Keys
from tests.servers.ports import free_port
from tests.servers.process import Process
from tests.servers.virtual_host import VirtualHost
from tests.spec.scenario import Http

NAME = "planted"
# A character that a URL writes in another way may show how it was read.
PASSWORDS = {
    "of the databases": "planted/Database@7",
    "of the broker": "planted/Broker@7",
    "of a database, wrong": "planted/Wrong@7",
}
HEADERS = {
    "cookie": "planted-cookie",
    "bad token": "planted-token",
    "authorization of a malformed request": "planted-authorization",
    "authorization of a head that is too large": "planted-large",
}


@dataclass
class Told:
    """All that was said, by whom."""

    secrets: dict[str, str]
    said: dict[str, bytes] = field(default_factory=dict)

    def add(self, where: str, text: str | bytes) -> None:
        more = text.encode() if isinstance(text, str) else text
        self.said[where] = self.said.get(where, b"") + more

    def found_in(self, *places: str) -> list[str]:
        found = []
        for place in places:
            for name, secret in self.secrets.items():
                for form in {secret, quote(secret, safe=""), secret.replace("/", "\\/")}:
                    if form.encode() in self.said[place]:
                        found.append(f"{name} in {place}")
        return found


@asynccontextmanager
async def collector(told: Told) -> AsyncIterator[str]:
    """Takes traces; keeps them as they come."""

    async def take(request: web.Request) -> web.Response:
        told.add("traces", await request.read() + str(request.headers).encode())
        return web.Response()

    app, port = web.Application(), free_port()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


@dataclass
class Planted:
    """A shop that is full of secrets, and its servers."""

    told: Told
    http: Http
    folder: Path
    database: str
    admin: asyncpg.Connection
    host: VirtualHost
    settings: Mapping[str, str]
    urls: Mapping[str, str]

    def process(self, *arguments: str, **settings: str) -> Process:
        ready = self.urls.values() if arguments == ("up",) else ()
        environment = {**self.settings, **settings}
        return Process(*arguments, settings=environment, logs=self.folder / "logs", ready_at=ready)

    def url(self, name: str, password: str) -> str:
        url = URL(self.database).with_user(NAME).with_password(password)
        return str(url.with_path(f"/{NAME}_{name}"))

    def token(self, user: str, role: Role = Role.USER) -> str:
        token = Keys(self.folder).token(user, role)
        self.told.secrets[f"token of {user}"] = token.rpartition(".")[2]
        self.told.secrets[f"claims of {user}"] = token.split(".")[1]
        return token

    async def ask(self, token: str | None, method: str, url: str, body: Any = None, **more: str) -> int:
        headers = [("Cookie", f"shop-session={HEADERS['cookie']}"), *more.items()]
        headers += [("Authorization", f"Bearer {token}")] if token else []
        answer = await self.http(method, url, body, headers=headers)
        self.told.add("answers", answer.body + str(answer.headers).encode())
        return answer.status

    async def send(self, service: str, part: bytes) -> None:
        async with raw.connected(self.urls[service]) as connection:
            await connection.send(part)
            answer = await connection.answer()
            assert answer.status in (400, 401, 431)
            self.told.add("answers", f"{answer}")
