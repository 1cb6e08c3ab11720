package kafkatest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
)

// The users of the listeners with SASL, under each mechanism. Admin may do
// everything; Limited may do nothing but what a test allows it (Allow).
const (
	Admin           = "admin"
	AdminPassword   = "admin-password"
	Limited         = "limited"
	LimitedPassword = "limited-password"
)

// Secure is where a broker of this package listens for clients that prove who
// they are, and what they need for it. It is zero if the broker was given by
// address.
type Secure struct {
	// SASL has TLS and SASL, SASLPlain SASL without TLS, TLS wants a client
	// certificate. Each is HOST:PORT.
	SASL, SASLPlain, TLS string
	// CA, ClientCert and ClientKey are PEM files.
	CA, ClientCert, ClientKey string
}

// ports are where one broker listens, by listener.
type ports struct {
	plain, controller, sasl, saslPlain, tls int
}

// Ports are taken from below those that Linux and others give to outgoing
// connections: while a broker is down, between Stop and Start, no connection of
// another test may come to have its port.
const (
	firstPort = 12_000
	lastPort  = 32_000
	portTries = 1000
)

// freePorts finds ports that nobody listens on.
func freePorts(ctx context.Context) (ports, error) {
	var p ports
	var config net.ListenConfig
	// Listeners are kept open until all are found, so that no port is given twice.
	var open []net.Listener
	defer func() {
		for _, l := range open {
			l.Close()
		}
	}()
	for _, port := range []*int{&p.plain, &p.controller, &p.sasl, &p.saslPlain, &p.tls} {
		for try := 0; ; try++ {
			*port = firstPort + rand.IntN(lastPort-firstPort)
			l, err := config.Listen(ctx, "tcp", address(*port))
			if err == nil {
				open = append(open, l)
				break
			}
			if try == portTries {
				return p, fmt.Errorf("finding a free port: %w", err)
			}
		}
	}
	return p, nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// properties is the configuration of a combined broker and controller on the
// loopback interface. The listener without authentication is the tests' own
// and may do everything.
func properties(p ports, data string, c certificates) string {
	plain := fmt.Sprintf(`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s" user_%s="%s";`,
		Admin, AdminPassword, Limited, LimitedPassword)
	const scram = `org.apache.kafka.common.security.scram.ScramLoginModule required;`
	lines := []string{
		"process.roles=broker,controller",
		"node.id=1",
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://%s,SASL_SSL://%s,SASL_PLAINTEXT://%s,SSL://%s",
			address(p.plain), address(p.controller), address(p.sasl), address(p.saslPlain), address(p.tls)),
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
		"controller.listener.names=CONTROLLER",
		"controller.quorum.bootstrap.servers=" + address(p.controller),
		"inter.broker.listener.name=PLAINTEXT",
		"log.dirs=" + data,

		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"ssl.keystore.type=PEM",
		"ssl.keystore.location=" + c.server,
		"ssl.truststore.type=PEM",
		"ssl.truststore.location=" + c.ca,
		"listener.name.ssl.ssl.client.auth=required",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users=User:ANONYMOUS;User:" + Admin,

		// One broker: internal topics have one copy. Few partitions of them, so
		// that a start is quick.
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=8",
		"group.initial.rebalance.delay.ms=0",
		"auto.create.topics.enable=false",
		// Tests write records of any time, and retention goes by that.
		"log.retention.ms=-1",
		// After kill -9 a broker is let in again when its old session is over.
		"broker.session.timeout.ms=4000",
		"broker.heartbeat.interval.ms=500",
		// Compaction as often as it can run, so that tests meet it.
		"log.cleaner.backoff.ms=200",
	}
	for _, listener := range []string{"sasl_ssl", "sasl_plaintext"} {
		lines = append(lines,
			fmt.Sprintf("listener.name.%s.plain.sasl.jaas.config=%s", listener, plain),
			fmt.Sprintf("listener.name.%s.scram-sha-256.sasl.jaas.config=%s", listener, scram),
			fmt.Sprintf("listener.name.%s.scram-sha-512.sasl.jaas.config=%s", listener, scram))
	}
	return strings.Join(lines, "\n") + "\n"
}

// scramUsers are the arguments of Kafka's storage tool that make the users.
func scramUsers() []string {
	var args []string
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for user, password := range map[string]string{Admin: AdminPassword, Limited: LimitedPassword} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, password))
		}
	}
	return args
}
