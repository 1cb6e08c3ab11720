package flatten

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
)

const referenceDir = "../../testdata/reference/"

type apiType struct {
	Name       string
	Properties []struct{ Name, Type, Items string }
}

func loadTypes(t *testing.T, file string) map[string]apiType {
	t.Helper()
	data, err := os.ReadFile(referenceDir + file)
	if err != nil {
		t.Fatal(err)
	}
	var list []apiType
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	types := make(map[string]apiType)
	for _, typ := range list {
		types[typ.Name] = typ
	}
	return types
}

// sampler writes JSON values of the reference's types, in which every field has
// some value, and the field at path target a distinctive one.
type sampler struct {
	t      *testing.T
	types  map[string]apiType
	target string
	// leaves are the paths of all fields that hold no other, arrays those of all
	// arrays, as the walk has met them.
	leaves, arrays []string
}

// special are the fields whose strings have a form: the usual value, and the
// distinctive one as it is sent and as outputs show it.
var special = map[string][3]string{
	"submittedTime":      {`"2026-09-01T10:00:00Z"`, `"2026-09-17T11:12:13.456Z"`, "2026-09-17T11:12:13.456Z"},
	"creationDate":       {`"2026-09-02T10:00:00Z"`, `"2026-09-18T11:12:13.456Z"`, "2026-09-18T11:12:13.456Z"},
	"value":              {`"25.00"`, `"7331.25"`, "7331.25"},
	"convertedFromValue": {`"21.50"`, `"7331.75"`, "7331.75"},
}

// leaf returns the value of a field as it is sent, and its distinctive value as
// outputs show it.
func (s *sampler) leaf(path, name, typ string) (sent, shown string) {
	distinct := path == s.target
	if form, ok := special[name]; ok && !strings.HasPrefix(path, "Error") {
		if distinct {
			return form[1], form[2]
		}
		return form[0], form[2]
	}
	switch typ {
	case "boolean":
		return fmt.Sprint(distinct), "true"
	case "integer":
		if distinct {
			return "7331", "7331"
		}
		return "5", "7331"
	default:
		if distinct {
			return `"distinct ` + name + `"`, "distinct " + name
		}
		return `"usual"`, "distinct " + name
	}
}

// value returns a JSON value of the type. Paths begin anew at each type that
// stands for a listing or a lead, as those of schema.Columns do.
func (s *sampler) value(typ, path string) string {
	def, ok := s.types[typ]
	if !ok {
		s.t.Fatalf("%s: type %s is not in the reference", path, typ)
	}
	var b strings.Builder
	b.WriteString("{")
	for i, p := range def.Properties {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "%q:", p.Name)
		at := path + "." + p.Name
		switch {
		case p.Type == "array" && s.types[p.Items].Properties != nil:
			s.arrays = append(s.arrays, at+"[]")
			below := at + "[]"
			if p.Items == "ClassifiedLead" || p.Items == "ClassifiedLeadResponses" || p.Items == "ErrorParameter" {
				below = p.Items
			}
			b.WriteString("[" + s.value(p.Items, below) + "]")
		case p.Type == "array":
			s.leaves = append(s.leaves, at)
			sent, _ := s.leaf(at, p.Name, p.Items)
			b.WriteString("[" + sent + "]")
		case s.types[p.Type].Properties != nil:
			b.WriteString(s.value(p.Type, at))
		default:
			s.leaves = append(s.leaves, at)
			sent, _ := s.leaf(at, p.Name, p.Type)
			b.WriteString(sent)
		}
	}
	b.WriteString("}")
	return b.String()
}

// TestReference walks the types of the reference: every documented field
// reaches the column that names it as its source, and every such column names a
// documented field.
func TestReference(t *testing.T) {
	types := loadTypes(t, "types.json")
	if len(types) != 10 {
		t.Errorf("the reference has %d types, ten are known", len(types))
	}
	const root = "ClassifiedLeadsListResponse"
	all := sampler{t: t, types: types}
	plain, unfit := only(t, all.value(root, root))
	if plain.Extra.Valid || unfit != 0 {
		t.Fatalf("documented fields are in extra: %s", plain.Extra.Value)
	}

	for _, path := range all.leaves {
		t.Run(path, func(t *testing.T) {
			s := sampler{t: t, types: types, target: path}
			answer := s.value(root, root)
			name := path[strings.LastIndexByte(path, '.')+1:]
			if strings.HasPrefix(path, root+".") {
				assertTotal(t, name, answer)
				return
			}
			row, _ := only(t, answer)
			if row.Extra.Valid {
				t.Errorf("extra = %s, want null", row.Extra.Value)
			}
			columns := columnsFrom(path)
			if len(columns) == 0 {
				t.Fatal("no column names this field as its source")
			}
			_, shown := s.leaf(path, name, leafType(t, types, path))
			for _, c := range columns {
				if got := columnJSON(t, &row, c.Name); !strings.Contains(got, shown) {
					t.Errorf("column %s = %s, want %q in it", c.Name, got, shown)
				}
				if got := columnJSON(t, &plain, c.Name); strings.Contains(got, shown) {
					t.Errorf("column %s = %s has %q in it without being sent", c.Name, got, shown)
				}
			}
		})
	}

	for _, c := range schema.Columns {
		if c.Path == "" || c.Path == "*" || slices.Contains(all.leaves, c.Path) || slices.Contains(all.arrays, c.Path) {
			continue
		}
		t.Errorf("column %s: the reference has no %s", c.Name, c.Path)
	}
}

// columnsFrom returns the columns whose source is the field, or an array that
// the field is in.
func columnsFrom(path string) []schema.Column {
	var columns []schema.Column
	for _, c := range schema.Columns {
		inside := strings.HasSuffix(c.Path, "[]") && strings.HasPrefix(path, c.Path+".") && c.Type == schema.TypeMessages
		if c.Path == path || inside {
			columns = append(columns, c)
		}
	}
	return columns
}

// columnJSON returns a column of the row as JSON, "" if it is null.
func columnJSON(t *testing.T, r *schema.Row, column string) string {
	t.Helper()
	var columns map[string]json.RawMessage
	if err := json.Unmarshal([]byte(encode(t, r)), &columns); err != nil {
		t.Fatal(err)
	}
	return string(columns[column])
}

func leafType(t *testing.T, types map[string]apiType, path string) string {
	t.Helper()
	name := path[strings.LastIndexByte(path, '.')+1:]
	for _, typ := range types {
		for _, p := range typ.Properties {
			if p.Name == name {
				return p.Type
			}
		}
	}
	t.Fatalf("no field %s", name)
	return ""
}

// assertTotal checks the fields of the answer itself: they are no lead's, and
// reach the inspection.
func assertTotal(t *testing.T, name, answer string) {
	t.Helper()
	inspection, err := Inspect(strings.NewReader(answer))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*int{"totalItems": inspection.TotalItems, "totalLeads": inspection.TotalLeads}[name]
	if got == nil || *got != 7331 {
		t.Errorf("Inspect does not report %s", name)
	}
}

// TestErrorTypes does the same for errors and warnings.
func TestErrorTypes(t *testing.T) {
	types := loadTypes(t, "error-types.json")
	all := sampler{t: t, types: types}
	all.value("Error", "Error")
	if len(all.leaves) != 10 {
		t.Errorf("walked %d fields, want 10: %v", len(all.leaves), all.leaves)
	}
	for _, path := range all.leaves {
		s := sampler{t: t, types: types, target: path}
		message := s.value("Error", "Error")
		_, shown := s.leaf(path, path[strings.LastIndexByte(path, '.')+1:], leafType(t, types, path))
		for _, list := range []string{"errors", "warnings"} {
			inspection, err := Inspect(strings.NewReader(`{"` + list + `":[` + message + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%+v", map[string][]APIMessage{"errors": inspection.Errors, "warnings": inspection.Warnings}[list])
			if !strings.Contains(got, shown) {
				t.Errorf("%s: %s = %s, want %q in it", path, list, got, shown)
			}
		}
	}
}
