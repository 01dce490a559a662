"""The standards for every rendered object: Kubernetes' schemas, the Pod Security Standard "restricted"
(https://kubernetes.io/docs/concepts/security/pod-security-standards/), and the rules of this project."""

import kubernetes_validate

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def faults(documents, kube):
    """The faults of the objects of one rendering."""
    seen, found = set(), []
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        if name in seen:
            found.append(f"{name}: rendered twice")
        seen.add(name)
        if len(document["metadata"]["name"]) > 63:
            found.append(f"{name}: the name is longer than 63")
        try:
            kubernetes_validate.validate(document, kube.removeprefix("v"), strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{name}: {'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(f"{name}: {error.message}")
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            found += [f"{name}: {fault}" for fault in [*restricted(pod), *ours(pod)]]
    return found


def restricted(pod):
    """The violations of "restricted" in a pod."""
    shared = pod.get("securityContext", {})
    yield from (field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field))
    for volume in pod.get("volumes", []):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']}"
    for container in pod.get("initContainers", []) + pod["containers"]:
        own = container.get("securityContext", {})
        effective = {**shared, **own}
        capabilities = own.get("capabilities", {})
        kept = {
            "privileged": not own.get("privileged"),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "runAsNonRoot": effective.get("runAsNonRoot") is True,
            "runAsUser": effective.get("runAsUser") != 0,
            "seccompProfile": effective.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
            "capabilities": "ALL" in capabilities.get("drop", [])
            and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        }
        yield from (f"{container['name']}: restricted: {rule}" for rule, holds in kept.items() if not holds)


def ours(pod):
    """The violations of this project's rules in a pod."""
    (container,) = pod["containers"]
    delay = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    grace = int(variables["GATEPASS_SERVER__SHUTDOWN_GRACE"].removesuffix("s"))
    probes = {name: container[f"{name}Probe"]["grpc"] for name in ("startup", "liveness", "readiness")}
    admin = int(variables["GATEPASS_SERVER__ADMIN_ADDR"].rpartition(":")[2])
    services = {"startup": "liveness", "liveness": "liveness", "readiness": ""}
    kept = {
        "a numeric user": isinstance(pod["securityContext"].get("runAsUser"), int),
        "a read-only root": container["securityContext"].get("readOnlyRootFilesystem") is True,
        "no service links": pod.get("enableServiceLinks") is False,
        "no service account token": pod.get("automountServiceAccountToken") is False,
        "requests and limits of memory": all(
            "memory" in container["resources"].get(kind, {}) for kind in ("requests", "limits")
        ),
        "time to drain": pod["terminationGracePeriodSeconds"] > delay + grace,
        "gRPC probes on the admin port": probes
        == {name: {"port": admin, "service": service} for name, service in services.items()},
        "port names of at most 15": all(len(port["name"]) <= 15 for port in container["ports"]),
    }
    yield from (f"{container['name']}: {rule} is required" for rule, holds in kept.items() if not holds)
