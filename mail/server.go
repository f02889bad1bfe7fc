package mail

import (
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/fault"
)

// The ports of mail submission that a URL means when it names none.
const (
	portSTARTTLS = 587
	portTLS      = 465
)

// server is where letters are handed over, and by whom.
type server struct {
	host string
	port int
	from netmail.Address
	user string
	// password is a function, since package fmt prints everything else that is somewhere in a value.
	password func() string
	security security
}

// security is how a connection is protected.
type security int

const (
	plain    security = iota // not at all
	startTLS                 // once the server has said that it can; it has to
	fromTLS                  // from the first byte
)

// parseURL reads the address of a mail server. Its errors quote nothing of it: a password with an
// unescaped character in it can end up in any part.
func parseURL(text string) (server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return server{}, errURL("is not one")
	}
	s := server{host: u.Hostname(), user: u.User.Username()}
	if password, ok := u.User.Password(); ok {
		s.password = func() string { return password }
	}
	if (s.user == "") != (s.password == nil) {
		return server{}, errURL("has a user without a password, or a password without a user")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || !known(query) {
		return server{}, errURL("has something other than from and tls behind the question mark, or one of them twice")
	}
	if s.security, err = securityOf(u, query); err != nil {
		return server{}, err
	}
	if s.port, err = portOf(u, s.security); err != nil {
		return server{}, err
	}
	from, err := netmail.ParseAddress(query.Get("from"))
	if err != nil || checkAddress(from.Address) != nil {
		return server{}, errURL("needs from, an address such as billing@example.com, with a name before it or not")
	}
	s.from = *from
	return s, nil
}

func known(query url.Values) bool {
	for name, values := range query {
		if !slices.Contains([]string{"from", "tls"}, name) || len(values) > 1 {
			return false
		}
	}
	return true
}

// securityOf says how a connection is protected. On this machine nobody listens in, and certificates
// of local servers are seldom good.
func securityOf(u *url.URL, query url.Values) (security, error) {
	tls := query.Get("tls")
	switch {
	case u.Scheme == "smtps" && !query.Has("tls"):
		return fromTLS, nil
	case u.Scheme == "smtps":
		return 0, errURL("begins with smtps, so that it cannot have tls as well")
	case u.Scheme != "smtp":
		return 0, errURL("begins neither with smtp:// nor with smtps://")
	case tls == "required", !query.Has("tls") && !isLoopback(u.Hostname()):
		return startTLS, nil
	case tls == "none", !query.Has("tls"):
		return plain, nil
	}
	return 0, errURL("has a tls that is neither required nor none")
}

func isLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

func portOf(u *url.URL, s security) (int, error) {
	switch port, err := strconv.ParseUint(u.Port(), 10, 16); {
	case u.Port() == "" && s == fromTLS:
		return portTLS, nil
	case u.Port() == "":
		return portSTARTTLS, nil
	case err != nil || port == 0:
		return 0, errURL("has a port that is not one")
	default:
		return int(port), nil
	}
}

func errURL(what string) error {
	return fault.New("mail.parseURL", fault.CodeInvalidConfig,
		"The mail server's URL %s. It looks like smtp://user:password@mail.example.com:587?from=Acme+<billing@example.com>; "+
			"in user and password, characters other than letters and digits are written as %%40 and the like.", what)
}
