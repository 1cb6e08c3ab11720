package kafka

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// What a topic's pattern may hold.
const (
	marketplaceHole = "{marketplace}"
	accountHole     = "{account}"
	eventTypeHole   = "{event_type}"
)

var eventTypes = []schema.EventType{schema.Snapshot, schema.Created, schema.Updated, schema.Vanished}

// legalTopic is Kafka's rule for names of topics, length and dots aside.
var legalTopic = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// longestTopic is in bytes: the name is the name of a folder at the broker.
const longestTopic = 249

// topicProblem says why the name is none for a topic; it is empty if it is one.
func topicProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is no name for a topic"
	case len(name) > longestTopic:
		return fmt.Sprintf("has %d characters: a topic's name has %d at most", len(name), longestTopic)
	case !legalTopic.MatchString(name):
		return "has characters other than letters, digits, '.', '_' and '-'"
	}
	return ""
}

// patternProblem says why the pattern gives no names for topics, as far as can
// be said before account and marketplace are known.
func patternProblem(pattern string) string {
	name := strings.NewReplacer(marketplaceHole, "x", accountHole, "x", eventTypeHole, "x").Replace(pattern)
	if strings.ContainsAny(name, "{}") {
		return fmt.Sprintf("has braces that are none of %s, %s, %s", marketplaceHole, accountHole, eventTypeHole)
	}
	return topicProblem(name)
}

// topics are the topics of the events.
type topics struct {
	// pattern is the configured one, with account and marketplace filled in: it
	// names the output.
	pattern string
	byType  map[schema.EventType]string
}

// resolveTopics fills the pattern in.
func resolveTopics(pattern string, b deliver.Binding) (topics, error) {
	t := topics{
		pattern: strings.NewReplacer(marketplaceHole, b.Marketplace, accountHole, b.Account).Replace(pattern),
		byType:  make(map[schema.EventType]string),
	}
	for _, e := range eventTypes {
		name := strings.ReplaceAll(t.pattern, eventTypeHole, string(e))
		if problem := topicProblem(name); problem != "" {
			return topics{}, fmt.Errorf("topic %q, made from %q, %s", name, pattern, problem)
		}
		t.byType[e] = name
	}
	return t, nil
}

// names returns the topics, each once, in the order of their names.
func (t topics) names() []string {
	var names []string
	for _, name := range t.byType {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
