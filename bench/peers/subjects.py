"""The subjects of the comparison: the shop and its peers, each in its own databases on the same servers."""

import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.benched_shop import BenchedShop
from bench.servers import BALANCE, USERS, Servers
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.servers.postgres import create_database
from tests.servers.process import Process, StartFailed, descendants, eventually, start_together

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".cache" / "peers" / "bin" / "python"
APPS = Path(__file__).parent / "apps"
# The balance of each account. The shop counts in hundredths.
FUNDED = BALANCE // 100
# The suffix of a kind whose process loses one child, as when memory runs out.
CHILD = " child"


class PeerProcess(Process):
    program = (str(PYTHON), "-m")

    def __str__(self) -> str:
        return f"`{' '.join(self.arguments)}`"


@dataclass(frozen=True)
class Running:
    """A subject that takes orders at `url`. The query `charges` gives order and amount of each charge."""

    url: str
    processes: Mapping[str, Process]
    orders_database: str
    payments_database: str
    charges: str
    funded: int
    kinds: Sequence[str]
    """The processes that are killed in turn, by name; with the suffix CHILD, only a child of one."""

    async def kill(self, kind: str) -> None:
        """Kills a process with all of its children, as when a container ends, or one child."""
        process = self.processes[kind.removesuffix(CHILD)]
        if kind.endswith(CHILD):
            # A process that was just restarted has no children yet.
            children = {max(await eventually(lambda: descendants(process.pid), within=30))}
        else:
            children = descendants(process.pid)
            process.kill()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def restart(self, kind: str) -> None:
        """Returns once the process is ready. A lost child is replaced by its process itself."""
        if not kind.endswith(CHILD):
            await self.processes[kind].start()


@dataclass(frozen=True)
class Subject:
    key: str
    title: str
    run: Callable[[Servers], AbstractAsyncContextManager[Running]]
    code: Sequence[Path]

    @property
    def is_peer(self) -> bool:
        return self.code[0].is_relative_to(APPS)

    @property
    def lines(self) -> int:
        """Lines of code: neither blank nor a comment."""
        texts = [path.read_text() for path in self.code]
        return sum(len(re.findall(r"^\s*[^\s#]", text, re.MULTILINE)) for text in texts)


@asynccontextmanager
async def shop(servers: Servers, *, one_process: bool) -> AsyncIterator[Running]:
    await servers.empty()
    async with BenchedShop(servers, one_process=one_process) as benched:
        yield Running(
            f"{benched.urls['gateway']}/orders",
            benched.processes,
            servers.databases["orders"],
            servers.databases["payments"],
            "SELECT order_id, amount FROM transfers WHERE kind = 'capture'",
            USERS * BALANCE,
            [*benched.processes],
        )


@asynccontextmanager
async def peer(
    servers: Servers, module: str, commands: Mapping[str, str], *, databases: int, kinds: Sequence[str]
) -> AsyncIterator[Running]:
    """Runs a peer. `commands` holds the arguments of `python -m` by process name."""
    on = {name: await create_database(url, module) for name, url in servers.databases.items()}
    if databases == 1:
        on["payments"] = on["orders"]
    ports = {name: free_port() for name in commands}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    settings = {"PYTHONPATH": str(ROOT), "RABBITMQ_URL": servers.rabbitmq}
    logs = servers.directory / "logs"
    for database in sorted(set(on.values())):
        create = PeerProcess(
            "bench.peers.apps.create", module, settings={**settings, "DATABASE_URL": database}, logs=logs
        )
        create.spawn()
        if await create.ended():
            raise StartFailed(create.last_words)
        await fund(database)
    processes = {
        name: PeerProcess(
            *command.format(module=f"bench.peers.apps.{module}", port=ports[name]).split(),
            settings={
                **settings,
                "DATABASE_URL": on.get(name, on["orders"]),
                **{f"{other.upper()}_URL": url for other, url in urls.items()},
            },
            logs=logs,
            ready_at=[urls[name]] if "{port}" in command else [],
        )
        for name, command in commands.items()
    }
    try:
        await start_together(processes.values())
        yield Running(
            f"{urls[next(iter(commands))]}/orders",
            processes,
            on["orders"],
            on["payments"],
            "SELECT order_id, amount FROM payments WHERE captured",
            USERS * FUNDED,
            kinds,
        )
    finally:
        for process in processes.values():
            await process.stop()


async def fund(url: str) -> None:
    async with connected(url) as database:
        insert = "INSERT INTO accounts SELECT 'user-' || n, $2 FROM generate_series(1, $1) n"
        await database.execute(insert, USERS, FUNDED)
        await database.execute("VACUUM ANALYZE")
        await database.execute("CHECKPOINT")


WEB = "uvicorn {module}:api --port {port} --no-access-log"
SERVICES = {name: WEB.replace("api", name) for name in ("orders", "payments")}
WORKER = "celery -A {module} worker --concurrency=4 --without-gossip --without-mingle --loglevel=WARNING"


def _peer(
    key: str,
    title: str,
    module: str,
    commands: Mapping[str, str],
    *,
    databases: int,
    children: Sequence[str] = (),
) -> Subject:
    how = {"module": module, "commands": commands, "databases": databases, "kinds": [*commands, *children]}
    return Subject(key, title, partial(peer, **how), [APPS / f"{module}.py", APPS / "tables.py"])


def _shop(key: str, title: str, *, one_process: bool) -> Subject:
    code = sorted((ROOT / "src").rglob("*.py"))
    return Subject(key, title, partial(shop, one_process=one_process), code)


SUBJECTS = [
    _shop("shop", "the shop, three processes", one_process=False),
    _shop("embedded", "the shop, one process", one_process=True),
    _peer("outbox", "FastAPI, ORM, outbox, aio-pika", "fastapi_outbox", SERVICES, databases=2),
    _peer("faststream", "faststream-outbox, RabbitMQ", "faststream_relay", SERVICES, databases=2),
    _peer("dbos", "DBOS", "dbos_workflow", {"api": WEB, "worker": "{module}"}, databases=1),
    _peer(
        "celery",
        "Celery, RabbitMQ",
        "celery_task",
        {"api": WEB, "worker": WORKER},
        databases=1,
        children=[f"worker{CHILD}"],
    ),
]
