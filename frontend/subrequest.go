package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/text"
)

// subrequest is a row of the table of subrequests: what a user can ask instead of a build (docker buildx build --call=CALL). The
// reference has the same rows, and a test compares them.
type subrequest struct {
	call    string              // its name for --call
	request subrequests.Request // its name in the option requestid, its version, and its purpose
	answer  func(context.Context, *build) (answer, error)
	json    func([]byte) []byte // makes the JSON of the answer safe to show
}

// answer is the answer to a subrequest.
type answer interface {
	// ToResult returns a result with the answer for programs and for people (resultJSON, resultText), and with an exit status if
	// the answer is bad news.
	ToResult() (*gw.Result, error)
}

// Keys of a result with the answer to a subrequest.
const (
	resultJSON = "result.json"
	resultText = "result.txt"
)

// subrequestTable returns the table. For check, outline and targets, docker buildx prints the strings that it finds in the JSON.
// For subrequests that it does not know it prints the JSON or the text as they are.
func subrequestTable() []subrequest {
	return []subrequest{
		{"check", lint.SubrequestLintDefinition, checkPackfile, text.ShownJSON},
		{"outline", outline.SubrequestsOutlineDefinition, outlineBuild, text.ShownJSON},
		{"targets", targets.SubrequestsTargetsDefinition, listTargets, text.ShownJSON},
		{"packfile.explain", explainRequest, explainLayers, text.JSON},
		{"packfile.plan", planRequest, explainPlan, text.JSON},
		{"packfile.test", testRequest, reportTests, text.JSON},
		{"subrequests.describe", subrequests.SubrequestsDescribeDefinition, describeSubrequests, text.JSON},
	}
}

// answerSubrequest answers the subrequest that the user named. asked is false if the user wants a build.
func answerSubrequest(ctx context.Context, b *build) (res *gw.Result, asked bool, err error) {
	name, asked := b.client.BuildOpts().Opts[requestOption]
	if !asked {
		return nil, false, nil
	}
	rows := subrequestTable()
	i := slices.IndexFunc(rows, func(s subrequest) bool { return s.request.Name == name })
	if i < 0 {
		return nil, true, errdefs.NewUnsupportedSubrequestError(name)
	}
	said, err := rows[i].answer(ctx, b)
	if err != nil {
		return nil, true, b.explain(err)
	}
	if res, err = said.ToResult(); err != nil {
		return nil, true, err
	}
	res.AddMeta(resultJSON, rows[i].json(res.Metadata[resultJSON]))
	res.AddMeta("version", []byte(rows[i].request.Version))
	return res, true, nil
}

// onEachPlatform calls a function for each platform, all at the same time, and returns what it returned. The first error ends it.
func onEachPlatform[T any](ctx context.Context, platforms []ocispecs.Platform, ask func(ctx context.Context, index int) (T, error)) ([]T, error) {
	all := make([]T, len(platforms))
	eg, ctx := guard.NewGroup(ctx)
	for i := range platforms {
		eg.Go(func() (err error) {
			all[i], err = ask(ctx, i)
			return err
		})
	}
	return all, eg.Wait()
}

// ownRequest returns the definition of a subrequest of the frontend's own.
func ownRequest(name, description string) subrequests.Request {
	return subrequests.Request{
		Name: name, Version: "1.0.0", Type: subrequests.TypeRPC, Description: description,
		Metadata: []subrequests.Named{{Name: resultJSON}, {Name: resultText}},
	}
}

// reply returns a result with an answer as JSON for programs, and as text for people.
func reply(answer any, forPeople []byte) (*gw.Result, error) {
	data, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		return nil, err
	}
	res := gw.NewResult()
	res.AddMeta(resultJSON, data)
	res.AddMeta(resultText, forPeople)
	return res, nil
}

// description is the list of subrequests, as an answer.
type description []subrequests.Request

// describeSubrequests returns the table as an answer. dockerui's own list lacks check and the frontend's own subrequests.
func describeSubrequests(context.Context, *build) (answer, error) {
	var all description
	for _, row := range subrequestTable() {
		all = append(all, row.request)
	}
	return all, nil
}

// ToResult implements answer.
func (d description) ToResult() (*gw.Result, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var forPeople bytes.Buffer
	if err := subrequests.PrintDescribe(data, &forPeople); err != nil {
		return nil, err
	}
	return reply(d, forPeople.Bytes())
}
