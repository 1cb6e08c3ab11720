package attempt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kerr"
)

// TestRetriesWhatKafkaSays holds the classification to franz-go's table: what
// Kafka calls retriable is retried. What else is, is listed here.
func TestRetriesWhatKafkaSays(t *testing.T) {
	also := map[int16]string{
		8: "no broker known yet", 51: "markers under way", 52: "coordinator moved",
	}
	notOurs := map[int16]bool{
		13: false, 70: true, 71: true, 80: true, 83: true, 84: true, 85: true, 88: true, 103: true, 106: true,
	}
	for code := int16(-1); code < 140; code++ {
		err := kerr.ErrorForCode(code)
		if err == nil {
			continue
		}
		known, ok := err.(*kerr.Error)
		if !ok || known.Code != code {
			continue
		}
		want := known.Retriable && !notOurs[code] || also[code] != ""
		if got := Classify(kafka.Error(code)) == Retry; got != want && code < 107 {
			t.Errorf("%s (%d): retried %t, want %t", known.Message, code, got, want)
		}
	}
}

func TestConnectionErrors(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errors.New("connection refused"))}
	for _, c := range []struct {
		err  error
		want Verdict
	}{
		{refused, Retry},
		{&net.DNSError{Err: "no such host", Name: "kafka.example.com", IsNotFound: true}, Retry},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), Retry},
		{context.DeadlineExceeded, Retry},
		{protocol.NewErrNoLeader("t", 1), Retry},
		{protocol.NewErrNoTopic("t"), Retry},
		{protocol.Errorf("correlation id mismatch"), Retry},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, Permanent},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(116)}, Permanent},
		{fmt.Errorf("%w: broker appears to be expecting TLS", io.ErrUnexpectedEOF), Permanent},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, Permanent},
		{x509.HostnameError{Host: "kafka.example.com", Certificate: &x509.Certificate{}}, Permanent},
		{fmt.Errorf("%w: with the broker's words", kafka.TopicAuthorizationFailed), Permanent},
		{errors.New("something else"), Permanent},
	} {
		if got := Classify(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}
