package testbed

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// farProxy is a proxy behind a network. Its server answers with what it was sent.
func farProxy(t *testing.T, n Network) *Proxy {
	t.Helper()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		w.Write(data)
	}))
	t.Cleanup(echo.Close)
	p, err := NewProxy(strings.TrimPrefix(echo.URL, "http://"))
	require.NoError(t, err)
	t.Cleanup(p.Close)
	p.MoveAway(n)
	return p
}

// roundTrip sends data and wants it back, and returns how long that took.
func roundTrip(c *http.Client, p *Proxy, data []byte) (time.Duration, error) {
	start := time.Now()
	resp, err := c.Post("http://"+p.Address+"/v2/", "application/octet-stream", bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	took := time.Since(start)
	if err == nil && !bytes.Equal(data, got) {
		err = fmt.Errorf("%d bytes came back as %d others", len(data), len(got))
	}
	return took, err
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestARequestOverANetworkTakesARoundTripAndItsConnectionAnother(t *testing.T) {
	const way = 500 * time.Millisecond
	p, c := farProxy(t, Network{RoundTrip: way, Bandwidth: 1e9}), newClient(t)
	first, err := roundTrip(c, p, []byte("first"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, first, 2*way)
	again, err := roundTrip(c, p, []byte("again"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, again, way)
	assert.Less(t, again, 2*way, "the connection was there")
}

func TestConnectionsShareTheBandwidthOfANetworkInEachDirection(t *testing.T) {
	const bandwidth, size, clients = 4e6, 1_000_000, 2
	big := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			w.Write(make([]byte, size))
		}
	}))
	t.Cleanup(big.Close)
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		p, err := NewProxy(strings.TrimPrefix(big.URL, "http://"))
		require.NoError(t, err)
		t.Cleanup(p.Close)
		p.MoveAway(Network{Bandwidth: bandwidth})
		start := time.Now()
		var all errgroup.Group
		for range clients {
			c := newClient(t)
			all.Go(func() error {
				var body io.Reader
				if method == http.MethodPut {
					body = bytes.NewReader(make([]byte, size))
				}
				req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Address+"/v2/", body)
				if err != nil {
					return err
				}
				resp, err := c.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
				return err
			})
		}
		require.NoError(t, all.Wait())
		assert.GreaterOrEqual(t, time.Since(start), clients*size*time.Second/bandwidth-2*burst, method)
	}
}

func TestADistantRegistryAnswersAsManyBytesAtOnceAsItsBandwidthAllows(t *testing.T) {
	const size = 5_000_000
	p := farProxy(t, Network{RoundTrip: 50 * time.Millisecond, Bandwidth: 100e6})
	took, err := roundTrip(newClient(t), p, make([]byte, size))
	require.NoError(t, err)
	assert.Less(t, took, 5*time.Second, "a round trip for each piece")
}
