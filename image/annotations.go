package image

import (
	"maps"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/packfile"
)

// imagePrefix begins the names of labels and annotations that describe an image (OCI image specification, "Pre-Defined Annotation
// Keys").
const imagePrefix = "org.opencontainers.image."

// carriedLabels returns the labels of a run image that an app image keeps. Labels of the run image that describe another image or
// app are dropped: its title and version, and, if it is an app image, what that consists of. Labels for the images that are put
// on it stay: io.buildpacks.base and io.buildpacks.stack, and whether they may be put on another.
func carriedLabels(base map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range base {
		switch {
		case hasPrefix(name, "io.buildpacks.base.", "io.buildpacks.stack.", "io.buildpacks.rebasable"):
		case hasPrefix(name, append([]string{imagePrefix, "org.label-schema."}, packfile.ReservedLabels...)...):
			continue
		}
		kept[name] = value
	}
	return kept
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}

// keyLabels returns the labels that keys of the packfile give its image.
func keyLabels(cfg *packfile.Config) map[string]string {
	licenses := slices.Clone(cfg.Licenses)
	if len(licenses) > 1 {
		for i, l := range licenses {
			if strings.Contains(l, " ") {
				licenses[i] = "(" + l + ")"
			}
		}
	}
	labels := map[string]string{}
	for name, value := range map[string]string{
		ocispecs.AnnotationTitle:       cfg.Name,
		ocispecs.AnnotationDescription: cfg.Description,
		ocispecs.AnnotationVersion:     cfg.Version,
		ocispecs.AnnotationURL:         cfg.Homepage,
		ocispecs.AnnotationLicenses:    strings.Join(licenses, " AND "),
	} {
		if value != "" {
			labels[name] = value
		}
	}
	return labels
}

// givenLabels returns the labels of the app image that are not the build's own. The user's go before those of the packfile being
// built, config.labels before other keys; then come those of modules, later ones first, and then the run image's. It fails when a
// label needs a build argument that is not given.
func (g assembly) givenLabels() (map[string]string, error) {
	labels := map[string]string{}
	if g.Run.Config != nil {
		labels = carriedLabels(g.Run.Config.Config.Labels)
	}
	var own map[string]string
	for _, m := range g.speakers() {
		given, err := m.Labels(g.Root.Filename, g.Args)
		if err != nil {
			return nil, err
		}
		if m == g.Root {
			own = given
			continue // last
		}
		maps.Copy(labels, given) // other keys of a module describe the module and not the image
	}
	maps.Copy(labels, keyLabels(&g.Root.Packfile.Config))
	maps.Copy(labels, own)
	maps.Copy(labels, g.Labels)
	return labels, nil
}

// Annotations returns the annotations of the manifest of an image with these labels: the labels with names of the OCI image
// specification.
func Annotations(labels map[string]string) map[string]string {
	annotations := maps.Clone(labels)
	maps.DeleteFunc(annotations, func(name, _ string) bool { return !strings.HasPrefix(name, imagePrefix) })
	return annotations
}
