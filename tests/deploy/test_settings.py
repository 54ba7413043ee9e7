"""Every deployment names every setting, because a missing one would be ignored without an error."""

import re

from shop.ignored import unknown_settings
from shop.services import load_shop
from tests.deploy.compose import OURS, ROOT, SERVICES, SETTINGS
from tests.deploy.manifests import environment_of, shops

# The settings that a container does not need, or gets from the image.
NOT_IN_CONTAINERS = {
    "GATEWAY_PORT": "the image names it, and so do the addresses of the services",
    "ORDERS_PORT": "likewise",
    "PAYMENTS_PORT": "likewise",
    "BIND_HOST": "the image binds to all addresses of its container",
    "SHOP_TOKEN": "it is for clients",
    "SHOP_DATA_DIR": "no database is embedded",
}


def test_every_setting_is_named_wherever_settings_are_given() -> None:
    places = {
        "docker-compose.yml": compose() | NOT_IN_CONTAINERS.keys(),
        "deploy/k8s, overlay dev": kubernetes("dev") | NOT_IN_CONTAINERS.keys(),
        "deploy/k8s, overlay production": kubernetes("production") | NOT_IN_CONTAINERS.keys(),
        "docs/settings.md": documented(),
    }
    missing = [
        f"{name} is missing in {place}" for place, named in places.items() for name in SETTINGS - named
    ]
    assert not missing, "\n" + "\n".join(sorted(missing))


def test_no_container_is_given_what_a_service_would_take_for_a_misspelled_setting() -> None:
    given = compose() | kubernetes("dev") | kubernetes("production")
    assert list(unknown_settings(load_shop({}), dict.fromkeys(given, "x"))) == []


def test_the_page_and_the_exceptions_name_only_settings() -> None:
    assert documented() <= SETTINGS
    assert NOT_IN_CONTAINERS.keys() <= SETTINGS


def test_all_services_get_the_same_settings_except_their_servers() -> None:
    given = {name for container in SERVICES.values() for name in container["environment"]}
    for name, container in SERVICES.items():
        missing = given - container["environment"].keys()
        assert not [setting for setting in missing if not setting.endswith(("_URL", "_URLS"))], name


def compose() -> set[str]:
    return {name for container in OURS.values() for name in container["environment"]}


def kubernetes(overlay: str) -> set[str]:
    return {name for _, container in shops(overlay) for name in environment_of(overlay, container)}


def documented() -> set[str]:
    """The names in the first column of the tables."""
    columns = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    return {name for column in columns for name in re.findall(r"`(\w+)`", column)}
