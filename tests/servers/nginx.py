"""Runs a private nginx, installed or from apt-get, as a proxy in front of the shop's servers."""

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.broker import install_with_apt
from tests.servers.children import end, listens, spawn, wait_until
from tests.servers.ports import free_port

# One process, which writes below its folder only.
CONFIG = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
{locations}
  }}
}}
"""
# nginx removes this path from the URL, and passes the rest on.
LOCATION = """\
    location {path}/ {{
      proxy_pass {url}/;
      proxy_set_header Forwarded "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix "{told}";
    }}
"""


def installed_nginx() -> Path | None:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


@contextmanager
def nginx(directory: Path, below: Mapping[str, str], *, tells_prefix: frozenset[str]) -> Iterator[str]:
    """Yields the URL of a proxy. `below` maps its paths to servers' URLs. Skips the test without nginx."""
    why = "" if installed_nginx() else install_with_apt("nginx-light")
    program = installed_nginx()
    if program is None:
        pytest.skip(f"there is no nginx on this machine{why}")
    directory.mkdir(parents=True)
    port = free_port()
    locations = "".join(
        LOCATION.format(path=path, url=url, told=path if path in tells_prefix else "")
        for path, url in below.items()
    )
    config = directory / "nginx.conf"
    config.write_text(CONFIG.format(directory=directory, port=port, locations=locations))
    with (directory / "output.log").open("ab") as output:
        command = [str(program), "-p", str(directory), "-c", str(config), "-e", str(directory / "error.log")]
        child = spawn(command, output.fileno(), signal.SIGKILL, dict(os.environ), directory)
    try:
        wait_until(lambda: listens(port), child, 10.0, "nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child, signal.SIGTERM)
