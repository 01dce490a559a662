"""Values that the chart must reject, each with a part of the error. They are merged over an accepted value set."""

DIGEST = "7433970ddfe9aa73526ce0855bebaabbfe0fe06e87d3e10e01b35bb339b3b213"

KEY = {"id": "web", "allow": ["session.read"], "credential": {"key_sha256": DIGEST}}
MTLS = {**KEY, "id": "shop", "credential": {"mtls_san": "shop.internal"}}
MTLS_TOO = {**MTLS, "credential": [KEY["credential"], MTLS["credential"]]}
SQLITE = {"existingSecret": {"name": ""}, "sqlite": {"enabled": True}}

# Missing or contradictory values; the templates reject them.
IMPOSSIBLE = [
    ({"image": {"repository": ""}}, "image.repository: name an image"),
    ({"config": {"issuer": None}}, "config.issuer: set the public https URL"),
    ({"config": {"issuer": "http://auth.example.com"}}, "config.issuer: set the public https URL"),
    ({"config": {"callers": []}}, "config.callers: list the backends"),
    ({"config": {"server": {"plaintext": False}}}, "tls.existingSecret.name: name a Secret with a certificate"),
    ({"config": {"secrets": ["x"]}}, "config.secrets: remove it; secrets.existingSecret"),
    ({"config": {"database": {"url": "postgres://u:p@h/d"}}}, "config.database.url: remove it"),
    ({"config": {"server": {"grpc_addr": "0.0.0.0:1"}}}, "config.server.grpc_addr: remove it"),
    ({"config": {"server": {"http_addr": "0.0.0.0:1"}}}, "config.server.http_addr: remove it"),
    ({"config": {"server": {"admin_addr": "0.0.0.0:1"}}}, "config.server.admin_addr: remove it"),
    ({"config": {"server": {"tls": {"cert": "x"}}}}, "config.server.tls: remove it; tls.existingSecret"),
    ({"config": {"server": {"shutdown_grace": "1s"}}}, "config.server.shutdown_grace: remove it"),
    ({"config": {"providers": [{"id": "github", "client_secret": "x"}]}}, "config.providers[0].client_secret: do not put a secret into a ConfigMap"),
    ({"config": {"providers": [{"id": "apple", "private_key": "x"}]}}, "config.providers[0].private_key: do not put a secret into a ConfigMap"),
    ({"config": {"callbacks": {"remote": {"credential": "x"}}}}, "config.callbacks.remote.credential: do not put a secret into a ConfigMap"),
    ({"config": {"callers": [MTLS]}}, "config.callers[0].credential.mtls_san: set tls.existingSecret.name"),
    ({"config": {"callers": [KEY, MTLS_TOO]}}, "config.callers[1].credential.mtls_san: set tls.existingSecret.name"),
    ({"config": {"callers": [MTLS]}, "tls": {"existingSecret": {"name": "x"}}}, "clientCaKey, the CA of client certificates"),
    (
        {"tls": {"existingSecret": {"clientCaKey": "ca.crt"}}},
        "tls.existingSecret.name: name the Secret that has clientCaKey",
    ),
    ({"existingConfigMap": {"name": "mine"}}, "config: set only one of config and existingConfigMap"),
    ({"database": {"existingSecret": {"name": ""}}}, "database.existingSecret.name: name the Secret with the URL"),
    ({"database": {"sqlite": {"enabled": True}}}, "database: set only one of existingSecret and sqlite"),
    ({"database": SQLITE}, "replicaCount: set 1, because only one pod can open a SQLite file"),
    (
        {"replicaCount": 1, "database": {**SQLITE, "existingCaSecret": {"name": "ca"}}},
        "database.existingCaSecret: remove it",
    ),
    ({"secrets": {"existingSecret": {"name": ""}}}, "secrets.existingSecret.name: name a Secret"),
    ({"extraEnv": [{"name": "GATEPASS_ISSUER"}]}, "extraEnv: GATEPASS_ISSUER: write settings in config"),
]

# Wrong keys and types; the schema rejects them.
MISTYPED = [
    ({"replicas": 2}, "additional properties 'replicas' not allowed"),
    ({"replicaCount": "2"}, "at '/replicaCount': got string, want integer"),
    ({"replicaCount": 0}, "at '/replicaCount': minimum: got 0, want 1"),
    ({"fullnameOverride": "x" * 55}, "at '/fullnameOverride': maxLength"),
    ({"image": {"name": "x"}}, "at '/image': additional properties 'name' not allowed"),
    ({"image": {"digest": DIGEST}}, "at '/image/digest'"),
    ({"image": {"pullPolicy": "always"}}, "at '/image/pullPolicy'"),
    ({"imagePullSecrets": ["registry"]}, "at '/imagePullSecrets/0': got string, want object"),
    ({"config": {"sesion": {}}}, "at '/config': additional properties 'sesion' not allowed"),
    ({"config": {"callers": {"id": "web"}}}, "at '/config/callers': got object, want array"),
    ({"config": "issuer: https://x"}, "at '/config': got string, want object"),
    ({"existingConfigMap": "mine"}, "at '/existingConfigMap': got string, want object"),
    ({"existingConfigMap": {"key": "a/b"}}, "at '/existingConfigMap/key'"),
    ({"database": {"url": "postgres://"}}, "at '/database': additional properties 'url' not allowed"),
    ({"database": {"existingSecret": "x"}}, "at '/database/existingSecret': got string, want object"),
    ({"database": {"existingSecret": {"name": "A_B"}}}, "at '/database/existingSecret/name'"),
    ({"database": {"sqlite": {"enabled": "yes"}}}, "at '/database/sqlite/enabled': got string, want boolean"),
    ({"database": {"sqlite": {"size": "1 GB"}}}, "at '/database/sqlite/size'"),
    ({"secrets": {"existingSecret": {"keys": []}}}, "at '/secrets/existingSecret/keys': minItems"),
    ({"secrets": {"existingSecret": {"keys": ["../a"]}}}, "at '/secrets/existingSecret/keys/0'"),
    ({"secrets": {"existingSecret": {"keys": ["a", "a"]}}}, "at '/secrets/existingSecret/keys'"),
    ({"secrets": {"literal": "x"}}, "at '/secrets': additional properties 'literal' not allowed"),
    ({"tls": {"existingSecret": "x"}}, "at '/tls/existingSecret': got string, want object"),
    ({"listenAddress": "127.0.0.1"}, "at '/listenAddress'"),
    ({"podLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName 'app.kubernetes.io/name'"),
    ({"podAnnotations": {"checksum/config": "x"}}, "invalid propertyName 'checksum/config'"),
    ({"shutdown": {"delaySeconds": "5s"}}, "at '/shutdown/delaySeconds': got string, want integer"),
    ({"shutdown": {"graceSeconds": 601}}, "at '/shutdown/graceSeconds': maximum: got 601, want 600"),
    ({"resources": {"limit": {}}}, "at '/resources': additional properties 'limit' not allowed"),
    ({"podAnnotations": {"example.com/inject": True}}, "at '/podAnnotations/example.com~1inject'"),
    ({"extraEnv": {"A": "b"}}, "at '/extraEnv': got object, want array"),
]


def laid_over(base, values):
    """Merges `values` over `base`; a None removes its key."""
    merged = dict(base) if isinstance(base, dict) else {}
    for key, value in values.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = laid_over(merged.get(key, {}), value)
        else:
            merged[key] = value
    return merged
