{{/* Refuses what cannot work, in words; the schema has refused what is malformed. */}}
{{- define "stampede.validate" -}}
{{- $values := .Values -}}
{{- if and $values.monitoring.serviceMonitor.enabled $values.monitoring.podMonitor.enabled -}}
{{- fail "monitoring.serviceMonitor and monitoring.podMonitor are both enabled: every figure would be counted twice. Choose one." -}}
{{- end -}}
{{- if and $values.tls.http (not $values.tls.existingSecret) -}}
{{- fail "tls.http needs tls.existingSecret: the HTTP side has no certificate otherwise." -}}
{{- end -}}
{{- include "stampede.needs" (list $values.access "access.existingSecret" "the keys of the API") -}}
{{- include "stampede.needs" (list $values.nats "nats.existingSecret" "the address of NATS") -}}
{{- include "stampede.needs" (list $values.clickhouse "clickhouse.existingSecret" "the address of ClickHouse") -}}
{{- if not $values.postgres.cluster.enabled -}}
{{- include "stampede.needs" (list $values.postgres "postgres.existingSecret" "the address of PostgreSQL (or set postgres.cluster.enabled)") -}}
{{- end -}}
{{- range $key, $facts := include "stampede.facts" . | fromYaml -}}
{{- $one := include "stampede.merge" (dict "base" $values.defaults "over" (index $values $key)) | fromYaml -}}
{{- if $one.enabled -}}
{{- include "stampede.validateWorkload" (dict "key" $key "one" $one) -}}
{{- range $callee := $facts.calls -}}
{{- if not (include "stampede.merge" (dict "base" $values.defaults "over" (index $values $callee)) | fromYaml).enabled -}}
{{- fail (printf "%s calls %s, which is not enabled." $key $callee) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $key "passRender") (not $one.webUrl) -}}
{{- fail "passRender.webUrl is empty: passes carry the address that phones come back to, such as https://passes.example.com." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $values.sandbox.enabled (gt (int $values.sandbox.replicas) 1) -}}
{{- fail "sandbox.replicas is more than 1: its phones are in one process." -}}
{{- end -}}
{{- end -}}

{{/* Takes [section, path of the value, what the Secret holds]. */}}
{{- define "stampede.needs" -}}
{{- if not (index . 0).existingSecret -}}
{{- fail (printf "%s is empty: name the Secret with %s." (index . 1) (index . 2)) -}}
{{- end -}}
{{- end -}}

{{/* Takes {key, one}. */}}
{{- define "stampede.validateWorkload" -}}
{{- $one := .one -}}
{{- range $name := list "existingSecret" "webTlsSecret" "authoritySecret" -}}
{{- if and (hasKey $one $name) (not (get $one $name)) -}}
{{- fail (printf "%s.%s is empty: name the Secret." $.key $name) -}}
{{- end -}}
{{- end -}}
{{- if and $one.hpa.enabled $one.keda.enabled -}}
{{- fail (printf "%s.hpa and %s.keda are both enabled: two autoscalers would fight over one Deployment. Choose one." .key .key) -}}
{{- end -}}
{{- range $kind := list "hpa" "keda" -}}
{{- $scaler := get $one $kind -}}
{{- if and $scaler.enabled (gt (int $scaler.minReplicas) (int $scaler.maxReplicas)) -}}
{{- fail (printf "%s.%s.minReplicas is more than maxReplicas." $.key $kind) -}}
{{- end -}}
{{- end -}}
{{- if and $one.keda.enabled (not $one.keda.consumers) (not $one.keda.cpuPercent) -}}
{{- fail (printf "%s.keda has nothing to scale by: list consumers, or set cpuPercent." .key) -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $one.podDisruptionBudget.minAvailable) (kindIs "invalid" $one.podDisruptionBudget.maxUnavailable)) -}}
{{- fail (printf "%s.podDisruptionBudget has minAvailable and maxUnavailable: Kubernetes takes one of the two." .key) -}}
{{- end -}}
{{- end -}}
