"""A cluster of three RabbitMQ nodes on this machine, for tests in which a node dies."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

from tests.servers.rabbitmq import Epmd, NoBroker, PrivateRabbitMQ, installed_server

# An idle machine needs 24 s; a machine that runs the shop needs more.
FORMED_WITHIN_S = 120.0


class RabbitCluster:
    """RabbitMQ nodes that share a cookie and an epmd. Raises NoBroker as PrivateRabbitMQ does."""

    def __init__(self, directory: Path, *, size: int = 3) -> None:
        self._epmd = Epmd()
        names = [f"shop-tests-{number}@localhost" for number in range(1, size + 1)]
        self.nodes = [
            PrivateRabbitMQ(directory / name.partition("@")[0], node=name, cluster=names, epmd=self._epmd)
            for name in names
        ]

    async def start(self) -> None:
        """Starts all nodes, and waits until all are members: a quorum queue uses only the present members."""
        for node in self.nodes:
            node.begin()
        deadline = asyncio.get_running_loop().time() + FORMED_WITHIN_S
        while not all([await asyncio.to_thread(node.answers) for node in self.nodes]):
            if asyncio.get_running_loop().time() > deadline:
                raise NoBroker(f"No cluster of {len(self.nodes)} within {FORMED_WITHIN_S:.0f} s.")
            await asyncio.sleep(0.2)
        await control(self.nodes[0], "await_online_nodes", str(len(self.nodes)))

    async def leader_of(self, queue: str) -> PrivateRabbitMQ | None:
        """The node that leads this quorum queue; None if the queue has no leader, or if no node answers."""
        for node in self.nodes:
            with suppress(NoBroker):
                rows = json.loads(await control(node, "list_queues", "name", "leader", "--formatter", "json"))
                leaders = {row["name"]: row["leader"] for row in rows}
                return next((one for one in self.nodes if one.node == leaders.get(queue)), None)
        return None

    def kill(self) -> None:
        """Kills all nodes and epmd, after the tests."""
        for node in self.nodes:
            node.kill()
        self._epmd.end()


async def control(node: PrivateRabbitMQ, *arguments: str) -> str:
    """Runs `rabbitmqctl` on this node, and returns its output. Raises NoBroker if it fails."""
    server = installed_server()
    assert server is not None, "a node runs without an installed server"
    process = await asyncio.create_subprocess_exec(
        str(server.with_name("rabbitmqctl")), "-q", "-n", node.node, *arguments,
        env=node.environment, cwd=node.directory,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    if process.returncode != 0:
        raise NoBroker(f"rabbitmqctl {' '.join(arguments)}: {complained.decode(errors='replace').strip()}")
    return said.decode()
