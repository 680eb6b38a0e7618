package order

import (
	"errors"
	"testing"
)

func TestModulesAreFoundByIDAndVersion(t *testing.T) {
	var c Catalog
	for _, m := range []*Module{
		{ID: "example/node", Version: "1.0.0"},
		{ID: "example/go", Version: "2.0.0"},
		{ID: "example/go", Version: "1.0.0"},
		{ID: "app"},
		{ID: "npx"},
		{ID: "npm"},
		{ID: "mixed", Version: "1"},
		{ID: "mixed"},
	} {
		if err := c.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, id, version string
		want              string // the module, or the error
	}{
		{"by both", "example/go", "1.0.0", "example/go@1.0.0"},
		{"by id when there is one version", "example/node", "", "example/node@1.0.0"},
		{"by id when it has no version", "app", "", "app"},
		{"by id as the one without version", "mixed", "", "mixed"},
		{"a version that is not there", "example/go", "3",
			`module "example/go" is not there in version "3" (there: "2.0.0", "1.0.0")`},
		{"a version of a module without one", "app", "3", `module "app" is not there in version "3" (there: one without)`},
		{"one of several versions", "example/go", "",
			`module "example/go" is there in several versions ("2.0.0", "1.0.0"): say which`},
		{"a misspelt id", "exmaple/node", "", `there is no module "exmaple/node" (did you mean "example/node"?)`},
		{"an id that resembles several", "example/no", "1", `there is no module "example/no" (did you mean "example/go"?)`},
		{"an id that resembles several as much", "npn", "", `there is no module "npn" (did you mean "npm"?)`},
		{"an id that resembles none", "example/python", "", `there is no module "example/python"`},
		{"a short id", "pp", "", `there is no module "pp" (did you mean "app"?)`},
		{"an id of nothing", "", "", `there is no module ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := c.Find(test.id, test.version)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = m.String()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAnEmptyCatalogHasNoModules(t *testing.T) {
	var c Catalog
	if _, err := c.Find("a", ""); err == nil || err.Error() != `there is no module "a"` {
		t.Error(err)
	}
}

func TestAModuleIsThereOnce(t *testing.T) {
	var c Catalog
	first := &Module{ID: "a", Version: "1"}
	if err := c.Add(first); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(&Module{ID: "a", Version: "2"}); err != nil {
		t.Fatal(err)
	}
	err := c.Add(&Module{ID: "a", Version: "1"})
	duplicate, ok := errors.AsType[*DuplicateError](err)
	if !ok || duplicate.Module != first || err.Error() != "module a@1 is there twice" {
		t.Errorf("got %v", err)
	}
	if m, err := c.Find("a", "1"); m != first || err != nil {
		t.Errorf("got %v, %v", m, err)
	}
}
