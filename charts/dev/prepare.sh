#!/bin/sh
# Before a release for development or CI: the namespace, the engines, and Secrets, which are made once.
set -eu
namespace=${1:-stampede}
cd "$(dirname "$0")/../.."

kubectl create namespace "$namespace" --dry-run=client --output yaml | kubectl apply --filename -
kubectl --namespace "$namespace" apply --filename charts/dev/engines.yaml
if ! kubectl --namespace "$namespace" get secret stampede-access >/dev/null 2>&1; then
  node charts/src/make-secrets.ts \
    --postgres postgres://stampede:stampede@postgres:5432/stampede \
    --nats nats://nats:4222 \
    --clickhouse http://stampede:stampede@clickhouse:8123 \
    --sandbox "stampede-pass-render-web.$namespace.svc" |
    kubectl --namespace "$namespace" apply --filename -
fi
for engine in postgres nats clickhouse; do
  kubectl --namespace "$namespace" rollout status "statefulset/$engine" --timeout 5m
done
