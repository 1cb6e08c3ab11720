// Package reach tries whether a server can be reached, step by step: its name,
// a connection, TLS. So people learn which of the three is the matter.
//
// What must not be here: what is then spoken over the connection.
package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// Target is a server.
type Target struct {
	Host, Port string
	// TLS is how to speak TLS; nil for no TLS. ServerName is set by Try.
	TLS *tls.Config
}

// Step is one thing that was tried.
type Step struct {
	// Name is DNS, TCP or TLS.
	Name string
	// Detail says what came of it.
	Detail string
	// Err is set if it failed; Hint then says what helps.
	Err  error
	Hint string
	// Soon warns of a certificate that is about to end.
	Soon bool
}

const (
	patience = 10 * time.Second // of each step
	soon     = 14 * 24 * time.Hour
)

// Try tries the steps in order, up to the first that fails. Names that are
// addresses are not looked up.
func Try(ctx context.Context, t Target) []Step {
	var steps []Step
	at := net.JoinHostPort(t.Host, t.Port)
	if net.ParseIP(t.Host) == nil {
		s := lookUp(ctx, t.Host)
		if steps = append(steps, s); s.Err != nil {
			return steps
		}
	}
	begun := time.Now()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", at)
	if err != nil {
		return append(steps, Step{Name: "TCP", Detail: at + ": " + dialProblem(err), Err: err, Hint: dialHint(err)})
	}
	defer conn.Close()
	steps = append(steps, Step{Name: "TCP", Detail: fmt.Sprintf("%s takes connections (%s)", at, time.Since(begun).Round(time.Millisecond))})
	if t.TLS == nil {
		return steps
	}
	return append(steps, handshake(ctx, conn, t))
}

func lookUp(ctx context.Context, host string) Step {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err == nil {
		return Step{Name: "DNS", Detail: fmt.Sprintf("%s is %s", host, strings.Join(addresses[:min(3, len(addresses))], ", "))}
	}
	s := Step{Name: "DNS", Err: err, Detail: host + ": the name server does not answer", Hint: "check this machine's network and name server"}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		s.Detail, s.Hint = host+": no such host", "check how the name is spelled, and whether it is known to this machine's name server"
	}
	return s
}

func dialProblem(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "connection refused"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "no answer"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

func dialHint(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody listens at that port: is the server running, and is the port right?"
	}
	return "does a firewall stand in the way, or is a proxy needed (HTTPS_PROXY)?"
}

func handshake(ctx context.Context, conn net.Conn, t Target) Step {
	config := t.TLS.Clone()
	config.ServerName = t.Host
	client := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := client.HandshakeContext(ctx); err != nil {
		detail, hint := tlsProblem(err)
		return Step{Name: "TLS", Detail: t.Host + ": " + detail, Err: err, Hint: hint}
	}
	state := client.ConnectionState()
	end := state.PeerCertificates[0].NotAfter
	days := int(time.Until(end) / (24 * time.Hour))
	return Step{
		Name: "TLS", Soon: time.Until(end) < soon,
		Detail: fmt.Sprintf("%s: %s, certificate until %s (%d days)", t.Host, tls.VersionName(state.Version), end.UTC().Format(time.DateOnly), days),
	}
}

func tlsProblem(err error) (detail, hint string) {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		if time.Now().Before(e.Cert.NotBefore) {
			return "the certificate is valid from " + e.Cert.NotBefore.UTC().Format(time.RFC3339), "check this machine's clock"
		}
		return "the certificate ended on " + e.Cert.NotAfter.UTC().Format(time.DateOnly), "whoever runs the server has to renew it; check this machine's clock, too"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is not trusted: its authority is unknown here",
			"does a proxy stand in the way that signs for itself? Then trust its authority on this machine (for the API SSL_CERT_FILE, for Kafka tls-ca)"
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is another host's: " + strings.Join(e.Certificate.DNSNames, ", "), "check the name of the host"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS there", "check the port, and whether TLS is to be on"
	}
	return err.Error(), "does the server speak TLS at that port, and does it want a client's certificate?"
}
