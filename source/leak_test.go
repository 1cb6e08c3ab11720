package source

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// A hostile server repeats all that it was sent, wherever it can: neither the
// log at debug level nor any error may hold the secret, the refresh token, or a
// token in any form.
func TestSecretsNeverLeak(t *testing.T) {
	quoted := func(echo string) string { return fmt.Sprintf("%q", echo) }
	reasons := func(echo string) string {
		return fmt.Sprintf(`{"errorId":1,"domain":%[1]s,"category":%[1]s,"message":%[1]s,"longMessage":%[1]s,"inputRefIds":[%[1]s],"parameters":[{"name":%[1]s,"value":%[1]s}]}`, quoted(echo))
	}
	type handler func(w http.ResponseWriter, r *http.Request, echo string)
	hostile := map[string]handler{
		"error": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set(requestIDHeader, echo)
			fail(w, 500, reasons(echo))
		},
		"refusal":      func(w http.ResponseWriter, r *http.Request, echo string) { fail(w, 400, reasons(echo)) },
		"unauthorized": func(w http.ResponseWriter, r *http.Request, echo string) { fail(w, 401, reasons(echo)) },
		"forbidden":    func(w http.ResponseWriter, r *http.Request, echo string) { fail(w, 403, reasons(echo)) },
		"throttled": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set("Retry-After", echo)
			fail(w, 429, reasons(echo))
		},
		"warning": func(w http.ResponseWriter, r *http.Request, echo string) {
			writeZip(w, answer(1, `,"totalLeads":1,"warnings":[`+reasons(echo)+`]`))
		},
		"HTML": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.WriteHeader(502)
			_, _ = io.WriteString(w, echo)
		},
		"no JSON":  func(w http.ResponseWriter, r *http.Request, echo string) { _, _ = io.WriteString(w, echo) },
		"encoding": func(w http.ResponseWriter, r *http.Request, echo string) { w.Header().Set("Content-Encoding", echo) },
		"odd names": func(w http.ResponseWriter, r *http.Request, echo string) {
			_, _ = io.WriteString(w, `{"classifiedLeads":[{"responses":[{`+quoted(echo)+`:`)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request, echo string) {
			http.Redirect(w, r, "http://localhost:1/"+url.PathEscape(echo)+"?"+url.QueryEscape(echo), http.StatusFound)
		},
		"odd redirect": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set("Location", "http://%zz"+echo)
			w.WriteHeader(302)
		},
		"odd HTTP": func(w http.ResponseWriter, r *http.Request, echo string) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 "+echo+"\r\n\r\n")
				_ = conn.Close()
			}
		},
		"odd length": func(w http.ResponseWriter, r *http.Request, echo string) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: "+echo+"\r\n\r\n")
				_ = conn.Close()
			}
		},
		"token error": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"error":%[1]s,"error_description":%[1]s,"error_uri":%[1]s}`, quoted(echo))
		},
		"token number": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":%[1]s,"expires_in":%[1]s}`, quoted(echo))
		},
		"token as a form": func(w http.ResponseWriter, r *http.Request, echo string) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "access_token=%zz"+echo)
		},
	}
	forbidden := []string{
		testSecret, url.QueryEscape(testSecret), url.PathEscape(testSecret), "s3cr3t",
		testRefresh, url.QueryEscape(testRefresh), "refresh+/=",
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(testID) + ":" + url.QueryEscape(testSecret))),
		"access-0001",
	}
	for name, handle := range hostile {
		for _, endpoint := range []string{"API", "token"} {
			for _, grant := range []string{ClientCredentials, RefreshToken} {
				t.Run(name+" of "+endpoint+" by "+grant, func(t *testing.T) {
					// All that the client has sent or was given up to now.
					echo := func(r *http.Request) string {
						text := r.Header.Get("Authorization") + " " + r.PostForm.Encode() + " " + testSecret
						if endpoint == "API" {
							text += " " + tokenNumber(1)
						}
						if grant == RefreshToken {
							text += " " + testRefresh
						}
						return text
					}
					a := &api{leads: takes(always)}
					if endpoint == "API" {
						a.leads = func(w http.ResponseWriter, r *http.Request, n int) { handle(w, r, echo(r)) }
					} else {
						a.token = func(w http.ResponseWriter, r *http.Request, n int) { handle(w, r, echo(r)) }
					}
					c := a.start(t, inDir(t.TempDir()), func(s *setup) {
						if s.config.Grant = grant; grant == RefreshToken {
							s.config.RefreshToken = secret.New(testRefresh)
						}
						s.limits.MaxAttempts = 2
					})
					p, err := c.Fetch(t.Context(), day, all)
					shown := a.logged() + fmt.Sprintf("\n%v\n%+v\n", err, err)
					for e := err; e != nil; {
						shown += fmt.Sprintf("%T %+v\n", e, e)
						wrapper, ok := e.(interface{ Unwrap() error })
						if !ok {
							break
						}
						e = wrapper.Unwrap()
					}
					if p != nil {
						shown += p.Request + p.RequestID + strings.Join(p.Warnings, "")
					}
					for _, secret := range forbidden {
						if i := strings.Index(shown, secret); i >= 0 {
							t.Fatalf("%q shows:\n%s", secret, shown[max(0, i-200):min(len(shown), i+200)])
						}
					}
				})
			}
		}
	}
}
