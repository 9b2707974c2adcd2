{{/* Name of the release's objects. */}}
{{- define "stampede.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change: what selectors use. Takes {root, component}. */}}
{{- define "stampede.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* All labels. Takes {root, component}; component is optional. */}}
{{- define "stampede.labels" -}}
{{ include "stampede.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* A pod of the release, as a peer of a NetworkPolicy. Takes {root, component}. */}}
{{- define "stampede.peer" -}}
- podSelector:
    matchLabels:
      {{- include "stampede.selector" . | nindent 6 }}
{{- end -}}

{{/* Image of a workload. Takes {root, name, own}; own is the workload's image. */}}
{{- define "stampede.image" -}}
{{- if .own -}}
{{- .own -}}
{{- else -}}
{{- printf "%s/%s:%s" .root.Values.image.repository .name (default .root.Chart.AppVersion .root.Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Front part of the names of the 64 Secrets with the brands' certificates. */}}
{{- define "stampede.shards" -}}
{{- default (printf "%s-credentials" (include "stampede.fullname" .)) .Values.credentials.secretPrefix -}}
{{- end -}}
