package store

import "errors"

// ErrRetry marks an error after which nothing was written and trying again may help.
var ErrRetry = errors.New("store: try again")

// Retry wraps a cause so that errors.Is(err, ErrRetry) holds.
func Retry(cause error) error { return &retry{cause} }

type retry struct{ cause error }

func (r *retry) Error() string { return "store: try again: " + r.cause.Error() }

func (r *retry) Unwrap() error { return r.cause }

func (r *retry) Is(target error) bool { return target == ErrRetry }
