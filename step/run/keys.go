package run

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// privateKey matches the beginning of a file with a private key.
var privateKey = regexp.MustCompile(`^-----BEGIN [A-Z ]*PRIVATE KEY-----`)

// maxKey is the size of the largest file that is looked at for a private key, in bytes.
const maxKey = 64 << 10

// tellOfKeys prints which of the changed files are private keys that a script has made, as those of an SSH server.
func (in *installer) tellOfKeys(changed []string) {
	for _, path := range changed {
		file := filepath.Join(in.root, path)
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxKey {
			continue
		}
		if data, err := os.ReadFile(file); err == nil && privateKey.Match(data) && !in.isShipped(path) {
			say(step.StepBinary, text.Path("/"+path)+" is a private key that a script of a package has made: everybody who has the image has it, "+
				"and another build makes another one; it should be made when the app starts")
		}
	}
}

// isShipped reports whether a package has a file of that path in it.
func (in *installer) isShipped(path string) bool {
	lists, err := filepath.Glob(filepath.Join(in.root, "var/lib/dpkg/info/*.list"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(lists, func(list string) bool {
		data, err := os.ReadFile(list)
		return err == nil && slices.Contains(strings.Split(string(data), "\n"), "/"+path)
	})
}

// javaKeystore is where Debian has the certificates that Java trusts. A script of ca-certificates-java makes it.
const javaKeystore = "etc/ssl/certs/java/cacerts"

// dateKeystore gives all entries of Java's keystore the time of the layer: they have that of the day, which means nothing.
func (in *installer) dateKeystore() error {
	path := filepath.Join(in.root, javaKeystore)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !dateCertificates(data, uint64(in.task.Time)*1000) {
		return nil // of another kind, or somebody's own
	}
	return os.WriteFile(path, data, info.Mode().Perm())
}

// dateCertificates sets the time of all entries of a Java keystore, in milliseconds since 1970, and reports whether it did. It leaves
// a keystore as it is that has anything but certificates, or another password than the usual one.
//
// Source: engineLoad in sun.security.provider.JavaKeyStore of OpenJDK.
func dateCertificates(keystore []byte, millis uint64) bool {
	const magic, version, certificate = 0xfeedfeed, 2, 2
	end := len(keystore) - sha1.Size
	if end < 12 || !bytes.Equal(keystoreDigest(keystore[:end]), keystore[end:]) {
		return false
	}
	rest, ok := keystore[:end], true
	next := func(n int) []byte {
		if ok = ok && n >= 0 && n <= len(rest); !ok {
			return make([]byte, 8)
		}
		part := rest[:n]
		rest = rest[n:]
		return part
	}
	number := func() uint32 { return binary.BigEndian.Uint32(next(4)) }
	text := func() { next(int(binary.BigEndian.Uint16(next(2)))) }
	var times [][]byte
	ok = number() == magic && number() == version
	for count := number(); ok && count > 0; count-- {
		ok = ok && number() == certificate
		text() // its alias
		times = append(times, next(8))
		text() // its type
		next(int(number()))
	}
	if !ok || len(rest) > 0 {
		return false
	}
	for _, t := range times {
		binary.BigEndian.PutUint64(t, millis)
	}
	copy(keystore[end:], keystoreDigest(keystore[:end]))
	return true
}

// keystoreDigest returns the digest at the end of a Java keystore with the password that everybody knows.
func keystoreDigest(content []byte) []byte {
	h := sha1.New()
	for _, unit := range utf16.Encode([]rune("changeit")) {
		h.Write(binary.BigEndian.AppendUint16(nil, unit))
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(content)
	return h.Sum(nil)
}
