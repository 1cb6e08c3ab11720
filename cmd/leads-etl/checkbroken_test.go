package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// broken is one kind of set-up that does not work, and what shows it.
type broken struct {
	name    string
	environ []string
	args    []string
	// before, if set, is run in the shell first, in a mount namespace of its own.
	before string
}

// What check says of set-ups that are broken, each in one way: the golden file is
// the table of its words. Servers, brokers and disks are real.
func TestCheckOfBrokenSetups(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }
	world := simulator.Config{Leads: 50, From: day(1), To: day(3)}
	good := simulated(t, world)
	spent := world
	spent.DailyQuota = 1
	behind := world
	behind.Skew = -time.Hour
	with := func(more ...string) []string { return append(append([]string{}, good...), more...) }
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	scopeless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_scope","error_description":"The requested scope is invalid"}`)
	}))
	t.Cleanup(scopeless.Close)
	unknown := filepath.Join(t.TempDir(), "leads-etl.toml")
	if err := os.WriteFile(unknown, []byte("[ebay]\nmarketplce = \"EBAY_DE\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spentEnv := simulated(t, spent)
	if code, out := checkOnce(t, t.TempDir(), broken{environ: spentEnv}); code != exitDone {
		t.Fatalf("the first call: exit code %d\n%s", code, out)
	}
	list := []broken{
		{name: "wrong secret", environ: with("LEADS_ETL_EBAY_CLIENT_SECRET=wrong")},
		{name: "no right to the scope", environ: with("LEADS_ETL_EBAY_TOKEN_URL=" + scopeless.URL)},
		{name: "wrong marketplace", environ: with("LEADS_ETL_EBAY_MARKETPLACE=EBAY_MOTORS_UK")},
		{name: "a name that does not resolve", environ: with("LEADS_ETL_EBAY_API_URL=https://no-such-host.invalid/sell/leads/v1")},
		{name: "port closed", environ: with("LEADS_ETL_EBAY_API_URL=http://127.0.0.1:1/sell/leads/v1")},
		{name: "TLS not trusted", environ: with("LEADS_ETL_EBAY_API_URL=" + untrusted.URL)},
		{name: "certificate expired", environ: with("LEADS_ETL_EBAY_API_URL=" + expiredServer(t))},
		{name: "quota spent at eBay", environ: spentEnv},
		{name: "read-only output folder", environ: good, before: "mkdir out && mount -t tmpfs -o ro tmpfs out"},
		{name: "tiny disk", environ: good, before: "mkdir out && mount -t tmpfs -o size=1m tmpfs out"},
		{name: "full disk", environ: good, before: "mkdir out && mount -t tmpfs -o size=1m tmpfs out && (head -c 2m /dev/zero > out/full || true) 2>/dev/null"},
		{name: "broker down", environ: good, args: []string{"--kafka-brokers=127.0.0.1:1"}},
		{name: "clock an hour off", environ: simulated(t, behind)},
		{name: "unknown key", environ: good, args: []string{"--config=" + unknown}},
	}
	got := wordsOf(t, list)
	golden(t, "testdata/check/broken.txt", got)
}

// The same for Kafka, with a real broker.
func TestCheckOfBrokenKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for what a broker does not say")
	}
	day := func(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }
	good := simulated(t, simulator.Config{Leads: 50, From: day(1), To: day(3)})
	k := kafkatest.Private(t)
	if !k.Real {
		t.Skip("SASL, TLS and rights need a real broker, which CI demands")
	}
	sasl := func(user, password string, more ...string) broken {
		return broken{
			environ: append(append([]string{}, good...), "LEADS_ETL_KAFKA_SASL_PASSWORD="+password),
			args:    append([]string{"--kafka-brokers=" + k.Secure.SASLPlain, "--kafka-sasl-mechanism=SCRAM-SHA-256", "--kafka-sasl-username=" + user}, more...),
		}
	}
	wrong, right := sasl(kafkatest.Admin, "wrong"), sasl(kafkatest.Limited, kafkatest.LimitedPassword)
	wrong.name, right.name = "wrong password", "rights missing"
	// Who may see the topics, and whatever a check asks for, but not write.
	const topic, positions, id = "leads-to-see", "positions-to-see", "leads-etl-of-limited"
	k.CreateTopic(t, topic, 1)
	k.CreateTopic(t, positions, 1, "cleanup.policy=compact")
	k.Allow(t, kmsg.ACLResourceTypeTopic, topic, kadm.OpDescribe)
	k.Allow(t, kmsg.ACLResourceTypeTopic, positions, kadm.OpDescribe, kadm.OpRead)
	k.Allow(t, kmsg.ACLResourceTypeTransactionalId, id, kadm.OpDescribe)
	unwritable := sasl(kafkatest.Limited, kafkatest.LimitedPassword, "--kafka-topic="+topic, "--kafka-positions-topic="+positions, "--kafka-transactional-id="+id)
	unwritable.name = "no right to write"
	list := []broken{
		{name: "broker wants SASL", environ: good, args: []string{"--kafka-brokers=" + k.Secure.SASLPlain}},
		wrong,
		{name: "broker's certificate not trusted", environ: good, args: []string{"--kafka-brokers=" + k.Secure.SASL, "--kafka-tls"}},
		{name: "topic missing, create-topics = false", environ: good, args: []string{"--kafka-brokers=" + k.Brokers[0], "--no-kafka-create-topics"}},
		right,
		unwritable,
	}
	golden(t, "testdata/check/kafka.txt", wordsOf(t, list))
}

// wordsOf runs the checks and returns their exit codes and failures.
func wordsOf(t *testing.T, list []broken) string {
	t.Helper()
	var all strings.Builder
	for _, b := range list {
		dir := t.TempDir()
		code, out := checkOnce(t, dir, b)
		out = strings.ReplaceAll(out, dir, "DIR")
		fmt.Fprintf(&all, "%s: exit code %d\n", b.name, code)
		shown := 0
		keep := false
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "✓") || strings.HasPrefix(line, "!") {
				keep = false
				continue
			}
			keep = keep || strings.HasPrefix(line, "✗") || strings.HasPrefix(line, "leads-etl:")
			if keep {
				all.WriteString("    " + unchanging(line))
				shown++
			}
		}
		all.WriteString("\n")
		if code == exitDone || shown < 2 {
			t.Errorf("%s: exit code %d, and no failure with a next step:\n%s", b.name, code, out)
		}
		if strings.Contains(out, "wrong ") || strings.Contains(out, kafkatest.LimitedPassword) {
			t.Errorf("%s: a secret is shown:\n%s", b.name, out)
		}
	}
	return all.String()
}

var changing = []struct {
	form *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`(127\.0\.0\.1|localhost):[0-9]{2,}`), "$1:PORT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:]+Z`), "TIME"},
	{regexp.MustCompile(`59m5[0-9]s|1h0m[0-9]s`), "1h0m0s"},
	{regexp.MustCompile(`/\S*/leads-etl\.toml`), "leads-etl.toml"},
	{regexp.MustCompile(`-check-[0-9]+`), "-check-PID"},
	{regexp.MustCompile(`request id [^)]*`), "request id ID"},
}

// unchanging replaces what differs from run to run.
func unchanging(line string) string {
	for _, c := range changing {
		line = c.form.ReplaceAllString(line, c.text)
	}
	return line
}

// checkOnce runs check in a process of its own.
func checkOnce(t *testing.T, dir string, b broken) (code int, out string) {
	t.Helper()
	args := append([]string{programName, "check", "--ndjson-dir=out", "--fetch-max-attempts=1"}, b.args...)
	if b.before != "" {
		namespace := []string{"unshare", "--mount"}
		if os.Getuid() != 0 {
			namespace = append(namespace, "--map-root-user")
		}
		args = append(append(namespace, "sh", "-euc", b.before+"\nexec \"$@\"", "sh"), args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(append([]string{}, b.environ...), "PATH="+os.Getenv("PATH"), "HOME="+dir, "LANG=C.UTF-8", "GOCOVERDIR="+t.TempDir())
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// simulated starts a simulator and returns the environment for it.
func simulated(t *testing.T, cfg simulator.Config) []string {
	t.Helper()
	server, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cfg = server.Config()
	return []string{
		"LEADS_ETL_EBAY_API_URL=" + url + simulator.LeadsPath, "LEADS_ETL_EBAY_TOKEN_URL=" + url + simulator.TokenPath,
		"LEADS_ETL_EBAY_MARKETPLACE=" + cfg.Marketplace, "LEADS_ETL_EBAY_CLIENT_ID=" + cfg.ClientID, "LEADS_ETL_EBAY_CLIENT_SECRET=" + cfg.ClientSecret,
	}
}

// expiredServer is a server whose certificate has ended.
func expiredServer(t *testing.T) (url string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "expired"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
