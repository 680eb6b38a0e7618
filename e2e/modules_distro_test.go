package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// distroImage is the small build image with a file of /etc that says which distribution it is, and more.
func distroImage(t *testing.T, osRelease, more string) string {
	t.Helper()
	return dockerfile(t, files(t, map[string]string{"os-release": osRelease}), fmt.Sprintf("FROM %s\nUSER 0:0\n%s\nUSER 1000:1000\n", env.busybox, more))
}

func TestModuleBuildpackIsForTheDistributionThatAFileOfTheBuildImageSays(t *testing.T) {
	t.Parallel()
	target := func(name, version string) string {
		return fmt.Sprintf("[[targets]]\nos = \"linux\"\n[[targets.distros]]\nname = %q\nversion = %q\n", name, version)
	}
	tell := tells(map[string]string{"distro": "${CNB_TARGET_DISTRO_NAME-unset} ${CNB_TARGET_DISTRO_VERSION-unset}"})
	const debian = "VERSION_ID=\"12\"\nID=debian\n"
	for name, test := range map[string]struct{ image, fits, want string }{
		"in /etc":     {distroImage(t, debian, "COPY os-release /etc/os-release"), "debian", "with debian 12"},
		"in /usr/lib": {distroImage(t, debian, "COPY os-release /usr/lib/os-release"), "debian", "with debian 12"},
		"by a link":   {distroImage(t, debian, "COPY os-release /usr/lib/os-release\nRUN mkdir -p /etc; ln -s ../usr/lib/os-release /etc/os-release"), "debian", "with debian 12"},
		"by a link that leads nowhere": {
			distroImage(t, debian, "COPY os-release /usr/lib/os-release\nRUN mkdir -p /etc; ln -s /none /etc/os-release"), "debian", "with debian 12",
		},
		"unless labels do": {
			distroImage(t, debian, "COPY os-release /etc/os-release\nLABEL io.buildpacks.base.distro.name=alpine io.buildpacks.base.distro.version=12"), "alpine", "with alpine 12",
		},
		"or nobody": {env.busybox, "", "with a distribution that is not known: the build image has neither labels nor an os-release file that say it"},
	} {
		t.Run(name, func(t *testing.T) {
			bps := map[string]buildpack{"ubuntu": {detect: tell, more: target("ubuntu", "22.04")}}
			dir := mixedApp(t, group("acme/ubuntu"), nil, bps)
			text := request{dir: dir, buildImg: test.image, opts: map[string]string{"requestid": "frontend.packfile.plan"}}.fail(t)
			contains(t, text, test.want)
			if test.fits == "" {
				return
			}
			bps["fits"] = buildpack{detect: tell, more: target(test.fits, "12")}
			dir = mixedApp(t, group("acme/ubuntu?", "acme/fits"), nil, bps)
			contains(t, request{dir: dir, buildImg: test.image}.planText(t), "acme/fits@1", "distro="+`"`+test.fits+" 12")
		})
	}
}

func TestModuleBuildpackSeesNothingOfTheBuildImagesEnvironment(t *testing.T) {
	t.Parallel()
	image := dockerfile(t, files(t, map[string]string{"empty": ""}), fmt.Sprintf(
		"FROM %s\nENV GOFLAGS=-mod=vendor CNB_STACK_ID=stack CNB_USER_ID=1000 CNB_GROUP_ID=1000 LIBRARY_PATH=/l CNB_BUILD_PLAN_PATH=/none\n", env.busybox))
	dir := mixedApp(t, group("acme/user"), nil, map[string]buildpack{"user": {detect: tells(map[string]string{
		"names": "$(env | cut -d= -f1 | sort | tr '\\n' ' ')", "stack": "$CNB_STACK_ID",
	})}})
	p := planned(t, dir, "--build-arg", "BP_A=1", "--build-context", "build-image=docker-image://"+image)
	if len(p.Entries) != 1 || len(p.Entries[0].Requires) != 1 {
		t.Fatalf("got %+v", p)
	}
	want := map[string]any{"stack": "stack", "names": "BP_A CNB_BUILDPACK_DIR CNB_BUILD_PLAN_PATH CNB_EXEC_ENV CNB_PLATFORM_DIR CNB_STACK_ID " +
		"CNB_TARGET_ARCH CNB_TARGET_OS HOME LIBRARY_PATH PATH PWD SHLVL "}
	if diff := cmp.Diff(want, p.Entries[0].Requires[0].Metadata); diff != "" {
		t.Error(diff)
	}
}
