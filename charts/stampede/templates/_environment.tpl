{{/* One variable from a Secret. Takes {name, secret, key}. */}}
{{- define "stampede.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/* One variable. Takes {name, value}. */}}
{{- define "stampede.variable" -}}
- name: {{ .name }}
  value: {{ .value | quote }}
{{- end -}}

{{/* host:port of a service's gRPC, by all of its pods: clients spread their calls. Takes {root, component}. */}}
{{- define "stampede.address" -}}
{{- printf "%s-%s-pods.%s.svc:9090" (include "stampede.fullname" .root) .component .root.Release.Namespace -}}
{{- end -}}

{{/* The address of PostgreSQL. Takes {root, component}. */}}
{{- define "stampede.postgresUrl" -}}
{{- $postgres := .root.Values.postgres -}}
{{- if $postgres.cluster.enabled -}}
{{- include "stampede.fromSecret" (dict "name" "STAMPEDE_POSTGRES_URL" "secret" (printf "%s-postgres-app" (include "stampede.fullname" .root)) "key" "uri") -}}
{{- else -}}
{{- include "stampede.fromSecret" (dict "name" "STAMPEDE_POSTGRES_URL" "secret" $postgres.existingSecret "key" (default .component $postgres.key)) -}}
{{- end -}}
{{- end -}}

{{/* The environment of a workload. Takes {root, workload}; the workload is one of stampede.workloads. */}}
{{- define "stampede.environment" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $values := $root.Values -}}
{{- with $workload.prefix -}}
{{ include "stampede.variable" (dict "name" (printf "STAMPEDE_%s_GRPC_PORT" .) "value" "9090") }}
{{ include "stampede.variable" (dict "name" (printf "STAMPEDE_%s_HTTP_PORT" .) "value" "8080") }}
{{- end }}
{{- with $workload.caller }}
{{ include "stampede.fromSecret" (dict "name" .variable "secret" $values.access.existingSecret "key" .key) }}
{{- end }}
{{- $engines := default list $workload.engines }}
{{- if has "postgres" $engines }}
{{ include "stampede.postgresUrl" (dict "root" $root "component" $workload.component) }}
{{- end }}
{{- if has "nats" $engines }}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_ROOT_KEY_SHA256" "secret" $values.access.existingSecret "key" "root-key-sha256") }}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_SERVICE_KEY_SHA256" "secret" $values.access.existingSecret "key" "service-key-sha256") }}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_NATS_URL" "secret" $values.nats.existingSecret "key" (default $workload.component $values.nats.key)) }}
{{- end }}
{{- if has "clickhouse" $engines }}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_CLICKHOUSE_URL" "secret" $values.clickhouse.existingSecret "key" $values.clickhouse.key) }}
{{- end }}
{{- if $workload.shards }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_CREDENTIALS_DIR" "value" "/etc/stampede/credentials") }}
{{- end }}
{{- range $workload.calls }}
{{ include "stampede.variable" (dict "name" (printf "STAMPEDE_%s_ADDRESS" (upper .)) "value" (include "stampede.address" (dict "root" $root "component" .))) }}
{{- end }}
{{- with include (printf "stampede.own.%s" $workload.component) (dict "root" $root "values" $workload.values) }}
{{ . }}
{{- end }}
{{- range $name, $value := $workload.values.env }}
{{ include "stampede.variable" (dict "name" $name "value" $value) }}
{{- end }}
{{- end -}}

{{/* What all services are told alike. */}}
{{- define "stampede.shared" -}}
STAMPEDE_LISTEN_HOST: {{ .Values.listenHost | quote }}
STAMPEDE_LOG_LEVEL: {{ .Values.logLevel }}
{{- with .Values.allowedOrigins }}
STAMPEDE_ALLOWED_ORIGINS: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
STAMPEDE_TLS_CA: /etc/stampede/tls/ca.crt
STAMPEDE_TLS_CERT: /etc/stampede/tls/tls.crt
STAMPEDE_TLS_KEY: /etc/stampede/tls/tls.key
STAMPEDE_HTTP_TLS: {{ .Values.tls.http | quote }}
{{- end }}
{{- end -}}
