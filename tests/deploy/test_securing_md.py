"""docs/recipes/securing.md names settings, files and commands that exist, and all that a provider needs."""

import re

from shop.cli import cli
from tests.deploy.compose import ROOT, SETTINGS
from tests.deploy.test_workflow import commands

TEXT = (ROOT / "docs/recipes/securing.md").read_text()
SCRIPTS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
QUOTED = set(re.findall(r"`([^`\n]+)`", TEXT))
OVERLAY = ROOT / "deploy/k8s/overlays/production"
PROVIDERS = ("Keycloak", "Auth0", "Entra ID")


def row(name: str) -> list[str]:
    (found,) = re.findall(rf"^\| `?{re.escape(name)}`? \|(.*)\|$", TEXT, re.MULTILINE)
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", found)]


def test_every_file_that_it_names_is_there() -> None:
    named = {path for path in QUOTED if re.fullmatch(r"(deploy|docs)/[\w./-]+", path)}
    named |= set(re.findall(r"\bdeploy/[\w./-]+", "\n".join(SCRIPTS)))
    assert {"deploy/images.txt", "deploy/keycloak/shop.env"} <= named
    assert [path for path in named if not (ROOT / path).exists()] == []
    of_the_overlay = {path for path in QUOTED if re.fullmatch(r"[\w-]+\.yaml", path)}
    assert "egress.yaml" in of_the_overlay
    assert [path for path in of_the_overlay if not (OVERLAY / path).exists()] == []


def test_every_setting_that_it_names_is_one() -> None:
    named = set(re.findall(r"\bSHOP_[A-Z_]*[A-Z]\b", TEXT))
    assert {name.removesuffix("_FILE") for name in named} <= SETTINGS


def test_every_command_of_the_shop_is_one() -> None:
    commands = re.findall(r"\.venv/bin/shop ([\w -]+)", "\n".join(SCRIPTS))
    assert len(commands) == 3
    for word, *rest in map(str.split, commands):
        cli.commands[word].make_context(word, rest)


def test_the_command_for_keycloak_is_the_one_that_its_variables_come_with() -> None:
    (command,) = re.findall(r"^docker-compose .*", "\n".join(SCRIPTS), re.MULTILINE)
    assert command in (ROOT / "deploy/keycloak/shop.env").read_text()


def test_the_build_server_plays_what_it_says_of_keycloak() -> None:
    start, token = SCRIPTS[4:6]
    played = re.sub(r"^ +", "", commands("sign-in"), flags=re.MULTILINE)
    for said in (start.replace("docker-compose", "docker compose"), token):
        assert re.sub(r"^ +", "", said, flags=re.MULTILINE).strip() in played


def test_three_providers_have_every_setting() -> None:
    (head,) = re.findall(r"^\| \| (Keycloak.*) \|$", TEXT, re.MULTILINE)
    assert tuple(head.split(" | ")) == PROVIDERS
    for name in ("SHOP_JWT_ISSUER", "SHOP_JWT_KEYS", "SHOP_JWT_AUDIENCE", "SHOP_OIDC_SCOPE", "an operator"):
        cells = row(name)
        assert len(cells) == len(PROVIDERS)
        assert all(cells)
    assert all("shop:operator" in cell for cell in row("an operator"))
    for provider in PROVIDERS:
        assert f"- **{provider}.**" in TEXT


def test_one_command_pins_the_images() -> None:
    assert "python3 deploy/images.py --pin\n" in SCRIPTS


def test_both_readmes_lead_to_it() -> None:
    for name in ("README.md", "README.ru.md"):
        assert "(docs/recipes/securing.md)" in (ROOT / name).read_text()
