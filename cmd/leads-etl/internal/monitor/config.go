package monitor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ServerConfig is the part of the [metrics] section for runs that can be asked
// while they last.
type ServerConfig struct {
	Listen string `name:"listen" env:"LISTEN" placeholder:"ADDR" help:"Serve /metrics, /healthz and /readyz there, such as 9464 (for this machine only) or 0.0.0.0:9464; off if empty."`
	PProf  bool   `name:"pprof" env:"PPROF" help:"Serve Go's profiles there too, at /debug/pprof."`
}

// FileConfig is the part of the [metrics] section for runs that come to an end.
type FileConfig struct {
	File string `name:"file" env:"FILE" placeholder:"FILE" help:"Write metrics there when the run ends, for node_exporter's textfile collector; must end in .prom."`
}

// loopback is the host of addresses that name none.
const loopback = "127.0.0.1"

// Validate reports what cannot be listened on.
func (c *ServerConfig) Validate(report func(key, problem string)) {
	if c.Listen == "" {
		if c.PProf {
			report("pprof", "has nowhere to be served: set listen too")
		}
		return
	}
	if _, problem := c.address(); problem != "" {
		report("listen", problem)
	}
}

// address is where to listen, or what is wrong with it. What names no host is for
// this machine only.
func (c *ServerConfig) address() (address, problem string) {
	listen := c.Listen
	if !strings.Contains(listen, ":") {
		listen = ":" + listen
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Sprintf("%q is no address such as 9464, 127.0.0.1:9464 or [::]:9464", c.Listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Sprintf("%q is no port: give a number up to 65535, such as 9464", port)
	}
	if host == "" {
		host = loopback
	}
	return net.JoinHostPort(host, port), ""
}

// fileSuffix is what node_exporter wants files to end in.
const fileSuffix = ".prom"

// Validate reports what cannot be written.
func (c *FileConfig) Validate(report func(key, problem string)) {
	if c.File == "" {
		return
	}
	if !strings.HasSuffix(c.File, fileSuffix) {
		report("file", fmt.Sprintf("%q does not end in %s: node_exporter reads no other files", c.File, fileSuffix))
	}
	folder := filepath.Dir(c.File)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		report("file", fmt.Sprintf("there is no folder %q", folder))
	}
}
