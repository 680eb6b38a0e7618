package packfile

import "github.com/packfile/frontend/node"

// Places in a packfile, and errors about them, are types of package node.
type (
	Table      = node.Table
	Range      = node.Range
	Position   = node.Position
	Diagnostic = node.Diagnostic
	Error      = node.Error
	Rule       = node.Rule
)

// MaxSize is the size limit of a packfile, in bytes.
const MaxSize = node.MaxSize
