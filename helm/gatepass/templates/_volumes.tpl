{{/* Configuration and secrets as files, so that neither pod descriptions nor process environments contain them. */}}
{{- define "gatepass.volumeMounts" -}}
- name: config
  mountPath: /etc/gatepass/config
  readOnly: true
- name: secrets
  mountPath: /etc/gatepass/secrets
  readOnly: true
{{- if .Values.tls.existingSecret.name }}
- name: tls
  mountPath: /etc/gatepass/tls
  readOnly: true
{{- end }}
{{- if .Values.database.sqlite.enabled }}
- name: data
  mountPath: /var/lib/gatepass
{{- else }}
- name: database
  mountPath: /etc/gatepass/database
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gatepass.volumes" -}}
- name: config
  configMap:
    name: {{ .Values.existingConfigMap.name | default (include "gatepass.fullname" .) | quote }}
    items:
      - key: {{ ternary .Values.existingConfigMap.key "gatepass.yaml" (ne .Values.existingConfigMap.name "") | quote }}
        path: gatepass.yaml
- name: secrets
  secret:
    secretName: {{ .Values.secrets.existingSecret.name | quote }}
    defaultMode: 0440
    items:
      {{- range .Values.secrets.existingSecret.keys }}
      - key: {{ . | quote }}
        path: {{ . | quote }}
      {{- end }}
{{- with .Values.tls.existingSecret }}
{{- if .name }}
- name: tls
  secret:
    secretName: {{ .name | quote }}
    defaultMode: 0440
    items:
      - key: tls.crt
        path: tls.crt
      - key: tls.key
        path: tls.key
      {{- with .clientCaKey }}
      - key: {{ . | quote }}
        path: client-ca.crt
      {{- end }}
{{- end }}
{{- end }}
{{- with .Values.database }}
{{- if .sqlite.enabled }}
- name: data
  persistentVolumeClaim:
    claimName: {{ .sqlite.existingClaim | default (include "gatepass.fullname" $) | quote }}
{{- else }}
- name: database
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .existingSecret.name | quote }}
          items:
            - key: {{ .existingSecret.key | quote }}
              path: url
      {{- if .existingCaSecret.name }}
      - secret:
          name: {{ .existingCaSecret.name | quote }}
          items:
            - key: {{ .existingCaSecret.key | quote }}
              path: ca.crt
      {{- end }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
