"""A RabbitMQ of our own: a private child of this process, from the rabbitmq-server that is installed.

Only the standard library, and nothing asynchronous, so that any test, bench or chaos script can use it.
"""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_S_MAX = 90.0
STOP_S_MAX = 20.0

NODE = "shop-tests@localhost"
CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = warning
"""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class NoBroker(Exception):
    """There is no RabbitMQ here and none can be had; the text is one sentence for people."""


class PrivateRabbitMQ:
    """A broker of our own in `directory`, from the rabbitmq-server that is installed; root or not.

    Two children: epmd on a port of its own (the one on 4369 may belong to the broker of the system), and
    the Erlang machine. Both listen on the loopback only and get SIGKILL from the kernel when the thread
    that called `start` ends, so call it from the main thread. Ports and data outlive `stop` and `kill`.

    Raises NoBroker when no rabbitmq-server is installed or when it does not start.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.port, self._epmd_port, self._node_port = free_ports(3)
        self._epmd: subprocess.Popen[bytes] | None = None
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
            wait_until(lambda: speaks_amqp(self.port), self._running, START_S_MAX, "RabbitMQ")
        return self.url

    def begin(self) -> None:
        """Starts the broker without waiting until it answers. Does nothing if it runs."""
        if self._broker is not None and self._broker.poll() is None:
            return
        server, epmd = installed_server(), installed_epmd()
        if server is None or epmd is None:
            raise NoBroker("No rabbitmq-server is installed on this machine.")
        self._end(signal.SIGKILL)
        environment = self._write_files()
        with self._dying_on_failure():
            # The node registers itself as it comes up, and a refused connection would end it.
            self._epmd = self._spawn([str(epmd)], environment)
            wait_until(self._epmd_listens, self._epmd, 10.0, "epmd")
            self._broker = self._spawn([str(server)], environment)

    def stop(self) -> None:
        """Ends it in good order, in about 1 s. Does nothing when it is not started."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it with SIGKILL. Does nothing when it is not started.

        Let a second pass after declaring a quorum queue: RabbitMQ 3.10 writes the queue's name down later
        than it confirms its first messages, and a queue killed before that stays without a leader for ever.
        """
        self._end(signal.SIGKILL)

    @contextmanager
    def _dying_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._end(signal.SIGKILL)
            if isinstance(error, NoBroker):
                raise NoBroker(f"{error} See {self.directory}/output.log and {self.directory}/log.") from None
            raise

    def _end(self, how: signal.Signals) -> None:
        broker, epmd = self._broker, self._epmd
        self._broker = self._epmd = None
        if broker is not None:
            end(broker, how)
        if epmd is not None:
            end(epmd, signal.SIGKILL)

    def _epmd_listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._epmd_port), timeout=1):
            return True
        return False

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.directory / "output.log").open("ab") as output:
            return spawn(command, output.fileno(), signal.SIGKILL, environment, self.directory)

    def _write_files(self) -> dict[str, str]:
        """Returns the environment that makes the server use the files of our directory and nothing else."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config, plugins = self.directory / "rabbitmq.conf", self.directory / "enabled_plugins"
        config.write_text(CONFIG.format(port=self.port))
        plugins.write_text("[].\n")
        cookie = self.directory / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(0o600)
            cookie.write_text("shop-tests")
            cookie.chmod(0o400)
        # Given -sname, the node is distributed from its first moment, and RabbitMQ leaves out its own way
        # to it, which starts a second Erlang machine (1.5 s) only to have an epmd.
        arguments = (
            f"-sname {NODE} -start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}}"
            f" inet_dist_listen_min {self._node_port} inet_dist_listen_max {self._node_port}"
        )
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": arguments,
            # Makes the start script exec the Erlang machine instead of waiting for it as its parent, so
            # that the process we signal, and that dies with us, is the broker itself.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def installed_server() -> Path | None:
    """The start script of RabbitMQ itself. What Debian has on the PATH is a wrapper that calls su."""
    debian = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    on_path = shutil.which("rabbitmq-server")
    candidates = [*reversed(debian), *([Path(on_path).resolve()] if on_path else [])]
    return next((path for path in candidates if path.with_name("rabbitmq-env").exists()), None)


def installed_epmd() -> Path | None:
    on_path = shutil.which("epmd")
    candidates = [*([Path(on_path)] if on_path else []), Path("/usr/lib/erlang/bin/epmd")]
    return next((path for path in candidates if path.exists()), None)


def free_ports(count: int) -> list[int]:
    """Ports below the range of outgoing connections (32768 and up on Linux).

    While a broker of that range is down, the reconnects of its own clients can take its port, and even
    connect to themselves.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(20000, 30000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port not in ports:
                ports.append(port)
    return ports


def speaks_amqp(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        return connection.recv(1) == b"\x01"
    return False


def wait_until(ready: Callable[[], bool], child: subprocess.Popen[bytes], wait_s: float, name: str) -> None:
    """Raises NoBroker when the child ends first or is not ready in time."""
    deadline = time.monotonic() + wait_s
    while not ready():
        if child.poll() is not None:
            raise NoBroker(f"{name} ended at its start with code {child.returncode}.")
        if time.monotonic() > deadline:
            raise NoBroker(f"{name} was not ready within {wait_s:.0f} s.")
        time.sleep(0.05)


def spawn(
    command: list[str],
    output: int,
    on_our_death: signal.Signals,
    environment: dict[str, str],
    directory: Path,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own (Ctrl-C is ours to handle) which does not outlive us on Linux."""
    parent = os.getpid()

    def die_with_parent() -> None:
        if _libc is not None:
            _libc.prctl(1, on_our_death)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def end(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Signals the child and waits for its end, with SIGKILL after STOP_S_MAX."""
    with suppress(ProcessLookupError):
        child.send_signal(how)
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
