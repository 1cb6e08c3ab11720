package flatten

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// The oracle is the slow and obvious way to flatten an answer, without repeated
// names and bad text: decode all of it into maps, then look values up by path.

// oracle is what it makes of an answer.
type oracle struct {
	dated, undated []oracleRow
	dead, unfit    int
}

// oracleRow is a row without ids, and its extra as an object.
type oracleRow struct {
	row   schema.Row
	extra map[string]any
}

func consult(tb testing.TB, answer string) oracle {
	tb.Helper()
	var o oracle
	listings, _ := decode(tb, answer)["classifiedLeads"].([]any)
	for _, l := range listings {
		listing, ok := l.(map[string]any)
		if !ok {
			o.dead++
			continue
		}
		responses, ok := listing["responses"].([]any)
		if !ok && listing["responses"] != nil {
			o.dead++
		}
		for _, response := range responses {
			lead, ok := response.(map[string]any)
			if !ok {
				o.dead++
				continue
			}
			o.lead(listing, lead)
		}
	}
	return o
}

func (o *oracle) lead(listing, lead map[string]any) {
	r := oracleRow{extra: map[string]any{}}
	r.row.EventType = schema.Snapshot
	r.row.Account, r.row.MarketplaceID = flattener.Account, flattener.Marketplace
	r.row.ExtractedAt, r.row.SchemaVersion = received, schema.Version
	o.walk(&r, "", lead)
	for name, value := range listing {
		if name != "responses" {
			o.put(&r, "listing."+name, value)
		}
	}
	if r.row.SubmittedTime.Valid {
		o.dated = append(o.dated, r)
	} else {
		o.undated = append(o.undated, r)
	}
}

// walk visits the members of an object at path, which ends with a dot unless
// it is empty.
func (o *oracle) walk(r *oracleRow, path string, members map[string]any) {
	for name, value := range members {
		o.put(r, path+name, value)
	}
}

func (o *oracle) put(r *oracleRow, path string, value any) {
	switch path {
	case "contactInformation", "leadFee", "leadFee.amount", "memberMessage":
		if object, ok := value.(map[string]any); ok {
			o.walk(r, path+".", object)
			return
		}
	case "memberMessage.memberMessageExchange":
		if array, ok := value.([]any); ok {
			r.row.Messages = schema.Some(make([]schema.Message, len(array)))
			r.row.MessageCount = int32(len(array))
			for i, element := range array {
				o.message(r, path+"["+strconv.Itoa(i)+"]", element, &r.row.Messages.Value[i])
			}
			return
		}
	}
	fits, known := set(&r.row, path, value)
	o.misfit(r, path, value, fits, known || isContainer(path))
}

func isContainer(path string) bool {
	return slices.Contains([]string{"contactInformation", "leadFee", "leadFee.amount", "memberMessage", "memberMessage.memberMessageExchange"}, path)
}

// misfit puts a value into extra, unless it fits or is the null of a known one.
func (o *oracle) misfit(r *oracleRow, path string, value any, fits, known bool) {
	switch {
	case fits || known && value == nil:
	case known:
		o.unfit++
		fallthrough
	default:
		r.extra[path] = value
	}
}

func (o *oracle) message(r *oracleRow, path string, element any, m *schema.Message) {
	exchange, ok := element.(map[string]any)
	if !ok {
		o.misfit(r, path, element, false, true)
		return
	}
	for name, value := range exchange {
		switch name {
		case "creationDate":
			o.misfit(r, path+"."+name, value, setTime(&m.CreatedAt, value), true)
		case "response":
			o.misfit(r, path+"."+name, value, setText(&m.Response, value), true)
		case "question":
			question, ok := value.(map[string]any)
			if !ok {
				o.misfit(r, path+"."+name, value, false, true)
			}
			for name, value := range question {
				at := path + ".question." + name
				switch name {
				case "body":
					o.misfit(r, at, value, setText(&m.Question, value), true)
				case "messageID":
					o.misfit(r, at, value, setInteger(&m.MessageID, value), true)
				default:
					r.extra[at] = value
				}
			}
		default:
			r.extra[path+"."+name] = value
		}
	}
}

// set puts a value into the column whose source the path is, and reports
// whether it fits, and whether there is such a column.
func set(r *schema.Row, path string, value any) (fits, known bool) {
	for _, c := range schema.Columns {
		source := strings.TrimPrefix(c.Path, "ClassifiedLeadResponses.")
		if of, ok := strings.CutPrefix(c.Path, "ClassifiedLead."); ok {
			source = "listing." + of
		}
		if c.Path == "" || source != path {
			continue
		}
		switch column := c.Field(r).(type) {
		case *schema.Opt[string]:
			return setText(column, value), true
		case *schema.Opt[time.Time]:
			return setTime(column, value), true
		case *schema.Opt[bool]:
			b, ok := value.(bool)
			*column = schema.Opt[bool]{Value: b, Valid: ok}
			return ok, true
		case *schema.Opt[schema.Decimal]:
			return setAmount(column, value), true
		}
	}
	return false, false
}

func setText(column *schema.Opt[string], value any) bool {
	s, ok := value.(string)
	*column = schema.Opt[string]{Value: s, Valid: ok}
	return ok
}

func setTime(column *schema.Opt[time.Time], value any) (fits bool) {
	s, _ := value.(string)
	t, ok := slowTime(s)
	if !ok {
		return false
	}
	*column = schema.Some(t.Truncate(time.Millisecond))
	return t.Equal(column.Value)
}

func setInteger(column *schema.Opt[int64], value any) bool {
	number, _ := value.(json.Number)
	n, ok := slowInteger(number.String())
	*column = schema.Opt[int64]{Value: n, Valid: ok}
	return ok
}

var plainDecimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func setAmount(column *schema.Opt[schema.Decimal], value any) bool {
	text, ok := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		text, ok = number.String(), true
	}
	if !ok || !plainDecimal.MatchString(text) {
		return false
	}
	scaled, _ := new(big.Rat).SetString(text)
	scaled.Mul(scaled, big.NewRat(10_000, 1))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	if !scaled.IsInt() || scaled.Num().CmpAbs(limit) >= 0 {
		return false
	}
	*column = schema.Some(schema.Decimal{Text: text, Unscaled: scaled.Num().Int64()})
	return true
}
