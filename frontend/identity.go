package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/bklog"

	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// appIdentity returns what tells this app from every other one on the same daemon: the value of PACKFILE_APP, else the repository
// and folder that the app comes from, else the meaning of its packfile.
func (b *build) appIdentity() (string, error) {
	app := b.apps[0]
	switch {
	case b.opts.appID != "":
		return "app:" + b.opts.appID, nil
	case app.Repository != "":
		return repositoryIdentity(app.Repository, app.Subfolder), nil
	case b.opts.vcsSource != "":
		name := dockerui.DefaultLocalNameContext
		if app.Folder != "" {
			name = app.Folder
		}
		opts := b.client.BuildOpts().Opts
		return repositoryIdentity(b.opts.vcsSource, cmp.Or(opts["contextsubdir"], opts["vcs:localdir:"+name])), nil
	}
	meaning, err := b.meaning()
	return packfileIdentity + digestOf(meaning), err
}

// packfileIdentity begins the identity of an app that is known by the meaning of its packfile.
const packfileIdentity = "packfile:"

// repositoryIdentity returns the identity of an app that is a folder of a Git repository. It is the same for a clone whose origin
// the client names and for a Git context.
func repositoryIdentity(url, folder string) string { return "vcs:" + url + "#" + path.Clean(folder) }

// meaning returns what the packfile being built says, in one form for all ways to say it: comments, layout, the order of keys,
// the format and whether a script stands in a file make no difference.
func (b *build) meaning() ([]byte, error) {
	// A packfile of our own, in which every script gets its text.
	pf := b.pf
	var about any
	if b.project != nil {
		about = []any{b.project.Env, b.project.Include, b.project.Exclude}
	} else if b.source.Data != nil {
		var err error
		if pf, _, err = packfile.Parse(b.source.Filename, b.source.Data); err != nil {
			return nil, err
		}
	}
	for _, s := range module.PathScripts(pf) {
		text := string(b.root.Scripts[s.Path])
		if !utf8.ValidString(text) {
			text = "file:" + digestOf([]byte(text)) // JSON has no form for it
		}
		s.Inline, s.Path = text, ""
	}
	meant := *pf
	meant.Tests = nil // what is asked of an image makes no other app of it
	data, err := json.Marshal([]any{&meant, about})
	if err != nil {
		return nil, err
	}
	var said any
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, err
	}
	return json.Marshal(withoutEmpty(said))
}

// withoutEmpty returns a JSON value without members that are empty lists or tables, at any depth: a packfile means the same
// without them.
func withoutEmpty(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withoutEmpty(value[i])
		}
	case map[string]any:
		for key, member := range value {
			list, isList := member.([]any)
			table, isTable := member.(map[string]any)
			if member == nil || isList && len(list) == 0 || isTable && len(table) == 0 {
				delete(value, key)
				continue
			}
			value[key] = withoutEmpty(member)
		}
	}
	return value
}

// recognize tells the user when the app's identity changed, if anything depends on it. It runs beside the build and never fails
// it. When b.recognizing is done, the user has been told.
func (b *build) recognize(ctx context.Context) {
	if !strings.HasPrefix(b.identity, packfileIdentity) || b.opts.requestID != "" {
		return
	}
	names := b.knownBy()
	if len(names) == 0 {
		return
	}
	st, err := b.images[0].native.Recognize(b.root.ID(), b.identity, names, b.ui.CacheIDNamespace)
	if err != nil {
		bklog.G(ctx).Debugf("identity: %v", err)
		return
	}
	b.recognizing.Add(1)
	guard.Start(ctx, func() error {
		defer b.recognizing.Done()
		_, err := b.solve(ctx, st)
		return err
	}, func(err error) { bklog.G(ctx).Debugf("identity: %v", err) })
}

// knownBy returns what an app is recognized by when its identity changed, sorted: the names of its own layers and caches, and the
// modules that it uses. It returns none when nothing depends on the identity.
func (b *build) knownBy() (names []string) {
	depends := false
	for _, m := range b.modules.TakingPart() {
		switch {
		case m != b.root && dependsOnIdentity(m.Packfile):
			names, depends = append(names, m.ID()+"/"), true // names of layers hold no slash
		case m == b.root:
			for _, l := range b.pf.Layers {
				names = append(names, l.Name)
			}
			for _, c := range b.pf.Caches {
				names = append(names, c.Name)
			}
			depends = depends || dependsOnIdentity(b.pf)
		}
	}
	if !depends {
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// dependsOnIdentity reports whether a packfile has caches, layers that start from their last content, or layers whose version
// speaks for the app: these belong to the app alone.
func dependsOnIdentity(pf *packfile.Packfile) bool {
	return len(pf.Caches) > 0 || slices.ContainsFunc(pf.Layers, func(l packfile.Layer) bool {
		p := l.Provide
		return p != nil && (l.Restore || p.Run != nil && p.Inputs == nil && (l.Version != "" || p.Test != nil || l.Require != nil))
	})
}
