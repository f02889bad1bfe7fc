package dev

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// Keys are the texts of the demo app's keys. A database holds only their hashes, so they are
// kept in a file of their owner's.
type Keys struct {
	Test        string // secret
	Publishable string // of the test mode
	Live        string // secret
	File        string // where they are kept
	New         bool   // some were made just now
}

// slot is one of the keys, and what it has to be.
type slot struct {
	name       string // in the file
	mode, kind string
	text       *string
}

func (k *Keys) slots() []slot {
	return []slot{
		{"SCRIP_KEY", "test", "secret", &k.Test},
		{"SCRIP_PUBLISHABLE_KEY", "test", "publishable", &k.Publishable},
		{"SCRIP_LIVE_KEY", "live", "secret", &k.Live},
	}
}

// is reports whether a key of the database is the one in the slot, as far as its prefix tells.
func (s slot) is(key v1.Key) bool {
	return *s.text != "" && strings.HasPrefix(*s.text, key.Prefix) &&
		key.Mode == s.mode && key.Kind == s.kind && key.RevokedAt.IsZero()
}

// readKeys reads the file; what is not there or not understood stays empty.
func readKeys(file string) (Keys, error) {
	var k Keys
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fault.New("dev.readKeys", fault.CodeInvalidConfig, "the file with the keys cannot be read: mend it or remove it").Because(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		for _, s := range k.slots() {
			if s.name == name {
				*s.text = value
			}
		}
	}
	return k, nil
}

// write writes the file whole, readable by its owner only, in a form that a shell can source.
func (k *Keys) write() error {
	var b bytes.Buffer
	b.WriteString("# Keys of the app \"" + AppName + "\", made by scrip dev for the database beside this file.\n")
	for _, s := range k.slots() {
		fmt.Fprintf(&b, "%s=%s\n", s.name, *s.text)
	}
	if err := replaceFile(k.File, b.Bytes()); err != nil {
		return fault.New("dev.Keys.write", fault.CodeInvalidConfig, "the keys cannot be kept in %s", k.File).Because(err)
	}
	return nil
}

func replaceFile(name string, text []byte) error {
	// A temporary file is readable by its owner only, whatever the mode of what it replaces.
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
