"""Renders the overlays of deploy/k8s, and finds the pods in them."""

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.compose import ROOT

OVERLAYS = ("dev", "production")
# The API groups of operators, and the package with their types; None: the types are in tests/deploy/types.
CUSTOM = {
    "postgresql.cnpg.io": "@kubernetes-models/cloudnative-pg",
    "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
    "cert-manager.io": "@kubernetes-models/cert-manager",
    "external-secrets.io": "@kubernetes-models/external-secrets",
    "generators.external-secrets.io": "@kubernetes-models/external-secrets",
    "barmancloud.cnpg.io": None,
    "rabbitmq.com": None,
    "keda.sh": None,
}
# The first version with a stable `sleep` in preStop, and the newest version that is known here.
VERSIONS = ("1.34", kubernetes_validate.latest_version())

Object = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Object, ...]:
    """Every object of the overlay. Skips the test if nothing here can render it."""
    if shutil.which("kubectl"):
        renderer = ["kubectl", "kustomize"]
    elif shutil.which("kustomize"):
        renderer = ["kustomize", "build"]
    else:
        pytest.skip("neither kubectl nor kustomize is installed")
    folder = ROOT / "deploy/k8s/overlays" / overlay
    done = subprocess.run([*renderer, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, f"a warning: {done.stderr}"
    return tuple(yaml.safe_load_all(done.stdout))


def fault_of(thing: Object, version: str = VERSIONS[-1]) -> str:
    """The errors that this version of Kubernetes finds in an object of its own kinds; "" for none."""
    try:
        kubernetes_validate.validate(thing, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{name_of(thing)}: {error.message}"
    return ""


def is_custom(thing: Object) -> bool:
    group = thing["apiVersion"].rpartition("/")[0]
    return group in CUSTOM


def name_of(thing: Object) -> str:
    return f"{thing['kind']}/{thing['metadata']['name']}"


def of_kind(overlay: str, *kinds: str) -> dict[str, Object]:
    """The overlay's objects of these kinds by their names."""
    return {thing["metadata"]["name"]: thing for thing in rendered(overlay) if thing["kind"] in kinds}


def pod_template(thing: Object) -> Object | None:
    """The pod template of an object, if it has one."""
    spec = thing.get("spec", {})
    template: Object | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template


def pods(overlay: str) -> dict[str, Object]:
    """Every pod template by the name of its owner."""
    templates = ((name_of(thing), pod_template(thing)) for thing in rendered(overlay))
    return {name: template for name, template in templates if template}


def shops(overlay: str) -> Iterator[tuple[str, Object]]:
    """(owner, container) of each container of our image."""
    for owner, template in pods(overlay).items():
        for container in template["spec"]["containers"]:
            if container["name"] == "shop":
                yield owner, container


def environment_of(overlay: str, container: Object, unknown: str = "") -> dict[str, str]:
    """The variables of a container; `unknown` replaces the value of a secret that is not in the overlay.

    A variable that other variables use as `$(NAME)` is left out: it is only a part of their values.
    """
    maps, secrets = of_kind(overlay, "ConfigMap"), of_kind(overlay, "Secret")
    found: dict[str, str] = {}
    parts: set[str] = set()
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]["data"]
    for variable in container.get("env", []):
        if "value" in variable:
            named = set(re.findall(r"\$\((\w+)\)", variable["value"]))
            assert named <= found.keys(), f"{variable['name']} names what is not there before it"
            parts |= named
            found[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], variable["value"])
        elif wanted := variable["valueFrom"].get("configMapKeyRef"):
            found[variable["name"]] = maps[wanted["name"]]["data"][wanted["key"]]
        else:
            wanted = variable["valueFrom"]["secretKeyRef"]
            if wanted.get("optional") and wanted["name"] not in secrets:
                found[variable["name"]] = ""
                continue
            data = secrets[wanted["name"]]["data"] if secrets else {}
            known = base64.b64decode(data.get(wanted["key"], "")).decode()
            found[variable["name"]] = known if secrets else unknown
    return {name: value for name, value in found.items() if name not in parts}
