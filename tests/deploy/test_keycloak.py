"""The people of deploy/keycloak can sign in to the shop of docker-compose.yml, with the right roles.

The tests need no Keycloak: they check the realm against Keycloak's own types, and its mappers against our
rules.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.users import UserTokens
from kernel.adapters.identity.verifying import header_of
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import Caller, Role
from kernel.environment import load_settings
from kernel.settings import Settings
from tests.deploy.answering import service_answering
from tests.deploy.compose import COMPOSE, CONTAINERS, ROOT, image_ports
from tests.deploy.typescript import compiled

FOLDER = ROOT / "deploy/keycloak"
REALM: dict[str, Any] = json.loads((FOLDER / "shop-realm.json").read_text())
(CLIENT,) = REALM["clients"]
MAPPERS = {mapper["protocolMapper"]: mapper["config"] for mapper in CLIENT["protocolMappers"]}
PEOPLE = {user["id"]: user for user in REALM["users"]}
VARIABLES = dict(
    line.split("=", 1) for line in (FOLDER / "shop.env").read_text().splitlines() if line[:1] not in "#"
)
KEYCLOAK = CONTAINERS["keycloak"]
TYPE = 'import("@keycloak/keycloak-admin-client/lib/defs/realmRepresentation.js").default'


def faults(realms: list[str], installed: Path, tmp_path: Path) -> dict[int, str]:
    return compiled([f"const r{at}: {TYPE} = {text};" for at, text in enumerate(realms)], installed, tmp_path)


def test_the_realm_has_keycloaks_own_types_and_a_wrong_field_anywhere_is_found(
    installed: Path, tmp_path: Path
) -> None:
    text = json.dumps(REALM)
    fields = ["realm", "clientId", "username", "protocolMapper", "temporary"]
    planted = [text.replace(f'"{field}":', '"planted":') for field in fields]
    seen = faults([text, *planted], installed, tmp_path)
    assert seen.keys() == set(range(1, 1 + len(planted)))
    assert all("planted" in fault for fault in seen.values())


def test_two_people_and_an_operator_can_sign_in_with_a_password() -> None:
    operators = {id for id, user in PEOPLE.items() if "shop:operator" in user.get("realmRoles", [])}
    assert len(PEOPLE) == 3
    assert len(operators) == 1
    for user in PEOPLE.values():
        # Keycloak refuses people whose profile is not complete.
        assert user["enabled"]
        assert user["emailVerified"]
        assert {"username", "firstName", "lastName", "email"} <= user.keys()
        assert user["credentials"][0]["temporary"] is False


def claims_of(id: str) -> dict[str, Any]:
    """The claims that the client's mappers put into an access token of this person."""
    audience, roles = MAPPERS["oidc-audience-mapper"], MAPPERS["oidc-usermodel-realm-role-mapper"]
    assert audience["access.token.claim"] == roles["access.token.claim"] == "true"
    assert (roles["multivalued"], roles["jsonType.label"]) == ("true", "String")
    granted = ["default-roles-shop", *PEOPLE[id].get("realmRoles", [])]
    return {"aud": audience["included.custom.audience"], roles["claim.name"]: granted}


@pytest.mark.parametrize("id", PEOPLE)
async def test_a_persons_token_makes_them_that_user_and_the_operators_an_operator(id: str) -> None:
    settings, clock = load_settings(Settings, VARIABLES | {"SHOP_SERVICE_KEY": "s" * 32}), SystemClock()
    key = OKPKey.generate_key("Ed25519", auto_kid=True)

    async def keys() -> bytes:
        return msgspec.json.encode(key.as_dict(private=False))

    ring = KeyRing(keys, clock)
    issuer = settings.shop_jwt_issuer or ""
    claims = {"iss": issuer, "sub": id, "exp": int(clock.now().timestamp()) + 60, **claims_of(id)}
    token = jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    users = UserTokens(ring, issuer, settings.shop_jwt_audience, clock)
    caller = (await users.check(token, header_of(token))).verified.caller
    assert caller == Caller(Role.OPERATOR if "realmRoles" in PEOPLE[id] else Role.USER, id)


def test_every_role_of_the_realm_is_one_that_the_shop_knows() -> None:
    assert {role["name"] for role in REALM["roles"]["realm"]} == {"shop:operator", "shop:viewer"}
    assigned = {role for user in PEOPLE.values() for role in user.get("realmRoles", [])}
    assert assigned <= {role["name"] for role in REALM["roles"]["realm"]}


def test_the_client_takes_codes_with_pkce_to_the_gateways_address_alone() -> None:
    gateway = f"http://localhost:{image_ports()['gateway']}"
    assert CLIENT["redirectUris"] == [f"{gateway}/session/callback"]
    assert CLIENT["attributes"]["post.logout.redirect.uris"] == f"{gateway}/"
    assert CLIENT["attributes"]["pkce.code.challenge.method"] == "S256"
    assert CLIENT["publicClient"], "it has no secret that this file would show"


def test_browsers_and_containers_find_keycloak_under_the_name_in_its_tokens() -> None:
    issuer, keys = urlsplit(VARIABLES["SHOP_JWT_ISSUER"]), urlsplit(VARIABLES["SHOP_JWT_KEYS"])
    assert KEYCLOAK["environment"]["KC_HOSTNAME"] == f"http://{issuer.netloc}"
    assert KEYCLOAK["networks"]["default"]["aliases"] == [issuer.hostname]
    assert KEYCLOAK["ports"] == [f"127.0.0.1:{issuer.port}:{issuer.port}"]
    assert issuer.path == f"/realms/{REALM['realm']}"
    assert keys.geturl() == f"{issuer.geturl()}/protocol/openid-connect/certs"


def test_keycloak_imports_the_realm_when_it_starts() -> None:
    assert KEYCLOAK["profiles"] == ["sign-in"]
    assert "--import-realm" in KEYCLOAK["command"]
    (volume,) = KEYCLOAK["volumes"]
    here, there, mode = volume.split(":")
    assert (ROOT / here).samefile(FOLDER / "shop-realm.json")
    assert (there, mode) == ("/opt/keycloak/data/import/shop-realm.json", "ro")


def test_what_the_variables_set_reaches_the_services() -> None:
    passed = set(re.findall(r"\$\{(\w+):-", COMPOSE.read_text()))
    assert VARIABLES.keys() <= passed
    assert VARIABLES["SHOP_AUTH"] == "jwt"
    assert VARIABLES["SHOP_OIDC_CLIENT_ID"] == CLIENT["clientId"]
    assert not [name for name in VARIABLES if name.endswith(("_KEY", "_SECRET"))], (
        "a secret is made, not shared"
    )


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_keycloak_is_healthy_when_it_says_so(status: int, exit_code: int) -> None:
    _, *command = KEYCLOAK["healthcheck"]["test"]
    with service_answering(status, "/health") as port:
        assert health(command, port) == exit_code
    assert health(command, port) != 0


def health(command: list[str], port: int) -> int:
    asked = [word.replace("/9000", f"/{port}") for word in command]
    return subprocess.run(asked, stderr=subprocess.DEVNULL, timeout=10, check=False).returncode
