package run

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

// trustBox is a container whose script prints the certificates that every variable leads to, each file once.
func trustBox(t *testing.T, kind step.Kind) *box {
	return newBox(t, kind).script("for f in $(printf '%s\\n' " + `"$` + strings.Join(caVariables, `" "$`) + `"` + " | sort -u); do echo \"$f\"; cat $f; done")
}

func TestEveryProgramTrustsTheImagesCertificatesAndThoseOfTheSecret(t *testing.T) {
	bundle := "ROOT" + step.TrustDir + "/" + step.TrustFile
	for _, kind := range []step.Kind{step.KindRequire, step.KindTest, step.KindRun} {
		t.Run(string(kind), func(t *testing.T) {
			b := trustBox(t, kind)
			b.write("/etc/ssl/certs/ca-certificates.crt", "image and proxy")
			b.write(step.GivenCAFile, "secret\n")
			b.expect(bundle, "image and proxy", "secret")
		})
	}
	t.Run("without the secret", func(t *testing.T) {
		b := trustBox(t, step.KindRun)
		b.write("/etc/pki/tls/certs/ca-bundle.crt", "image\n")
		b.expect(bundle, "image")
	})
	t.Run("without certificates of the image", func(t *testing.T) {
		b := trustBox(t, step.KindRun)
		b.write(step.GivenCAFile, "secret\n")
		b.expect(bundle, "secret")
	})
	t.Run("with files that variables of the image name", func(t *testing.T) {
		b := trustBox(t, step.KindRun)
		b.write("/etc/ssl/certs/ca-certificates.crt", "image\n")
		b.write("/own.pem", "own\n")
		b.env = append(b.env, "SSL_CERT_FILE="+b.path("/etc/ssl/certs/ca-certificates.crt"), "PIP_CERT="+b.path("/own.pem"), "CURL_CA_BUNDLE=/none", "AWS_CA_BUNDLE=")
		b.expect(bundle, "image", "own")
	})
	t.Run("unless the user of the build says otherwise", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see("PIP_CERT", "SSL_CERT_FILE"))
		b.write("/etc/ssl/certs/ca-certificates.crt", "image\n")
		b.spec.Platform = []step.Variable{{Name: "PIP_CERT", Value: "/mine"}}
		b.expect("PIP_CERT=/mine", "SSL_CERT_FILE="+bundle)
	})
	t.Run("in the setup scripts of caches", func(t *testing.T) {
		b := newSetupBox(t).script(`cat "$NPM/trusted"`)
		b.write("/etc/ssl/certs/ca-certificates.crt", "image\n")
		b.write(step.GivenCAFile, "secret\n")
		b.write(step.SpecDir+"/setup", `cat "$PIP_CERT" > "$CACHE/trusted"; rm "$PIP_CERT"; mkdir "$PIP_CERT"`)
		b.expect("image", "secret")
	})
	t.Run("and nothing changes where there are none", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see(caVariables...))
		b.expect(strings.Join(caVariables, " unset\n") + " unset")
	})
}
