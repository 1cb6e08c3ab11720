package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
)

// interview asks for the settings that matter. Every answer is checked at once,
// by what checks the configuration, and asked for again if it is wrong.
type interview struct {
	s   *modeSettings
	in  *bufio.Reader
	out io.Writer
}

func newInterview(s *modeSettings, in io.Reader, out io.Writer) *interview {
	return &interview{s: s, in: bufio.NewReader(in), out: out}
}

// ask asks everything. What flags and environment have said is the default.
func (i *interview) ask() error {
	s := i.s
	fmt.Fprint(i.out, "Enter takes what is in brackets.\n\n")
	if s.EBay.Marketplace == "" {
		s.EBay.Marketplace = localMarketplace(os.Getenv("LC_ALL"), os.Getenv("LANG"))
	}
	if s.Range.Last == 0 && s.Range.From.IsZero() && s.Range.To.IsZero() {
		s.Range.Last = 30 * config.Day
	}
	err := i.inOrder(
		func() error { return i.text("Your name for the seller", "ebay", "account", &s.EBay.Account) },
		func() error {
			return i.text("Marketplace, such as EBAY_US or EBAY_DE", "ebay", "marketplace", &s.EBay.Marketplace)
		},
		func() error {
			return i.text("Environment, production or sandbox", "ebay", "environment", &s.EBay.Environment)
		},
		func() error {
			return i.text("Client id (App ID); empty if it comes from the environment", "ebay", "client-id", &s.EBay.ClientID)
		},
		func() error { return i.text("Once over a range, or on and on: batch or stream", "", "mode", &s.Mode) },
		i.askRange,
		func() error {
			return i.text("Folder of the journal, on a disk that stays", "state", "dir", &s.State.Dir)
		},
		i.askSinks,
	)
	fmt.Fprintln(i.out)
	return err
}

func (i *interview) inOrder(questions ...func() error) error {
	for _, ask := range questions {
		if err := ask(); err != nil {
			return err
		}
	}
	return nil
}

func (i *interview) askRange() error {
	r := &i.s.Range
	if i.s.Mode != modeBatch {
		r.Last = 0
		return nil
	}
	if r.Last == 0 {
		return nil // from and to were given
	}
	return i.until("How far back", config.FormatDuration(r.Last), func(answer string) string {
		d, err := config.ParseDuration(answer)
		if err != nil {
			return err.Error()
		}
		if d <= 0 {
			return "is no range: write it as 30d or 12h"
		}
		r.Last = d
		return i.problem("batch", "last")
	})
}

func (i *interview) askSinks() error {
	s := i.s
	var on []string
	for kind, is := range map[string]bool{"parquet": s.Parquet.On(), "ndjson": s.NDJSON.On(), "kafka": s.Kafka.On()} {
		if is {
			on = append(on, kind)
		}
	}
	if slices.Sort(on); len(on) == 0 {
		on = []string{"parquet"}
	}
	err := i.until("Where to: one or more of "+strings.Join(sinkKinds, ", "), strings.Join(on, ","), func(answer string) string {
		on = strings.FieldsFunc(strings.ToLower(answer), func(r rune) bool { return r == ',' || r == ' ' })
		for _, kind := range on {
			if !slices.Contains(sinkKinds, kind) {
				return fmt.Sprintf("%q is none of %s", kind, strings.Join(sinkKinds, ", "))
			}
		}
		return ""
	})
	if err != nil {
		return err
	}
	for _, kind := range sinkKinds {
		wanted := slices.Contains(on, kind)
		switch {
		case kind == "parquet":
			err = i.folder("Parquet", kind, &s.Parquet.Dir, wanted)
		case kind == "ndjson":
			err = i.folder("NDJSON", kind, &s.NDJSON.Dir, wanted)
		case wanted:
			err = i.askKafka()
		default:
			s.Kafka.Brokers = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *interview) folder(name, section string, dir *string, wanted bool) error {
	if !wanted {
		*dir = ""
		return nil
	}
	if *dir == "" {
		*dir = "leads/" + section
	}
	return i.text("Folder for "+name+" files", section, "dir", dir)
}

func (i *interview) askKafka() error {
	k := &i.s.Kafka
	if !k.On() {
		k.Brokers = []string{"localhost:9092"}
	}
	return i.inOrder(
		func() error {
			return i.until("Kafka brokers, HOST:PORT", strings.Join(k.Brokers, ","), func(answer string) string {
				k.Brokers = strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
				return i.problem("kafka", "brokers")
			})
		},
		func() error { return i.text("Topic; may hold {marketplace} and {account}", "kafka", "topic", &k.Topic) },
		func() error {
			return i.until("Do the brokers speak TLS", map[bool]string{true: "yes", false: "no"}[k.TLS], func(answer string) string {
				k.TLS = strings.HasPrefix(strings.ToLower(answer), "y")
				if !k.TLS && !strings.HasPrefix(strings.ToLower(answer), "n") {
					return "answer yes or no"
				}
				return ""
			})
		},
		func() error {
			return i.text("SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty for none", "kafka", "sasl-mechanism", &k.SASLMechanism)
		},
		func() error {
			if k.SASLMechanism == "" {
				return nil
			}
			return i.text("SASL user name", "kafka", "sasl-username", &k.SASLUsername)
		},
	)
}

// text asks for a setting that is text; its present value is the default.
func (i *interview) text(question, section, key string, value *string) error {
	return i.until(question, *value, func(answer string) string {
		*value = answer
		return i.problem(section, key)
	})
}

// until asks until take has nothing to say against the answer.
func (i *interview) until(question, standard string, take func(answer string) string) error {
	for {
		fmt.Fprintf(i.out, "%s [%s]: ", question, standard)
		line, err := i.in.ReadString('\n')
		if err != nil {
			return &usageError{err: errors.New("init: the answers ended before the questions; nothing is written"), command: "init"}
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = standard
		}
		problem := take(answer)
		if problem == "" {
			return nil
		}
		fmt.Fprintf(i.out, "  %s\n", problem)
	}
}

// problem is what is wrong with a setting as it is, "" if nothing. What is set
// where the program runs may be missing.
func (i *interview) problem(section, key string) string {
	var found string
	i.s.validate(func(s, k, problem string) {
		if s == section && k == key && found == "" && !setWhereItRuns(k, problem) {
			found = problem
		}
	})
	return found
}

// localMarketplace guesses from the locale ("de_DE.UTF-8") where somebody sells;
// "" if it does not say.
func localMarketplace(locales ...string) string {
	for _, locale := range locales {
		_, rest, found := strings.Cut(locale, "_")
		if country, _, _ := strings.Cut(rest, "."); found && len(country) == 2 {
			if id := "EBAY_" + strings.ToUpper(country); slices.Contains(fewValues["ebay-marketplace"], id) {
				return id
			}
		}
	}
	return ""
}
