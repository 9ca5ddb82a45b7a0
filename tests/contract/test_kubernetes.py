"""The Kubernetes manifests: confined pods, probes that exist, selectors that agree, little
to reach.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.clients_file import read_clients
from cds_service.settings import Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
IDENTITY = 10001  # the user of the image


def manifests(folder: str) -> dict[str, Any]:
    """The resources a kustomization names, by kind."""
    here = KUBERNETES / folder
    listed = yaml.safe_load((here / "kustomization.yaml").read_text())["resources"]
    files = [here / name for name in listed if (here / name).is_file()]
    documents = [document for file in files for document in yaml.safe_load_all(file.read_text())]
    return {document["kind"]: document for document in documents}


def test_every_manifest_is_named_by_its_kustomization() -> None:
    for folder in ("base", "example"):
        listed = yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text())
        generated = {
            name for each in listed.get("configMapGenerator", ()) for name in each["files"]
        }
        here = {path.name for path in (KUBERNETES / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert here == {name for name in listed["resources"] if name.endswith(".yaml")} | generated
    assert not yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text()).get(
        "secretGenerator"
    )


def test_the_base_holds_what_an_operator_expects() -> None:
    assert manifests("base").keys() == {
        "ConfigMap",
        "ServiceAccount",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }


def test_pods_run_confined_and_are_probed() -> None:
    pod = manifests("base")["Deployment"]["spec"]["template"]["spec"]
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] == IDENTITY
    assert context["seccompProfile"]["type"] == "RuntimeDefault"
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["containers"], *pod["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in pod["volumes"]
        }
    (ours,) = pod["containers"]
    probes = {
        name: ours[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert probes == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert pod["terminationGracePeriodSeconds"] > 15


def test_probed_addresses_exist() -> None:
    routes = (ROOT / "cds_service" / "web" / "routes.py").read_text()
    for path in ("/health", "/ready", "/metrics", "/version"):
        assert f'"{path}"' in routes


def test_selectors_labels_and_names_agree() -> None:
    found = manifests("base")
    label = {"app.kubernetes.io/name": "cds-service"}
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == label
    assert found["Service"]["spec"]["selector"] == label
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == label
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == label
    scaled = found["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    assert scaled["minReplicas"] > found["PodDisruptionBudget"]["spec"]["minAvailable"]
    assert (
        "replicas" not in found["Deployment"]["spec"]
    )  # else every deployment undoes the autoscaler


def test_pods_may_reach_little() -> None:
    policy = manifests("base")["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432, 443}
    (open_rule,) = [rule for rule in policy["egress"] if "ipBlock" in rule["to"][0]]
    assert open_rule["to"][0]["ipBlock"]["except"] == ["169.254.0.0/16"]
    assert all(rule["from"] for rule in policy["ingress"])


def test_manifests_and_secret_name_only_settings_that_exist() -> None:
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    assert manifests("base")["ConfigMap"]["data"].keys() <= known
    secret = yaml.safe_load((KUBERNETES / "secret.example.yaml").read_text())
    assert secret["kind"] == "Secret" and secret["stringData"].keys() <= known
    secrets = {
        f"CDS_{n.upper()}"
        for n, f in Settings.model_fields.items()
        if "Secret" in str(f.annotation)
    }
    assert not secrets & manifests("base")["ConfigMap"]["data"].keys()


def test_the_ingress_keeps_metrics_inside() -> None:
    paths = manifests("example")["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert {each["path"] for each in paths} == {"/cds-services", "/about", "/about.json", "/health"}


# Neither Debian nor PyPI brings kubectl, so CI does without; the tests above read the same files.
def test_the_clients_of_the_example_are_read() -> None:
    (client,) = read_clients(KUBERNETES / "example" / "clients.yaml")
    assert client.all_silent


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kustomize_builds_the_example() -> None:
    ran = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES / "example")], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    built = list(yaml.safe_load_all(ran.stdout.decode()))
    deployment = next(document for document in built if document["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
        "registry.example.org/"
    )
    policy = next(document for document in built if document["kind"] == "NetworkPolicy")
    selected = [
        rule["to"][0].get("podSelector", {}).get("matchLabels") for rule in policy["spec"]["egress"]
    ]
    assert {"app.kubernetes.io/component": "database"} in selected
