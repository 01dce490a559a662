"""Helm's engine: value sets, rendering for one version of Kubernetes, and lint."""

import json
import pathlib
import re

import helm_python
import yaml
from helm_python import _native  # Chart.render ignores kube_version (0.2.2)

README_VALUES = re.compile(r"<!-- file: gatepass-values.yaml -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Refused = helm_python.HelmError


def value_sets(root):
    """Name → values: the README's example and those of the chart's `ci/`."""
    shown = README_VALUES.search((root / "README.md").read_text(encoding="utf-8"))
    sets = {"README.md": yaml.safe_load(shown[1])}
    for path in sorted((root / "helm/gatepass/ci").glob("*.yaml")):
        sets[path.stem] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return sets


def render(chart, values, kube, upgrade=False):
    """Template → text. Raises `Refused` with the error of the schema or of a template."""
    options = {"name": "gatepass", "namespace": "auth", "kube_version": kube, "is_upgrade": upgrade}
    with helm_python.Chart.load(chart) as loaded:
        return json.loads(_native.call_string("helm_render", loaded._raw(), json.dumps(values), json.dumps(options)))


def objects(rendered):
    """The Kubernetes objects in rendered templates."""
    texts = (text for template, text in sorted(rendered.items()) if not template.endswith("NOTES.txt"))
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def lint(chart, values, kube):
    """The findings of `helm lint --strict`."""
    report = helm_python.lint(pathlib.Path(chart), values, strict=True, kube_version=kube)
    return [f"lint: {found['path']}: {found['error']}" for found in report["messages"] if found["severity"] >= 2]
