package serve

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// slop is what net/http reads beyond the limit before it refuses.
const slop = 4096

// TestHeadersAreLimited sends headers of the greatest length, and longer ones.
func TestHeadersAreLimited(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	l, err := Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Log: slog.New(slog.DiscardHandler)}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx, l) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for length, want := range map[int]int{maxHeader: http.StatusOK, maxHeader + slop + 1: http.StatusRequestHeaderFieldsTooLarge} {
		if got := status(t, "http://"+l.Addr().String(), length); got != want {
			t.Errorf("headers of %d bytes: %d, want %d", length, got, want)
		}
	}
}

// status asks with headers of so many bytes, the request's first line included.
func status(t *testing.T, url string, length int) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "t")
	rest := "GET / HTTP/1.1\r\nHost: " + req.Host + "\r\nUser-Agent: t\r\nX-Long: \r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
	req.Header.Set("X-Long", strings.Repeat("x", length-len(rest)))
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
