"""The overlay for production: identity, keys, TLS, and the public routes."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.adapters.inbound.accounts import AccountsController
from gateway.adapters.inbound.orders import OrdersController
from gateway.adapters.inbound.pages.routes import PATH as PAGES
from gateway.main import api
from gateway.settings import GatewaySettings
from kernel.settings import require_all
from shop.services import load_shop
from tests.certificates import CERTIFICATE
from tests.deploy.compose import ROOT, image_ports
from tests.deploy.manifests import Object, environment_of, of_kind, pods, shops

SERVICES = image_ports()
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/openapi/gateway.json").read_text())
# Only Kubernetes and Prometheus call these, within the cluster.
STAYS_INSIDE = {"/health/live", "/health/ready", "/metrics"}
SECRET = "s" * 64

each_service = pytest.mark.parametrize("service", SERVICES)


def shop_container(service: str) -> Object:
    (container,) = pods("production")[f"Deployment/{service}"]["spec"]["containers"]
    return container


def variables_of(container: Object, files: Path) -> dict[str, str]:
    """The variables of a container, with SECRET for every secret, and with certificates in `files`."""
    (files / "ca.crt").write_text(CERTIFICATE)
    found = environment_of("production", container, unknown=SECRET)
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    for mount in (mount for mount in mounts if mount != "/tmp"):
        found = {name: value.replace(f"={mount}/", f"={files}/") for name, value in found.items()}
    return found


@each_service
def test_every_service_asks_for_tokens_and_lacks_no_setting_for_it(service: str, tmp_path: Path) -> None:
    settings = load_shop(variables_of(shop_container(service), tmp_path)).settings[service]
    assert settings.shop_auth == "jwt"
    assert settings.shop_open_beyond_loopback == "no"
    require_all(settings)
    assert settings.shop_service_key == SECRET
    assert str(settings.shop_jwt_keys).startswith(str(settings.shop_jwt_issuer))
    assert str(settings.shop_jwt_issuer).startswith("https://")


def test_only_operators_put_money_in(tmp_path: Path) -> None:
    for service in ("gateway", "payments"):
        assert variables_of(shop_container(service), tmp_path)["SHOP_DEPOSITS"] == "operators"


def test_keys_are_made_once_in_the_cluster_and_are_such_as_the_settings_take() -> None:
    (generator,) = of_kind("production", "Password").values()
    assert generator["spec"]["symbols"] == 0, "a comma would make two keys of one"
    assert generator["spec"]["length"] >= 32
    made = of_kind("production", "ExternalSecret")
    assert made.keys() == {"service-key", "session-key", "redis"}
    for thing in made.values():
        assert thing["spec"]["refreshPolicy"] == "CreatedOnce", "else all sessions end at every refresh"
        (source,) = thing["spec"]["dataFrom"]
        assert source["sourceRef"]["generatorRef"]["name"] == generator["metadata"]["name"]


def secrets_of(container: Object) -> set[str]:
    variables = [variable.get("valueFrom", {}) for variable in container.get("env", [])]
    return {variable["secretKeyRef"]["name"] for variable in variables if "secretKeyRef" in variable}


def test_the_key_of_services_is_known_to_services_alone() -> None:
    assert {owner for owner, container in shops("production") if "service-key" in secrets_of(container)} == {
        f"Deployment/{service}" for service in SERVICES
    }


def test_the_key_of_sessions_is_known_to_the_gateway_alone(tmp_path: Path) -> None:
    assert [owner for owner, container in shops("production") if "session-key" in secrets_of(container)] == [
        "Deployment/gateway"
    ]
    settings = load_shop(variables_of(shop_container("gateway"), tmp_path)).settings["gateway"]
    require_all(settings, "shop_oidc_client_id")


def test_every_connection_to_a_server_is_encrypted_and_its_certificate_checked(tmp_path: Path) -> None:
    seen = set()
    for owner, container in shops("production"):
        for name, value in variables_of(container, tmp_path).items():
            url = urlsplit(value)
            query = {key: found for key, (found,) in parse_qs(url.query).items()}
            if name.endswith("_DATABASE_URL"):
                assert (url.scheme, query["sslmode"]) == ("postgresql", "verify-full"), owner
                assert query["sslrootcert"] == f"{tmp_path}/ca.crt", f"{owner} mounts no certificate there"
            elif name == "RABBITMQ_URL":
                assert (url.scheme, url.port) == ("amqps", 5671), owner
                assert query["cafile"] == f"{tmp_path}/ca.crt", f"{owner} mounts no certificate there"
            else:
                continue
            assert (url.username, url.password) == (SECRET, SECRET)
            seen.add((owner.partition("/")[2].removesuffix("-0-1-0"), name))
    assert len(seen) == 10


def test_the_names_that_clients_ask_for_are_in_the_certificates(tmp_path: Path) -> None:
    """CloudNativePG makes the certificates of its databases, with names like NAME-rw.NAMESPACE.svc."""
    certificate = of_kind("production", "Certificate")["rabbitmq"]["spec"]
    names = set(certificate["dnsNames"]) | {
        f"{name}-rw.shop.svc" for name in of_kind("production", "Cluster")
    }
    for _, container in shops("production"):
        for name, value in variables_of(container, tmp_path).items():
            if name.endswith("_DATABASE_URL") or name == "RABBITMQ_URL":
                assert urlsplit(value).hostname in names


def test_no_server_listens_without_tls() -> None:
    (broker,) = of_kind("production", "RabbitmqCluster").values()
    certificate = of_kind("production", "Certificate")["rabbitmq"]["spec"]
    assert broker["spec"]["tls"] == {"secretName": certificate["secretName"], "disableNonTLSListeners": True}
    for database in of_kind("production", "Cluster").values():
        assert database["spec"]["postgresql"]["pg_hba"][0] == "hostnossl all all all reject"


def opened() -> list[tuple[str, str]]:
    """(type, path) of each match of the public route."""
    rules = [rule for route in _routes().values() for rule in route["spec"]["rules"]]
    assert all(rule["backendRefs"] == [{"name": "gateway", "port": SERVICES["gateway"]}] for rule in rules)
    return [(match["path"]["type"], match["path"]["value"]) for rule in rules for match in rule["matches"]]


def _routes() -> dict[str, Any]:
    return of_kind("production", "HTTPRoute")


def is_opened(path: str) -> bool:
    """Matches like the Gateway API: a prefix consists of whole segments of the path."""
    return any(
        path == value or (kind == "PathPrefix" and path.startswith(f"{value}/")) for kind, value in opened()
    )


def test_the_public_route_leads_to_every_documented_path_but_to_those_for_the_cluster() -> None:
    paths = set(DOCUMENT["paths"])
    assert {path for path in paths if not is_opened(path)} == STAYS_INSIDE
    assert {AccountsController.path, OrdersController.path} <= paths


def test_the_routes_of_operators_can_be_left_out() -> None:
    (rule,) = _routes()["shop-ops"]["spec"]["rules"]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/ops"]
    assert _routes()["shop"]["spec"]["hostnames"] == _routes()["shop-ops"]["spec"]["hostnames"]


def test_the_public_route_opens_nothing_that_is_not_documented_or_a_document() -> None:
    documents = {"/", PAGES, api(GatewaySettings()).ui_path, "/schema", "/swagger-assets"}
    for kind, value in opened():
        below = [path for path in DOCUMENT["paths"] if path == value or path.startswith(f"{value}/")]
        assert below or value in documents, value
        assert kind == ("Exact" if value == "/" or value.endswith(".html") else "PathPrefix")


@pytest.mark.parametrize("path", ["/pagesx", "/opsx", "/api/Order", "/ordersx", "/metrics", "/health/ready"])
def test_what_is_not_named_stays_inside(path: str) -> None:
    assert not is_opened(path)
