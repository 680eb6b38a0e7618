package main

import (
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"    good_test.go:1: a word\n"}
{"Action":"output","Package":"a","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"a","Test":"TestBad/one","Output":"    bad_test.go:1: wrong\n"}
{"Action":"output","Package":"a","Test":"TestBad/two","Output":"    bad_test.go:2: right\n"}
{"Action":"pass","Package":"a","Test":"TestGood","Elapsed":2}
{"Action":"output","Package":"a","Test":"TestBad","Output":"--- FAIL: TestBad (3.00s)\n"}
{"Action":"output","Package":"a","Test":"TestBad/one","Output":"    --- FAIL: TestBad/one (1.00s)\n"}
{"Action":"fail","Package":"a","Test":"TestBad/one","Elapsed":1}
{"Action":"output","Package":"a","Test":"TestBad/two","Output":"    --- PASS: TestBad/two (1.00s)\n"}
{"Action":"pass","Package":"a","Test":"TestBad/two","Elapsed":1}
{"Action":"fail","Package":"a","Test":"TestBad","Elapsed":3}
{"Action":"output","Package":"a","Test":"TestPanics","Output":"panic: at the end\n"}
{"Action":"output","Package":"a","Output":"FAIL\ta\t5.000s\n"}
{"Action":"fail","Package":"a","Elapsed":5}
{"Action":"skip","Package":"b","Test":"TestQuick","Elapsed":0.04}
{"Action":"output","Package":"b","Output":"PASS\n"}
{"Action":"output","Package":"b","Output":"ok  \tb\t0.040s\n"}
{"ImportPath":"c","Action":"build-output","Output":"c.go:1: no such thing\n"}
go: a word of the go command
`

func TestOutputIsThatOfGoTestAndThenTheSlowest(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := report{out: &out}
	if err := r.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	r.printSlowest(2)
	const want = `    bad_test.go:1: wrong
--- FAIL: TestBad (3.00s)
    --- FAIL: TestBad/one (1.00s)
FAIL	a	5.000s
panic: at the end
ok  	b	0.040s
c.go:1: no such thing
go: a word of the go command

the slowest tests, in seconds:
     3.0  TestBad  a
     2.0  TestGood  a
`
	if got := out.String(); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}
