"""Kubernetes: built by kustomize, held against the schemas of Kubernetes, and against our promises."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import DEPLOY, Run, said
from tests.deploy.queries import partitions

KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = ["small", "production"]
OLDEST, NEWEST = "1.30.0", "1.37.0"
PORTS = {"yujing-ingest": 8620, "yujing-rules": 8622, "yujing-notify": 8623}
STORES = {"yujing-rules", "yujing-notify"}

Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(params=OVERLAYS)
def manifest(request: pytest.FixtureRequest, run: Run) -> str:
    """An overlay as kustomize builds it."""
    done = run("kustomize", "build", KUBERNETES / "overlays" / request.param)
    assert (done.returncode, done.stderr) == (0, ""), said(done)
    return done.stdout


@pytest.fixture
def objects(manifest: str) -> Objects:
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(manifest)}


def pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """Pod templates by the name of what makes them."""
    return {
        name: o["spec"]["template"]
        for (kind, name), o in objects.items()
        if kind in ("StatefulSet", "Deployment", "Job")
    }


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schemas_of_kubernetes_accept_it(
    run: Run, tmp_path: Path, manifest: str, version: str
) -> None:
    """Strict: a field Kubernetes does not know is refused, which the API would only drop."""
    file = tmp_path / "manifest.yaml"
    file.write_text(manifest)
    done = run("kubernetes-validate", "--strict", "--kubernetes-version", version, file)
    assert done.returncode == 0, said(done)


def test_every_pod_is_confined(objects: Objects) -> None:
    """What the pod security standard `restricted` asks for, and a read-only root beside it."""
    assert (
        objects["Namespace", "yujing"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )
    assert set(pods(objects)) == {*PORTS, "yujing-topics"}
    for template in pods(objects).values():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", PORTS)
def test_a_service_is_asked_and_ended_as_the_contract_says(objects: Objects, name: str) -> None:
    """Health restarts, readiness never does; the pause before SIGTERM and its 15 s fit."""
    spec = pods(objects)[name]["spec"]
    [container] = spec["containers"]
    assert {"name": "http", "containerPort": PORTS[name]} in [
        {"name": p["name"], "containerPort": p["containerPort"]} for p in container["ports"]
    ]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > pause + 15


def test_every_mount_has_its_volume(objects: Objects) -> None:
    for name, template in pods(objects).items():
        owner = next(o for (_, n), o in objects.items() if n == name and "template" in o["spec"])
        claimed = [c["metadata"]["name"] for c in owner["spec"].get("volumeClaimTemplates", [])]
        volumes = {v["name"] for v in template["spec"]["volumes"]} | set(claimed)
        [container] = template["spec"]["containers"]
        assert {m["name"] for m in container["volumeMounts"]} == volumes, name


def test_workers_of_rules_have_stable_names(objects: Objects) -> None:
    """A StatefulSet whose pod name is the static member of the group."""
    rules = objects["StatefulSet", "yujing-rules"]
    [container] = rules["spec"]["template"]["spec"]["containers"]
    env = {e["name"]: e for e in container["env"]}
    assert env["YUJING_INSTANCE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert rules["spec"]["replicas"] <= partitions("yujing.reports.v1")


def test_secrets_are_referenced_and_never_contained(objects: Objects, manifest: str) -> None:
    assert [name for kind, name in objects if kind == "Secret"] == []
    for line in manifest.splitlines():
        if "assword" in line:
            assert "/run/secrets/" in line or "PASSWORD_FILE" in line, line


def test_every_pod_reads_the_addresses_of_its_overlay(objects: Objects) -> None:
    """The names carry a hash, so that a changed address replaces the pods that use it."""
    for name, template in pods(objects).items():
        [container] = template["spec"]["containers"]
        used = [e["configMapRef"]["name"] for e in container["envFrom"] if "configMapRef" in e]
        given: dict[str, str] = {}
        for each in used:
            given |= objects["ConfigMap", each].get("data", {})
        assert [each.rsplit("-", 1)[0] for each in used] == ["yujing-kafka", name]
        assert "YUJING_KAFKA" in given
        assert ("YUJING_DATABASE_URL" in given) == (name in STORES)


def test_nobody_has_the_secret_of_another(objects: Objects) -> None:
    """Each workload mounts the Secret of its own name; only those with tables have a password."""
    for name, template in pods(objects).items():
        secrets = {v["name"]: v["secret"] for v in template["spec"]["volumes"] if "secret" in v}
        assert secrets["credentials"]["secretName"] == name
        [container] = template["spec"]["containers"]
        env = {e["name"] for e in container["env"]}
        assert "YUJING_KAFKA_PASSWORD_FILE" in env
        assert ("YUJING_DATABASE_PASSWORD_FILE" in env) == (name in STORES)


def test_production_uses_the_users_the_broker_knows(run: Run) -> None:
    """Those of deploy/kafka/acls.yaml; the job that makes the topics is none of them, and no pod is who works by hand."""
    done = run("kustomize", "build", KUBERNETES / "overlays" / "production")
    users = {
        o["metadata"]["name"].rsplit("-", 1)[0]: o["data"]["YUJING_KAFKA_USERNAME"]
        for o in yaml.safe_load_all(done.stdout)
        if o["kind"] == "ConfigMap" and "YUJING_KAFKA_USERNAME" in o["data"]
    }
    known = yaml.safe_load((DEPLOY / "kafka" / "acls.yaml").read_text())["principals"]
    assert users.pop("yujing-topics") not in known
    assert users == {f"yujing-{user}": user for user in set(known) - {"upstream", "analyst"}}


def test_production_survives_a_node(run: Run) -> None:
    """Three of each, never two on one node, and a budget for each."""
    done = run("kustomize", "build", KUBERNETES / "overlays" / "production")
    built = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(done.stdout)}
    for name in PORTS:
        owner = next(o for (_, n), o in built.items() if n == name and "template" in o["spec"])
        assert owner["spec"]["replicas"] >= 3
        spread = owner["spec"]["template"]["spec"]["topologySpreadConstraints"]
        hard = [s for s in spread if s["whenUnsatisfiable"] == "DoNotSchedule"]
        assert [s["topologyKey"] for s in hard] == ["kubernetes.io/hostname"]
        labels = owner["spec"]["template"]["metadata"]["labels"]
        for constraint in spread:
            assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
        budget = built["PodDisruptionBudget", name]["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_selectors_find_their_pods(objects: Objects) -> None:
    """Services and policies select by labels that some pod has."""
    labels = [t["metadata"]["labels"] for t in pods(objects).values()]
    for (kind, name), o in objects.items():
        selector = {
            "Service": lambda o: o["spec"]["selector"],
            "NetworkPolicy": lambda o: o["spec"]["podSelector"].get("matchLabels", {}),
        }.get(kind, lambda _: {})(o)
        assert any(selector.items() <= each.items() for each in labels), f"{kind} {name}"
