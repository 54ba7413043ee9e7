"""A shop on one machine makes the key of its sessions, and keeps it."""

from pathlib import Path

from shop.identity import SESSION_KEY_FILE, with_own_keys
from shop.services import load_shop


def test_the_key_of_sessions_is_made_once_for_nobody_else_to_read(tmp_path: Path) -> None:
    shop = load_shop({"SHOP_AUTH": "jwt", "SHOP_DATA_DIR": str(tmp_path)})
    first, second = [with_own_keys(shop).settings["gateway"].shop_session_key for _ in range(2)]
    assert first == second
    assert len(first) >= 32
    assert first != with_own_keys(shop).common.shop_service_key
    assert (tmp_path / SESSION_KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_given_is_taken(tmp_path: Path) -> None:
    given = {"SHOP_AUTH": "jwt", "SHOP_DATA_DIR": str(tmp_path), "SHOP_SESSION_KEY": "g" * 32}
    assert with_own_keys(load_shop(given)).settings["gateway"].shop_session_key == "g" * 32
    assert not (tmp_path / SESSION_KEY_FILE).exists()


def test_in_open_mode_no_key_is_made(tmp_path: Path) -> None:
    shop = with_own_keys(load_shop({"SHOP_DATA_DIR": str(tmp_path)}))
    assert shop.settings["gateway"].shop_session_key is None
    assert list(tmp_path.iterdir()) == []
