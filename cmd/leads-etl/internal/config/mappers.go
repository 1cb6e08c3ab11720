package config

import (
	"reflect"
	"time"

	"github.com/alecthomas/kong"
)

// Mappers teaches kong to read durations, times and, under the tag type:"size",
// numbers of bytes as ParseDuration, ParseTime and ParseSize do.
func Mappers() kong.Option {
	return kong.OptionFunc(func(k *kong.Kong) error {
		for _, o := range []kong.Option{
			kong.TypeMapper(reflect.TypeFor[time.Duration](), textMapper(ParseDuration)),
			kong.TypeMapper(reflect.TypeFor[time.Time](), textMapper(ParseTime)),
			kong.NamedMapper(sizeType, textMapper(ParseSize)),
		} {
			if err := o.Apply(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// textMapper lets kong read a type by a parser of text.
func textMapper[T any](parse func(string) (T, error)) kong.Mapper {
	return kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		value, err := parse(text)
		if err != nil {
			return err
		}
		target.Set(reflect.ValueOf(value))
		return nil
	})
}
