package fact

import (
	"testing"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/step"
)

func TestTheLimitOfABuildPlanIsOne(t *testing.T) {
	if step.MaxPlan != plan.MaxSize {
		t.Errorf("steps hand on %d bytes, and %d are read", step.MaxPlan, plan.MaxSize)
	}
}
