// Package parquet writes event rows as Parquet files: the sink's configuration,
// the Parquet schema that follows from the table of columns, and the encoder
// that fills row groups.
//
// What must not be here: which columns there are (package schema), and how files
// come to be, are replaced and recovered (package files).
package parquet
