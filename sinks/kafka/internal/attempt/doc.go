// Package attempt says what Kafka's errors mean, and repeats the requests that
// may succeed when repeated.
//
// What must not be here: particular requests, and words for people.
package attempt
