{{/*
What is true of each workload whatever the values say, by its key in the values.
  prefix    of its own variables: STAMPEDE_<prefix>_GRPC_PORT; all but the sandbox are services of the platform
  serves    others call its gRPC and JSON
  entry     what node runs
  engines   it connects to, among postgres, nats, clickhouse
  calls     services that it calls by gRPC, by component
  caller    the variable with the key that it calls them with, and the Secret's key
  web       it has the web service of passes
  shards    it has the brands' certificates
  reaches   networks outside, among apple, internet, kubernetes
*/}}
{{- define "stampede.facts" -}}
enrollment:
  component: enrollment
  prefix: ENROLLMENT
  serves: true
  entry: [scripts/service.ts, enrollment]
  engines: [postgres, nats]
ledger:
  component: ledger
  prefix: LEDGER
  serves: true
  entry: [scripts/service.ts, ledger]
  engines: [postgres, nats]
passRender:
  component: pass-render
  prefix: PASS_RENDER
  serves: true
  entry: [scripts/service.ts, pass-render]
  engines: [postgres, nats]
  calls: [enrollment]
  caller: { variable: STAMPEDE_SERVICE_KEY, key: service-key }
  web: true
  shards: true
  reaches: [internet]
geo:
  component: geo
  prefix: GEO
  serves: true
  entry: [scripts/service.ts, geo]
  engines: [postgres, nats]
campaigns:
  component: campaigns
  prefix: CAMPAIGNS
  serves: true
  entry: [scripts/service.ts, campaigns]
  engines: [postgres, nats]
  calls: [analytics]
  caller: { variable: STAMPEDE_SERVICE_KEY, key: service-key }
pushDispatcher:
  component: push-dispatcher
  prefix: PUSH_DISPATCHER
  entry: [scripts/service.ts, push-dispatcher]
  engines: [nats]
  shards: true
  reaches: [apple, internet]
analytics:
  component: analytics
  prefix: ANALYTICS
  serves: true
  entry: [scripts/service.ts, analytics]
  engines: [postgres, nats, clickhouse]
operator:
  component: operator
  prefix: OPERATOR
  entry: [operator/src/main.ts]
  calls: [enrollment]
  caller: { variable: STAMPEDE_OPERATOR_API_KEY, key: root-key }
  reaches: [kubernetes, internet]
sandbox:
  component: sandbox
  entry: [loadtests/sandbox/src/main.ts]
{{- end -}}

{{/* `over` laid over `base`, maps into maps; as YAML. Unlike mergeOverwrite it takes false, 0 and '' as said. */}}
{{- define "stampede.merge" -}}
{{- $out := deepCopy .base -}}
{{- range $key, $value := .over -}}
{{- $below := get $out $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $below) -}}
{{- $_ := set $out $key (include "stampede.merge" (dict "base" $below "over" $value) | fromYaml) -}}
{{- else -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/*
The workloads that are enabled, by component, as YAML: {<component>: {...facts, values: {...}}}. The whole chart is a
walk over this.
*/}}
{{- define "stampede.workloads" -}}
{{- include "stampede.validate" . -}}
{{- $all := dict -}}
{{- range $key, $facts := include "stampede.facts" . | fromYaml -}}
{{- $values := include "stampede.merge" (dict "base" $.Values.defaults "over" (index $.Values $key)) | fromYaml -}}
{{- if $values.enabled -}}
{{- $name := printf "%s-%s" (include "stampede.fullname" $) $facts.component -}}
{{- $_ := set $all $facts.component (merge $facts (dict "key" $key "name" $name "values" $values)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* Pods that a workload has at least. Takes the workload. */}}
{{- define "stampede.replicasMin" -}}
{{- if .values.hpa.enabled -}}
{{- .values.hpa.minReplicas -}}
{{- else if .values.keda.enabled -}}
{{- .values.keda.minReplicas -}}
{{- else -}}
{{- .values.replicas -}}
{{- end -}}
{{- end -}}
