package stripe

import "log/slog"

// Secret is a text that nothing prints: no verb of fmt, no log and no JSON. Its text is inside a
// function, so that printers that follow pointers do not find it either.
type Secret struct{ reveal func() string }

// hidden is what is printed of a secret.
const hidden = "[hidden]"

// NewSecret hides a text. The secret of no text is the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// Set tells whether there is a text.
func (s Secret) Set() bool { return s.reveal != nil }

// text is the secret itself. It goes into requests and signatures, and nowhere else.
func (s Secret) text() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String tells whether there is a secret, and not which.
func (s Secret) String() string {
	if s.reveal == nil {
		return ""
	}
	return hidden
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue is String, for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON and the like. It never fails.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is String as JSON. It never fails.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(s.GoString()), nil }
