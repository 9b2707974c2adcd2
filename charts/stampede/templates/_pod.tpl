{{/* What every pod is: nobody's user, without a token unless it is the operator. */}}
{{- define "stampede.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "stampede.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Volumes and where they are mounted, as {volumes, mounts}. Takes {root, workload}. */}}
{{- define "stampede.files" -}}
{{- $values := .root.Values -}}
{{- $workload := .workload -}}
{{- $secrets := dict -}}
{{- if and $values.tls.existingSecret $workload.prefix -}}
{{- $_ := set $secrets "tls" (dict "secret" $values.tls.existingSecret "path" "/etc/stampede/tls") -}}
{{- end -}}
{{- if $workload.web -}}
{{- $_ := set $secrets "web" (dict "secret" $workload.values.webTlsSecret "path" "/etc/stampede/web") -}}
{{- end -}}
{{- if eq $workload.component "sandbox" -}}
{{- $_ := set $secrets "authority" (dict "secret" $workload.values.authoritySecret "path" "/var/lib/stampede/authority") -}}
{{- else if and $values.sandbox.enabled (has "internet" (default list $workload.reaches)) -}}
{{- $_ := set $secrets "sandbox" (dict "secret" $values.sandbox.authoritySecret "path" "/etc/stampede/sandbox" "items" (list "web.pem" "wwdr.pem")) -}}
{{- end -}}
{{- if $workload.shards -}}
{{- range $shard := until 64 -}}
{{- $name := printf "shard-%02d" $shard -}}
{{- $_ := set $secrets $name (dict "secret" (printf "%s-%02d" (include "stampede.shards" $.root) $shard) "path" (printf "/etc/stampede/credentials/%s" $name) "optional" true) -}}
{{- end -}}
{{- end -}}
volumes:
  {{- if eq $workload.component "sandbox" }}
  - name: data
    emptyDir:
      sizeLimit: {{ $workload.values.volumeSize }}
  {{- end }}
  {{- range $name, $one := $secrets }}
  - name: {{ $name }}
    secret:
      secretName: {{ $one.secret }}
      defaultMode: 0440
      {{- with $one.items }}
      # Never its keys.
      items:
        {{- range . }}
        - { key: {{ . }}, path: {{ . }} }
        {{- end }}
      {{- end }}
      {{- if $one.optional }}
      optional: true
      {{- end }}
  {{- end }}
mounts:
  {{- if eq $workload.component "sandbox" }}
  - { name: data, mountPath: /var/lib/stampede }
  {{- end }}
  {{- range $name, $one := $secrets }}
  - { name: {{ $name }}, mountPath: {{ $one.path }}, readOnly: true }
  {{- end }}
{{- end -}}

{{/* Where the pods of a workload may run. Takes {root, workload}. */}}
{{- define "stampede.placement" -}}
{{- $values := .workload.values -}}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
  {{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "stampede.selector" (dict "root" $.root "component" $.workload.component) | nindent 8 }}
    # Pods of the version that goes do not count.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- end -}}
