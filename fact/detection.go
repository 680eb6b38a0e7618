package fact

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// Detection is what a buildpack answered.
type Detection struct {
	Plan     plan.Plan
	Warnings []string
	Failed   string // why it does not take part, "" when it does
}

// Detection returns what a buildpack answered. It decodes the answer unless it was decoded before.
func (a Answer) Detection() Detection {
	if a.detection != nil {
		return *a.detection
	}
	return readDetection(a.Result)
}

// readDetection reads an answer. It makes no difference whether bin/detect refuses or fails (Buildpack API, "Detection").
func readDetection(r step.Result) (d Detection) {
	switch {
	case r.Failed != "":
		d.Failed = "its " + r.Failed
	case r.ExitCode == step.NotWanted:
		d.Failed = "its bin/detect said no"
	case r.ExitCode != 0:
		d.Failed = fmt.Sprintf("its bin/detect failed with exit code %d", r.ExitCode)
	default:
		var err error
		if d.Plan, d.Warnings, err = plan.Parse([]byte(r.Plan)); err != nil {
			d.Failed = "its " + err.Error()
		}
		asTexts(d.Plan.Requires)
		for _, or := range d.Plan.Or {
			asTexts(or.Requires)
		}
	}
	return d
}

// asTexts turns metadata of a build plan into metadata as packfiles have it. It writes values that are no strings as TOML does:
// 1.0, true, 1979-05-27, ['a', 'b'].
func asTexts(requires []plan.Require) {
	for i := range requires {
		requires[i].Metadata = metadata.From(requires[i].Metadata, func(value any) any {
			if text, ok := value.(string); ok {
				return text
			}
			return inTOML(value)
		})
	}
}

// inTOML returns a value on one line of TOML.
func inTOML(value any) string {
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).SetTablesInline(true).Encode(map[string]any{"v": value}); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSpace(strings.TrimPrefix(out.String(), "v = "))
}
