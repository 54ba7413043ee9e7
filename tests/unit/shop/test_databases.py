"""A command takes its databases from one source, and one that only reads makes none."""

from pathlib import Path

import pytest

from kernel.adapters.embedded.postgres import EmbeddedPostgresError
from kernel.settings import SettingsError
from shop.databases import any_databases, own_databases
from shop.services import load_shop

URL = "postgresql://shop@db/x"
SERVICES = load_shop({}).stores


@pytest.mark.parametrize("services", [SERVICES, ("orders",), ("payments",)])
def test_a_command_that_finds_no_shop_makes_none(tmp_path: Path, services: tuple[str, ...]) -> None:
    shop = load_shop({"SHOP_DATA_DIR": str(tmp_path / "none")})
    with (
        pytest.raises(EmbeddedPostgresError, match=f"no shop in {tmp_path}/none"),
        any_databases(shop, services),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_half_of_a_shop_is_none(tmp_path: Path) -> None:
    (tmp_path / "orders" / "cluster").mkdir(parents=True)
    shop = load_shop({"SHOP_DATA_DIR": str(tmp_path)})
    with pytest.raises(EmbeddedPostgresError, match="no shop"), any_databases(shop, SERVICES):
        pass


@pytest.mark.parametrize("service", SERVICES)
def test_an_owner_without_the_role_of_its_service_is_refused(tmp_path: Path, service: str) -> None:
    name = service.upper()
    shop = load_shop({f"{name}_MIGRATION_URL": URL, "SHOP_DATA_DIR": str(tmp_path)})
    alone = pytest.raises(
        SettingsError, match=f"^{name}_MIGRATION_URL is set, but {name}_DATABASE_URL is not$"
    )
    with alone, own_databases(shop):
        pass
    with alone, any_databases(shop, (service,), make=True):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [False, True])
@pytest.mark.parametrize("given", SERVICES)
def test_with_one_url_the_other_one_is_asked_for(tmp_path: Path, given: str, make: bool) -> None:
    shop = load_shop({f"{given.upper()}_DATABASE_URL": URL, "SHOP_DATA_DIR": str(tmp_path)})
    (missing,) = set(SERVICES) - {given}
    for services in (SERVICES, (missing,)):
        refused = pytest.raises(SettingsError, match=f"{missing.upper()}_DATABASE_URL is not set")
        with refused, any_databases(shop, services, make=make):
            pass
    assert not list(tmp_path.iterdir())
    with any_databases(shop, (given,)) as complete:
        assert complete == shop
