package run

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// keystore is a Java keystore with entries of a kind, of a time.
func keystore(kind uint32, millis uint64, aliases ...string) []byte {
	data := []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2}
	text := func(s string) { data = append(binary.BigEndian.AppendUint16(data, uint16(len(s))), s...) }
	data = binary.BigEndian.AppendUint32(data, uint32(len(aliases)))
	for _, alias := range aliases {
		data = binary.BigEndian.AppendUint32(data, kind)
		text(alias)
		data = binary.BigEndian.AppendUint64(data, millis)
		text("X.509")
		data = append(binary.BigEndian.AppendUint32(data, 3), "der"...)
	}
	return append(data, keystoreDigest(data)...)
}

func TestKeystoresOfJavaHaveNoTimeOfTheDay(t *testing.T) {
	got := keystore(2, 1234567890, "debian:one.pem", "debian:two.pem")
	if !dateCertificates(got, 1000) || !bytes.Equal(got, keystore(2, 1000, "debian:one.pem", "debian:two.pem")) {
		t.Errorf("the keystore is %q", got)
	}
	plain := keystore(2, 1, "a")
	resealed := func(data []byte) []byte { return append(bytes.Clone(data), keystoreDigest(data)...) }
	for name, data := range map[string][]byte{
		"nothing":               nil,
		"a digest alone":        keystoreDigest(nil),
		"another password":      append(bytes.Clone(plain[:len(plain)-1]), plain[len(plain)-1]+1),
		"a private key":         keystore(1, 1, "a"),
		"a short one":           resealed(plain[:len(plain)-22]),
		"something at its end":  resealed(append(bytes.Clone(plain[:len(plain)-20]), 0)),
		"too many to be there":  resealed([]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff}),
		"a longer certificate":  resealed(bytes.Replace(plain[:len(plain)-20], []byte("\x00\x00\x00\x03der"), []byte("\xff\xff\xff\xffder"), 1)),
		"another kind of store": resealed(append([]byte{0xce, 0xce, 0xce, 0xce}, plain[4:len(plain)-20]...)),
	} {
		before := bytes.Clone(data)
		if dateCertificates(data, 1000) || !bytes.Equal(data, before) {
			t.Errorf("%s was changed", name)
		}
	}
}
