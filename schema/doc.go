// Package schema is the vocabulary of the export: the event row, the one table
// of its columns, the identity of leads and events, and the row's encodings and
// descriptions (NDJSON, JSON Schema, Avro, Parquet, SQL DDL), all of which
// follow from that table.
//
// What must not be here: anything that does I/O, knows the API's paging, or
// knows of a sink. The package depends on nothing else of this module.
package schema
