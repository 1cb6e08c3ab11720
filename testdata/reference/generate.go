//go:build ignore

// Generate reads eBay's reference of the Leads API, as Markdown, on standard
// input, and writes the names and types in it as JSON to standard output:
//
//	go run testdata/reference/generate.go < leads_api.md > testdata/reference/types.json
//
// It takes names and types only, none of the reference's sentences.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
)

type apiType struct {
	Name       string     `json:"name"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Items is the type of an array's elements.
	Items string `json:"items,omitempty"`
}

// items are the types of the elements of arrays, which the reference says in
// its sentences only.
var items = map[string]string{
	"classifiedLeads":       "ClassifiedLead",
	"responses":             "ClassifiedLeadResponses",
	"memberMessageExchange": "MemberMessageExchange",
}

var (
	section     = regexp.MustCompile(`^## (\w+)`)
	heading     = regexp.MustCompile(`^### (\w+)$`)
	declaration = regexp.MustCompile(`^- \*\*(\w+)\*\* \((\w+)\)$`)
)

func main() {
	var types []apiType
	inTypes := false
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := section.FindStringSubmatch(line); m != nil {
			inTypes = m[1] == "Types"
		}
		if !inTypes {
			continue
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			types = append(types, apiType{Name: m[1]})
		}
		if m := declaration.FindStringSubmatch(line); m != nil {
			p := property{Name: m[1], Type: m[2]}
			if p.Type == "array" {
				if p.Items = items[p.Name]; p.Items == "" {
					fail(fmt.Errorf("%s is an array of a type not known here", p.Name))
				}
			}
			last := &types[len(types)-1]
			last.Properties = append(last.Properties, p)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
	if len(types) == 0 {
		fail(fmt.Errorf("no types found: is this the reference?"))
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(types); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "generate:", err)
	os.Exit(1)
}
