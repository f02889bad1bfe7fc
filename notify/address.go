package notify

import (
	"net/netip"
	"syscall"

	"github.com/seed42445051/scrip/fault"
)

// Addresses says which addresses may be sent to.
type Addresses int

// The addresses. Whoever can define an endpoint could otherwise have this server talk to its own
// network: to a database without a password, or to the metadata service of a cloud.
const (
	PublicOnly    Addresses = iota
	AllowLoopback           // this machine too, for trying out
	AllowAll                // the operator's own network too
)

// reserved are networks that are not public, besides those that package netip tells of.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carriers' own
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), // documentation, like the next two
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // translate into version 4, as the next three may
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// check refuses an address that is not allowed.
func (a Addresses) check(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errAddress(address)
	}
	ip := at.Addr().Unmap().WithZone("")
	if a == AllowAll || a == AllowLoopback && ip.IsLoopback() {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return errAddress(address)
	}
	for _, network := range reserved {
		if network.Contains(ip) {
			return errAddress(address)
		}
	}
	return nil
}

func errAddress(address string) error {
	return fault.New("notify.check", fault.CodeInvalidRequest, "%s is not a public address, and this server sends to public ones only (SCRIP_WEBHOOK_ALLOW_PRIVATE)", address)
}

// control sees the address that is really dialled, so that a name that resolves to something
// else the second time gains nothing.
func (a Addresses) control(_, address string, _ syscall.RawConn) error { return a.check(address) }
