package store

import "errors"

// ErrRetry marks an error after which nothing was written and trying again may help.
var ErrRetry = errors.New("store: try again")

// Retry wraps a cause so that errors.Is(err, ErrRetry) holds.
func Retry(cause error) error { return &retry{cause} }

// ErrStale marks an error that is ErrRetry too: what was decided on ahead was not so any more.
var ErrStale = errors.New("store: what was known is out of date")

// Stale wraps a cause so that errors.Is(err, ErrStale) and errors.Is(err, ErrRetry) hold.
func Stale(cause error) error { return &stale{retry{cause}} }

type stale struct{ retry }

func (s *stale) Is(target error) bool { return target == ErrStale || s.retry.Is(target) }

type retry struct{ cause error }

func (r *retry) Error() string { return "store: try again: " + r.cause.Error() }

func (r *retry) Unwrap() error { return r.cause }

func (r *retry) Is(target error) bool { return target == ErrRetry }
