package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/leads-etl/leads-etl/schema"
)

// validate passes over what is set only where the program runs, if the check is
// offline: a pipeline that tests the configuration has no secrets.
func (c *checkCommand) validate(report func(section, key, problem string)) {
	c.absent = nil
	c.modeSettings.validate(func(section, key, problem string) {
		if c.Offline && setWhereItRuns(key, problem) {
			c.absent = append(c.absent, "["+section+"] "+key)
			return
		}
		report(section, key, problem)
	})
}

// setWhereItRuns reports whether the problem is a part of the login that is
// missing, or the file that holds it.
func setWhereItRuns(key, problem string) bool {
	switch key {
	case "client-id", "client-secret", "refresh-token", "sasl-password":
		return strings.HasPrefix(problem, "missing")
	case "client-secret-file", "refresh-token-file", "sasl-password-file":
		return !strings.HasPrefix(problem, "contradicts")
	}
	return false
}

// checkOffline checks what can be checked without reaching anything.
func (c *checkCommand) checkOffline(found func(finding)) {
	f := finding{What: "configuration", OK: true, Detail: "is free of contradictions"}
	if len(c.absent) > 0 {
		f.Lines = []string{"not set here, and needed where it runs: " + strings.Join(c.absent, ", ")}
	}
	found(f)
	found(checkSchema())
	var on []string
	for _, sink := range c.sinks(batchOutputs) {
		on = append(on, fmt.Sprintf("%s (%s)", sink.name, sink.where))
	}
	if len(on) == 0 {
		found(c.noSink())
		return
	}
	found(finding{What: "sinks", OK: true, Detail: "not reached: " + strings.Join(on, ", ")})
}

// checkSchema sees that this build describes the rows that it writes, in every
// form.
func checkSchema() finding {
	for _, format := range schema.Formats() {
		var b bytes.Buffer
		if err := schema.Describe(&b, format); err != nil {
			return conclude("schema", err, "")
		}
	}
	return finding{What: "schema", OK: true, Detail: fmt.Sprintf("version %d, as %s", schema.Version, strings.Join(schema.Formats(), ", "))}
}
