# syntax=docker/dockerfile:1
# One image per component, chosen by SERVICE: enrollment, ledger, pass-render, geo, campaigns, push-dispatcher,
# analytics, operator, sandbox. An image holds its own workspace and what that needs, so no product image holds any of
# the sandbox. TypeScript runs as it is tested: Node strips the types.
ARG NODE=24.21.0-trixie-slim

# proto/gen, with the tools that no image needs.
FROM node:${NODE} AS protocol
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY proto proto
RUN --mount=type=cache,target=/root/.npm npm install --no-save --no-progress --workspace @stampede/proto
COPY scripts/generate.mjs scripts/generate.mjs
RUN node scripts/generate.mjs

# What the image of SERVICE holds: manifests to install from, sources on top.
FROM node:${NODE} AS layout
ARG SERVICE
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
COPY packages packages
COPY services services
COPY operator operator
COPY loadtests loadtests
COPY proto proto
COPY --from=protocol /src/proto/gen proto/gen
RUN node scripts/image.ts "${SERVICE:?is required}" /image

# Not `npm ci`: it refuses a lock file without the optional packages of every other platform. The versions are those of
# the lock file all the same.
FROM node:${NODE} AS packages
ENV NODE_ENV=production
WORKDIR /app
COPY --from=layout /image/manifests ./
RUN --mount=type=cache,target=/root/.npm npm install --no-save --no-progress --omit=dev

FROM node:${NODE}
ARG SERVICE
LABEL org.opencontainers.image.title="stampede/${SERVICE}" org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app ./
COPY --from=layout /image/sources ./
# Nothing in the image belongs to this user: it can run on a root that cannot be written.
USER 1000:1000
ENTRYPOINT ["node"]
