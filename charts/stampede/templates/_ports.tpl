{{/* Ports of a workload's container, as a list of {name, port}. Takes the workload. */}}
{{- define "stampede.ports" -}}
{{- if .serves }}
- { name: grpc, port: 9090 }
{{- end }}
{{- if .prefix }}
- { name: http, port: 8080 }
{{- end }}
{{- if .web }}
- { name: web, port: 8443 }
{{- end }}
{{- if eq .component "sandbox" }}
- { name: apns, port: 2197 }
- { name: google, port: 8444 }
- { name: appstore, port: 8445 }
{{- end }}
{{- end -}}

{{/* What a probe asks. Takes {root, workload, path}. */}}
{{- define "stampede.probe" -}}
{{- if eq .workload.component "sandbox" -}}
tcpSocket:
  port: apns
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
  {{- if .root.Values.tls.http }}
  scheme: HTTPS
  {{- end }}
{{- end }}
{{- end -}}

{{/* Probes. Starting may include a migration of 10 minutes; living means that the event loop turns, nothing else. */}}
{{- define "stampede.probes" -}}
startupProbe:
  {{- include "stampede.probe" (merge (dict "path" "/live") .) | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 330
livenessProbe:
  {{- include "stampede.probe" (merge (dict "path" "/live") .) | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  {{- include "stampede.probe" (merge (dict "path" "/ready") .) | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}
