package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/source"
)

// The metrics of a run. Times are 0 as long as there is nothing to tell.
var (
	ready = gauge("ready", "Whether the run does what it is for: what /readyz says.")

	requests  = counter("api_requests_total", "Requests to the API by how they ended.", "outcome")
	retries   = counter("api_retries_total", "Requests to the API that repeated one that failed.")
	throttled = counter("api_throttled_total", "Answers with status 429, of the API and of the token endpoint.")
	received  = counter("api_received_bytes_total", "Bytes of the API's answers, as received.")
	tokens    = counter("api_token_requests_total", "Requests to the token endpoint by how they ended.", "outcome")
	quotaUsed = gauge("quota_used_calls", "Calls to the API that were made since eBay's day began.")
	quotaLeft = gauge("quota_left_calls", "Calls to the API that are left of the day's budget.")
	quotaNext = gauge("quota_reset_timestamp_seconds", "When eBay's next day begins, and the calls are counted anew.")
	skew      = gauge("api_clock_ahead_seconds", "How far the API's clock is ahead of ours.")

	polls     = counter("polls_total", "Polls of the stream that came to their end.")
	lastPoll  = gauge("last_poll_timestamp_seconds", "When the last poll came to its end.")
	watermark = gauge("watermark_timestamp_seconds", "The moment before which the stream has read everything.")
	phase     = gauge("stream_phase", "What the stream is at: 1 for the phase that it is in.", "phase")
	wanted    = gauge("batch_range_seconds", "How much time the batch has to read, over all its queries.")
	covered   = gauge("batch_covered_seconds", "How much of it is landed or given up.")

	leads     = counter("leads_received_total", "Leads in the API's answers, each as often as it was read.")
	landed    = counter("pages_landed_total", "Answers of the API that were landed in the journal.")
	unchanged = counter("answers_unchanged_total", "Answers of the API that held nothing but what is known, and were not landed.")
	splits    = counter("windows_split_total", "Windows that failed and were split.")
	gaps      = counter("gaps_total", "Windows that were recorded as gaps, each as often as it was tried.")
	openGaps  = gauge("gaps_open", "Windows that could not be had up to now.")

	journalBytes   = gauge("journal_bytes", "Size of the journal on disk.")
	journalRecords = gauge("journal_records", "Records in the journal.")
	journalPages   = gauge("journal_pages", "Landed answers in the journal.")
	unreadable     = counter("responses_unreadable_total", "Responses that could not be read and went to the dead letters.")
	unfit          = counter("values_unfit_total", "Values that did not fit their column and went to the column extra.")
	strays         = counter("leads_stray_total", "Leads that were submitted at another time than was asked for.")
)

// phases are what stream_phase calls a stream's phases.
var phases = map[pipeline.StreamPhase]string{
	pipeline.PhaseStarting: "starting", pipeline.PhasePolling: "polling", pipeline.PhaseIdle: "idle",
	pipeline.PhaseQuota: "quota", pipeline.PhaseOutage: "outage", pipeline.PhaseDraining: "draining",
}

// collector shows the metrics of a run. It is unchecked: what there is depends on
// what runs.
type collector struct{ look func() Snapshot }

// Describe implements prometheus.Collector.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.look()
	emit(ch, ready, flag(len(s.unready()) == 0))
	if s.API != nil {
		collectAPI(ch, s.API)
	}
	switch {
	case s.Stream != nil:
		collectStream(ch, s.Stream)
	case s.Batch != nil:
		collectBatch(ch, s.Batch)
	}
	emit(ch, journalBytes, s.Journal.Bytes)
	emit(ch, journalRecords, s.Journal.Records)
	emit(ch, journalPages, s.Journal.Pages)
	emit(ch, unreadable, s.Tally.Dead)
	emit(ch, unfit, s.Tally.Unfit)
	emit(ch, strays, s.Tally.Strays)
	for _, sink := range s.sinks() {
		collectSink(ch, &sink, time.Now())
	}
}

func collectAPI(ch chan<- prometheus.Metric, api *API) {
	for _, o := range source.Outcomes {
		emit(ch, requests, api.Outcomes[o], string(o))
	}
	emit(ch, retries, api.Retries)
	emit(ch, throttled, api.Throttled)
	emit(ch, received, api.Bytes)
	emit(ch, tokens, api.TokenGrants, "granted")
	emit(ch, tokens, api.TokenFailures, "failed")
	emit(ch, tokens, api.TokenRefusals, "refused")
	emit(ch, quotaUsed, api.Used)
	emit(ch, quotaLeft, max(0, api.Limit-api.Used))
	emit(ch, quotaNext, timestamp(api.Reset))
	if api.SkewKnown {
		emit(ch, skew, api.Skew.Seconds())
	}
}

func collectStream(ch chan<- prometheus.Metric, s *pipeline.StreamProgress) {
	emit(ch, polls, s.Polls)
	emit(ch, lastPoll, timestamp(s.Polled))
	emit(ch, watermark, timestamp(s.Watermark))
	for p, name := range phases {
		emit(ch, phase, flag(p == s.Phase), name)
	}
	emit(ch, leads, s.Leads)
	emit(ch, landed, s.Pages)
	emit(ch, unchanged, s.Unchanged)
	emit(ch, splits, s.Splits)
	emit(ch, gaps, s.Gaps)
	emit(ch, openGaps, s.OpenGaps)
}

func collectBatch(ch chan<- prometheus.Metric, b *pipeline.Progress) {
	emit(ch, wanted, b.Total.Seconds())
	emit(ch, covered, b.Covered.Seconds())
	emit(ch, leads, b.Leads)
	emit(ch, landed, b.Pages)
	emit(ch, splits, b.Splits)
	emit(ch, gaps, b.Gaps)
	emit(ch, openGaps, b.Gaps) // a batch tries those of earlier runs again
}

// The metrics of each sink.
var (
	sinkEvents    = counter("sink_events_total", "Rows that were committed to the sink, by type of event.", "sink", "type")
	sinkCommits   = counter("sink_commits_total", "Commits to the sink.", "sink")
	sinkBytes     = counter("sink_written_bytes_total", "Bytes that were sent to the sink, or written.", "sink")
	sinkFiles     = counter("sink_files_written_total", "Files that were written anew.", "sink")
	sinkRetries   = counter("sink_retries_total", "Failures after which the sink was opened again.", "sink")
	sinkFailing   = gauge("sink_failing", "Whether the sink has failed, and not done anything right since.", "sink")
	sinkCommitted = gauge("sink_last_commit_timestamp_seconds", "When something was committed to the sink last, in this run.", "sink")
	sinkLagPages  = gauge("sink_lag_pages", "Landed answers that are not in the sink.", "sink")
	sinkLag       = gauge("sink_lag_seconds", "How long ago the oldest landed answer that is not in the sink was received; 0 if there is none.", "sink")
)

func collectSink(ch chan<- prometheus.Metric, r *deliver.Report, now time.Time) {
	for _, typ := range schema.EventTypes {
		emit(ch, sinkEvents, r.Events[typ], r.Sink, string(typ))
	}
	emit(ch, sinkCommits, r.Commits, r.Sink)
	emit(ch, sinkBytes, r.Bytes, r.Sink)
	emit(ch, sinkFiles, r.Files, r.Sink)
	emit(ch, sinkRetries, r.Retries, r.Sink)
	emit(ch, sinkFailing, flag(r.Failing != nil), r.Sink)
	emit(ch, sinkCommitted, timestamp(r.Committed), r.Sink)
	emit(ch, sinkLagPages, r.Behind.Pages, r.Sink)
	lag := 0.0
	if r.Behind.Pages > 0 {
		lag = max(0, now.Sub(r.Behind.Oldest).Seconds())
	}
	emit(ch, sinkLag, lag, r.Sink)
}
