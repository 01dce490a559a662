{{/* The name of all objects. It leaves room for "-headless" in the 63 characters of a Service's name. */}}
{{- define "gatepass.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gatepass.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gatepass.labels" -}}
{{ include "gatepass.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "gatepass.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "gatepass.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "gatepass.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The settings that follow from other values of the chart. They override the configuration file. */}}
{{- define "gatepass.settings" -}}
- name: GATEPASS_CONFIG
  value: /etc/gatepass/config/gatepass.yaml
- name: GATEPASS_SERVER__GRPC_ADDR
  value: "{{ .Values.listenAddress }}:50051"
- name: GATEPASS_SERVER__HTTP_ADDR
  value: "{{ .Values.listenAddress }}:8080"
- name: GATEPASS_SERVER__ADMIN_ADDR
  value: "{{ .Values.listenAddress }}:8081"
- name: GATEPASS_SERVER__SHUTDOWN_GRACE
  value: {{ .Values.shutdown.graceSeconds | int }}s
{{- with .Values.tls.existingSecret }}
{{- if .name }}
- name: GATEPASS_SERVER__TLS__CERT
  value: /etc/gatepass/tls/tls.crt
- name: GATEPASS_SERVER__TLS__KEY
  value: /etc/gatepass/tls/tls.key
{{- if .clientCaKey }}
- name: GATEPASS_SERVER__TLS__CLIENT_CA
  value: /etc/gatepass/tls/client-ca.crt
{{- end }}
{{- end }}
{{- end }}
- name: GATEPASS_DATABASE__URL
{{- if .Values.database.sqlite.enabled }}
  value: sqlite:///var/lib/gatepass/gatepass.db?mode=rwc
{{- else }}
  value: "{file: /etc/gatepass/database/url}"
{{- end }}
- name: GATEPASS_SECRETS
  {{- $files := list }}
  {{- range .Values.secrets.existingSecret.keys }}
  {{- $files = append $files (printf "{file: /etc/gatepass/secrets/%s}" .) }}
  {{- end }}
  value: "[{{ join ", " $files }}]"
{{- end -}}
