package schema

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What the text of values looks like whose form is fixed by their type.
const (
	timePattern    = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$`
	decimalPattern = `^-?[0-9]+(\.[0-9]+)?$`
)

// jsonSchema is a JSON Schema, as far as it is used here.
type jsonSchema struct {
	Dialect     string `json:"$schema,omitzero"`
	ID          string `json:"$id,omitzero"`
	Title       string `json:"title,omitzero"`
	Description string `json:"description,omitzero"`

	Type             string      `json:"type"`
	Enum             []EventType `json:"enum,omitempty"`
	Format           string      `json:"format,omitzero"`
	Pattern          string      `json:"pattern,omitzero"`
	ContentMediaType string      `json:"contentMediaType,omitzero"`
	Minimum          *int64      `json:"minimum,omitzero"`
	Maximum          *int64      `json:"maximum,omitzero"`
	Items            *jsonSchema `json:"items,omitzero"`

	Properties           properties `json:"properties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties *bool      `json:"additionalProperties,omitzero"`

	// Path is the place in the API's answer, Personal the mark of personal data;
	// validators pass over names that begin with x-.
	Path     string `json:"x-path,omitzero"`
	Personal bool   `json:"x-personal,omitzero"`
}

// properties are an object's properties in the order of the table.
type properties []property

type property struct {
	name   string
	schema jsonSchema
}

// MarshalJSONTo writes the properties as the members of an object.
func (p properties) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, property := range p {
		if err := e.WriteToken(jsontext.String(property.name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(e, property.schema); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// JSONSchema returns the schema (draft 2020-12) of rows as AppendJSON writes
// them. Nullable columns are not required, since nulls are left out; other
// members are not allowed. Columns have the keywords x-path, the place in the
// API's answer, and x-personal.
func JSONSchema() []byte {
	row := jsonSchema{
		Dialect:              "https://json-schema.org/draft/2020-12/schema",
		ID:                   "urn:leads-etl:lead-event:" + strconv.Itoa(Version),
		Title:                "Lead event",
		Description:          "One lead of eBay's Leads API as it was seen at one time: a line of the NDJSON files, the value of a Kafka record.",
		Type:                 "object",
		AdditionalProperties: new(bool),
	}
	for i := range Columns {
		c := &Columns[i]
		s := jsonType(c.Type)
		s.Description, s.Path, s.Personal = c.Doc, c.Path, c.Personal
		if c.Pattern != "" {
			s.Pattern = c.Pattern
		}
		if _, ok := c.Field(new(Row)).(*EventType); ok {
			s.Enum = EventTypes
		}
		row.Properties = append(row.Properties, property{c.Name, s})
		if !c.Nullable {
			row.Required = append(row.Required, c.Name)
		}
	}
	return marshal(row)
}

// jsonType is what JSON values of the type are like.
func jsonType(t Type) jsonSchema {
	switch t {
	case TypeString:
		return jsonSchema{Type: "string"}
	case TypeJSON:
		return jsonSchema{Type: "string", ContentMediaType: "application/json"}
	case TypeTimestamp:
		return jsonSchema{Type: "string", Format: "date-time", Pattern: timePattern}
	case TypeDecimal:
		return jsonSchema{Type: "string", Pattern: decimalPattern}
	case TypeBool:
		return jsonSchema{Type: "boolean"}
	case TypeInt32:
		return jsonInteger(math.MinInt32, math.MaxInt32)
	case TypeInt64:
		return jsonInteger(math.MinInt64, math.MaxInt64)
	case TypeStrings:
		return jsonSchema{Type: "array", Items: &jsonSchema{Type: "string"}}
	case TypeMessages:
		message := jsonSchema{Type: "object", AdditionalProperties: new(bool)}
		for _, c := range MessageColumns {
			s := jsonType(c.Type)
			s.Description, s.Path = c.Doc, c.Path
			message.Properties = append(message.Properties, property{c.Name, s})
		}
		return jsonSchema{Type: "array", Items: &message}
	default:
		panic(noDescription(t))
	}
}

func jsonInteger(least, most int64) jsonSchema {
	return jsonSchema{Type: "integer", Minimum: &least, Maximum: &most}
}
