package kafkatest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates are the PEM files of a throw-away authority: the broker's chain
// and key in one file, as Kafka wants them, and a client's.
type certificates struct {
	ca         string
	server     string
	clientCert string
	clientKey  string
}

// makeCertificates writes a new authority, and a server's and a client's
// certificate signed by it, into dir.
func makeCertificates(dir string) (certificates, error) {
	files := certificates{
		ca:         filepath.Join(dir, "ca.pem"),
		server:     filepath.Join(dir, "server.pem"),
		clientCert: filepath.Join(dir, "client.pem"),
		clientKey:  filepath.Join(dir, "client-key.pem"),
	}
	authority := template("leads-etl test authority")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	caDER, caKey, err := issue(authority, authority, nil)
	if err != nil {
		return files, err
	}
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return files, err
	}
	server := template("localhost")
	server.DNSNames = []string{"localhost"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	serverDER, serverKey, err := issue(server, ca, caKey)
	if err != nil {
		return files, err
	}
	clientDER, clientKey, err := issue(template("client"), ca, caKey)
	if err != nil {
		return files, err
	}
	serverPEM, err := keyPEM(serverKey)
	if err != nil {
		return files, err
	}
	clientPEM, err := keyPEM(clientKey)
	if err != nil {
		return files, err
	}
	for name, content := range map[string][]byte{
		files.ca:         certPEM(caDER),
		files.server:     bytes.Join([][]byte{serverPEM, certPEM(serverDER), certPEM(caDER)}, nil),
		files.clientCert: certPEM(clientDER),
		files.clientKey:  clientPEM,
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return files, err
		}
	}
	return files, nil
}

func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // the reader never fails
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// issue makes a key and signs the certificate with the parent's key, or with
// its own if there is none.
func issue(cert, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the certificate of %s: %w", cert.Subject.CommonName, err)
	}
	return der, key, nil
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
