package step

// Where things stand inside a build container.
const (
	BinDir      = "/packfile/bin"     // packfile-step and get-dep, read-only, from the frontend's own image
	SpecDir     = "/packfile/step"    // spec.json and the scripts, read-only
	OutDir      = "/packfile/out"     // what comes back: ResultFile and MetadataDir
	DepsDir     = "/packfile/deps"    // DepsDir/N/FILE: dep N of the spec; what a run step does to it is thrown away. DepsDir/N is one that is a folder, read-only
	LinksDir    = "/packfile/links"   // LinksDir/NAME: metadata folder of a linked layer, read-only
	SetupAppDir = "/packfile/app"     // APP of caches.setup, read-only
	FactsDir    = "/packfile/facts"   // results of the layer's earlier steps, read-only; no step reads them
	RestoreDir  = "/packfile/restore" // what a layer with restore = true was left with, a cache mount
	KnownDir    = "/packfile/known"   // KnownDir/IDENTITY: names of what the packfile of an app has, a cache mount (Recognize)
	HistoryDir  = "/packfile/history" // HistoryDir/LAYER-RecordFile of the run that this builder did last, a cache mount
	MatchDir    = "/packfile/match"   // MatchDir/NAME: a tree that Match is about, read-only
	TreeDir     = "/packfile/tree"    // what Describe and Seal are about, read-only
	SealedDir   = "/packfile/sealed"  // the layer that Run, Seal or Packages makes
	RunResult   = "/packfile/ran"     // RunResult/N: ResultFile of the run step of tree N (Describe)
	FoundDir    = "/packfile/found"   // what an SBOM generator left, read-only (MergeSBOM)
	ArchiveDir  = "/packfile/archive" // a module archive, or the content of an OCI layout, read-only (Unpack)
	GivenDir    = "/packfile/secrets" // GivenDir/ID: a secret as BuildKit mounts it
	GivenCAFile = "/packfile/ca.crt"  // the secret CASecret, if the build was given one
	TrustDir    = "/packfile/certs"   // TrustDir/TrustFile: all certificates that scripts trust, in memory
	BaseDir     = "/packfile/base"    // the image that packages are installed on, read-only (Packages with Layer)
	AptDir      = "/packfile/apt"     // apt's own lists, archives and settings for this step; none of it is kept (Packages)
	SecretsDir  = "/run/secrets"      // SecretsDir/ID: a secret as scripts see it, in memory
	AgentsDir   = "/run/buildkit"     // sockets of SSH agents
	PlatformDir = "/platform"         // platform folder of buildpacks: PlatformDir/env/NAME (Detect)
	AppDir      = "/workspace"        // APP (CNB_APP_DIR)
	LayersDir   = "/layers"           // LAYER is LayersDir/MODULE/NAME (CNB_LAYERS_DIR)
	Buildpacks  = "/cnb/buildpacks"   // Buildpacks/MODULE/VERSION: a buildpack's own files, read-only (Detect)
	SpecFile    = "spec.json"         // in SpecDir
	SBOMFile    = "sbom.spdx.json"    // in SpecDir (MergeSBOM): our own document
	RecordFile  = "record.json"       // in SpecDir (Run): a layerkey.Record, to say why the step runs
	ResultFile  = "result.json"       // in OutDir
	MetadataDir = "md"                // in OutDir: the folder that scripts know as $MD
	MergedDir   = "sbom"              // in OutDir: the same as FoundDir, merged (MergeSBOM)
	UnpackedDir = "module"            // in OutDir: the folder of the module in ArchiveDir (Unpack)
	TrustFile   = "ca-certificates.crt"
	StepBinary  = "packfile-step"   // in BinDir
	ShowReport  = "show-report"     // third argument of StepBinary, with which it prints ResultFile of OutDir and does nothing else
	CASecret    = "ca-certificates" // optional secret: CA bundle that every step trusts
)
