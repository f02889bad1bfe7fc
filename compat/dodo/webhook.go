package dodo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
)

// webhookRoutes are where the vendor's events are sent (dodo.md section 13.1).
var webhookRoutes = []route{
	{http.MethodPost, "/webhooks", http.StatusOK, (*call).createWebhook},
	{http.MethodGet, "/webhooks", http.StatusOK, (*call).listWebhooks},
	{http.MethodGet, "/webhooks/{webhook}", http.StatusOK, (*call).getWebhook},
	{http.MethodPatch, "/webhooks/{webhook}", http.StatusOK, (*call).updateWebhook},
	{http.MethodDelete, "/webhooks/{webhook}", http.StatusOK, (*call).deleteWebhook},
	{http.MethodGet, "/webhooks/{webhook}/secret", http.StatusOK, (*call).webhookSecret},
	{http.MethodGet, "/webhooks/{webhook}/headers", http.StatusOK, (*call).webhookHeaders},
	{http.MethodPatch, "/webhooks/{webhook}/headers", http.StatusOK, (*call).addWebhookHeaders},
}

// Format is the format of the endpoints that are made here, and of the bodies that they get.
const Format = "dodo"

// eventTypes are the events that the vendor has (section 13.5). Which of them happen, the
// services decide.
var eventTypes = strings.Fields(`
	payment.succeeded payment.failed payment.processing payment.cancelled refund.succeeded refund.failed
	dispute.opened dispute.expired dispute.accepted dispute.cancelled dispute.challenged dispute.won dispute.lost
	subscription.active subscription.renewed subscription.on_hold subscription.past_due subscription.paused
	subscription.unpaused subscription.cancelled subscription.failed subscription.expired subscription.plan_changed
	subscription.updated subscription.update_payment_method license_key.created
	payout.created payout.on_hold payout.in_progress payout.failed payout.success
	credit.added credit.deducted credit.expired credit.rolled_over credit.rollover_forfeited credit.overage_charged
	credit.overage_reset credit.manual_adjustment credit.balance_low
	abandoned_checkout.detected abandoned_checkout.recovered dunning.started dunning.recovered
	entitlement_grant.created entitlement_grant.delivered entitlement_grant.failed entitlement_grant.revoked
`)

// webhook is an endpoint. No types are all of them, and no rate is no limit.
type webhook struct {
	ID          string            `json:"id"`
	URL         string            `json:"url"`
	Description string            `json:"description"`
	Disabled    bool              `json:"disabled"`
	FilterTypes []string          `json:"filter_types"`
	RateLimit   *int              `json:"rate_limit"`
	Metadata    map[string]string `json:"metadata"`
	CreatedAt   clock.Instant     `json:"created_at"`
	UpdatedAt   clock.Instant     `json:"updated_at"`
}

func webhookOut(e *v1.WebhookEndpoint) webhook {
	out := webhook{
		ID: e.ID, URL: e.URL, Description: e.Description, Disabled: e.Disabled, RateLimit: unlessZero(e.RateLimit),
		Metadata: present(e.Metadata), CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if len(e.Events) > 0 {
		out.FilterTypes = filterOut(e.Events)
	}
	return out
}

// texts is an object of text. Other metadata has numbers too, that of an endpoint has not
// (section 4).
type texts map[string]string

// UnmarshalJSON refuses null for a value, which would be taken for empty text.
func (t *texts) UnmarshalJSON(data []byte) error {
	var raw map[string]*string
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = make(texts, len(raw))
	for name, value := range raw {
		if value == nil {
			return fault.New("dodo.texts", fault.CodeInvalidRequest, "%q must be text", name)
		}
		(*t)[name] = *value
	}
	return nil
}

// webhookBody is what creating and updating an endpoint take; headers and the idempotency key are
// for creating only.
type webhookBody struct {
	URL            optional[string]   `json:"url"`
	Description    optional[string]   `json:"description"`
	Disabled       optional[bool]     `json:"disabled"`
	FilterTypes    optional[[]string] `json:"filter_types"`
	Headers        optional[texts]    `json:"headers"`
	IdempotencyKey optional[string]   `json:"idempotency_key"`
	Metadata       optional[texts]    `json:"metadata"`
	RateLimit      optional[int]      `json:"rate_limit"`
}

func (c *call) webhookBody() (webhookBody, error) {
	var body webhookBody
	if err := c.decode(&body); err != nil {
		return body, err
	}
	for _, name := range body.FilterTypes.value {
		if !slices.Contains(eventTypes, name) {
			return body, invalidBody("filter_types: there is no such event: " + name)
		}
	}
	body.FilterTypes.value = filterIn(body.FilterTypes.value)
	return body, nil
}

func (c *call) createWebhook() (any, error) {
	body, err := c.webhookBody()
	if err != nil {
		return nil, err
	}
	if !body.URL.has() {
		return nil, invalidBody("url is required")
	}
	opts, err := once(body.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	made, err := c.CreateWebhookEndpoint(c, v1.CreateWebhookEndpoint{
		URL: body.URL.value, Description: body.Description.value, Format: Format, Events: body.FilterTypes.value,
		Headers: body.Headers.value, Disabled: body.Disabled.value, RateLimit: body.RateLimit.value, Metadata: v1.Metadata(body.Metadata.value),
	}, opts...)
	if err != nil {
		return nil, err
	}
	return webhookOut(&made), nil
}

// ours reports whether an endpoint is one of this interface; what was archived was deleted here.
func ours(e *v1.WebhookEndpoint) bool { return e.Format == Format && e.ArchivedAt.IsZero() }

// webhook finds the endpoint that the path names.
func (c *call) webhook() (v1.WebhookEndpoint, error) {
	found, err := c.GetWebhookEndpoint(c, c.path("webhook"))
	if err == nil && !ours(&found) {
		err = notFound("there is no such webhook endpoint")
	}
	return found, err
}

func (c *call) getWebhook() (any, error) {
	found, err := c.webhook()
	if err != nil {
		return nil, err
	}
	return webhookOut(&found), nil
}

// webhookPage is the vendor's only list that goes by a cursor. The SDKs end where there is no
// iterator, whatever done says (section 3).
type webhookPage struct {
	Data     []webhook `json:"data"`
	Iterator *string   `json:"iterator"`
	Done     bool      `json:"done"`
}

// listWebhooks lists endpoints, the newest first. The iterator is the last id of a page, so that
// it holds although endpoints come and go meanwhile.
func (c *call) listWebhooks() (any, error) {
	limit, err := c.number("limit", maxPage, 1, maxPage)
	if err != nil {
		return nil, err
	}
	before := c.query.Get("iterator")
	if before != "" && !strings.HasPrefix(before, id.PrefixWebhook+"_") {
		return nil, invalidQuery("iterator must be the one of a page before")
	}
	list, err := c.ListWebhookEndpoints(c)
	if err != nil {
		return nil, err
	}
	page := webhookPage{Data: []webhook{}, Done: true}
	for _, e := range slices.Backward(list.Data) {
		switch {
		case !ours(&e), before != "" && e.ID >= before:
		case len(page.Data) < limit:
			page.Data = append(page.Data, webhookOut(&e))
		default:
			page.Iterator, page.Done = &page.Data[limit-1].ID, false
			return page, nil
		}
	}
	return page, nil
}

// updateWebhook clears with null what can be empty, and leaves the url and whether it is disabled:
// an endpoint always has both.
func (c *call) updateWebhook() (any, error) {
	body, err := c.webhookBody()
	if err != nil {
		return nil, err
	}
	if _, err := c.webhook(); err != nil {
		return nil, err
	}
	changed, err := c.UpdateWebhookEndpoint(c, c.path("webhook"), v1.UpdateWebhookEndpoint{
		URL: body.URL.pointer(), Disabled: body.Disabled.pointer(), Description: body.Description.setting(), Events: body.FilterTypes.setting(),
		RateLimit: body.RateLimit.setting(), Metadata: (*v1.Metadata)(body.Metadata.setting()),
	})
	if err != nil {
		return nil, err
	}
	return webhookOut(&changed), nil
}

func (c *call) deleteWebhook() (any, error) {
	found, err := c.webhook()
	if err != nil {
		return nil, err
	}
	_, err = c.ArchiveWebhookEndpoint(c, found.ID)
	return nil, err
}

// secret is what signs.
type secret struct {
	Secret string `json:"secret"`
}

func (c *call) webhookSecret() (any, error) {
	found, err := c.webhook()
	if err != nil {
		return nil, err
	}
	signing, err := c.GetWebhookSecret(c, found.ID)
	if err != nil {
		return nil, err
	}
	return secret{signing.Secret}, nil
}

// headers are sent with every request. None is withheld, since who asks here may also read them
// in Scrip's own interface.
type headers struct {
	Headers   map[string]string `json:"headers"`
	Sensitive []string          `json:"sensitive"`
}

func (c *call) webhookHeaders() (any, error) {
	found, err := c.webhook()
	if err != nil {
		return nil, err
	}
	return headers{present(found.Headers), []string{}}, nil
}

// headersBody is headers to update or add; others stay.
type headersBody struct {
	Headers optional[texts] `json:"headers"`
}

func (c *call) addWebhookHeaders() (any, error) {
	var body headersBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.Headers.has() {
		return nil, invalidBody("headers is required")
	}
	found, err := c.webhook()
	if err != nil {
		return nil, err
	}
	_, err = c.AddWebhookHeaders(c, found.ID, body.Headers.value)
	return nil, err
}
