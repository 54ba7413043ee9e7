"""TLS to PostgreSQL and RabbitMQ by their URLs: the right server is met, and no other one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from yarl import URL

from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.checks.start import look
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.domain.errors import Unavailable
from tests.catalog import CATALOG
from tests.ports.start.databases import ORDERS
from tests.servers.broker import Broker, install_with_apt
from tests.servers.certificates import Authority, Certificate
from tests.servers.ports import free_port

# The certificate names these. The servers listen on 127.0.0.1, which it does not name.
NAMED = "localhost"
MISMATCH = "IP address mismatch, certificate is not valid for '127.0.0.1'"


@pytest.fixture(scope="session")
def folder(scratch: Path) -> Path:
    made = scratch / "certificates"
    made.mkdir()
    return made


@pytest.fixture(scope="session")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="session")
def other_authority(folder: Path) -> Authority:
    return Authority(folder, "other")


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Certificate:
    return authority.issue(NAMED)


@pytest.fixture(scope="session")
def postgres(scratch: Path, certificate: Certificate) -> Iterator[str]:
    """Debian's: the wheel is built without TLS."""
    binaries = _debians_postgres()
    own = scratch / "postgres-tls"
    own.mkdir()
    key = Path(shutil.copy(certificate.key, own / "server.key"))
    key.chmod(0o600)
    Account.able_to_run(own / "cluster").own(key)
    options = {"ssl": "on", "ssl_cert_file": str(certificate.file), "ssl_key_file": str(key), "fsync": "off"}
    server = EmbeddedPostgres(own, database="orders", options=options)
    # Only while it starts: what other tests start meanwhile is the wheel's.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHOP_PG_BIN", str(binaries))
        url = server.start()
    yield url
    server.stop()


def _debians_postgres() -> Path:
    def found() -> list[Path]:
        return sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

    why_not = "" if found() else install_with_apt("postgresql")
    if not found():
        pytest.skip(f"TLS to PostgreSQL needs Debian's postgresql, which is not installed{why_not}")
    return found()[-1].parent


@pytest.fixture(scope="session")
def rabbit(broker: str, coming_broker: Broker, authority: Authority, certificate: Certificate) -> str:
    """A second listener of the suite's own broker."""
    node = coming_broker.node
    if node is None:
        pytest.skip("RABBITMQ_URL names a broker that is not ours to give another listener")
    port = free_port()
    node.evaluate("application:ensure_all_started(ssl)")
    files = {"cacertfile": authority.file, "certfile": certificate.file, "keyfile": certificate.key}
    options = ", ".join(f'{{{name}, "{path}"}}' for name, path in files.items())
    node.evaluate(f'rabbit_networking:start_ssl_listener({{"127.0.0.1", {port}}}, [{options}], 2)')
    return str(URL(broker).with_scheme("amqps").with_host(NAMED).with_port(port))


def verified(url: str, authority: Authority, host: str = NAMED) -> str:
    return str(URL(url).with_host(host).with_query(sslmode="verify-full", sslrootcert=str(authority.file)))


async def refusal_of_postgres(url: str) -> str:
    with pytest.raises(Unavailable) as refused:
        await look(url, ORDERS)
    return in_one_line(refused.value.detail, url)


async def refusal_of_rabbit(url: str) -> str:
    with pytest.raises(Unavailable) as refused:
        async with RabbitBus([url], "orders", CATALOG):
            pass
    return in_one_line(refused.value.detail, url)


def in_one_line(said: str, url: str) -> str:
    assert "\n" not in said
    assert f":{URL(url).password}@" not in said
    return said


async def test_postgres_is_met_over_tls(postgres: str, authority: Authority) -> None:
    engine = connect_engine(verified(postgres, authority))
    async with engine.connect() as connection:
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await connection.scalar(text(query)) is True
    await engine.dispose()


async def test_a_postgres_of_another_authority_is_refused(postgres: str, other_authority: Authority) -> None:
    said = await refusal_of_postgres(verified(postgres, other_authority))
    assert said.startswith("the orders database orders at localhost:")
    assert said.endswith(": its certificate is refused: unable to get local issuer certificate")


async def test_a_postgres_of_another_name_is_refused(postgres: str, authority: Authority) -> None:
    said = await refusal_of_postgres(verified(postgres, authority, "127.0.0.1"))
    assert said.endswith(f": its certificate is refused: {MISMATCH}")


async def test_a_postgres_without_tls_is_refused(postgres_server: str, authority: Authority) -> None:
    said = await refusal_of_postgres(verified(postgres_server, authority))
    assert said.endswith(" rejected SSL upgrade")


async def test_rabbitmq_is_met_over_tls(rabbit: str, authority: Authority) -> None:
    async with RabbitBus([f"{rabbit}?cafile={authority.file}"], "orders", CATALOG) as bus:
        assert bus.healthy


async def test_a_rabbitmq_of_another_authority_is_refused(rabbit: str, other_authority: Authority) -> None:
    said = await refusal_of_rabbit(f"{rabbit}?cafile={other_authority.file}")
    assert said.startswith("rabbitmq at localhost:")
    assert ": its certificate is refused: self-signed certificate" in said.replace(
        "self signed", "self-signed"
    )


async def test_a_rabbitmq_of_another_name_is_refused(rabbit: str, authority: Authority) -> None:
    url = URL(rabbit).with_host("127.0.0.1").with_query(cafile=str(authority.file))
    assert (await refusal_of_rabbit(str(url))).endswith(f": its certificate is refused: {MISMATCH}")


async def test_a_rabbitmq_without_tls_is_refused(broker: str, authority: Authority) -> None:
    url = URL(broker).with_scheme("amqps").with_query(cafile=str(authority.file))
    assert (await refusal_of_rabbit(str(url))).endswith(": it speaks no TLS")
