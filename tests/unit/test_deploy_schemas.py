"""What clusters are made from, held against Kubernetes' own schemas and those of operators' CRDs.

The latter come with no package: every file is read of a folder that `MGPTN_CRDS` names.
`docs/how-to/cluster.md` says where they are from.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.rooms import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.27", "1.33", "1.37")
"""Of Kubernetes: the oldest here is older than any that is still kept."""

CRDS = os.environ.get("MGPTN_CRDS", "")


class Definitions(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a lone ``=``, which some of them list, as a text."""


Definitions.add_constructor("tag:yaml.org,2002:value", Definitions.construct_yaml_str)

Schemas = dict[tuple[str, str], Any]


def strict(schema: Any) -> Any:
    """The same schema, of which what it does not name is refused: a server would drop it unsaid."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    whole = not schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and whole:
        made.setdefault("additionalProperties", False)
    return made


def schemas_of(documents: Iterator[Any]) -> Schemas:
    """Strict schemas of custom resources by API version and kind."""
    found = {}
    for document in documents:
        if document and document.get("kind") == "CustomResourceDefinition":
            spec = document["spec"]
            for version in spec["versions"]:
                name = f"{spec['group']}/{version['name']}"
                schema = strict(version["schema"]["openAPIV3Schema"])
                # The server has its own of these.
                schema["properties"]["metadata"] = {"type": "object"}
                found[name, spec["names"]["kind"]] = schema
    return found


def faults(document: Any, schemas: Schemas) -> list[str]:
    """What a schema has against a document, with where it stands."""
    check = jsonschema.Draft202012Validator(schemas[document["apiVersion"], document["kind"]])
    return [f"{error.json_path}: {error.message}" for error in check.iter_errors(document)]


SMALL = """
kind: CustomResourceDefinition
spec:
  group: g.io
  names: {kind: Thing}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              properties:
                size: {type: integer, format: int32}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {}}
"""


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"size": 3, "free": {"whatever": 1}}, None),
        ({"size": "3"}, "$.spec.size: '3' is not of type 'integer'"),
        ({"sise": 3}, "$.spec: Additional properties are not allowed ('sise' was unexpected)"),
    ],
)
def test_a_schema_refuses_what_a_server_would_refuse_or_drop(spec: Any, fault: str | None) -> None:
    thing = {"apiVersion": "g.io/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}
    schemas = schemas_of(yaml.safe_load_all(SMALL))
    assert faults(thing, schemas) == ([] if fault is None else [fault])


def documents() -> list[Any]:
    """Everything that Kubernetes is told."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(KUBERNETES.glob("*.yaml"))]
    return [one for text in texts for one in yaml.safe_load_all(text)]


def pods() -> list[Any]:
    """Templates of the pods that operators make: what of their resources is Kubernetes' own."""
    return [
        {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": found}
        for document in documents()
        for found in _under("template", document)
        if "containers" in found.get("spec", {})
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_kubernetes_own_is_as_kubernetes_has_it(version: str) -> None:
    own = [one for one in documents() if "." not in one["apiVersion"]]
    assert {one["kind"] for one in own} == {"PersistentVolumeClaim", "Service"}
    assert len(pods()) == 4  # a head and workers, twice
    for document in [*own, *pods()]:
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize(
    ("key", "value"), [("imagePullPolice", "Never"), ("image", 3), ("ports", [{"name": "x"}])]
)
def test_a_fault_in_a_pod_is_found(key: str, value: Any) -> None:
    for pod in pods():
        pod["template"]["spec"]["containers"][0][key] = value
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


@pytest.mark.skipif(
    not CRDS,
    reason="MGPTN_CRDS names no folder with the CRDs of KubeRay and the Prometheus operator",
)
def test_custom_resources_are_as_their_operators_have_them() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(CRDS).rglob("*.yaml"))]
    schemas = schemas_of(one for text in texts for one in yaml.load_all(text, Definitions))
    custom = [one for one in documents() if "." in one["apiVersion"]]
    assert {one["kind"] for one in custom} == {"RayCluster", "RayJob", "ServiceMonitor"}
    for document in custom:
        assert faults(document, schemas) == []
        # And to its depth: a field that there is not is found in a container.
        if document["kind"] != "ServiceMonitor":
            other = copy.deepcopy(document)
            head = next(_under("headGroupSpec", other))
            head["template"]["spec"]["containers"][0]["imagePullPolice"] = "Never"
            assert len(faults(other, schemas)) == 1


def _under(key: str, plain: Any) -> Iterator[Any]:
    """Every value of a key, at any depth."""
    if isinstance(plain, dict):
        if key in plain:
            yield plain[key]
        plain = list(plain.values())
    for value in plain if isinstance(plain, list) else ():
        yield from _under(key, value)
