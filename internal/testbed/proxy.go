package testbed

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// Proxy stands before a registry and measures what moves. It measures at the registry, since that is where a build pulls from.
type Proxy struct {
	Address  string // name of the registry for clients
	Traffic  Meter
	server   *http.Server
	listener *listener
}

// NewProxy starts a proxy before the registry of a host.
func NewProxy(registry string) (*Proxy, error) {
	return newProxy(&http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true}, registry)
}

// newProxy starts a proxy with a transport that does not compress: it counts bytes as the client asked for them.
func newProxy(transport http.RoundTripper, host string) (*Proxy, error) {
	loopback, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Address: loopback.Addr().String(), listener: &listener{Listener: loopback}}
	p.server = &http.Server{Handler: &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // the client gets the error
		Rewrite: func(req *httputil.ProxyRequest) {
			req.SetURL(&url.URL{Scheme: "http", Host: host})
			req.Out.Host = req.In.Host // the registry builds the next addresses for clients from it
			p.Traffic.request(req.Out)
		},
		ModifyResponse: func(resp *http.Response) error {
			p.Traffic.response(resp)
			return nil
		},
	}}
	go p.server.Serve(p.listener)
	return p, nil
}

// MoveAway puts a network between the proxy and its clients: connections that are made from now on go through it.
func (p *Proxy) MoveAway(n Network) { p.listener.set(newWire(n)) }

// Close ends the proxy and the connections through it.
func (p *Proxy) Close() { p.server.Close() }

// Image returns the name of an image of the registry by way of the proxy.
func (p *Proxy) Image(name string) string {
	_, rest, _ := strings.Cut(name, "/")
	return p.Address + "/" + rest
}
