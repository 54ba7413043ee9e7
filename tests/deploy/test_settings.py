"""A setting that a deployment does not name never arrives there, and no error says so: all must be named."""

import re

from shop.ignored import unknown_settings
from shop.services import load_shop
from tests.deploy.compose import OURS, ROOT, SERVICES, SETTINGS
from tests.deploy.manifests import environment_of, shops

# What a container has no use for, or gets from the image.
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
        "the table of README.md": readme(),
    }
    missing = [
        f"{name} is missing in {place}" for place, named in places.items() for name in SETTINGS - named
    ]
    assert not missing, "\n" + "\n".join(sorted(missing))


def test_no_container_is_given_what_a_service_would_take_for_a_misspelled_setting() -> None:
    given = compose() | kubernetes("dev") | kubernetes("production")
    assert list(unknown_settings(load_shop({}), dict.fromkeys(given, "x"))) == []


def test_what_the_readme_names_is_a_setting_and_what_is_left_out_is_one() -> None:
    assert readme() <= SETTINGS
    assert NOT_IN_CONTAINERS.keys() <= SETTINGS


def test_what_one_service_is_given_all_are_but_for_the_servers_that_it_works_with() -> None:
    given = {name for container in SERVICES.values() for name in container["environment"]}
    for name, container in SERVICES.items():
        missing = given - container["environment"].keys()
        assert not [setting for setting in missing if not setting.endswith(("_URL", "_URLS"))], name


def compose() -> set[str]:
    return {name for container in OURS.values() for name in container["environment"]}


def kubernetes(overlay: str) -> set[str]:
    return {name for _, container in shops(overlay) for name in environment_of(overlay, container)}


def readme() -> set[str]:
    """The names in the first column of its table."""
    section = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    columns = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for column in columns for name in re.findall(r"`(\w+)`", column)}
