"""A guarded shop makes keys for itself alone."""

import json
import stat
from base64 import urlsafe_b64decode
from pathlib import Path

from kernel.adapters.identity.local_key import FILE, local_key
from shop.identity import SERVICE_KEY_FILE, SESSION_KEY_FILE, operator_headers, with_own_keys
from shop.services import Shop, load_shop


def guarded(folder: Path, **settings: str) -> Shop:
    return with_own_keys(load_shop({"SHOP_AUTH": "jwt", "SHOP_DATA_DIR": str(folder), **settings}))


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shops = [guarded(folder) for folder in (data, data, tmp_path)]
    of_services = [shop.settings["orders"].shop_service_key for shop in shops]
    of_sessions = [shop.settings["gateway"].shop_session_key for shop in shops]
    for first, again, other in (of_services, of_sessions):
        assert first == again != other
        assert len(str(first)) >= 32
    assert of_sessions[0] != of_services[0]
    for name in (FILE, SERVICE_KEY_FILE, SESSION_KEY_FILE):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    assert local_key(data) == local_key(data) != local_key(tmp_path)


def test_the_local_key_opens_nothing_where_a_provider_is_named(tmp_path: Path) -> None:
    shop = guarded(tmp_path, SHOP_JWT_KEYS="https://id.example/keys", SHOP_JWT_ISSUER="https://id.example")
    assert shop.settings["orders"].shop_jwt_keys == "https://id.example/keys"
    assert not (tmp_path / FILE).exists()


def test_a_key_of_sessions_that_is_given_is_taken(tmp_path: Path) -> None:
    shop = guarded(tmp_path, SHOP_SESSION_KEY="g" * 32)
    assert shop.settings["gateway"].shop_session_key == "g" * 32
    assert not (tmp_path / SESSION_KEY_FILE).exists()


def test_an_open_shop_makes_no_keys(tmp_path: Path) -> None:
    shop = with_own_keys(load_shop({"SHOP_DATA_DIR": str(tmp_path)}))
    assert shop.settings["gateway"].shop_session_key is None
    assert list(tmp_path.iterdir()) == []


def test_a_demo_without_a_token_of_its_own_may_deposit_where_operators_do(tmp_path: Path) -> None:
    shop = load_shop({"SHOP_DATA_DIR": str(tmp_path)})
    assert not operator_headers(shop, "demo-1")  # Open shops have no key, and ask for none.
    local_key(tmp_path)
    _, token = operator_headers(shop, "demo-1")["Authorization"].split()
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["scope"]) == ("demo-1", "shop:operator")
