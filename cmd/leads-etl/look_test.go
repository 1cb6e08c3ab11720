package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// seller starts a simulator with all that is odd, and an environment for exports
// of it into a folder.
func seller(t *testing.T, dir string) (server *simulator.Server, environ []string) {
	t.Helper()
	server, err := simulator.New(simulator.Config{Leads: 1500, From: septemberAt(1, 0), To: septemberAt(11, 0)})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cfg := server.Config()
	return server, []string{
		"LEADS_ETL_EBAY_API_URL=" + url + simulator.LeadsPath, "LEADS_ETL_EBAY_TOKEN_URL=" + url + simulator.TokenPath,
		"LEADS_ETL_EBAY_MARKETPLACE=" + cfg.Marketplace, "LEADS_ETL_EBAY_CLIENT_ID=" + cfg.ClientID, "LEADS_ETL_EBAY_CLIENT_SECRET=" + cfg.ClientSecret,
		"LEADS_ETL_EBAY_ACCOUNT=acme", "LEADS_ETL_STATE_DIR=" + filepath.Join(dir, "state"), "LEADS_ETL_NDJSON_DIR=" + filepath.Join(dir, "out"),
		"LEADS_ETL_NDJSON_COMPRESSION=none", "LEADS_ETL_BATCH_FROM=2026-09-01", "LEADS_ETL_BATCH_TO=2026-09-11", "LANG=C.UTF-8",
	}
}

// done runs the program, which has to end well.
func done(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	code, stdout, stderr := runIn(t, environ, args...)
	if code != exitDone {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// rowsOf reads NDJSON.
func rowsOf(t *testing.T, text string) map[string]schema.Row {
	t.Helper()
	rows := map[string]schema.Row{}
	for line := range strings.Lines(text) {
		row, err := schema.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := rows[row.EventID]; twice {
			t.Errorf("event %s is there twice", row.EventID)
		}
		rows[row.EventID] = row
	}
	return rows
}

// truthIs holds rows to the simulator's truth: the ids of events stand for all
// content.
func truthIs(t *testing.T, rows map[string]schema.Row, server *simulator.Server, version uint64) {
	t.Helper()
	want := oracle.Rows(server.AllTruthAt(version, server.Range()), oracle.Options{Account: "acme", Marketplace: "EBAY_DE", Messages: true})
	for _, row := range want {
		if _, ok := rows[row["event_id"].(string)]; !ok {
			t.Errorf("lead %s is not as it was at version %d", row["lead_id"], version)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows of %d leads", len(rows), len(want))
	}
}

// What show and replay --as-of show is the truth, then and now.
func TestLookingAtTheTruth(t *testing.T) {
	dir := t.TempDir()
	server, environ := seller(t, dir)
	done(t, environ, "batch")
	first, then := server.Version(), time.Now().UTC()
	for lead := range 40 {
		if err := server.Change(lead * 7); err != nil {
			t.Fatal(err)
		}
	}
	done(t, environ, "batch")

	shown := done(t, environ, "show", "--json", "--limit", "0", "--reveal")
	truthIs(t, rowsOf(t, shown), server, server.Version())
	newestFirst(t, shown)
	done(t, environ, "replay", "--as-of", then.Format(time.RFC3339Nano), "--out", filepath.Join(dir, "past"), "--sink", "parquet", "--sink", "ndjson")
	truthIs(t, rowsOf(t, filesOf(t, filepath.Join(dir, "past", "ndjson"))), server, first)
	if parquet, err := filepath.Glob(filepath.Join(dir, "past", "parquet", "*", "*", "*.parquet")); err != nil || len(parquet) < 10 {
		t.Errorf("Parquet files %v, %v", parquet, err)
	}
	// The outputs and their positions are as they were.
	truthIs(t, rowsOf(t, filesOf(t, filepath.Join(dir, "out"))), server, server.Version())
	done(t, environ, "status", "--max-lag", "0s")
}

// newestFirst holds rows to their order: those that have no time of their page
// come before all others.
func newestFirst(t *testing.T, text string) {
	t.Helper()
	var before time.Time
	places := 0
	for line := range strings.Lines(text) {
		row, err := schema.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if !before.IsZero() && row.SubmittedTime.Value.After(before) {
			places++
		}
		before = row.SubmittedTime.Value
	}
	if places > 1 { // where the rows without a time end
		t.Errorf("later rows follow earlier ones in %d places", places)
	}
}

// filesOf are all lines of NDJSON files.
func filesOf(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// lastSeenFirst holds events to their order.
func lastSeenFirst(t *testing.T, text string) {
	t.Helper()
	var before time.Time
	for line := range strings.Lines(text) {
		row, err := schema.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if !before.IsZero() && row.ExtractedAt.After(before) {
			t.Fatalf("an event of %s follows one of %s", row.ExtractedAt, before)
		}
		before = row.ExtractedAt
	}
}

// personal are the values of a truth that nobody may be shown. Short ones are
// left out, as they are in other words.
func personal(leads []simulator.Lead) []string {
	seen := map[string]bool{}
	for i := range leads {
		l := &leads[i]
		values := []simulator.Opt[string]{l.UserID, l.Email, l.ExternalEmail, l.FirstName, l.LastName, l.Phone, l.PostalCode, l.AdditionalInformation}
		for _, m := range l.Messages.Value {
			values = append(values, m.Body, m.Response)
		}
		for _, v := range values {
			if len(v.Value) >= 6 {
				seen[v.Value] = true
			}
		}
	}
	var all []string
	for v := range seen {
		all = append(all, v)
	}
	return all
}

// Nothing personal is shown unless it is asked for, whatever the command.
func TestNothingPersonalIsShown(t *testing.T) {
	dir := t.TempDir()
	server, environ := seller(t, dir)
	done(t, environ, "batch")
	secrets := personal(slices.Collect(server.AllTruth(window.New(septemberAt(1, 0), septemberAt(11, 0)))))
	if len(secrets) < 1000 {
		t.Fatalf("only %d personal values", len(secrets))
	}
	report := filepath.Join(dir, "report.html")
	done(t, environ, "report", "--html", report)
	page, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	rows := done(t, environ, "show", "--json", "--limit", "0")
	var lead struct {
		ID string `json:"lead_id"`
	}
	if err := json.Unmarshal([]byte(rows[:strings.Index(rows, "\n")]), &lead); err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{
		"report": string(page), "rows": rows, "status": done(t, environ, "status", "--json"),
		"table":   done(t, environ, "show", "--limit", "0"),
		"columns": done(t, environ, "show", "--limit", "0", "--columns", "user_id,email,external_email,first_name,last_name,phone,postal_code,additional_information,messages,extra"),
		"events":  done(t, environ, "show", "--limit", "0", "--type", "all", "--json"),
		"output":  done(t, environ, "show", "--limit", "0", "--output", "ndjson", "--json") + done(t, environ, "show", "--limit", "0", "--output", "ndjson"),
		"history": done(t, environ, "history", lead.ID) + done(t, environ, "history", lead.ID, "--json"),
	}
	for what, text := range shown {
		for _, secret := range secrets {
			quoted, err := json.Marshal(secret)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, secret) || strings.Contains(text, string(quoted[1:len(quoted)-1])) {
				t.Errorf("%s: shows %q", what, secret)
			}
		}
	}
	// The search does find what is there.
	if revealed := done(t, environ, "show", "--limit", "0", "--reveal"); !slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(revealed, s) }) {
		t.Error("nothing personal is found where it is revealed")
	}
}

// history tells, beside the stream, just what the stream tells: the same events,
// though the buyer was renamed.
func TestHistoryIsTheStreams(t *testing.T) {
	dir := t.TempDir()
	server, environ := liveAPI(t, 200)
	environ = append(environ, "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_NDJSON_COMPRESSION=none", "LEADS_ETL_EBAY_ACCOUNT=acme")
	stream := startLogged(t, dir, environ, "stream")
	for _, change := range []func() error{
		func() error { return nil },
		func() error { return server.RenameBuyer(3, 4) },
		func() error { return server.Respond(3, 5) },
		func() error { return server.EndListing(server.ItemIDs()[0]) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		stream.await(t, "level=INFO msg=polled")
	}
	events := start(t, dir, environ, "show", "--type", "all", "--json", "--limit", "0", "--reveal")
	code, stdout := events.end(t)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, events.stderr)
	}
	beside := rowsOf(t, stdout)
	leads := map[string][]schema.Row{}
	for _, row := range beside {
		leads[row.LeadID] = append(leads[row.LeadID], row)
	}
	told, renamed, vanished := 0, 0, 0
	for id, want := range leads {
		if len(want) < 2 {
			continue
		}
		told++
		look := start(t, dir, environ, "history", id, "--json", "--reveal")
		code, stdout := look.end(t)
		if code != exitDone {
			t.Fatalf("exit code %d: %s", code, look.stderr)
		}
		var h historyJSON
		if err := json.Unmarshal([]byte(stdout), &h); err != nil {
			t.Fatal(err)
		}
		if len(h.Other) > 0 {
			renamed++
			other := start(t, dir, environ, "history", h.Other[0], "--json", "--reveal")
			if _, again := other.end(t); !strings.HasPrefix(again, "{\n  \"lead_id\": \""+id+"\"") {
				t.Errorf("asked by the other id:\n%s", again)
			}
		}
		if h.Vanished {
			vanished++
		}
		historyIs(t, &h, want)
	}
	if told < 4 || renamed < 2 || vanished < 1 {
		t.Errorf("%d leads changed, %d renamed, %d vanished", told, renamed, vanished)
	}
	signalTo(t, stream, syscall.SIGTERM)
	if code, stdout := stream.end(t); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	look := start(t, dir, environ, "show", "--output", "ndjson", "--json", "--limit", "0", "--reveal")
	code, stdout = look.end(t)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, look.stderr)
	}
	shown := rowsOf(t, stdout)
	if all := rowsOf(t, filesOf(t, filepath.Join(dir, "out"))); len(shown) != len(all) || !reflect.DeepEqual(shown, all) {
		t.Errorf("%d events of the output are shown, %d are there", len(shown), len(all))
	}
	lastSeenFirst(t, stdout)
	// It may have seen more until it was stopped.
	written := rowsOf(t, filesOf(t, filepath.Join(dir, "out")))
	for id, row := range beside {
		if !reflect.DeepEqual(written[id], row) {
			t.Errorf("event %s is shown, and the stream wrote another or none", id)
		}
	}
}

// historyIs holds a history to the events of the lead.
func historyIs(t *testing.T, h *historyJSON, want []schema.Row) {
	t.Helper()
	slices.SortFunc(want, func(a, b schema.Row) int { return int(a.LeadVersion.Value - b.LeadVersion.Value) })
	if len(h.Versions) != len(want) {
		t.Errorf("lead %s has %d versions, want %d", h.Lead, len(h.Versions), len(want))
		return
	}
	for i, v := range h.Versions {
		row, err := schema.ParseJSON(compact(t, v.Row))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(row, want[i]) {
			t.Errorf("version %d of lead %s differs from the event", i+1, h.Lead)
		}
		var changed []string
		for _, c := range v.Changes {
			changed = append(changed, c.Column)
		}
		if !slices.Equal(changed, row.ChangedFields.Value) {
			t.Errorf("version %d of lead %s changed %v, and the event says %v", i+1, h.Lead, changed, row.ChangedFields.Value)
		}
	}
	first, last := want[0].ExtractedAt, want[len(want)-1].ExtractedAt
	if !h.FirstSeen.Equal(first) || h.LastSeen.Before(first) || h.Vanished != (want[len(want)-1].EventType == schema.Vanished) || h.Vanished == h.LastSeen.After(last) {
		t.Errorf("lead %s was seen from %s to %s, vanished: %v, its last event is of %s", h.Lead, h.FirstSeen, h.LastSeen, h.Vanished, last)
	}
}

func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
