package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// maxLine bounds a line of a stream, in bytes.
const maxLine = 64 << 10

// ndjson is the content type of lines of JSON.
const ndjson = "application/x-ndjson"

// lines is an operation that also takes lines of JSON, however many: it reads them while they
// arrive. What takes many events at once takes large bodies, too.
func lines[Out any](h handler, f func(context.Context, v1.Operations, *http.Request) (Out, error)) handler {
	h.stream = func(ctx context.Context, ops v1.Operations, r *http.Request) (any, error) { return f(ctx, ops, r) }
	return h
}

// streams reports whether a request sends lines to an operation that takes them.
func streams(r *http.Request, rt *route) bool {
	return rt.stream != nil && r.Header.Get("Content-Type") == ndjson
}

// ingestLines reports usage events as they come, a full call's worth at a time. When a line is
// wrong, what came before it is stored, the error says so, and the whole stream can be sent again:
// an event counts once, for ever.
func ingestLines(ctx context.Context, ops v1.Operations, r *http.Request) (v1.Ingested, error) {
	const op = "api.ingestLines"
	var total v1.Ingested
	readEvent := reader[v1.UsageEvent]()
	scan := bufio.NewScanner(r.Body)
	scan.Buffer(make([]byte, 0, 4<<10), maxLine)
	batch := v1.IngestRequest{Events: make([]v1.UsageEvent, 0, v1.MaxEvents)}
	line, first := 0, 1
	send := func() error {
		if len(batch.Events) == 0 {
			return nil
		}
		done, err := ops.IngestEvents(ctx, batch)
		total.Ingested += done.Ingested
		total.Duplicates += done.Duplicates
		batch.Events = batch.Events[:0]
		if err != nil {
			return stopped(err, "lines "+strconv.Itoa(first)+" to "+strconv.Itoa(line), total)
		}
		first = line + 1
		return nil
	}
	for scan.Scan() {
		line++
		if len(bytes.TrimSpace(scan.Bytes())) == 0 {
			continue
		}
		event, err := readEvent(scan.Bytes())
		if err != nil {
			return total, stopped(err, "line "+strconv.Itoa(line), total)
		}
		if batch.Events = append(batch.Events, event); len(batch.Events) == v1.MaxEvents {
			if err := send(); err != nil {
				return total, err
			}
		}
	}
	if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
		return total, stopped(fault.New(op, fault.CodeRequestTooLarge, "a line has at most %d bytes", maxLine), "line "+strconv.Itoa(line+1), total)
	} else if err != nil {
		return total, stopped(fault.New(op, fault.CodeInvalidRequest, "the body did not arrive whole").Because(err), "line "+strconv.Itoa(line+1), total)
	}
	return total, send()
}

// stopped says where a stream ended, and what of it is stored.
func stopped(err error, where string, done v1.Ingested) error {
	e := fault.As(err)
	return fault.New(e.Op, e.Code, "%s: %s; what came before is stored, and the stream can be sent again from its beginning", where, e.Message).
		In(e.Field).With("ingested", done.Ingested).With("duplicates", done.Duplicates).Because(e.Err)
}
