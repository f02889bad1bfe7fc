package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Conn is one persistent connection of HTTP/1.1, without the cost of a general client: requests
// are bytes that were made before, and an answer is read into a buffer that is used again. The
// load generator shares the cores with the server, so what it does not use, the server can.
type Conn struct {
	net net.Conn
	buf []byte
	out []byte // for a request that must be put together
}

// Dial connects to a server.
func Dial(ctx context.Context, address string) (*Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Conn{net: c, buf: make([]byte, 16<<10)}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.net.Close() }

var (
	headEnd       = []byte("\r\n\r\n")
	lengthHeader  = []byte("\r\nContent-Length: ")
	chunkedHeader = []byte("\r\nTransfer-Encoding: chunked")
	lastChunk     = []byte("\r\n0\r\n\r\n")
)

// errAnswer is an answer that is not what this client understands.
var errAnswer = errors.New("bench: the server's answer is not understood")

// Do sends a request and returns the answer's status and body. The body is valid until the
// next call; chunks, where the server sent some, are left as they came.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if _, err := c.net.Write(request); err != nil {
		return 0, nil, err
	}
	n, head := 0, -1
	for head < 0 {
		if n, err = c.more(n); err != nil {
			return 0, nil, err
		}
		head = bytes.Index(c.buf[:n], headEnd)
	}
	header := c.buf[:head+2]
	if len(header) < len("HTTP/1.1 200") {
		return 0, nil, errAnswer
	}
	if status, err = strconv.Atoi(string(header[9:12])); err != nil {
		return 0, nil, errAnswer
	}
	head += len(headEnd)
	if bytes.Contains(header, chunkedHeader) {
		for !bytes.HasSuffix(c.buf[head-2:n], lastChunk) {
			if n, err = c.more(n); err != nil {
				return 0, nil, err
			}
		}
		return status, c.buf[head:n], nil
	}
	length, err := contentLength(header)
	if err != nil {
		return 0, nil, err
	}
	for n < head+length {
		if n, err = c.more(n); err != nil {
			return 0, nil, err
		}
	}
	return status, c.buf[head:n], nil
}

// more reads what has come into the buffer behind the first n bytes.
func (c *Conn) more(n int) (int, error) {
	if n == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	read, err := c.net.Read(c.buf[n:])
	return n + read, err
}

func contentLength(header []byte) (int, error) {
	i := bytes.Index(header, lengthHeader)
	if i < 0 {
		return 0, errAnswer
	}
	value := header[i+len(lengthHeader):]
	end := bytes.IndexByte(value, '\r')
	if end < 0 {
		return 0, errAnswer
	}
	length, err := strconv.Atoi(string(value[:end]))
	if err != nil {
		return 0, errAnswer
	}
	return length, nil
}

// want is an error when an answer is not 200.
func want(status int, body []byte) error {
	if status == 200 {
		return nil
	}
	const most = 300
	return fmt.Errorf("bench: the server answered %d: %s", status, body[:min(len(body), most)])
}

// post is the text of a request with a JSON body.
func post(path, key, body string) []byte {
	return []byte(postHead(path, key) + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// postHead is such a request up to the length of its body.
func postHead(path, key string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + key +
		"\r\nContent-Type: application/json\r\nContent-Length: "
}
