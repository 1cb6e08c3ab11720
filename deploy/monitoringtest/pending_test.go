package monitoringtest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// told is what Prometheus makes of an alert, minute by minute, as "promtool test
// rules" does: the minutes in which it is told, and the words of the last time.
type told struct {
	minutes []int
	summary string
	text    string
}

// run evaluates a rule each minute, by Prometheus' own rules, its "for" included.
func run(t *testing.T, engine *promql.Engine, r rulefmt.Rule, load string, minutes int) told {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n"+load)
	defer storage.Close()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
	if err != nil {
		t.Fatal(err)
	}
	rule := rules.NewAlertingRule(r.Alert, expr, time.Duration(r.For), time.Duration(r.KeepFiringFor),
		labels.FromMap(r.Labels), labels.FromMap(r.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	query := rules.EngineQueryFunc(engine, storage)
	var got told
	for minute := range minutes + 1 {
		if _, err := rule.Eval(t.Context(), 0, time.Unix(int64(minute)*60, 0), query, nil, 0); err != nil {
			t.Fatal(err)
		}
		for _, a := range rule.ActiveAlerts() {
			if a.State == rules.StateFiring {
				got.minutes = append(got.minutes, minute)
				got.summary, got.text = a.Annotations.Get("summary"), a.Annotations.Get("description")
			}
		}
	}
	return got
}

// An alert is told only when its cause has lasted, from the right minute on, and
// ends with it. The words name whom it is about.
func TestAlertsWaitAsLongAsTheySay(t *testing.T) {
	all := alerts(t)
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 100_000)
	for name, tc := range map[string]struct {
		load string
		// first and last are the minutes in which it is told; 0 if it is not.
		first, last int
		words       string
	}{
		// Of a value that grows, the condition is met first, and "for" counts from there.
		"LeadsEtlNoSuccessfulPoll/an outage of an hour":        {series("leads_etl_last_poll_timestamp_seconds", "", "0+60x30 1800x60 5460+60x29"), 51, 91, "of shop on EBAY_DE"},
		"LeadsEtlNoSuccessfulPoll/of eighteen minutes":         {series("leads_etl_last_poll_timestamp_seconds", "", "0+60x30 1800x17 2940+60x72"), 0, 0, ""},
		"LeadsEtlNoSuccessfulBatch/the nightly one fails":      {series("leads_etl_run_last_success_timestamp_seconds", `command="batch"`, "-91800x120"), 36, 120, "of shop on EBAY_DE"},
		"LeadsEtlNoSuccessfulBatch/and then succeeds":          {series("leads_etl_run_last_success_timestamp_seconds", `command="batch"`, "-91800x33 2000x86"), 0, 0, ""},
		"LeadsEtlGapOpen/for two hours":                        {series("leads_etl_gaps_open", "", "2x120"), 60, 120, "2 windows of shop on EBAY_DE"},
		"LeadsEtlGapOpen/mended within the hour":               {series("leads_etl_gaps_open", "", "2x50 0x69"), 0, 0, ""},
		"LeadsEtlSinkBehind/falls behind and catches up":       {series("leads_etl_sink_lag_seconds", `sink="kafka"`, "0+60x60 0x59"), 41, 60, "Sink kafka of shop on EBAY_DE"},
		"LeadsEtlSinkBehind/catches up in time":                {series("leads_etl_sink_lag_seconds", `sink="kafka"`, "0+60x38 0x81"), 0, 0, ""},
		"LeadsEtlSinkFailing/a broker is away":                 {series("leads_etl_sink_failing", `sink="kafka"`, "0x9 1x60 0x49"), 25, 70, "Sink kafka of shop on EBAY_DE"},
		"LeadsEtlSinkFailing/a broker restarts":                {series("leads_etl_sink_failing", `sink="kafka"`, "0x9 1x10 0x99"), 0, 0, ""},
		"LeadsEtlQuotaNearlySpent/spent, then a new day":       {series("leads_etl_quota_used_calls", "", "0+100x59 0x59") + series("leads_etl_quota_left_calls", "", "5000-100x49 0x9 5000x59"), 51, 59, "calls are left today for shop"},
		"LeadsEtlQuotaNearlySpent/at the end of the day":       {series("leads_etl_quota_used_calls", "", "4600x3 0x116") + series("leads_etl_quota_left_calls", "", "400x3 5000x116"), 0, 0, ""},
		"LeadsEtlLoginRefused/at once":                         {series("leads_etl_api_token_requests_total", `outcome="refused"`, "0x29 1x89"), 30, 120, "of shop on EBAY_DE"},
		"LeadsEtlLoginRefused/granted":                         {series("leads_etl_api_token_requests_total", `outcome="granted"`, "0+1x120"), 0, 0, ""},
		"LeadsEtlRequestsFail/the API is away":                 {series("leads_etl_api_requests_total", `outcome="answered"`, "0+10x30 300x89") + series("leads_etl_api_requests_total", `outcome="server"`, "0x30 10+10x88"), 53, 120, "of shop on EBAY_DE"},
		"LeadsEtlRequestsFail/for ten minutes":                 {series("leads_etl_api_requests_total", `outcome="answered"`, "0+10x30 300x10 310+10x78") + series("leads_etl_api_requests_total", `outcome="server"`, "0x30 10+10x9 100x78"), 0, 0, ""},
		"LeadsEtlRestarting/each minute":                       {restarts("0+60x120"), 3, 120, "leads-etl on i"},
		"LeadsEtlRestarting/twice":                             {restarts("7x30 1800x10 2400x78"), 0, 0, ""},
		"LeadsEtlResponsesUnreadable/one, for an hour":         {series("leads_etl_responses_unreadable_total", "", "3x20 4x99"), 21, 79, "for shop on EBAY_DE"},
		"LeadsEtlResponsesUnreadable/those that were before":   {series("leads_etl_responses_unreadable_total", "", "3x120"), 0, 0, ""},
		"LeadsEtlLoginRefused/a batch, until the next is well": {series("leads_etl_run_exit_code", `command="batch"`, "3x60 0x59"), 0, 60, "of shop on EBAY_DE"},
	} {
		t.Run(name, func(t *testing.T) {
			alert, _, _ := strings.Cut(name, "/")
			r, ok := all[alert]
			if !ok {
				t.Fatalf("there is no alert %s", alert)
			}
			got := run(t, engine, r, tc.load, 120)
			if tc.words == "" {
				if len(got.minutes) > 0 {
					t.Errorf("told in the minutes %v", got.minutes)
				}
				return
			}
			if len(got.minutes) != tc.last-tc.first+1 || got.minutes[0] != tc.first || got.minutes[len(got.minutes)-1] != tc.last {
				t.Errorf("told in the minutes %v, want %d to %d", got.minutes, tc.first, tc.last)
			}
			if !strings.Contains(got.summary, tc.words) || strings.Contains(got.summary+got.text, "<no value>") || strings.Contains(got.summary+got.text, "error") {
				t.Errorf("says %q, %q", got.summary, got.text)
			}
		})
	}
}

func restarts(values string) string {
	return fmt.Sprintf("  process_start_time_seconds{instance=\"i\",job=\"j\"} %s\n  leads_etl_build_info{instance=\"i\",job=\"j\"} 1x120\n", values)
}
