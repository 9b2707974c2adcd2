{{/* Variables that one workload alone has: a template per component, each takes {root, values}. */}}

{{- define "stampede.own.enrollment" -}}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_ENROLLMENT_MASTER_KEY" "secret" .values.existingSecret "key" "master-key") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_ENROLLMENT_CARD_PREFIX" "value" .values.cardPrefix) }}
{{- end -}}

{{- define "stampede.own.ledger" -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_LEDGER_SWEEP_SECONDS" "value" (int .values.sweepSeconds)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_LEDGER_KEPT_MONTHS" "value" (int .values.keptMonths)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_LEDGER_VERIFY_HOUR" "value" (int .values.verifyHour)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_LEDGER_POOL_SIZE" "value" (int .values.poolSize)) }}
{{- end -}}

{{- define "stampede.own.pass-render" -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_PASS_RENDER_WEB_PORT" "value" "8443") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_PASS_RENDER_WEB_URL" "value" (tpl .values.webUrl .root)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_PASS_RENDER_WEB_CERT" "value" "/etc/stampede/web/tls.crt") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_PASS_RENDER_WEB_KEY" "value" "/etc/stampede/web/tls.key") }}
{{ include "stampede.fromSecret" (dict "name" "STAMPEDE_PASS_RENDER_MASTER_KEY" "secret" .values.existingSecret "key" "master-key") }}
{{- with .values.googleRootKeysUrl }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_GOOGLE_ROOT_KEYS_URL" "value" .) }}
{{- end }}
{{- end -}}

{{- define "stampede.own.push-dispatcher" -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_DISPATCHER_MAX_PER_SECOND" "value" (int .values.maxPerSecond)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_GOOGLE_MAX_PER_SECOND" "value" (int .values.googleMaxPerSecond)) }}
{{- if .root.Values.sandbox.enabled }}
{{- $host := include "stampede.sandboxHost" .root }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_APNS_URL" "value" (printf "https://%s:2197" $host)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_APNS_CA" "value" "/etc/stampede/sandbox/web.pem") }}
{{ include "stampede.sandboxGoogle" .root }}
{{- end }}
{{- end -}}

{{- define "stampede.own.geo" -}}{{- end -}}
{{- define "stampede.own.campaigns" -}}{{- end -}}
{{- define "stampede.own.analytics" -}}{{- end -}}

{{- define "stampede.own.operator" -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_NAMESPACE" "value" .root.Release.Namespace) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_LEASE" "value" (printf "%s-operator" (include "stampede.fullname" .root))) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_CONCURRENCY" "value" (int .values.concurrency)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_SHARD_PREFIX" "value" (include "stampede.shards" .root)) }}
{{- if .values.ingress.enabled }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_INGRESS_SERVICE" "value" (printf "%s-pass-render-web" (include "stampede.fullname" .root))) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_INGRESS_PORT" "value" "443") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_INGRESS_CLASS" "value" .values.ingress.className) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_INGRESS_ANNOTATIONS" "value" (toJson .values.ingress.annotations)) }}
{{- end }}
{{- if .root.Values.sandbox.enabled }}
{{- $host := include "stampede.sandboxHost" .root }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_APPSTORE_URL" "value" (printf "https://%s:8445" $host)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_APPSTORE_CA" "value" "/etc/stampede/sandbox/web.pem") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_OPERATOR_WWDR" "value" "/etc/stampede/sandbox/wwdr.pem") }}
{{ include "stampede.sandboxGoogle" .root }}
{{- end }}
{{- end -}}

{{- define "stampede.sandboxHost" -}}
{{- printf "%s-sandbox.%s.svc" (include "stampede.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* Google as the sandbox plays it. */}}
{{- define "stampede.sandboxGoogle" -}}
{{- $url := printf "https://%s:8444" (include "stampede.sandboxHost" .) -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_GOOGLE_URL" "value" $url) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_GOOGLE_TOKEN_URL" "value" (printf "%s/token" $url)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_GOOGLE_CA" "value" "/etc/stampede/sandbox/web.pem") }}
{{- end -}}

{{- define "stampede.own.sandbox" -}}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_LISTEN_HOST" "value" .root.Values.listenHost) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_HOSTS" "value" (include "stampede.sandboxHost" .root)) }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_DIR" "value" "/var/lib/stampede") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_CONTROL_PORT" "value" "8080") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_APNS_PORT" "value" "2197") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_GOOGLE_PORT" "value" "8444") }}
{{ include "stampede.variable" (dict "name" "STAMPEDE_SANDBOX_APPSTORE_PORT" "value" "8445") }}
{{- end -}}
