package api

import (
	"net/http"

	v1 "github.com/seed42445051/scrip/v1"
)

// ThanksPath is where customers end who have paid and were given no address to come back to: a payment
// provider's page must lead somewhere. The page knows nothing of what was paid, and grants nothing.
const ThanksPath = "GET /thanks"

const thanks = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Thank you</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}</style></head>
<body><h1>Thank you</h1><p>You can close this page. What you have bought is there as soon as the payment has arrived.</p></body></html>
`

// Thanks is that page.
func Thanks() http.Handler {
	return v1.HTML(thanks)
}
