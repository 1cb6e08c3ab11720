# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w ${VERSION:+-X main.version=${VERSION}}" -o /leads-etl ./cmd/leads-etl \
    && install -d -m 0700 -o 65532 -g 65532 /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /leads-etl /leads-etl
# State and outputs: mount a volume here. The configuration is /data/leads-etl.toml, or wherever LEADS_ETL_CONFIG says.
COPY --from=build --chown=65532:65532 /data /data
WORKDIR /data
ENTRYPOINT ["/leads-etl"]
CMD ["run"]
