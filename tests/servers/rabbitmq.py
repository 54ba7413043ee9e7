"""Runs the installed rabbitmq-server as a private child of this process.

The code is synchronous and uses only the standard library, so any test, bench or chaos script can use it.
A cluster consists of several such nodes that know each other's names and share one epmd.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.servers.children import NotStarted, end, listens, spawn, wait_until
from tests.servers.ports import free_port

START_S_MAX = 90.0

COOKIE = "shop-tests"
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = warning
load_definitions = {definitions}
"""
# Each user's password is the user's name here.
DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq"
# A node that is cut off from the others stops, so that no two of them can confirm different things.
CLUSTER_CONFIG = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
"""
# After the loss of a leader, RabbitMQ resends unconfirmed dead letters after this time. The default is
# 3 minutes; `rabbitmq.yaml` of the production overlay shortens it, too.
DEAD_LETTERS_AGAIN_MS = 5000
PEER = "cluster_formation.classic_config.nodes.{number} = {node}\n"


class NoBroker(Exception):
    """No RabbitMQ is installed, or it does not start. The text is one sentence for people."""


class Epmd:
    """epmd, the name server of Erlang nodes, on a free port, because the system's epmd may use port 4369."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str], directory: Path) -> None:
        """Starts epmd, unless it runs. Raises NoBroker or NotStarted."""
        if self._process is not None and self._process.poll() is None:
            return
        epmd = installed_epmd()
        if epmd is None:
            raise NoBroker("No epmd is installed on this machine.")
        self._process = spawn([str(epmd)], subprocess.DEVNULL, signal.SIGKILL, environment, directory)
        # A node registers with epmd during its start, and ends if epmd refuses the connection.
        wait_until(lambda: listens(self.port), self._process, 10.0, "epmd")

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process, signal.SIGKILL)


class PrivateRabbitMQ:
    """A private broker with its files in `directory`, run by the installed rabbitmq-server; needs no root.

    Two children: epmd, and the Erlang machine. Both listen on the loopback only and get SIGKILL from the
    kernel when the thread that called `start` ends, so call it from the main thread. Ports and data outlive
    `stop` and `kill`.

    A node of a cluster is given its name, the names of all nodes, and an epmd that outlives it.

    Raises NoBroker when no rabbitmq-server is installed or when it does not start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        node: str = "shop-tests@localhost",
        cluster: Sequence[str] = (),
        epmd: Epmd | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self.node = node
        self.port, self._node_port = free_port(), free_port()
        self._cluster = cluster
        self._epmd = epmd or Epmd()
        self._owns_epmd = epmd is None
        self._broker: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process id of the Erlang machine. Raises RuntimeError when it is not started."""
        return self._running.pid

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._broker is None:
            raise RuntimeError("this RabbitMQ is not started")
        return self._broker

    def start(self) -> str:
        """Returns the URL once the broker answers: at once if it runs, else in 6-8 s on two idle cores."""
        self.begin()
        with self._dying_on_failure():
            wait_until(self.answers, self._running, START_S_MAX, "RabbitMQ")
        return self.url

    def begin(self) -> None:
        """Starts the broker without waiting until it answers. Does nothing if it runs."""
        if self._broker is not None and self._broker.poll() is None:
            return
        server = installed_server()
        if server is None:
            raise NoBroker("No rabbitmq-server is installed on this machine.")
        self._end(signal.SIGKILL)
        self._write_files()
        with self._dying_on_failure():
            self._epmd.start(self.environment, self.directory)
            with (self.directory / "output.log").open("ab") as output:
                self._broker = spawn(
                    [str(server)], output.fileno(), signal.SIGKILL, self.environment, self.directory
                )

    def answers(self) -> bool:
        """Whether the broker takes connections; waits for its answer for 2 s at most."""
        return speaks_amqp(self.port)

    def stop(self) -> None:
        """Shuts the broker down with SIGTERM, in about 1 s. Does nothing if it is not started."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kills the broker with SIGKILL. Does nothing if it is not started.

        Wait a second after declaring a quorum queue: RabbitMQ 3.10 may confirm its first messages before it
        stores the queue's name. If it is killed in between, the queue never gets a leader.
        """
        self._end(signal.SIGKILL)

    def evaluate(self, expression: str) -> str:
        """Evaluates an Erlang expression on the node. `rabbitmqctl eval` does the same, but slowly."""
        command = ["erl_call", "-n", self.node, "-c", COOKIE, "-e"]
        done = subprocess.run(
            command,
            input=f"{expression}.\n",
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answer = done.stdout.strip()
        assert answer.startswith("{ok"), answer
        return answer

    @contextmanager
    def _dying_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._end(signal.SIGKILL)
            if isinstance(error, NoBroker | NotStarted):
                raise NoBroker(f"{error} See {self.directory}/output.log and {self.directory}/log.") from None
            raise

    def _end(self, how: signal.Signals) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            end(broker, how)
        if self._owns_epmd:
            self._epmd.end()

    def _write_files(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        definitions = self.directory / "definitions.json"
        definitions.write_text(json.dumps(with_a_user_for_all()))
        lines = [CONFIG.format(port=self.port, definitions=definitions)]
        if self._cluster:
            lines += [CLUSTER_CONFIG]
            lines += [PEER.format(number=n, node=node) for n, node in enumerate(self._cluster, 1)]
        (self.directory / "rabbitmq.conf").write_text("".join(lines))
        (self.directory / "enabled_plugins").write_text("[].\n")
        cookie = self.directory / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(0o600)
            cookie.write_text(COOKIE)
            cookie.chmod(0o400)

    @property
    def environment(self) -> dict[str, str]:
        """Makes the server, and its tools, use the files of our directory and nothing else."""
        # Given -sname, the node is distributed from its first moment, and RabbitMQ leaves out its own way
        # to it, which starts a second Erlang machine (1.5 s) only to have an epmd.
        arguments = (
            f"-sname {self.node} -start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}}"
            f" inet_dist_listen_min {self._node_port} inet_dist_listen_max {self._node_port}"
            f" -rabbit dead_letter_worker_publisher_confirm_timeout {DEAD_LETTERS_AGAIN_MS}"
        )
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd.port),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": arguments,
            # Makes the start script exec the Erlang machine instead of waiting for it as its parent, so
            # that the process we signal, and that dies with us, is the broker itself.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def with_a_user_for_all() -> dict[str, Any]:
    """The definitions that operators load, and RabbitMQ's default user `guest`, who may do everything."""
    text = (DEFINITIONS / "definitions.json").read_text()
    names = {user["name"]: user["password_hash"].strip("${}") for user in json.loads(text)["users"]}
    passwords = {variable: name for name, variable in names.items()}
    script = ["sh", str(DEFINITIONS / "definitions.sh")]
    definitions: dict[str, Any] = json.loads(subprocess.check_output(script, env=os.environ | passwords))
    definitions["users"].append({"name": "guest", "password": "guest", "tags": ["administrator"]})
    every = {"configure": ".*", "write": ".*", "read": ".*"}
    definitions["permissions"].append({"user": "guest", "vhost": "/", **every})
    return definitions


def installed_server() -> Path | None:
    """The path of RabbitMQ's own start script. Debian's script on the PATH is a wrapper that calls su."""
    debian = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    on_path = shutil.which("rabbitmq-server")
    candidates = [*reversed(debian), *([Path(on_path).resolve()] if on_path else [])]
    return next((path for path in candidates if path.with_name("rabbitmq-env").exists()), None)


def installed_epmd() -> Path | None:
    on_path = shutil.which("epmd")
    candidates = [*([Path(on_path)] if on_path else []), Path("/usr/lib/erlang/bin/epmd")]
    return next((path for path in candidates if path.exists()), None)


def speaks_amqp(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        return connection.recv(1) == b"\x01"
    return False
