{{/* One rule in. Takes {from, ports}: peers, and ports by name. Without peers nobody comes in. */}}
{{- define "stampede.ruleIn" -}}
{{- if .from }}
- from:
    {{- toYaml .from | nindent 4 }}
  ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ . }} }
    {{- end }}
{{- end }}
{{- end -}}

{{/* One rule out. Takes {to, ports}: peers, and numbers of ports. Without peers it is any address. */}}
{{- define "stampede.ruleOut" -}}
- ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ int . }} }
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Who may come in. Takes {root, workload, all}. */}}
{{- define "stampede.ingress" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $policy := $root.Values.networkPolicy -}}
{{- $callers := list -}}
{{- range $component, $other := .all -}}
{{- if has $workload.component (default list $other.calls) -}}
{{- $callers = concat $callers (include "stampede.peer" (dict "root" $root "component" $component) | fromYamlArray) -}}
{{- end -}}
{{- end -}}
{{- if eq $workload.component "sandbox" -}}
{{- range $component, $other := .all -}}
{{- if has "internet" (default list $other.reaches) -}}
{{- $callers = concat $callers (include "stampede.peer" (dict "root" $root "component" $component) | fromYamlArray) -}}
{{- end -}}
{{- end -}}
{{- include "stampede.ruleIn" (dict "from" $callers "ports" (list "apns" "google" "appstore")) }}
{{- else -}}
{{- if $workload.serves }}
{{- include "stampede.ruleIn" (dict "from" (concat $callers $policy.callers) "ports" (list "grpc" "http")) }}
{{- end }}
{{- include "stampede.ruleIn" (dict "from" $policy.scrapers "ports" (list "http")) }}
{{- if $workload.web }}
{{- $phones := $policy.phones }}
{{- if $root.Values.sandbox.enabled }}
{{- $phones = concat $phones (include "stampede.peer" (dict "root" $root "component" "sandbox") | fromYamlArray) }}
{{- end }}
{{- include "stampede.ruleIn" (dict "from" $phones "ports" (list "web")) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where it may go. Takes {root, workload}. */}}
{{- define "stampede.egress" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $policy := $root.Values.networkPolicy -}}
- to:
    {{- toYaml $policy.dns | nindent 4 }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- range $engine := $workload.engines }}
{{- $target := get $policy $engine }}
{{- $peers := $target.peers }}
{{- if and (eq $engine "postgres") $root.Values.postgres.cluster.enabled }}
{{- $cluster := dict "cnpg.io/cluster" (printf "%s-postgres" (include "stampede.fullname" $root)) }}
{{- $peers = list (dict "podSelector" (dict "matchLabels" $cluster)) }}
{{- end }}
{{ include "stampede.ruleOut" (dict "to" $peers "ports" (list $target.port)) }}
{{- end }}
{{- range $component := $workload.calls }}
{{ include "stampede.ruleOut" (dict "to" (include "stampede.peer" (dict "root" $root "component" $component) | fromYamlArray) "ports" (list 9090)) }}
{{- end }}
{{- range $network := $workload.reaches }}
{{- if eq $network "kubernetes" }}
{{ include "stampede.ruleOut" (dict "to" $policy.kubernetes.peers "ports" (list 443 $policy.kubernetes.port)) }}
{{- else if $root.Values.sandbox.enabled }}
{{- if eq $network "internet" }}
{{ include "stampede.ruleOut" (dict "to" (include "stampede.peer" (dict "root" $root "component" "sandbox") | fromYamlArray) "ports" (list 2197 8444 8445)) }}
{{- end }}
{{- else }}
{{ include "stampede.ruleOut" (dict "to" (get $policy $network) "ports" (ternary (list 443 2197) (list 443) (eq $network "apple"))) }}
{{- end }}
{{- end }}
{{- if eq $workload.component "sandbox" }}
{{ include "stampede.ruleOut" (dict "to" (include "stampede.peer" (dict "root" $root "component" "pass-render") | fromYamlArray) "ports" (list 8443)) }}
{{- end }}
{{- end -}}
