# Builds the single executable, and ships it alone.
#
#   docker build -t taba .
#   docker run --rm -p 127.0.0.1:8300:8300 -v taba-data:/data taba up --host 0.0.0.0 --data /data
#
# The bases are arguments, so that mirrors and hardened images can take their place. BASE needs glibc (no older than the
# one of BUILD_BASE) and libstdc++; nothing else: no Node, no shell.
ARG BUILD_BASE=node:20-bookworm
ARG BASE=gcr.io/distroless/cc-debian12

FROM ${BUILD_BASE} AS build
WORKDIR /taba
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
# A folder for the data that belongs to the user below: a volume that is mounted over it takes its owner from there.
RUN npm run build && mkdir -p /out/data && cp dist/taba /out/taba && chown -R 65532:65532 /out/data

FROM ${BASE}
COPY --from=build /out/taba /taba
COPY --from=build --chown=65532:65532 /out/data /data
# As a number, so that Kubernetes can verify runAsNonRoot.
USER 65532:65532
# The root may be read-only; /tmp must be writable and executable (the native part is loaded from there at start).
WORKDIR /data
EXPOSE 8300 8279
STOPSIGNAL SIGTERM
ENTRYPOINT ["/taba"]
CMD ["up", "--host", "0.0.0.0", "--data", "/data"]
