package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Finding is one thing that Check has looked at.
type Finding struct {
	// OK says whether the sink can work as far as this goes.
	OK bool
	// What was looked at, in a few words: "brokers", "topic ebay-leads".
	What string
	// Detail says what was found, or what is wrong and what helps.
	Detail string
	// Hint says what to do, if it is not OK.
	Hint string
}

// Check tries everything that can be tried without writing: connection, login,
// whether the topics are there or could be created, the rights to them and to the
// transactional id, and the position. It fences nobody, so that it can be run
// beside an exporter at work.
func Check(ctx context.Context, cfg Config, b deliver.Binding) []Finding {
	findings := check(ctx, cfg, b, tuning{openPatience: checkPatience})
	for i, f := range findings {
		if !f.OK && f.Hint == "" {
			findings[i].Hint = hintOf(f.What)
		}
	}
	return findings
}

// checkPatience is how long a check waits for what may pass by itself: somebody
// sits before it.
const checkPatience = 15 * time.Second

// hintOf is what to do about a finding that has no better hint.
func hintOf(what string) string {
	kind, _, _ := strings.Cut(what, " ")
	return map[string]string{
		"topic":         "ask who runs the brokers for the topic and the rights to it, or choose another in [kafka] topic, positions-topic",
		"configuration": "check the files that [kafka] names",
		"brokers":       "check [kafka] brokers, tls and sasl-mechanism against what the brokers' listener wants",
		"transactions":  "set [kafka] delivery = \"at-least-once\" if the brokers have no transactions",
		"rights":        "ask who runs the brokers which rights this user has: DESCRIBE and WRITE on the topic, READ too on the positions topic",
		"position":      "ask for READ on the positions topic",
	}[kind]
}

func check(ctx context.Context, cfg Config, b deliver.Binding, tune tuning) []Finding {
	t, err := resolveTopics(cfg.Topic, b)
	if err != nil {
		return []Finding{{What: "topic", Detail: err.Error()}}
	}
	list := wanted(cfg, t)
	c, err := connect(cfg, cfg.transactionalID(b), topicNames(list), slog.New(slog.DiscardHandler), tune)
	if err != nil {
		return []Finding{{What: "configuration", Detail: err.Error()}}
	}
	defer c.close()
	s, err := c.look(ctx, list)
	if err != nil {
		f := Finding{What: "brokers", Detail: err.Error()}
		if errors.Is(err, kafka.TopicAuthorizationFailed) {
			f.What, f.Hint = "topics", c.topicsHint(topicNames(list))
		}
		return []Finding{f}
	}
	findings := []Finding{c.checkBrokers(ctx)}
	rights, err := c.rights(ctx, topicNames(list))
	if err != nil {
		findings = append(findings, Finding{What: "rights", Detail: err.Error()})
	}
	for _, topic := range list {
		findings = append(findings, c.checkTopic(ctx, topic, s, rights))
	}
	if cfg.Delivery == ExactlyOnce {
		findings = append(findings, c.checkTransactions(ctx))
	}
	if len(s.partitions[cfg.PositionsTopic]) > 0 {
		findings = append(findings, c.checkPosition(ctx, positionKey(cfg.transactionalID(b), t.pattern), b))
	}
	return findings
}

func (c *cluster) checkBrokers(ctx context.Context) Finding {
	f := Finding{What: "brokers"}
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	if err != nil {
		f.Detail = c.explain(ctx, err, subject{doing: "asking for the brokers"}).Error()
		return f
	}
	f.OK = true
	f.Detail = fmt.Sprintf("%d in cluster %s", len(res.Brokers), res.ClusterID)
	if c.cfg.SASLMechanism == Plain && !c.cfg.TLS {
		f.Detail += "; the password goes there in clear: set tls = true if the brokers have it"
	}
	return f
}

func (c *cluster) checkTopic(ctx context.Context, topic kafka.TopicConfig, s survey, r rights) Finding {
	f := Finding{What: "topic " + topic.Topic}
	partitions, there := s.partitions[topic.Topic]
	missing := false
	for _, m := range s.missing {
		missing = missing || m.Topic == topic.Topic
	}
	switch {
	case there:
		if problem, hint := c.lacking(topic.Topic, r); problem != "" {
			f.Detail, f.Hint = problem, hint
			return f
		}
		f.OK, f.Detail = true, fmt.Sprintf("is there, with %d partitions", len(partitions))
		if r[topic.Topic] == nil {
			f.Detail += "; the brokers do not say whether it may be written to"
		}
		if topic.Topic == c.cfg.PositionsTopic {
			if problem := c.positionsProblem(ctx); problem != "" {
				f.OK, f.Detail = false, problem
			}
		}
		if problem := c.tombstonesProblem(ctx, topic.Topic); problem != "" {
			f.Detail += "; but " + problem
		}
	case !missing:
		f.Detail = "has a partition without a leader at present"
	case !c.cfg.CreateTopics:
		f.Detail = "is missing, and create-topics is false; needed: " + describe(topic)
		f.Hint = "have it created like that, or set [kafka] create-topics = true"
	default:
		if err := c.create(ctx, []kafka.TopicConfig{topic}, true); err != nil {
			f.Detail = err.Error()
			return f
		}
		f.OK, f.Detail = true, "is not there yet, and can be created: "+describe(topic)
	}
	return f
}

func (c *cluster) checkTransactions(ctx context.Context) Finding {
	f := Finding{What: "transactions"}
	doing := subject{doing: fmt.Sprintf("trying transactional id %q", c.transactionalID)}
	err := c.hasTransactions(ctx)
	if err == nil {
		err = c.opening().Do(ctx, "FindCoordinator", func(ctx context.Context) error {
			res, err := c.client.FindCoordinator(ctx, &kafka.FindCoordinatorRequest{
				Key: c.transactionalID, KeyType: kafka.CoordinatorKeyTypeTransaction,
			})
			if err != nil {
				return err
			}
			return res.Error
		})
	}
	if err == nil {
		err = c.mayUse(ctx)
	}
	if err != nil {
		f.Detail = c.explain(ctx, err, doing).Error()
		if errors.Is(err, kafka.TransactionalIDAuthorizationFailed) {
			f.Hint = c.transactionsHint()
		}
		return f
	}
	f.OK, f.Detail = true, fmt.Sprintf("transactional id %q may be used", c.transactionalID)
	return f
}

func (c *cluster) checkPosition(ctx context.Context, key string, b deliver.Binding) Finding {
	f := Finding{What: "position"}
	p, err := c.position(ctx, key, b, false)
	switch {
	case err != nil:
		f.Detail = err.Error()
	case p == (deliver.Position{}):
		f.OK, f.Detail = true, "none yet: the export begins at the journal's begin"
	case p.Journal != b.JournalID && b.JournalID != "":
		f.OK, f.Detail = true, fmt.Sprintf("of another journal, %s: the export begins at the begin of this one", p.Journal)
	default:
		f.OK, f.Detail = true, fmt.Sprintf("record %d of journal %s is next", p.Next, p.Journal)
	}
	return f
}
