"""Makes a Kubernetes object of the alert rules of deploy/prometheus, because kustomize cannot.

.venv/bin/python -m tests.deploy.alerts      writes deploy/k8s/overlays/production/alerts.yaml
"""

from typing import Any

import yaml

from tests.deploy.compose import ROOT

SOURCE = ROOT / "deploy/prometheus/alerts"
TARGET = ROOT / "deploy/k8s/overlays/production/alerts.yaml"
HEADER = "# From deploy/prometheus/alerts, by `python -m tests.deploy.alerts`.\n"


def prometheus_rule() -> dict[str, Any]:
    files = sorted(SOURCE.glob("*.yml"))
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "shop"},
        "spec": {"groups": [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]},
    }


if __name__ == "__main__":
    TARGET.write_text(HEADER + yaml.safe_dump(prometheus_rule(), sort_keys=False, width=110))
