package run

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/step"
)

// caVariables are the variables by which programs find the file of trusted certificates: OpenSSL and Go, Node.js, npm,
// curl, git, Python requests, pip, Cargo and the AWS tools.
var caVariables = []string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
	"REQUESTS_CA_BUNDLE", "PIP_CERT", "CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE"}

// systemBundles are the files in which distributions have their trusted certificates; the first one that exists counts.
// It is the list of BuildKit (executor/proxyca_linux.go), which with --proxy-network adds the certificate of its proxy to
// that file while a step runs. Go has the same list (crypto/x509/root_linux.go).
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// maxBundle is the largest file of certificates, in bytes, as in BuildKit.
const maxBundle = 10 << 20

// trust writes one file with all certificates that scripts trust: those of the image, those in files that the image's
// variables name, and those of the secret. With one file each, a variable would hide the other files. It sets each
// variable unless someone other than the image has set it. When there is no certificate, it changes nothing.
func (r *runner) trust(e *env.Env, secrets []step.Secret) error {
	image := env.New(r.environ)
	for _, s := range secrets {
		image.Unset(s.EnvAs)
	}
	var files []string
	for _, name := range systemBundles {
		if path := filepath.Join(r.root, name); isFile(path) {
			files = append(files, path)
			break
		}
	}
	for _, name := range caVariables {
		if path := image.Get(name); filepath.IsAbs(path) && isFile(path) {
			files = append(files, path)
		}
	}
	if isFile(r.givenCA) {
		files = append(files, r.givenCA)
	}
	var all []byte
	var seen [][]byte
	for _, file := range files {
		data, err := readBundle(file)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(seen, func(other []byte) bool { return bytes.Equal(data, other) }) {
			continue
		}
		seen = append(seen, data)
		all = append(all, data...)
		if len(data) > 0 && data[len(data)-1] != '\n' {
			all = append(all, '\n')
		}
	}
	if len(all) == 0 {
		return nil
	}
	bundle := filepath.Join(r.trusted, step.TrustFile)
	if err := os.MkdirAll(r.trusted, 0o755); err != nil {
		return err
	}
	// A new file each time: an earlier script may have changed the last one.
	if err := os.RemoveAll(bundle); err != nil {
		return err
	}
	if err := os.WriteFile(bundle, all, 0o644); err != nil {
		return err
	}
	for _, name := range caVariables {
		if !e.Has(name) || image.Has(name) && e.Get(name) == image.Get(name) {
			e.Set(name, bundle)
		}
	}
	return nil
}

// readBundle reads a file of certificates.
func readBundle(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBundle {
		return nil, fmt.Errorf("certificates in %s: there are %d bytes, more than %d", file, info.Size(), maxBundle)
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrPermission) {
		return nil, nil // no script could read it either
	}
	return data, err
}
