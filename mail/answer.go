package mail

import (
	"errors"
	"net/textproto"
	"unicode"

	"github.com/seed42445051/scrip/fault"
)

// detailStatus is the detail of an error that holds the server's status, such as 451.
const detailStatus = "smtp_status"

// maxAnswer bounds what is kept of a server's answer, in characters.
const maxAnswer = 200

// answered is what the server said, when that is what an error is: its status, and the text behind it.
func answered(err error) (status int, text string) {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return answer.Code, cut(oneLine(answer.Msg), maxAnswer)
	}
	return 0, ""
}

// isFinal reports whether a status means that the same will be refused again.
func isFinal(status int) bool { return 500 <= status && status <= 599 }

// refused is the error of a step that is about the letter itself: final when the server says so.
func refused(err error) error {
	status, text := answered(err)
	if !isFinal(status) {
		return unavailable("it did not take the letter", err)
	}
	return fault.New("mail.Send", fault.CodeMailRefused, "The mail server refused the letter: %d %s", status, text).With(detailStatus, status)
}

// unavailable is the error of what may go better another time.
func unavailable(what string, err error) error {
	status, text := answered(err)
	if status == 0 {
		return fault.New("mail.Send", fault.CodeMailUnavailable, "The mail server cannot be used now: %s.", what).Because(err)
	}
	return fault.New("mail.Send", fault.CodeMailUnavailable, "The mail server cannot be used now: %s: %d %s", what, status, text).With(detailStatus, status)
}

func isASCII(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII {
			return false
		}
	}
	return true
}
