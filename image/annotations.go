package image

import (
	"maps"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/packfile"
)

// imagePrefix begins the names of labels and annotations that say what an image is (OCI image specification,
// "Pre-Defined Annotation Keys").
const imagePrefix = "org.opencontainers.image."

// carriedLabels are what is left of a run image's labels in an app image. What it says of itself would be said of the app:
// its title and version, and, if it is an app image, what that is made of. What it says for the images that are put on it
// stays: io.buildpacks.base and io.buildpacks.stack, and whether they may be put on another.
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

// packfileLabels are those that the packfile gives its image: what its keys say, and config.labels, which go before them.
func packfileLabels(cfg *packfile.Config) map[string]string {
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
	maps.Copy(labels, cfg.Labels)
	return labels
}

// givenLabels are the labels of the app image that are not the build's own: what the user says goes before what the
// packfile that is built says, that before what later and then earlier modules say, and that before the run image's.
func (g assembly) givenLabels() map[string]string {
	labels := map[string]string{}
	if g.Run.Config != nil {
		labels = carriedLabels(g.Run.Config.Config.Labels)
	}
	for _, m := range g.Modules { // what they say of themselves they do not say of the image
		maps.Copy(labels, m.Packfile.Config.Labels)
	}
	maps.Copy(labels, packfileLabels(&g.Root.Packfile.Config))
	maps.Copy(labels, g.Labels)
	return labels
}

// Annotations are those of the manifest of an image with these labels: what they say in the names of the OCI image
// specification.
func Annotations(labels map[string]string) map[string]string {
	annotations := maps.Clone(labels)
	maps.DeleteFunc(annotations, func(name, _ string) bool { return !strings.HasPrefix(name, imagePrefix) })
	return annotations
}
