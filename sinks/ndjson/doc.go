// Package ndjson writes event rows as newline-delimited JSON, plain or
// compressed: the sink's configuration and how rows become lines.
//
// What must not be here: how a row looks as JSON (package schema), and how files
// come to be, are replaced and recovered (package files).
package ndjson
