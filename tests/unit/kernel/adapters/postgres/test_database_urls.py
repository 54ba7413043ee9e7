"""URLs of databases mean what libpq takes them for; what the shop cannot honour is refused."""

import getpass
import os
import ssl
from pathlib import Path
from urllib.parse import quote

import pytest

from kernel.adapters.postgres.connections.parameters import UrlProblem
from kernel.adapters.postgres.connections.urls import HostUrl, database_hosts
from tests.certificates import CERTIFICATE

SECRET = "hunter2"


def only(url: str) -> HostUrl:
    (host,) = database_hosts(url)
    return host


def places(url: str) -> list[str]:
    return [str(host) for host in database_hosts(url)]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h/d", ["h:5432"]),
        ("postgres://u@h:1/d", ["h:1"]),
        ("postgresql://h:/d", ["h:5432"]),
        ("postgresql://[::1]/d", ["[::1]:5432"]),
        ("postgresql://a:1,b,[2001:db8::7]:65535,c:4/d", ["a:1", "b:5432", "[2001:db8::7]:65535", "c:4"]),
        ("postgresql://[fe80::1%25eth0]:7/d", ["[fe80::1%eth0]:7"]),
        ("postgresql://%2Frun%2Fpostgresql/d", ["/run/postgresql:5432"]),
        ("postgresql:///d?host=/run/postgresql&port=6432", ["/run/postgresql:6432"]),
        ("postgresql:///d?host=a,::1&port=1,2", ["a:1", "[::1]:2"]),
        ("postgresql://old/d?host=new", ["new:5432"]),
        ("postgresql://a,b/d?port=7", ["a:7", "b:7"]),
        ("postgresql://u:[x@h/x", ["h:5432"]),
        ("postgresql://u:p?#[]@h:2?dbname=d", ["h:2"]),
    ],
)
def test_the_hosts_of_a_url_are_found(url: str, expected: list[str]) -> None:
    assert places(url) == expected


@pytest.mark.parametrize(
    ("url", "user", "password", "database"),
    [
        ("postgresql://u:p@h/d", "u", "p", "d"),
        ("postgresql://a%40b:p%2Fq%3Fr%25@h/d%20e", "a@b", "p/q?r%", "d e"),
        ("postgresql://u:p@q@h/d", "u", "p@q", "d"),
        ("postgresql://u:p:q@h/d", "u", "p:q", "d"),
        ("postgresql://u:[x@h/d", "u", "[x", "d"),
        ("postgresql://%D0%B6:%D0%B6@h/d", "ж", "ж", "d"),
        ("postgresql://u@h", "u", "", "u"),
        ("postgresql://h/d?user=u&password=p%26q+r", "u", "p&q+r", "d"),
        ("postgresql://u@h/d?dbname=e", "u", "", "e"),
        ("postgresql://u:p@h/d?", "u", "p", "d"),
    ],
)
def test_user_password_and_database_are_decoded(url: str, user: str, password: str, database: str) -> None:
    host = only(url)
    assert (host.user, host.password, host.database) == (user, password, database)


def test_without_a_user_it_is_that_of_the_process() -> None:
    assert only("postgresql://h/d").user == getpass.getuser()


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=verify-full&connect_timeout=10",
        "channel_binding=prefer",
        "keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=9000",
        "target_session_attrs=read-write&load_balance_hosts=random",
        "gssencmode=prefer&client_encoding=utf8&sslsni=1&sslcompression=0",
        "application_name=a&fallback_application_name=b&options=-c%20search_path%3Dlane",
        "ssl=true",
        "sslrootcert=system",
        "sslmode=require&sslnegotiation=direct&ssl_min_protocol_version=TLSv1.3",
        "sslmode=",
        "sslmode=disable&sslmode=require",
    ],
)
def test_a_url_that_managed_servers_hand_out_is_taken(query: str) -> None:
    only(f"postgresql://u:p@h/d?{query}").driver_options()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("channel_binding=require", "channel_binding"),
        ("gssencmode=require", "gssencmode"),
        ("require_auth=scram-sha-256", "require_auth"),
        ("passfile=/x", "passfile"),
        ("service=x", "service"),
        ("hostaddr=127.0.0.1", "hostaddr"),
        ("replication=database", "replication"),
        ("target_session_attrs=standby", "target_session_attrs"),
        ("target_session_attrs=prefer-standby", "target_session_attrs"),
        ("client_encoding=LATIN1", "client_encoding"),
        ("sslmode=Require", "sslmode"),
        ("sslmod=require", "sslmod"),
        ("schema=public", "schema"),
        ("statement_timeout=0", "statement_timeout"),
        ("connect_timeout=soon", "connect_timeout"),
        ("keepalives=yes", "keepalives"),
        ("keepalives_idle=32768", "keepalives_idle can be 32767"),
        ("keepalives_count=128", "keepalives_count can be 127"),
        (f"sslmode=verify-ca&sslrootcert={os.__file__}", "sslrootcert"),
        (f"sslcrl={os.__file__}", "sslcrl"),
        (f"sslmode=require&sslcert={os.__file__}&sslkey={os.__file__}", "sslcert, sslkey"),
        ("sslrootcert=/nowhere.crt", "sslrootcert"),
        ("sslcert=/nowhere.crt", "sslcert"),
        ("sslmode=require&sslrootcert=system", "sslrootcert"),
        ("sslnegotiation=direct", "sslnegotiation"),
    ],
)
def test_a_parameter_that_cannot_be_honoured_is_named(query: str, named: str) -> None:
    with pytest.raises(UrlProblem, match=named):
        database_hosts(f"postgresql://u:p@h/d?{query}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql:///d",
        "postgresql://u:p@/d",
        "postgresql://a,/d",
        "postgresql://,a/d",
        "postgresql://h:0/d",
        "postgresql://h:99999/d",
        "postgresql://h:-1/d",
        "postgresql://h:5432x/d",
        "postgresql://h:٣/d",
        "postgresql://a:1,b:70000/d",
        "postgresql://::1/d",
        "postgresql://[::1/d",
        "postgresql://a..b/d",
        "postgresql://" + "h" * 64 + "/d",
        "postgresql://[::g]/d",
        "postgresql://[h]/d",
        "postgresql://[::1]x/d",
        "postgresql://h%zz/d",
        "postgresql://h/%",
        f"postgresql://u:{SECRET}%@h/d",
        f"postgresql://u:{SECRET}%FF@h/d",
        f"postgresql://u:{SECRET}%00@h/d",
        f"postgresql://u:{SECRET}/{SECRET}@h/d",
        f"postgresql://u:1/2?{SECRET}=3@h/d",
        f"postgresql://u:{SECRET} @h/d",
        f"postgresql://u:{SECRET}@h/d\n",
        f"postgresql://u:{SECRET}@h/d?x",
        f"postgresql://u:{SECRET}@h/d?x=",
        f"postgresql://u:{SECRET}@a,b/d?port=1,2,3",
        f"mysql://u:{SECRET}@h/d",
        f"//u:{SECRET}@h/d",
        "",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UrlProblem) as refused:
        database_hosts(url)
    assert SECRET not in str(refused.value)


def test_nobody_prints_the_password() -> None:
    host = only(f"postgresql://u:{SECRET}@h/d?sslpassword={SECRET}")
    assert SECRET not in f"{host} {host!r}"


def test_the_environment_is_not_asked_for_what_a_url_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"PGHOST": "x", "PGPORT": "1", "PGUSER": "x", "PGPASSWORD": "x", "PGDATABASE": "x"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    options = only("postgresql://u@h/d").driver_options()
    assert [options[name] for name in ("host", "port", "user", "password", "database", "ssl")] == [
        *("h", 5432, "u", "", "d", "prefer")
    ]


def test_the_authorities_of_the_machine_can_be_trusted() -> None:
    trusting = only("postgresql://u@h/d?sslrootcert=system").driver_options()["ssl"]
    assert isinstance(trusting, ssl.SSLContext)
    assert trusting.check_hostname
    assert trusting.verify_mode is ssl.CERT_REQUIRED


def test_files_of_certificates_go_to_the_driver(tmp_path: Path) -> None:
    (file := tmp_path / "ca & co.crt").write_text(CERTIFICATE)
    host = only(f"postgresql://u@h/d?sslmode=verify-ca&sslrootcert={quote(str(file))}")
    assert host.driver_options()["dsn"].endswith("ca+%26+co.crt")


def test_the_names_of_a_session_and_its_limits_are_those_of_the_url() -> None:
    host = only(
        "postgresql://u@h/d?application_name=a&connect_timeout=2&keepalives_idle=7&options=-c%20a%3Db"
    )
    assert host.session_settings == {"application_name": "a", "options": "-c a=b"}
    assert (host.connect_within_s, host.socket_options) == (2.0, {"keepalives_idle": 7})


def test_a_number_of_0_leaves_it_to_the_system() -> None:
    numbers = "keepalives_idle=0&keepalives_interval=0&keepalives_count=0&tcp_user_timeout=0&keepalives=0"
    assert only(f"postgresql://u@h/d?{numbers}").socket_options == {"keepalives": 0}
    assert only("postgresql://u@h/d?connect_timeout=0").connect_within_s is None
    assert only("postgresql://u@h/d?fallback_application_name=f").session_settings == {
        "application_name": "f"
    }
