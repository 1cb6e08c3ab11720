package monitoringtest

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

const rulesFile = "../prometheus/alerts.yaml"

// alerts are the rules, by name.
func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	all := make(map[string]rulefmt.Rule)
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s lacks a name, a severity, a summary or a description", r.Alert)
			}
			all[r.Alert] = r
		}
	}
	return all
}

// scenario is what the metrics of one moment make of an alert's expression.
type scenario struct {
	load  string // one sample a minute, in the notation of Prometheus' own tests
	fires bool
}

const who = `account="shop",marketplace="EBAY_DE",instance="i",job="j"`

// series is one metric with values in Prometheus' notation.
func series(name, labels, values string) string {
	all := who
	if labels != "" {
		all += "," + labels
	}
	return "  " + name + "{" + all + "} " + values + "\n"
}

// at is when expressions are evaluated: two hours after the first sample.
const at = 2 * time.Hour

var scenarios = map[string]map[string]scenario{
	"LeadsEtlNoSuccessfulPoll": {
		"polls each minute":      {series("leads_etl_last_poll_timestamp_seconds", "", "0+60x120"), false},
		"none for half an hour":  {series("leads_etl_last_poll_timestamp_seconds", "", "0+60x90 5400x30"), true},
		"never since it started": {series("leads_etl_last_poll_timestamp_seconds", "", "0x120"), true},
	},
	"LeadsEtlNoSuccessfulBatch": {
		"an hour ago": {series("leads_etl_run_last_success_timestamp_seconds", `command="batch"`, "3600x120"), false},
		"never":       {series("leads_etl_run_last_success_timestamp_seconds", `command="batch"`, "-90000x120"), true},
		"a replay":    {series("leads_etl_run_last_success_timestamp_seconds", `command="replay"`, "-90000x120"), false},
	},
	"LeadsEtlGapOpen": {
		"none": {series("leads_etl_gaps_open", "", "0x120"), false},
		"two":  {series("leads_etl_gaps_open", "", "2x120"), true},
	},
	"LeadsEtlSinkBehind": {
		"within the roll interval": {series("leads_etl_sink_lag_seconds", `sink="kafka"`, "290x120"), false},
		"growing":                  {series("leads_etl_sink_lag_seconds", `sink="kafka"`, "0+60x120"), true},
	},
	"LeadsEtlSinkFailing": {
		"well":    {series("leads_etl_sink_failing", `sink="kafka"`, "0x120"), false},
		"failing": {series("leads_etl_sink_failing", `sink="kafka"`, "1x120"), true},
	},
	"LeadsEtlQuotaNearlySpent": {
		"half":         {series("leads_etl_quota_used_calls", "", "2500x120") + series("leads_etl_quota_left_calls", "", "2500x120"), false},
		"a few left":   {series("leads_etl_quota_used_calls", "", "4600x120") + series("leads_etl_quota_left_calls", "", "400x120"), true},
		"all is spent": {series("leads_etl_quota_used_calls", "", "5000x120") + series("leads_etl_quota_left_calls", "", "0x120"), true},
	},
	"LeadsEtlLoginRefused": {
		"granted":           {series("leads_etl_api_token_requests_total", `outcome="granted"`, "1x120") + series("leads_etl_api_token_requests_total", `outcome="refused"`, "0x120"), false},
		"refused":           {series("leads_etl_api_token_requests_total", `outcome="refused"`, "1x120"), true},
		"a batch with 3":    {series("leads_etl_run_exit_code", `command="batch"`, "3x120"), true},
		"a batch with gaps": {series("leads_etl_run_exit_code", `command="batch"`, "4x120"), false},
	},
	"LeadsEtlRequestsFail": {
		"one in ten": {series("leads_etl_api_requests_total", `outcome="answered"`, "0+9x120") + series("leads_etl_api_requests_total", `outcome="internal"`, "0+1x120"), false},
		"most":       {series("leads_etl_api_requests_total", `outcome="answered"`, "0+1x120") + series("leads_etl_api_requests_total", `outcome="internal"`, "0+9x120"), true},
		"idle":       {series("leads_etl_api_requests_total", `outcome="answered"`, "5x120"), false},
	},
	"LeadsEtlRestarting": {
		"steady":         {"  process_start_time_seconds{instance=\"i\",job=\"j\"} 7x120\n  leads_etl_build_info{instance=\"i\",job=\"j\"} 1x120\n", false},
		"each minute":    {"  process_start_time_seconds{instance=\"i\",job=\"j\"} 0+60x120\n  leads_etl_build_info{instance=\"i\",job=\"j\"} 1x120\n", true},
		"of another job": {"  process_start_time_seconds{instance=\"i\",job=\"other\"} 0+60x120\n  leads_etl_build_info{instance=\"i\",job=\"j\"} 1x120\n", false},
	},
	"LeadsEtlResponsesUnreadable": {
		"none":        {series("leads_etl_responses_unreadable_total", "", "3x120"), false},
		"another one": {series("leads_etl_responses_unreadable_total", "", "3x100 4x20"), true},
	},
}

// Each alert fires when it should, and not otherwise, by Prometheus' engine over
// its own storage. How long it has to last before it is told is TestAlertsWaitAsLongAsTheySay's.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	all := alerts(t)
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 100_000)
	for name, r := range all {
		fired, quiet := 0, 0
		for what, s := range scenarios[name] {
			t.Run(name+"/"+what, func(t *testing.T) {
				got := evaluate(t, engine, "load 1m\n"+s.load, r.Expr)
				if (got > 0) != s.fires {
					t.Errorf("%d alerts, should fire: %t", got, s.fires)
				}
			})
			if s.fires {
				fired++
			} else {
				quiet++
			}
		}
		if fired == 0 || quiet == 0 {
			t.Errorf("%s has %d scenarios in which it fires, %d in which it does not", name, fired, quiet)
		}
	}
	for name := range scenarios {
		if _, ok := all[name]; !ok {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// evaluate returns how many series the expression gives.
func evaluate(t *testing.T, engine *promql.Engine, load, expr string) int {
	t.Helper()
	storage := promqltest.LoadedStorage(t, load)
	defer storage.Close()
	query, err := engine.NewInstantQuery(t.Context(), storage, nil, expr, time.Unix(0, 0).Add(at))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result := query.Exec(t.Context())
	vector, err := result.Vector()
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range vector {
		if sample.Metric.Get("instance") == "" || strings.Contains(expr, "leads_etl_run_exit_code") && sample.Metric.Get("account") == "" {
			t.Errorf("an alert does not say whose it is: %s", sample.Metric)
		}
	}
	return len(vector)
}
