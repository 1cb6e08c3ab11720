// Package twin flattens pages as package flatten does, slowly and plainly: what an
// answer holds is for the decoder of a library, jsontext, to say, and each value is
// looked for in the text anew. It is what the tests of package flatten hold its own
// parser to. Nothing else may use it.
package twin
