package files

import (
	"os"
	"testing"
)

// The test binary also plays the processes that tests kill or restrict: the
// variable names which.
const roleVariable = "LEADS_ETL_FILES_TEST_ROLE"

var roles = map[string]func() int{
	"writer":     writerRole,
	"events":     eventsRole,
	"restricted": restrictedRole,
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		os.Exit(role())
	}
	os.Exit(m.Run())
}
