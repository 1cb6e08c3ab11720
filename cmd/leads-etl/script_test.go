package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// TestMain lets the scripts run the program as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){programName: main, stubbornName: stubborn, patientName: patient, forgetfulName: forgetful})
}

// The scripts run the program as users do. Besides testscript's own commands
// they have
//
//	simulator [flags of leads-etl simulate]   start one, and set the environment for it
//	sim GET|POST what                         its admin surface; the answer goes to stdout
//	broker                                    start a broker, and set the environment for it
//	exits CODE command [args...]              run a command that must end with the code
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"simulator": scriptSimulator,
			"sim":       scriptAdmin,
			"broker":    scriptBroker,
			"exits":     scriptExits,
		},
	})
}

func scriptSimulator(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! simulator")
	}
	var cfg simulator.Config
	parser, err := kong.New(&cfg, kong.Name("simulator"), config.Mappers())
	ts.Check(err)
	_, err = parser.Parse(args)
	ts.Check(err)
	server, err := simulator.New(cfg)
	ts.Check(err)
	url, stop, err := server.Start("127.0.0.1:0")
	ts.Check(err)
	ts.Defer(stop)
	cfg = server.Config()
	for name, value := range map[string]string{
		"API_URL": url + simulator.LeadsPath, "TOKEN_URL": url + simulator.TokenPath, "MARKETPLACE": cfg.Marketplace,
		"CLIENT_ID": cfg.ClientID, "CLIENT_SECRET": cfg.ClientSecret,
	} {
		ts.Setenv("LEADS_ETL_EBAY_"+name, value)
	}
	ts.Setenv("SIMULATOR", url)
}

func scriptAdmin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sim GET|POST what")
	}
	request, err := http.NewRequest(args[0], ts.Getenv("SIMULATOR")+"/_sim/"+args[1], http.NoBody)
	ts.Check(err)
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("sim %v: %s", args, response.Status)
	}
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
}

func scriptBroker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: broker")
	}
	broker, err := embedded.Start()
	ts.Check(err)
	ts.Defer(func() { ts.Check(broker.Close()) })
	ts.Setenv("LEADS_ETL_KAFKA_BROKERS", strings.Join(broker.Addresses(), ","))
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// parserOf builds the grammar as the program does.
func parserOf(t *testing.T) (*kong.Kong, *grammar) {
	t.Helper()
	var g grammar
	k, _, err := newParser(&g, &console{out: io.Discard}, readBuild())
	if err != nil {
		t.Fatal(err)
	}
	return k, &g
}

// command returns the model of a command.
func commandNode(t *testing.T, k *kong.Kong, name string) *kong.Node {
	t.Helper()
	for _, child := range k.Model.Children {
		if child.Name == name {
			return child
		}
	}
	t.Fatal(fmt.Errorf("there is no command %s", name))
	return nil
}
