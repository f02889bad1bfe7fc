package v1

// HTML is a page for people to read, as it is.
type HTML string
