// Package flatten turns landed pages into event rows. It is a pure function:
// the same page gives the same rows, with the same ids, on any day and machine.
//
// A lead is read into the columns of schema.Row. What has no column, or does
// not fit its column, goes to the column extra, and what cannot be read as a
// lead at all becomes a DeadLetter: no value of an answer is lost, and no bad
// value stops a run.
//
// # The column extra
//
// It is a compact JSON object with its keys in byte order, or null. Keys are
// dotted paths from the lead response:
//
//   - "leadScore", "contactInformation.title": unknown members;
//   - "memberMessage.memberMessageExchange[0].foo": messages by their index,
//     which is also their index in the column messages;
//   - "listing.foo": members of the listing, on each of its leads;
//   - "email#2": a later value of a name that the lead repeats, or a path that
//     is taken by another member (an unknown member that is literally called
//     "contactInformation.title"); #3 and so on follow;
//   - "$base64:/w==": a name that is not valid text, as received, in base64.
//
// Values are the JSON text as received, without the white space between its
// tokens; numbers keep all digits. A value that strict JSON (RFC 7493) does not
// allow is {"$base64":"…"} of the bytes as received: invalid UTF-8, a lone
// surrogate such as "\ud800", a repeated name inside of it. So is a value that
// is itself an object that begins with the name "$base64". A null of a known
// member is the same as its absence, a null of an unknown member is kept.
//
// # What fits a column
//
// Text: a JSON string of valid Unicode. Times: see parseTime. Amounts: a JSON
// string or number that schema.ParseDecimal takes. Message ids: a JSON number
// that is an integer of 64 bits, also as 12.0 or 1.2e1. Of a name that a lead
// repeats the first value has the column.
//
// What must not be here: I/O, clocks, the order of pages, comparing versions of
// a lead, and any knowledge of a sink.
package flatten
