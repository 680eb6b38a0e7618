package module

import (
	"fmt"
	"sync"

	"github.com/packfile/frontend/measure"
)

// mostOfModules is how much all modules of a build may have together: the files that describe them, and scripts in files.
var mostOfModules = measure.Size{Bytes: 64 << 20, Values: 1_000_000}

// budget is what modules have used of mostOfModules. One module can name a thousand others. The packfile being built has no
// budget.
type budget struct {
	mu   sync.Mutex
	used measure.Size
}

// spend takes s from the budget. It fails if not that much is left. A nil budget has no limit.
func (b *budget) spend(s measure.Size) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used.Bytes += s.Bytes
	b.used.Values += s.Values
	switch {
	case b.used.Bytes > mostOfModules.Bytes:
		return fmt.Errorf("the modules of the build have more than %d MiB of packfiles and scripts", mostOfModules.Bytes>>20)
	case b.used.Values > mostOfModules.Values:
		return fmt.Errorf("the packfiles of the build's modules have more than %d keys and values", mostOfModules.Values)
	}
	return nil
}
