package layerkey

import "github.com/packfile/frontend/metadata"

// LabelName is the label of an app image that holds a Label.
const LabelName = "io.packfile.layers"

// Label is what an image records about its layers, so that a later build can reuse them. As JSON it is the same for equal
// inputs, however the image was built.
type Label struct {
	// Name and Version are those of the packfile that was built, which need not have a version.
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	// Time of all files in the layers, in seconds since 1970.
	Time   int64    `json:"time"`
	Layers []Record `json:"layers"` // in group order, and then in file order
	// RunPackages is about the layer below all of these; nil when there is none.
	RunPackages *RunPackages `json:"runPackages,omitempty"`
}

// Record is what the image records about one layer.
type Record struct {
	Name string `json:"name"`
	// Key of the layer; absent when the layer must not be reused.
	Key   string `json:"key,omitempty"`
	Parts Parts  `json:"parts"`
	// Files has a digest for each file that match or inputs named, when they are few.
	Files map[string]string `json:"files,omitempty"`
	// Args has the names of the build arguments that templates of a part use, by EnvPart or DepPart.
	Args map[string][]string `json:"args,omitempty"`
	// Metadata is what the run step left, with the version.
	Metadata metadata.Table `json:"metadata,omitempty"`
	// Content is the diff id that the layer has with the default time; it tells contents apart. A record that was taken over from
	// an image of an older frontend, which had another default time, still has the diff id with that time. It equals no content of
	// today: when the layer is built again, so are those that link it.
	Content string `json:"content,omitempty"`
	// DiffID is that of the layer in the image; absent when the image does not have it.
	DiffID string `json:"diffID,omitempty"`
	// Links has, by LAYER of each linked layer, the content that the run step saw.
	Links map[string]string `json:"links,omitempty"`
}
