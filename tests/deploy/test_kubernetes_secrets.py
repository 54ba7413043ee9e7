"""Which container gets which secret, and where each secret comes from."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from kernel.adapters.rabbit.definitions import OPERATOR, definitions, password_variable
from shop.services import load_shop
from tests.deploy.compose import ROOT, VERSION, image_ports
from tests.deploy.manifests import OVERLAYS, environment_of, of_kind, pods, rendered, shops

SERVICES = image_ports()
USERS = [user["name"] for user in definitions(load_shop({}).catalog)["users"]]

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def secrets_of_roles(overlay: str) -> set[str]:
    """The secrets with the passwords of roles for CloudNativePG, which operators of the cluster create."""
    clusters = of_kind(overlay, "Cluster").values()
    return {role["passwordSecret"]["name"] for one in clusters for role in one["spec"]["managed"]["roles"]}


def secret_behind(variables: dict[str, Any], name: str) -> str:
    """The secret of a variable, or the variables that its value is built from."""
    if "valueFrom" in variables[name]:
        return str(variables[name]["valueFrom"]["secretKeyRef"]["name"])
    (secret,) = {
        secret_behind(variables, part) for part in re.findall(r"\$\((\w+)\)", variables[name]["value"])
    }
    return secret


@each_overlay
def test_only_a_migration_has_the_owner_of_a_database_and_services_have_another_role(overlay: str) -> None:
    for owner, container in shops(overlay):
        variables = {variable["name"]: variable for variable in container.get("env", [])}
        sources = {
            name: secret_behind(variables, name)
            for name in variables
            if name.endswith(("_DATABASE_URL", "_MIGRATION_URL"))
        }
        for name in {name for name in sources if name.endswith("_DATABASE_URL")}:
            assert sources[name] == f"{name.partition('_')[0].lower()}-db-service", owner
        owners = {name: source for name, source in sources.items() if name.endswith("_MIGRATION_URL")}
        service = container["args"][1] if container["args"][0] == "migrate" else None
        assert owners == ({f"{service.upper()}_MIGRATION_URL": f"{service}-db-app"} if service else {}), owner
    for database in ("orders", "payments") if overlay == "dev" else ():
        role, of_owner = (of_kind("dev", "Secret")[f"{database}-db-{kind}"] for kind in ("service", "app"))
        assert role["data"]["username"] != of_owner["data"]["username"]


def test_the_overlay_names_the_secrets_that_production_has_to_be_given() -> None:
    said = (ROOT / "deploy/k8s/overlays/production/kustomization.yaml").read_text()
    assert secrets_of_roles("production") == {"orders-db-service", "payments-db-service"}
    of_users = {f"rabbitmq-{user}" for user in USERS}
    assert [name for name in secrets_of_roles("production") | of_users if f"`{name}`" not in said] == []


@each_overlay
def test_every_service_is_a_user_of_its_own_at_the_broker(overlay: str) -> None:
    users = {f"Deployment/{service}": service for service in SERVICES} | {"Job/declare-topology": OPERATOR}
    secrets = {}
    for owner, container in shops(overlay):
        given = {variable["name"]: variable for variable in container.get("env", [])}
        if "RABBITMQ_URL" in given:
            secret = secret_behind(given, "RABBITMQ_URL")
            secrets[owner.removesuffix("-" + VERSION.replace(".", "-"))] = secret
    assert secrets == {owner: f"rabbitmq-{user}" for owner, user in users.items()}
    if overlay == "dev":
        for owner, container in shops(overlay):
            if url := environment_of(overlay, container).get("RABBITMQ_URL"):
                assert urlsplit(url).username == urlsplit(url).password in users.values(), owner


@each_overlay
def test_the_broker_gets_the_password_of_each_user_and_loads_what_is_made_of_them(overlay: str) -> None:
    if overlay == "dev":
        spec = pods(overlay)["StatefulSet/rabbitmq"]["spec"]
        (maker,) = spec["containers"]
    else:
        (cluster,) = of_kind(overlay, "RabbitmqCluster").values()
        spec = cluster["spec"]["override"]["statefulSet"]["spec"]["template"]["spec"]
        (maker,) = (one for one in spec["initContainers"] if one["name"] == "definitions")
        (written,) = re.findall(r"umask 077 && sh /etc/shop/definitions.sh > (\S+)", maker["command"][-1])
        assert f"load_definitions = {written}" in cluster["spec"]["rabbitmq"]["additionalConfig"]
        assert maker["image"] == cluster["spec"]["image"]
    given = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in maker["env"]}
    assert given == {
        password_variable(user): {"name": f"rabbitmq-{user}", "key": "password"} for user in USERS
    }
    files = of_kind(overlay, "ConfigMap")["rabbitmq-definitions"]["data"]
    assert {"definitions.json", "definitions.sh", "start.sh", "shop.conf"} == files.keys()
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["definitions"]["configMap"] == {"name": "rabbitmq-definitions"}
    assert volumes["with-passwords"]["emptyDir"]["medium"] == "Memory"


@each_overlay
def test_every_secret_that_is_asked_for_is_the_overlays_or_made_by_an_operator(overlay: str) -> None:
    """Except those of the broker's users, which are made by docs/recipes/broker-users.md."""
    asked = set(
        re.findall(r"'secretKeyRef': {'key': '([\w_]+)', 'name': '([\w-]+)'}", str(rendered(overlay)))
    )
    made = {(key, name) for name, secret in of_kind(overlay, "Secret").items() for key in secret["data"]}
    login = ("username", "password")
    made |= {(key, f"{name}-app") for name in of_kind(overlay, "Cluster") for key in ("uri", *login)}
    made |= {(key, name) for name in secrets_of_roles(overlay) for key in login}
    if of_kind(overlay, "RabbitmqCluster"):
        made |= {(key, f"rabbitmq-{user}") for user in USERS for key in login}
    made |= {
        ("password", thing["spec"]["target"]["name"]) for thing in of_kind(overlay, "ExternalSecret").values()
    }
    assert asked
    assert asked - made == set()


@each_overlay
def test_every_secret_that_is_mounted_is_made_by_an_operator_and_gives_its_certificate_alone(
    overlay: str,
) -> None:
    made = {f"{name}-ca" for name in of_kind(overlay, "Cluster")}
    made |= {thing["spec"]["secretName"] for thing in of_kind(overlay, "Certificate").values()}
    mounted = [
        volume["secret"]
        for template in pods(overlay).values()
        for volume in template["spec"].get("volumes", [])
        if "secret" in volume
    ]
    assert {secret["secretName"] for secret in mounted} <= made
    assert all(secret["items"] == [{"key": "ca.crt", "path": "ca.crt"}] for secret in mounted)
