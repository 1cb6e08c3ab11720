package logging_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// logCalls are slog's methods that take keys, by the place of the first one.
var logCalls = map[string]int{
	"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2,
	"Log": 3, "With": 0,
}

// Every key that the sources give to a logger is documented.
func TestKeysAreDocumented(t *testing.T) {
	const root = "../../../.."
	documented, err := os.ReadFile("KEYS.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "deploy" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, key := range keysOf(n) {
				seen++
				if !strings.Contains(string(documented), "| `"+key+"` |") {
					t.Errorf("%s logs the key %q, which KEYS.md does not have", path, key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 80 {
		t.Errorf("only %d keys in the sources", seen)
	}
}

var snake = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// keysOf are the keys in a call of a logger's method, or of one of slog's
// functions for attributes.
func keysOf(n ast.Node) []string {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if on, ok := method.X.(*ast.Ident); ok && on.Name == "slog" && len(call.Args) == 2 {
		return literals(call.Args[:1])
	}
	first, ok := logCalls[method.Sel.Name]
	on := ""
	switch x := method.X.(type) {
	case *ast.SelectorExpr:
		on = x.Sel.Name
	case *ast.Ident:
		on = x.Name
	}
	if !ok || on != "log" && !strings.EqualFold(on, "logger") {
		return nil
	}
	var keys []ast.Expr
	for i := first; i < len(call.Args); i += 2 {
		keys = append(keys, call.Args[i])
	}
	return literals(keys)
}

func literals(all []ast.Expr) []string {
	var keys []string
	for _, e := range all {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if key, err := strconv.Unquote(l.Value); err == nil && snake.MatchString(key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
