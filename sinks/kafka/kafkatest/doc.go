// Package kafkatest gives tests a Kafka broker, a real one wherever that is
// possible: one named by LEADS_ETL_TEST_KAFKA (HOST:PORT, comma list), else
// Apache Kafka 4.2 started from its jars (Maven and Java are needed), else
// kfake, the broker that franz-go brings for tests. Which one it is is said on
// stderr, and with CI=true anything but a real broker fails the test.
//
// It also reads topics back, through franz-go, which gets read_committed right.
//
// What must not be here: anything of the sink, and anything that a command
// needs (the demo's broker is package embedded).
package kafkatest
