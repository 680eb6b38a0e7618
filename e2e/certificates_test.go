package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// authority is a certificate authority that nobody knows, and an HTTPS server with a certificate of it.
type authority struct {
	file        string // the authority's certificate
	address     string // of the server, as steps reach it
	certificate tls.Certificate
}

// outerAddress is an address of this machine that is not the loopback one, which no proxy is asked for.
func outerAddress(t *testing.T) net.IP {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if ip, ok := addr.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP
		}
	}
	t.Fatal("this machine has no address but the loopback one")
	return nil
}

// listenOutside listens at outerAddress.
func listenOutside(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(outerAddress(t).String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	ip := outerAddress(t)
	certificate := func(of, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, byKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a company"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1},
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: from, NotAfter: to, IPAddresses: []net.IP{ip},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, AuthorityKeyId: []byte{1},
	}
	caKey, key := newKey(), newKey()
	caDER := certificate(ca, ca, caKey, caKey)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/repository.git/info/refs":
			fmt.Fprint(w, "0123456789012345678901234567890123456789\trefs/heads/main\n")
		case "/-/ping":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "{}")
		case "/file":
			fmt.Fprint(w, "content")
		default:
			http.NotFound(w, r)
		}
	}))
	server.Listener.Close()
	server.Listener = listenOutside(t)
	own := tls.Certificate{Certificate: [][]byte{certificate(leaf, ca, key, caKey)}, PrivateKey: key}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	server.StartTLS()
	t.Cleanup(server.Close)
	a := authority{file: filepath.Join(t.TempDir(), "company.crt"), address: server.URL, certificate: own}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o644); err != nil {
		t.Fatal(err)
	}
	return a
}

// fetchers is a packfile whose steps fetch from an HTTPS server with the programs that people use.
func (a authority) fetchers(t *testing.T, more string) string {
	t.Helper()
	fetch := `
curl -sSf ` + a.address + `/file
npm ping --registry ` + a.address + `/
python3 -c 'import urllib.request; print(urllib.request.urlopen("` + a.address + `/file").read())'
git ls-remote ` + a.address + `/repository.git
`
	return files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/bash -eu"),
		testbed.Cache("c", "setup.inline", fetch),
		testbed.Layer("l").Test(fetch+"echo 1 > $MD/version").Run(fetch+more).Link("c"),
	)})
}

func TestStepsTrustTheSecretAndTheImagesCertificates(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dir := a.fetchers(t, `
node -e 'fetch("`+a.address+`/file").then(r => r.text()).then(console.log, e => { console.error(e); process.exit(9) })'
grep -c BEGIN "$SSL_CERT_FILE" > $LAYER/count
grep -c BEGIN /etc/ssl/certs/ca-certificates.crt > $LAYER/image
`)
	secret := []string{"--secret", "id=ca-certificates,src=" + a.file}
	b := request{dir: dir, target: "l", buildImg: env.buildImage, args: secret}.build(t)
	var count, image int
	fmt.Sscan(b.read(t, "count"), &count)
	fmt.Sscan(b.read(t, "image"), &image)
	if image < 50 || count != image+1 {
		t.Errorf("steps trust %d certificates, and the image %d", count, image)
	}
	contains(t, request{dir: dir, target: "l", buildImg: env.buildImage, opts: map[string]string{"no-cache": ""}}.fail(t), "certificate")
}

func TestStepsTrustTheProxyOfBuildKit(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	system, err := os.ReadFile(os.Getenv("PACKFILE_CA_CERTIFICATES"))
	if err != nil {
		t.Fatal(err)
	}
	company, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(t.TempDir(), "daemon.crt")
	if err := os.WriteFile(trusted, bytes.Join([][]byte{system, company}, []byte("\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	addr := newDaemon(t, "proxy-overlayfs", "env", "SSL_CERT_FILE="+trusted) // what the proxy trusts
	dir := a.fetchers(t, "")
	for _, args := range [][]string{nil, {"--secret", "id=ca-certificates,src=" + a.file}} {
		b := request{dir: dir, target: "l", buildImg: env.buildImage, host: addr, args: args, opts: map[string]string{"no-cache": ""}}.build(t)
		contains(t, b.log, "proxy network requests:", a.address+"/-/ping")
	}
}
