package notify

import (
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) {
	for address, public := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "2606:2800:220:1::1": true, "172.15.255.255": true, "172.32.0.0": true,
		"100.63.255.255": true, "100.128.0.0": true, "198.17.255.255": true, "223.255.255.255": true,
		"127.0.0.1": false, "127.255.255.254": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "fc00::1": false, "fd12::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"100.64.0.1": false, "100.127.255.255": false, "198.18.0.1": false, "192.0.0.8": false, "192.0.2.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:1.1.1.1": true,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(address), 443).String()
		if err := PublicOnly.check(at); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
		if err := AllowAll.check(at); err != nil {
			t.Errorf("%s, when all are allowed: %v", address, err)
		}
		loopback := netip.MustParseAddr(address).Unmap().IsLoopback()
		if err := AllowLoopback.check(at); (err == nil) != (public || loopback) {
			t.Errorf("%s, when this machine is allowed: %v", address, err)
		}
	}
	if PublicOnly.check("nonsense") == nil {
		t.Error("what is no address was allowed")
	}
}
