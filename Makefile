# Shortcuts for daily work; .ci/run is what has to pass.

VERSION ?= $(shell git describe --tags --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))
FUZZ    ?= FuzzTOML
PKG     ?= ./cmd/leads-etl/internal/config
BENCH   ?= .
LEADS   ?= 1000000
ROUNDS  ?= 5
FOR     ?= 10m

.PHONY: build test race lint demo fuzz bench microbench chaos golden ci clean

build: ## the program, in ./dist
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o dist/leads-etl ./cmd/leads-etl

test:
	go test ./...

race:
	go test -race -short ./...

lint:
	.ci/run tools lint

demo:
	go run ./cmd/leads-etl demo

fuzz: ## make fuzz PKG=./schema FUZZ=FuzzX
	go test $(PKG) -run '^$$' -fuzz '^$(FUZZ)$$' -fuzztime 1m

bench: ## beside the peers, half an hour; make bench LEADS=100000 ROUNDS=3 ARGS='-idle -tenfold'
	go run ./cmd/leads-etl/internal/peerbench -leads $(LEADS) -rounds $(ROUNDS) $(ARGS)

microbench: ## make microbench PKG=./schema; compare two runs with benchstat
	go test $(PKG) -run '^$$' -bench '$(BENCH)' -benchmem -count 6

chaos: ## make chaos FOR=8h; streams and batches under everything that can end them
	CHAOS_DURATION=$(FOR) go test ./cmd/leads-etl/internal/acceptance -run TestChaos -timeout 0 -count 1 -v

golden: ## write the command line's golden files anew; then read the diff
	go test ./cmd/leads-etl -run Config -update

ci:
	.ci/run

clean:
	rm -rf dist leads-demo
