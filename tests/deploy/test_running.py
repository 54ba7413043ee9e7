"""The image's commands, run as in a container, serve the whole scenario."""

import os
import subprocess
import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

from tests.deploy.compose import OURS, ROOT, environment
from tests.deploy.compose_shop import ComposeShop
from tests.servers.process import eventually
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.scenario import expect_problem
from tests.spec.store import Store


async def test_an_order_is_paid_and_one_that_cannot_be_is_refused(store: Store) -> None:
    user = await store.open_account(funds="100.00")
    paid = await store.decided((await store.placed(user, "49.90"))["id"])
    assert paid["status"] == "FINISHED"
    expect_problem(await store.order(user, "1000.00"), 402, code="insufficient_funds")
    assert await store.balance(user) == Decimal("50.10")
    assert await store.orders_of(user) == [paid]


async def test_every_container_is_ready_and_nothing_is_degraded(
    compose_shop: ComposeShop, store: Store
) -> None:
    for url in compose_shop.urls.values():
        await eventually(partial(is_ready, store.http, url, degraded=[]))


def test_the_walk_through_of_the_readme_gives_the_answers_that_it_shows(compose_shop: ComposeShop) -> None:
    script = [sys.executable, str(ROOT / "deploy/walkthrough.py"), compose_shop.gateway]
    walked = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert walked.returncode == 0, walked.stderr
    assert walked.stdout.endswith("The shop answers as README.md says.\n")


async def test_the_audit_of_it_all_finds_no_fault(compose_shop: ComposeShop) -> None:
    audit = compose_shop.container("audit")
    audit.spawn()
    assert await audit.ended() == 0, audit.last_words
    assert "Everything is as it should be." in audit.stdout


def test_the_image_is_read_only_for_the_user_that_runs_it(compose_shop: ComposeShop) -> None:
    tops = [compose_shop.image.root / top for top in ("app", "opt")]
    paths = [path for top in tops for path in top.rglob("*") if not path.is_symlink()]
    assert len(paths) > 1000
    assert [path for path in paths if path.stat().st_mode & 0o222] == []


def test_what_runs_has_no_variable_but_the_declared_ones(compose_shop: ComposeShop) -> None:
    if not Path("/proc").exists():
        return
    for name, process in compose_shop.processes.items():
        found = Path(f"/proc/{process.pid}/environ").read_text().split("\0")
        names = {variable.partition("=")[0] for variable in found if variable}
        names.discard("LC_CTYPE")  # Python's own, where no locale is declared (PEP 538)
        assert names <= {*environment(-1), *OURS[name]["environment"]}


def test_what_runs_has_no_rights(compose_shop: ComposeShop) -> None:
    for process in compose_shop.processes.values():
        assert Path(f"/proc/{process.pid}").stat().st_uid == (65534 if os.geteuid() == 0 else os.geteuid())


async def test_every_service_stops_cleanly_within_its_grace_period(compose_shop: ComposeShop) -> None:
    """The last test of this shop, because it stops the shop."""
    for name, process in compose_shop.processes.items():
        grace_s = float(OURS[name]["stop_grace_period"].removesuffix("s"))
        assert await process.terminate(within=grace_s) == 0, process.last_words
