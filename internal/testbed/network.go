package testbed

import (
	"net"
	"sync"
	"time"
)

// Network is what lies between a client and a registry that is somewhere else.
type Network struct {
	RoundTrip time.Duration // from a request to the first byte of its answer; a new connection takes another one
	Bandwidth int           // bytes a second in each direction, which all connections share
}

// wire is a network in use.
type wire struct {
	Network
	up, down direction
}

func newWire(n Network) *wire {
	return &wire{Network: n, up: direction{bandwidth: n.Bandwidth}, down: direction{bandwidth: n.Bandwidth}}
}

// burst is how far a direction may catch up: a sleep ends late, and what it lost would never be made good.
const burst = 5 * time.Millisecond

// direction is one of the two of a network.
type direction struct {
	bandwidth int
	mu        sync.Mutex
	free      time.Time // when all that was reserved so far is through
}

// pass waits for as long as n bytes take, behind those that came before.
func (d *direction) pass(n int) {
	d.mu.Lock()
	if earliest := time.Now().Add(-burst); d.free.Before(earliest) {
		d.free = earliest
	}
	d.free = d.free.Add(time.Duration(n) * time.Second / time.Duration(d.bandwidth))
	free := d.free
	d.mu.Unlock()
	time.Sleep(time.Until(free))
}

// listener accepts connections that go through the network it has at the time, if there is one.
type listener struct {
	net.Listener
	mu   sync.Mutex
	wire *wire
}

func (l *listener) set(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire = w
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wire == nil {
		return conn, nil
	}
	return newFarConn(conn, l.wire), nil
}

// farConn is the registry's end of a connection whose client is far away. The whole round trip is on the way back: the client
// cannot tell.
type farConn struct {
	net.Conn
	wire      *wire
	connected time.Time // when the client would know that it is connected
	underWay  chan flight
	closed    chan struct{}
	close     sync.Once
}

// flight is data on its way to the client.
type flight struct {
	data []byte
	due  time.Time
}

func newFarConn(conn net.Conn, w *wire) *farConn {
	const many = 1024 // more than a round trip's worth of usual pieces; a full channel slows down the sender
	c := &farConn{Conn: conn, wire: w, connected: time.Now().Add(w.RoundTrip), underWay: make(chan flight, many), closed: make(chan struct{})}
	go c.deliver()
	return c
}

// deliver hands over what reaches the client's end. It ends when the connection is closed and all has come; a client that has gone
// is told nothing, and the next Read fails.
func (c *farConn) deliver() {
	defer c.Conn.Close()
	hand := func(f flight) {
		time.Sleep(time.Until(f.due))
		c.Conn.Write(f.data)
	}
	for {
		select {
		case f := <-c.underWay:
			hand(f)
		case <-c.closed:
			for {
				select {
				case f := <-c.underWay:
					hand(f)
				default:
					return
				}
			}
		}
	}
}

// Read implements net.Conn.
func (c *farConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(time.Until(c.connected))
	c.wire.up.pass(n)
	return n, err
}

// Write implements net.Conn. It returns when the data has left, not when it has come.
func (c *farConn) Write(p []byte) (int, error) {
	c.wire.down.pass(len(p))
	select {
	case c.underWay <- flight{append([]byte(nil), p...), time.Now().Add(c.wire.RoundTrip)}:
		return len(p), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

// Close implements net.Conn. What was written before still comes to the client.
func (c *farConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	return nil
}
