{{/* Rejects combinations of values that the schema cannot check. Lists all faults at once, each with its fix. */}}
{{- define "gatepass.refusals" -}}
{{- $faults := list -}}
{{- if not .Values.image.repository -}}
{{- $faults = append $faults "image.repository: name an image; none is published for this version, so build the Dockerfile and push it to your registry" -}}
{{- end -}}
{{- range list "config" "database" "secrets" -}}
{{- $faults = concat $faults (include (printf "gatepass.refusals.%s" .) $ | fromJsonArray) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "invalid values:\n- %s" (join "\n- " $faults)) -}}
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
{{- $faults = append $faults (printf "config.%s.%s: remove it; %s" $section $setting $instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey $config "secrets" -}}
{{- $faults = append $faults "config.secrets: remove it; secrets.existingSecret names the Secret that holds them" -}}
{{- end -}}
{{- range $at, $provider := $config.providers -}}
{{- range $secret := list "client_secret" "private_key" -}}
{{- if kindIs "string" (get $provider $secret) -}}
{{- $faults = append $faults (printf "config.providers[%d].%s: do not put a secret into a ConfigMap; write {env: NAME}, and let extraEnv read NAME from a Secret" $at $secret) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $remote := get ($config.callbacks | default dict) "remote" -}}
{{- if and (kindIs "map" $remote) (kindIs "string" (get ($remote | default dict) "credential")) -}}
{{- $faults = append $faults "config.callbacks.remote.credential: do not put a secret into a ConfigMap; write {env: NAME}, and let extraEnv read NAME from a Secret" -}}
{{- end -}}
{{- range $at, $caller := $config.callers -}}
{{- $credentials := get $caller "credential" -}}
{{- range kindIs "slice" $credentials | ternary $credentials (list $credentials) -}}
{{- if and (kindIs "map" .) (hasKey . "mtls_san") (not (and $.Values.tls.existingSecret.name $.Values.tls.existingSecret.clientCaKey)) -}}
{{- $faults = append $faults (printf "config.callers[%d].credential.mtls_san: set tls.existingSecret.name and tls.existingSecret.clientCaKey, the CA of client certificates" $at) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.existingSecret.clientCaKey (not .Values.tls.existingSecret.name) -}}
{{- $faults = append $faults "tls.existingSecret.name: name the Secret that has clientCaKey, or remove clientCaKey" -}}
{{- end -}}
{{- if .Values.existingConfigMap.name -}}
{{- if $config -}}
{{- $faults = append $faults "config: set only one of config and existingConfigMap" -}}
{{- end -}}
{{- else -}}
{{- if not (hasPrefix "https://" ($config.issuer | default "")) -}}
{{- $faults = append $faults "config.issuer: set the public https URL of Gatepass, such as https://auth.example.com" -}}
{{- end -}}
{{- if not $config.callers -}}
{{- $faults = append $faults "config.callers: list the backends that may call; `gatepass callers key` prints a key and the hash to write here" -}}
{{- end -}}
{{- if not (or .Values.tls.existingSecret.name (dig "server" "plaintext" false $config)) -}}
{{- $faults = append $faults "tls.existingSecret.name: name a Secret with a certificate, or set config.server.plaintext: true if a mesh or a gateway encrypts in front of the pods" -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- define "gatepass.refusals.database" -}}
{{- $faults := list -}}
{{- $sqlite := .Values.database.sqlite.enabled -}}
{{- $url := .Values.database.existingSecret.name -}}
{{- if and $sqlite $url -}}
{{- $faults = append $faults "database: set only one of existingSecret and sqlite" -}}
{{- else if not (or $sqlite $url) -}}
{{- $faults = append $faults "database.existingSecret.name: name the Secret with the URL of PostgreSQL or MariaDB, or set database.sqlite.enabled: true for one replica on a volume" -}}
{{- end -}}
{{- if and $sqlite (gt (int .Values.replicaCount) 1) -}}
{{- $faults = append $faults "replicaCount: set 1, because only one pod can open a SQLite file; for more, set database.existingSecret.name to the Secret with the URL of PostgreSQL or MariaDB" -}}
{{- end -}}
{{- if and $sqlite .Values.database.existingCaSecret.name -}}
{{- $faults = append $faults "database.existingCaSecret: remove it; SQLite has no server" -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- define "gatepass.refusals.secrets" -}}
{{- $faults := list -}}
{{- if not .Values.secrets.existingSecret.name -}}
{{- $faults = append $faults "secrets.existingSecret.name: name a Secret; to create one: kubectl create secret generic gatepass-secrets --from-literal=secret=\"$(openssl rand -base64 32)\"" -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "GATEPASS_" .name -}}
{{- $faults = append $faults (printf "extraEnv: %s: write settings in config; for a secret, choose another variable name" .name) -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
