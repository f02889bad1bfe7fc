package model_test

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/wallet"
)

// steps is how long a history is. Short ones keep the model fast, which counts everything anew.
const steps = 200

// patience bounds, as a multiple of the steps asked for, how long TestHistories goes on for what has not
// occurred yet.
const patience = 5

func bare(key wallet.Key, defs *catalog.Definitions) model.Subject { return model.NewBare(key, defs) }

// TestHistories leads bare wallets through random histories. SCRIP_TEST_OPS sets how many steps
// there are in all, SCRIP_TEST_SEED repeats a run.
func TestHistories(t *testing.T) {
	ops := testenv.Ops(t, usualOps)
	seed := testenv.Seed(t)
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // the model makes much garbage, and little is alive
	t.Logf("%s=%d", testenv.SeedVariable, seed)
	r := rand.New(rand.NewPCG(seed, 0))
	cov := model.NewCoverage()
	for cov.Steps < ops || cov.Steps < patience*ops && len(missing(cov, ops)) > 0 {
		h := model.NewHistory(r.Uint64(), steps)
		if f := model.Run(h, bare, cov, nil); f != nil {
			short, f := model.Shrink(h, bare, f, 2000)
			t.Fatalf("after %d steps, in the history of %d, shrunk to %d steps, the last of which fails:\n%s\n\n%s",
				cov.Steps, h.Seed, len(short.Steps), f.Problem, model.Tell(short, bare))
		}
	}
	t.Log(cov)
	for _, what := range missing(cov, ops) {
		t.Error(what)
	}
}

// missing is what has never occurred and should have in so many steps: a test that meets nothing proves
// nothing.
func missing(cov *model.Coverage, ops int) []string {
	var all []string
	if ops >= 20_000 {
		all = uncovered(cov)
	}
	if ops >= 500_000 {
		all = append(all, rarelyUncovered(cov)...)
	}
	return all
}

// uncovered is what every run has that is not a very short one.
func uncovered(cov *model.Coverage) (all []string) {
	never := func(format string, what any) { all = append(all, fmt.Sprintf(format, what)) }
	for _, kind := range wallet.EntryTypes() {
		if cov.Entries[kind] == 0 {
			never("no %s was ever written", kind)
		}
	}
	for _, reason := range []wallet.Reason{
		wallet.NoSubscription, wallet.PlanExhausted, wallet.PlanAndCreditsExhausted, wallet.CreditsExhausted,
		wallet.UnmatchedEvent, wallet.OverageLimitReached,
	} {
		if cov.Reasons[reason] == 0 {
			never("nothing was ever denied for %s", reason)
		}
	}
	for _, command := range []string{
		"GiveCredits", "Deduct", "Track", "Reserve", "Commit", "Release", "Extend", "RevokeGrant", "Freeze", "Adjust",
		"Reverse", "Subscribe", "EndSubscription", "PauseSubscription", "EditSubscription", "CloseInvoice", "ResetOverage", "PlaceOrder", "OpenOrder", "CancelOrder", "AskRefund", "TellOrder", "SetTopUp", "ForgetPayer",
	} {
		if cov.Commands[command+": ok"] == 0 {
			never("%s never succeeded", command)
		}
	}
	for _, change := range []wallet.SubscriptionChange{
		wallet.SubscriptionStarted, wallet.SubscriptionRenewed, wallet.SubscriptionConverted, wallet.SubscriptionPlanChanged,
		wallet.SubscriptionChangeSet, wallet.SubscriptionChangeUnset, wallet.SubscriptionCancelSet, wallet.SubscriptionReactivated,
		wallet.SubscriptionUpdated, wallet.SubscriptionPaused, wallet.SubscriptionResumed, wallet.SubscriptionEnded,
	} {
		if cov.Situation["subscription "+string(change)] == 0 {
			never("no subscription was ever %s", change)
		}
	}
	return all
}

// rarelyUncovered is uncovered for what takes a long run to occur: the table of design section 5.3,
// and each way of refusing.
func rarelyUncovered(cov *model.Coverage) (all []string) {
	never := func(format string, what any) { all = append(all, fmt.Sprintf(format, what)) }
	for _, fate := range []string{"active", "expired", "revoked", "rolled_over"} {
		for _, what := range []string{"commit while ", "reversal while "} {
			if cov.Situation[what+fate] == 0 {
				never("never a %s", what+fate)
			}
		}
	}
	for _, fate := range []string{"expired", "revoked", "rolled over", "disputed"} {
		for _, cause := range []string{"commit", "release", "hold expiry", "reversal"} {
			if what := "back to " + fate + " by " + cause; cov.Situation[what] == 0 {
				never("never %s", what)
			}
		}
	}
	for _, what := range []string{
		"cycle renewed", "cycles begin anew from here", "credits granted within a cycle", "cycle's end moved", "cycle anchored anew",
		"ended with the cycle", "ended within a cycle", "paused over a cycle's end",
		"trial converted", "trial credits", "trial credits expire", "trial credits outlive the trial", "rolls over with its cycle at the latest",
		"included until the cycle's end", "included for some days", "included for ever", "included credit archived",
		"no room for included credits",
		"overage forgiven", "overage invoiced", "overage kept: carry_deficit", "overage kept: carry_deficit_auto_repay",
		"deficit repaid at renewal", "an invoice leaves something for the next", "an invoice is less by what an earlier one left",
		"changed at the cycle's end", "plan changed and cycle begun anew", "plan changed at the very start of a cycle",
		"plan changed within a cycle: prorated", "plan changed within a cycle: difference", "plan changed within a cycle: none",
		"credits of the old plan taken back in part", "credits of the new plan given in part", "allowance blocked",
		"disputed grant begins", "part of a pending grant revoked", "all of a grant revoked by amount", "external_ref replayed", "overage repaid",
		"rollover forfeited", "rolled over again into the same grant", "allowance kept", "allowance window turns",
		"an order costs nothing", "paid: pack", "paid: credits", "paid: plan", "paid: invoice", "paid: card", "paid: auto_top_up",
		"paid otherwise than expected", "paid, and cannot be granted", "an order pays the first cycle", "a top-up is paid late",
		"a refund failed, and credits are given again", "taken as it came back",
		"an invoice is collected", "a charge is spared", "charged again", "a plan is not paid, and ends",
		"credits come with the payment of their cycle", "what was owed to the customer pays a cycle", "a plan changes before its cycle is paid", "a cycle is replaced before it is paid", "a cycle is paid too late", "an order pays what a cycle includes", "a closed invoice is paid", "a plan is paid that runs already",
		"topped up automatically", "a cap bounds what is bought", "a pack cannot be bought any more", "automatic top-ups are switched off",
		"given up: auto_top_up", "given up: invoice", "an expiry is announced", "a trial's end is announced",
	} {
		if cov.Situation[what] == 0 {
			never("never %s", what)
		}
	}
	codes := map[string]bool{}
	for what := range cov.Commands {
		if _, code, ok := strings.Cut(what, ": "); ok {
			codes[code] = true
		}
	}
	for _, code := range slices.Concat(invalidCodes, []string{"existing"}) {
		if !codes[code] {
			never("nothing ever came to %s", code)
		}
	}
	return all
}

// invalidCodes are the errors that a wallet can answer with.
var invalidCodes = []string{
	"already_canceled", "already_reversed", "amount_out_of_range", "amount_too_precise", "conflicting_fields",
	"credit_archived", "credit_not_found", "entry_not_found", "entry_not_reversible", "grant_not_found",
	"invalid_amount", "invalid_priority", "invalid_quantity", "invalid_request", "invalid_scope", "invalid_time",
	"invoice_closed", "invoice_not_found", "metadata_too_large", "missing_field", "no_payment_method", "order_closed", "order_not_found",
	"order_not_paid", "pack_not_found", "refund_too_large", "reservation_expired",
	"reservation_not_found", "reservation_not_pending", "reservation_too_small", "subscription_exists",
	"subscription_not_found", "subscription_paused",
}
