package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"

	v1 "github.com/seed42445051/scrip/v1"
)

// access says which keys may call a route.
type access uint8

const (
	secretOnly  access = iota // a secret key
	ownCustomer               // also a publishable key, for the customer of its customer token
	anyKey                    // also a publishable key by itself: what is for sale is no secret (V28)
)

// route is one line of the table: where an operation is, and which one.
type route struct {
	method, path string
	id           string // operationId of the document
	summary      string
	access       access
	handler
}

// handler calls one operation. Its types describe the operation to the document.
type handler struct {
	body, query, out reflect.Type // nil: none
	status           int
	free             bool                                                                       // it changes nothing, whatever its method
	checked          bool                                                                       // the operation's transaction checks the key: see accounts.Identify
	stream           func(ctx context.Context, ops v1.Operations, r *http.Request) (any, error) // instead of call, for a body of lines of JSON, which it reads as they come
	call             func(ctx context.Context, ops v1.Operations, in *input) (any, error)
}

// input is a request that was let in.
type input struct {
	id    string // {id} of the path
	body  []byte
	query url.Values
	opts  []v1.Option
}

// operation makes a handler of what reads the input and calls the operation.
func operation[Out any](body, query reflect.Type, call func(ctx context.Context, ops v1.Operations, in *input) (any, error)) handler {
	return handler{body: body, query: query, out: reflect.TypeFor[Out](), status: http.StatusOK, call: call}
}

// created is an operation whose success answers 201.
func created(h handler) handler {
	h.status = http.StatusCreated
	return h
}

// checked is an operation whose answer comes from a command on a wallet, which checks the key.
func checked(h handler) handler {
	h.checked = true
	return h
}

// most bounds the body, in bytes.
func (h *handler) most() int64 {
	if h.stream != nil {
		return v1.MaxEventsBody
	}
	return v1.MaxBody
}

// act is an operation with a body that happens once per idempotency key.
func act[In, Out any](f func(v1.Operations, context.Context, In, ...v1.Option) (Out, error)) handler {
	readBody := reader[In]()
	return operation[Out](reflect.TypeFor[In](), nil, func(ctx context.Context, ops v1.Operations, in *input) (any, error) {
		body, err := readBody(in.body)
		if err != nil {
			return nil, err
		}
		return f(ops, ctx, body, in.opts...)
	})
}

// ask is an operation with a body that changes nothing.
func ask[In, Out any](f func(v1.Operations, context.Context, In) (Out, error)) handler {
	readBody := reader[In]()
	h := operation[Out](reflect.TypeFor[In](), nil, func(ctx context.Context, ops v1.Operations, in *input) (any, error) {
		body, err := readBody(in.body)
		if err != nil {
			return nil, err
		}
		return f(ops, ctx, body)
	})
	h.free = true
	return h
}

// actOn is act on what the path names.
func actOn[In, Out any](f func(v1.Operations, context.Context, string, In, ...v1.Option) (Out, error)) handler {
	readBody := reader[In]()
	return operation[Out](reflect.TypeFor[In](), nil, func(ctx context.Context, ops v1.Operations, in *input) (any, error) {
		body, err := readBody(in.body)
		if err != nil {
			return nil, err
		}
		return f(ops, ctx, in.id, body, in.opts...)
	})
}

// askOn is ask about what the path names.
func askOn[In, Out any](f func(v1.Operations, context.Context, string, In) (Out, error)) handler {
	h := actOn(func(ops v1.Operations, ctx context.Context, id string, in In, _ ...v1.Option) (Out, error) {
		return f(ops, ctx, id, in)
	})
	h.free = true
	return h
}

// end is an action on what the path names that needs to be told nothing else.
func end[Out any](f func(v1.Operations, context.Context, string, ...v1.Option) (Out, error)) handler {
	return operation[Out](nil, nil, func(ctx context.Context, ops v1.Operations, in *input) (any, error) {
		if err := decode(in.body, &struct{}{}, shapeOf(reflect.TypeFor[struct{}]())); err != nil {
			return nil, err
		}
		return f(ops, ctx, in.id, in.opts...)
	})
}

// try is end for what changes nothing, and so may happen again.
func try[Out any](f func(v1.Operations, context.Context, string) (Out, error)) handler {
	return end(func(ops v1.Operations, ctx context.Context, id string, _ ...v1.Option) (Out, error) {
		return f(ops, ctx, id)
	})
}

// get reads what the path names.
func get[Out any](f func(v1.Operations, context.Context, string) (Out, error)) handler {
	return listOf(func(ops v1.Operations, ctx context.Context, id string, _ struct{}) (Out, error) {
		return f(ops, ctx, id)
	})
}

// all reads what there is.
func all[Out any](f func(v1.Operations, context.Context) (Out, error)) handler {
	return list(func(ops v1.Operations, ctx context.Context, _ struct{}) (Out, error) { return f(ops, ctx) })
}

// list reads what the query selects.
func list[Q, Out any](f func(v1.Operations, context.Context, Q) (Out, error)) handler {
	return listOf(func(ops v1.Operations, ctx context.Context, _ string, q Q) (Out, error) { return f(ops, ctx, q) })
}

// listOf reads what the query selects of what the path names.
func listOf[Q, Out any](f func(v1.Operations, context.Context, string, Q) (Out, error)) handler {
	return operation[Out](nil, reflect.TypeFor[Q](), func(ctx context.Context, ops v1.Operations, in *input) (any, error) {
		var q Q
		if err := readQuery(in.query, reflect.ValueOf(&q).Elem()); err != nil {
			return nil, err
		}
		return f(ops, ctx, in.id, q)
	})
}
