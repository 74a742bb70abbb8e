# ghl-bulk in a container. Build it with `docker build -t ghl-bulk .`, and keep /data:
#
#   docker run --rm -v ghl-data:/data -e GHL_TOKEN -e GHL_LOCATION_ID ghl-bulk export --out backup
#
# Runs, configuration and logins are in /data, and commands run there, so that `--out backup` is in the volume, too.
# An interrupted run is continued with `docker run … ghl-bulk resume`. README.md, "Install", says more.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo install --path . --locked --root /out

FROM debian:bookworm-slim
# The certificates that TLS trusts. Time zones are in Debian's image.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin ghl-bulk \
    && install --directory --owner=ghl-bulk --group=ghl-bulk --mode=0700 /data
COPY --from=build /out/bin/ghl-bulk /usr/local/bin/ghl-bulk
ENV HOME=/data \
    GHL_BULK_HOME=/data/runs \
    GHL_BULK_CONFIG=/data/config
USER 10001
WORKDIR /data
VOLUME /data
ENTRYPOINT ["ghl-bulk"]
CMD ["--help"]
