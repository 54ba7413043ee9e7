"""A command takes its databases from one source, and one that only reads makes none."""

from pathlib import Path

import pytest

from kernel.adapters.embedded.postgres import EmbeddedPostgresError
from kernel.settings import SettingsError
from shop.databases import any_databases
from shop.services import load_shop

URL = "postgresql://shop@db/x"
SERVICES = load_shop({}).stores


@pytest.mark.parametrize("services", [SERVICES, ("orders",), ("payments",)])
def test_where_there_is_no_shop_none_is_made(tmp_path: Path, services: tuple[str, ...]) -> None:
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
