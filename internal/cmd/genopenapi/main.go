// Command genopenapi writes the OpenAPI document of the native API. It is made from the table of
// routes, so that it cannot disagree with the server; package api serves the written file.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/seed42445051/scrip/api"
)

func main() {
	out := flag.String("o", "api/openapi.json", "the file to write")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "genopenapi:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	doc, err := api.OpenAPI()
	if err != nil {
		return err
	}
	return os.WriteFile(path, doc, 0o644)
}
