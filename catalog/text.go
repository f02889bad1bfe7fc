package catalog

import (
	"strings"
	"unicode/utf8"
)

// Longer reports whether a text has more characters than allowed: whoever counts what they typed
// counts characters, in whatever script.
func Longer(s string, most int) bool { return len(s) > most && utf8.RuneCountInString(s) > most }

// ValidText reports whether every database keeps a text as it is, inside JSON too: valid UTF-8
// without U+0000. What is kept otherwise comes back changed, and an entry that holds it would no
// longer have its hash.
func ValidText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
