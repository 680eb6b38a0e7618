package frontend

import (
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

func TestTheUserThatAnImageIsMadeFor(t *testing.T) {
	for name, test := range map[string]struct {
		env  []string
		user string
		want string
	}{
		"is an unprivileged one if it names none": {nil, "", "1000:1000"},
		"is its user": {nil, "node:staff", "node:staff"},
		"is that of Cloud Native Buildpacks before its own": {[]string{"PATH=/bin", "CNB_USER_ID=5", "CNB_GROUP_ID=6"}, "node", "5:6"},
		"is the last that its environment names":            {[]string{"CNB_USER_ID=5", "CNB_GROUP_ID=6", "CNB_USER_ID=7"}, "", "7:6"},
		"is its own if the group is not given":              {[]string{"CNB_USER_ID=5"}, "node", "node"},
		"is its own if the id is a name":                    {[]string{"CNB_USER_ID=cnb", "CNB_GROUP_ID=6"}, "node", "node"},
		"is its own if the id is negative":                  {[]string{"CNB_USER_ID=-1", "CNB_GROUP_ID=6"}, "node", "node"},
		"is its own if the id is too large":                 {[]string{"CNB_USER_ID=2147483648", "CNB_GROUP_ID=6"}, "node", "node"},
	} {
		t.Run(name, func(t *testing.T) {
			img := &dockerspec.DockerOCIImage{}
			img.Config.Env, img.Config.User = test.env, test.user
			if got := imageUser(img); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := imageUser(nil); got != "1000:1000" {
		t.Errorf("without an image it is %q", got)
	}
}

func TestOnlyNamesAreLookedUpInTheImage(t *testing.T) {
	for user, want := range map[string]bool{
		"": false, "0": false, "1000": false, "1000:1000": false, "root": false, "root:root": false, "0:root": false,
		"node": true, "1000:staff": true, "node:1000": true, "-1": true, "2147483648": true, "0x0": true, "1000:": true, ":staff": true, "Root": true,
	} {
		if got := hasName(user); got != want {
			t.Errorf("%q: %t", user, got)
		}
	}
}
