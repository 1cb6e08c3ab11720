package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// positionsConfig keeps the positions topic small, so that reading the last
// position stays quick after years of polls: one record an exporter is all that
// counts. Segments are closed early, because only closed ones are compacted.
var positionsConfig = []kafka.ConfigEntry{
	{ConfigName: "cleanup.policy", ConfigValue: "compact"},
	{ConfigName: "segment.bytes", ConfigValue: "1048576"}, // the least that Kafka 4 takes
	{ConfigName: "segment.ms", ConfigValue: "3600000"},
	{ConfigName: "min.cleanable.dirty.ratio", ConfigValue: "0.1"},
	{ConfigName: "delete.retention.ms", ConfigValue: "3600000"},
}

// eventsConfig keeps events for good: the brokers' default deletes them after a
// week, and at once where an old journal is replayed, while the position goes on
// saying that they are delivered. Who wants less sets it on the topic.
var eventsConfig = []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "-1"}}

// changelogConfig keeps the last event of each lead, and for good; of a vanished
// one it keeps nothing, once consumers had a day to see its tombstone.
var changelogConfig = []kafka.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "compact"}}

// wanted are the topics that the sink needs, as they would be created.
func wanted(cfg Config, t topics) []kafka.TopicConfig {
	orBroker := func(n int) int {
		if n == 0 {
			return -1 // the broker's default
		}
		return n
	}
	settings := eventsConfig
	if cfg.tombstones() {
		settings = changelogConfig
	}
	var list []kafka.TopicConfig
	for _, name := range t.names() {
		list = append(list, kafka.TopicConfig{
			Topic: name, NumPartitions: orBroker(cfg.Partitions), ReplicationFactor: orBroker(cfg.Replication), ConfigEntries: settings,
		})
	}
	return append(list, kafka.TopicConfig{
		Topic: cfg.PositionsTopic, NumPartitions: 1, ReplicationFactor: orBroker(cfg.Replication), ConfigEntries: positionsConfig,
	})
}

func topicNames(list []kafka.TopicConfig) []string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Topic
	}
	return names
}

// describe says in words how a topic is to be created.
func describe(t kafka.TopicConfig) string {
	settings := make([]string, 0, 2+len(t.ConfigEntries))
	if t.NumPartitions > 0 {
		settings = append(settings, fmt.Sprintf("partitions %d", t.NumPartitions))
	}
	if t.ReplicationFactor > 0 {
		settings = append(settings, fmt.Sprintf("replication %d", t.ReplicationFactor))
	}
	for _, e := range t.ConfigEntries {
		settings = append(settings, e.ConfigName+"="+e.ConfigValue)
	}
	if len(settings) == 0 {
		return t.Topic
	}
	return t.Topic + " (" + strings.Join(settings, ", ") + ")"
}

func describeAll(list []kafka.TopicConfig) string {
	words := make([]string, len(list))
	for i, t := range list {
		words[i] = describe(t)
	}
	return strings.Join(words, "; ")
}

// survey is what the brokers say of topics.
type survey struct {
	// partitions are those of the topics that are there and have leaders.
	partitions map[string][]int
	missing    []kafka.TopicConfig
	// electing are topics that are there and have a partition without a leader.
	electing []string
}

// look asks for the topics. A topic that this user may not see is an error.
func (c *cluster) look(ctx context.Context, list []kafka.TopicConfig) (survey, error) {
	var s survey
	err := c.opening().Do(ctx, "Metadata", func(ctx context.Context) error {
		res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: topicNames(list)})
		if err != nil {
			return err
		}
		s = survey{partitions: make(map[string][]int)}
		for i, t := range res.Topics {
			partitions, leaderless, err := partitionsOf(t)
			switch {
			case errors.Is(err, kafka.UnknownTopicOrPartition):
				s.missing = append(s.missing, list[i])
			case errors.Is(err, kafka.TopicAuthorizationFailed):
				return &deliver.PermanentError{Err: fmt.Errorf("%s may not DESCRIBE topic %s, or it does not exist and may not be created: %w", c.who(), t.Name, err)}
			case err != nil:
				return fmt.Errorf("topic %s: %w", t.Name, err)
			case leaderless:
				s.electing = append(s.electing, t.Name)
			default:
				s.partitions[t.Name] = partitions
			}
		}
		return nil
	})
	return s, c.explain(ctx, err, subject{doing: "asking the brokers for their topics", right: "DESCRIBE"})
}

// partitions returns the partitions that topics have now, as the transport
// knows it; it leaves out those that it does not know.
func (c *cluster) partitions(ctx context.Context, names []string) (map[string][]int, error) {
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, c.explain(ctx, err, subject{doing: "asking the brokers for their topics", right: "DESCRIBE"})
	}
	list := make(map[string][]int)
	for _, t := range res.Topics {
		if partitions, _, err := partitionsOf(t); err == nil {
			list[t.Name] = partitions
		}
	}
	return list, nil
}

// partitionsOf returns a topic's partitions, from 0 without holes.
func partitionsOf(t kafka.Topic) (partitions []int, leaderless bool, err error) {
	if t.Error != nil {
		return nil, errors.Is(t.Error, kafka.LeaderNotAvailable), ignoreElection(t.Error)
	}
	for _, p := range t.Partitions {
		leaderless = leaderless || p.Leader.Host == ""
		partitions = append(partitions, p.ID)
	}
	slices.Sort(partitions)
	if len(partitions) == 0 {
		return nil, false, kafka.UnknownTopicOrPartition
	}
	return partitions, leaderless, nil
}

func ignoreElection(err error) error {
	if errors.Is(err, kafka.LeaderNotAvailable) {
		return nil
	}
	return err
}

// prepare sees that the topics are there, creates those that are not if that is
// wanted, and returns all topics' partitions.
func (c *cluster) prepare(ctx context.Context, list []kafka.TopicConfig) (map[string][]int, error) {
	s, err := c.look(ctx, list)
	if err != nil {
		return nil, err
	}
	if len(s.missing) > 0 {
		if !c.cfg.CreateTopics {
			return nil, &deliver.PermanentError{Err: fmt.Errorf("topics are missing, and create-topics is false; needed: %s", describeAll(s.missing))}
		}
		if err := c.create(ctx, s.missing, false); err != nil {
			return nil, err
		}
		c.logger.InfoContext(ctx, "kafka: topics created", "topics", describeAll(s.missing))
	}
	err = c.opening().Do(ctx, "Metadata", func(ctx context.Context) error {
		if s, err = c.look(ctx, list); err != nil {
			return err
		}
		if len(s.missing)+len(s.electing) > 0 {
			return kafka.LeaderNotAvailable
		}
		return nil
	})
	if errors.Is(err, kafka.LeaderNotAvailable) {
		err = fmt.Errorf("topics without a leader: %s: %w", strings.Join(append(topicNames(s.missing), s.electing...), ", "), err)
	}
	return s.partitions, c.explain(ctx, err, subject{doing: "waiting for the topics' leaders"})
}

// create creates the topics, or only asks whether that would do.
func (c *cluster) create(ctx context.Context, list []kafka.TopicConfig, onlyAsk bool) error {
	err := c.opening().Do(ctx, "CreateTopics", func(ctx context.Context) error {
		res, err := c.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: list, ValidateOnly: onlyAsk})
		if err != nil {
			return err
		}
		var errs []error
		for _, name := range topicNames(list) {
			// Another exporter may have been quicker.
			if err := res.Errors[name]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
				errs = append(errs, fmt.Errorf("topic %s: %w", name, err))
			}
		}
		return errors.Join(errs...)
	})
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		return &deliver.PermanentError{Err: fmt.Errorf("%s may not create topics: give it CREATE on them, or create: %s: %w", c.who(), describeAll(list), err)}
	case errors.Is(err, kafka.InvalidReplicationFactor):
		return &deliver.PermanentError{Err: fmt.Errorf("the cluster has too few brokers for replication = %d: %w", c.cfg.Replication, err)}
	}
	return c.explain(ctx, err, subject{doing: "creating topics"})
}

// initProducerIDKey is the API key of the request that transactions begin with,
// in Kafka's protocol.
const initProducerIDKey = 22

// hasTransactions returns an error if the broker has none. kafka-go sends what
// a broker does not know all the same, and the broker closes the connection.
func (c *cluster) hasTransactions(ctx context.Context) error {
	return c.opening().Do(ctx, "ApiVersions", func(ctx context.Context) error {
		res, err := c.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
		if err != nil {
			return err
		}
		if res.Error != nil {
			return res.Error
		}
		for _, key := range res.ApiKeys {
			if key.ApiKey == initProducerIDKey {
				return nil
			}
		}
		return &deliver.PermanentError{Err: errors.New(`the broker has no transactions: set delivery = "at-least-once"`)}
	})
}

// positionsProblem says in words if the positions topic would forget positions,
// or grow for ever. It is empty also where the configuration may not be read.
func (c *cluster) positionsProblem(ctx context.Context) string {
	policy, ok := c.topicSetting(ctx, c.cfg.PositionsTopic, "cleanup.policy")
	if !ok || strings.Contains(policy, "compact") {
		return ""
	}
	return fmt.Sprintf("positions topic %s has cleanup.policy=%s: it needs compact, or it forgets positions when its retention ends, and the export begins anew",
		c.cfg.PositionsTopic, policy)
}

// tombstonesProblem says in words if a topic of events is to have tombstones and
// does not forget what they are about. The sink works all the same.
func (c *cluster) tombstonesProblem(ctx context.Context, topic string) string {
	if !c.cfg.tombstones() || topic == c.cfg.PositionsTopic {
		return ""
	}
	policy, ok := c.topicSetting(ctx, topic, "cleanup.policy")
	if !ok || strings.Contains(policy, "compact") {
		return ""
	}
	return fmt.Sprintf("topic %s has cleanup.policy=%s: it needs compact, or what was written before a lead's tombstone stays", topic, policy)
}

// topicSetting reads one setting of a topic; ok is false if that is not
// allowed or does not work.
func (c *cluster) topicSetting(ctx context.Context, topic, name string) (value string, ok bool) {
	res, err := c.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name},
		}},
	})
	if err != nil {
		return "", false
	}
	for _, r := range res.Resources {
		if r.Error != nil {
			return "", false
		}
		for _, e := range r.ConfigEntries {
			if e.ConfigName == name {
				return e.ConfigValue, true
			}
		}
	}
	return "", false
}
