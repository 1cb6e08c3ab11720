package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func implementsText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// sizeType is the tag type:"size" of integers that count bytes.
const sizeType = "size"

func isInteger(t reflect.Type) bool {
	return t != durationType && !implementsText(t) && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

func isFloat(t reflect.Type) bool { return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 }

// textOf returns the value that an entry of the file gives the key, in the form
// in which flags are given, and whether its kind fits.
func (k *key) textOf(e entry) (text string, ok bool) {
	t := k.flag.Target.Type()
	if t.Kind() == reflect.Slice {
		if e.kind != kindList {
			return "", false
		}
		var texts []string
		for _, element := range e.elements {
			if element.kind != kindString {
				return "", false
			}
			texts = append(texts, element.text)
		}
		return kong.JoinEscaped(texts, k.flag.Tag.Sep), true
	}
	switch {
	case e.kind == kindList || e.kind == kindOther:
		return "", false
	case t.Kind() == reflect.Bool:
		ok = e.kind == kindBool
	case t == durationType:
		ok = e.kind == kindString
	case implementsText(t):
		ok = e.kind == kindString || e.kind == kindTime || e.kind == kindInteger
	case k.flag.Tag.Type == sizeType:
		ok = e.kind == kindString || e.kind == kindInteger
	case isInteger(t):
		ok = e.kind == kindInteger
	case isFloat(t):
		ok = e.kind == kindInteger || e.kind == kindFloat
	default:
		ok = e.kind == kindString
	}
	return e.text, ok
}

// try reports why the text is no value of the key; nil if it is one. The error
// may quote the text, which is no secret's.
func (k *key) try(text string) error {
	v := reflect.New(k.flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	if err := k.flag.Mapper.Decode(&kong.DecodeContext{Value: k.flag.Value, Scan: scan}, v); err != nil {
		return err
	}
	if k.flag.Enum == "" {
		return nil
	}
	values := k.flag.EnumSlice()
	given := []string{text}
	if v.Kind() == reflect.Slice {
		given = kong.SplitEscaped(text, k.flag.Tag.Sep)
	}
	for _, s := range given {
		if !slices.Contains(values, s) {
			return fmt.Errorf("%q is none of %s", s, strings.Join(values, ", "))
		}
	}
	return nil
}
