# The image of Gatepass: one statically linked program and nothing else. Certificates of public authorities are in the
# program; names are looked up by /etc/resolv.conf and /etc/hosts, which every container runtime provides.
#
#   docker build --tag registry.example.com/gatepass:0.1.0 .

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the build, so what ships is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo rustc --locked --release --bin gatepass -- -C target-feature=+crt-static \
    && install -D --mode 0755 target/release/gatepass /out/gatepass \
    && install --directory /out/var/lib/gatepass

FROM scratch
LABEL org.opencontainers.image.title="Gatepass" \
      org.opencontainers.image.description="The four Auth.js callbacks as a gRPC authentication microservice" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/gatepass /gatepass
# For a database file; mount a volume over it.
COPY --from=build --chown=65532:65532 /out/var/ /var/
# By number: there is no /etc/passwd, and Kubernetes can tell that it is not root.
USER 65532:65532
WORKDIR /var/lib/gatepass
# gRPC, JWKS and discovery, health.
EXPOSE 50051 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/gatepass", "health"]
ENTRYPOINT ["/gatepass"]
