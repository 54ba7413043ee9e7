"""Who may come in: an open shop stays on its machine, and a guarded one makes keys for itself alone."""

import stat
from pathlib import Path

import pytest

from kernel.adapters.identity.local_key import FILE, local_key
from kernel.settings import SettingsError
from shop.identity import SERVICE_KEY_FILE, require_reach, with_own_keys
from shop.services import Shop, load_shop

EVERY_ADDRESS = ["0.0.0.0", "::", "192.0.2.7", "2001:db8::7"]


def reach(**settings: str) -> None:
    require_reach(load_shop(settings).common)


@pytest.mark.parametrize("host", EVERY_ADDRESS)
def test_an_open_shop_is_not_reached_from_other_machines_unless_that_is_asked_for(host: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^BIND_HOST: .*SHOP_AUTH=jwt, or SHOP_OPEN_BEYOND_LOOPBACK=yes$"
    ):
        reach(BIND_HOST=host)
    reach(BIND_HOST=host, SHOP_OPEN_BEYOND_LOOPBACK="yes")
    reach(BIND_HOST=host, SHOP_AUTH="jwt")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_it_is_reached_from_its_own(host: str) -> None:
    reach(BIND_HOST=host)


def guarded(folder: Path, **settings: str) -> Shop:
    return with_own_keys(load_shop({"SHOP_AUTH": "jwt", "SHOP_DATA_DIR": str(folder), **settings}))


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    secrets = [guarded(folder).settings["orders"].shop_service_key for folder in (data, data, tmp_path)]
    assert secrets[0] == secrets[1] != secrets[2]
    assert len(str(secrets[0])) >= 32
    for name in (FILE, SERVICE_KEY_FILE):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    assert local_key(data) == local_key(data) != local_key(tmp_path)


def test_where_a_provider_is_named_the_local_key_opens_nothing(tmp_path: Path) -> None:
    shop = guarded(tmp_path, SHOP_JWT_KEYS="https://id.example/keys", SHOP_JWT_ISSUER="https://id.example")
    assert shop.settings["orders"].shop_jwt_keys == "https://id.example/keys"
    assert not (tmp_path / FILE).exists()


def test_an_open_shop_makes_no_keys(tmp_path: Path) -> None:
    with_own_keys(load_shop({"SHOP_DATA_DIR": str(tmp_path)}))
    assert list(tmp_path.iterdir()) == []
