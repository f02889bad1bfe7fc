package acceptance

import (
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

func disputed(o v1.Order) stripefake.Dispute { return stripefake.Dispute{Payment: o.PaymentID} }
