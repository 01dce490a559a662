{{/* What can't be, though each value is fine: every fault at once, each with what to write instead. */}}
{{- define "gatepass.refusals" -}}
{{- $faults := list -}}
{{- if not .Values.image.repository -}}
{{- $faults = append $faults "image.repository: name an image; none is published with this version, so build the Dockerfile and push it to a registry of yours" -}}
{{- end -}}
{{- range list "config" "database" "secrets" -}}
{{- $faults = concat $faults (include (printf "gatepass.refusals.%s" .) $ | fromJsonArray) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "these values can't be used:\n- %s" (join "\n- " $faults)) -}}
{{- end -}}
{{- end -}}

{{- define "gatepass.refusals.config" -}}
{{- $faults := list -}}
{{- $config := .Values.config -}}
{{- $reserved := dict
  "server" (dict
    "grpc_addr" "the chart listens on port 50051 of listenAddress"
    "http_addr" "the chart listens on port 8080 of listenAddress"
    "admin_addr" "the chart listens on port 8081 of listenAddress"
    "shutdown_grace" "set shutdown.graceSeconds"
    "tls" "tls.existingSecret names the Secret with the certificate")
  "database" (dict
    "url" "database.existingSecret names the Secret that holds it; for SQLite set database.sqlite.enabled: true")
-}}
{{- range $section, $settings := $reserved -}}
{{- range $setting, $instead := $settings -}}
{{- if hasKey (get $config $section | default dict) $setting -}}
{{- $faults = append $faults (printf "config.%s.%s: leave it out; %s" $section $setting $instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey $config "secrets" -}}
{{- $faults = append $faults "config.secrets: leave it out; secrets.existingSecret names the Secret that holds them" -}}
{{- end -}}
{{- range $at, $provider := $config.providers -}}
{{- range $secret := list "client_secret" "private_key" -}}
{{- if kindIs "string" (get $provider $secret) -}}
{{- $faults = append $faults (printf "config.providers[%d].%s: a ConfigMap is no place for it; write {env: NAME}, and have extraEnv read NAME from a Secret" $at $secret) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $remote := get ($config.callbacks | default dict) "remote" -}}
{{- if and (kindIs "map" $remote) (kindIs "string" (get ($remote | default dict) "credential")) -}}
{{- $faults = append $faults "config.callbacks.remote.credential: a ConfigMap is no place for it; write {env: NAME}, and have extraEnv read NAME from a Secret" -}}
{{- end -}}
{{- range $at, $caller := $config.callers -}}
{{- $credentials := get $caller "credential" -}}
{{- range kindIs "slice" $credentials | ternary $credentials (list $credentials) -}}
{{- if and (kindIs "map" .) (hasKey . "mtls_san") (not (and $.Values.tls.existingSecret.name $.Values.tls.existingSecret.clientCaKey)) -}}
{{- $faults = append $faults (printf "config.callers[%d].credential.mtls_san: name the CA of client certificates: tls.existingSecret.clientCaKey, beside its name" $at) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.existingSecret.clientCaKey (not .Values.tls.existingSecret.name) -}}
{{- $faults = append $faults "tls.existingSecret.name: name the Secret that has clientCaKey, or leave that out" -}}
{{- end -}}
{{- if .Values.existingConfigMap.name -}}
{{- if $config -}}
{{- $faults = append $faults "config: keep one of config and existingConfigMap" -}}
{{- end -}}
{{- else -}}
{{- if not (hasPrefix "https://" ($config.issuer | default "")) -}}
{{- $faults = append $faults "config.issuer: give the https URL that clients know Gatepass by, such as https://auth.example.com" -}}
{{- end -}}
{{- if not $config.callers -}}
{{- $faults = append $faults "config.callers: list the backends that may call; `gatepass callers key` makes a key, and the hash of it that belongs here" -}}
{{- end -}}
{{- if not (or .Values.tls.existingSecret.name (dig "server" "plaintext" false $config)) -}}
{{- $faults = append $faults "tls.existingSecret.name: name a Secret with a certificate, or set config.server.plaintext: true if a mesh or a gateway encrypts before the pods" -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- define "gatepass.refusals.database" -}}
{{- $faults := list -}}
{{- $sqlite := .Values.database.sqlite.enabled -}}
{{- $url := .Values.database.existingSecret.name -}}
{{- if and $sqlite $url -}}
{{- $faults = append $faults "database: keep one of existingSecret and sqlite" -}}
{{- else if not (or $sqlite $url) -}}
{{- $faults = append $faults "database.existingSecret.name: name the Secret with the URL of PostgreSQL or MariaDB, or set database.sqlite.enabled: true for one replica on a volume" -}}
{{- end -}}
{{- if and $sqlite (gt (int .Values.replicaCount) 1) -}}
{{- $faults = append $faults "replicaCount: SQLite is a file that one pod opens, so set replicaCount: 1; for more, name the Secret with the URL of PostgreSQL or MariaDB as database.existingSecret.name" -}}
{{- end -}}
{{- if and $sqlite .Values.database.existingCaSecret.name -}}
{{- $faults = append $faults "database.existingCaSecret: leave it out; SQLite has no server" -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- define "gatepass.refusals.secrets" -}}
{{- $faults := list -}}
{{- if not .Values.secrets.existingSecret.name -}}
{{- $faults = append $faults "secrets.existingSecret.name: name a Secret; this makes one: kubectl create secret generic gatepass-secrets --from-literal=secret=\"$(openssl rand -base64 32)\"" -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "GATEPASS_" .name -}}
{{- $faults = append $faults (printf "extraEnv: %s: settings belong in config; give a secret's variable a name of its own" .name) -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
