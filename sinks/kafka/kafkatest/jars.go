package kafkatest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

//go:embed pom.xml
var pom []byte

// jarsEnv names a folder to keep Kafka's jars in, instead of one under the
// user's cache folder.
const jarsEnv = "LEADS_ETL_TEST_KAFKA_JARS"

// jars returns a folder that holds the jars of pom.xml, fetching them through
// Maven the first time. Processes that ask at the same time wait for the one
// that fetches. The folder's name has the pom's hash, so that another pom gets
// another folder.
func jars(ctx context.Context) (string, error) {
	base := os.Getenv(jarsEnv)
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		base = filepath.Join(cache, "leads-etl-kafka")
	}
	if err := os.MkdirAll(base, 0o750); err != nil {
		return "", fmt.Errorf("folder for Kafka's jars: %w", err)
	}
	lock := flock.New(filepath.Join(base, "lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another process to fetch Kafka's jars: %w", err)
	}
	defer lock.Close()

	sum := sha256.Sum256(pom)
	dir := filepath.Join(base, hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", fmt.Errorf("fetching Kafka's jars: %w", err)
	}
	// Filled under another name and renamed, so that a folder that is there is
	// complete.
	tmp := dir + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	if err := os.MkdirAll(tmp, 0o750); err != nil {
		return "", err
	}
	file := filepath.Join(tmp, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		return "", err
	}
	//nolint:gosec // no shell is in between, and the folder is the tester's own to name
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", file, "dependency:copy-dependencies", "-DoutputDirectory="+tmp)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetching Kafka's jars through Maven: %w\n%s", err, out)
	}
	return dir, os.Rename(tmp, dir)
}
