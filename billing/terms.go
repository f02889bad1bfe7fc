package billing

import (
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// readLimits reads the quotas that are agreed with one customer.
func readLimits(limits v1.Limits) (map[string]int64, error) {
	var all map[string]int64
	for name, quota := range limits {
		micros, err := quota.Units(wallet.QuantityDecimals)
		if err != nil {
			return nil, fault.As(err).In("custom_limits." + name)
		}
		if all == nil {
			all = map[string]int64{}
		}
		all[name] = micros
	}
	return all, nil
}
