package money

// ParseRounded reads decimal text like ParseUnits, but rounds half away from zero where the
// text has more decimals than precision: for measurements, which come from programs that count
// in binary fractions, never for amounts of credits. It reports whether the text is a number
// that int64 can hold.
func ParseRounded(s string, precision int) (int64, bool) {
	n, ok := scan(s)
	if !ok {
		return 0, false
	}
	drop := -(n.exp + precision)
	if drop <= 0 {
		return n.integer(precision)
	}
	if drop > len(n.digits) {
		return 0, true
	}
	up := n.digits[len(n.digits)-drop] >= '5'
	n.digits, n.exp = n.digits[:len(n.digits)-drop], -precision
	units, ok := n.integer(precision)
	if !ok || !up {
		return units, ok
	}
	step := int64(1)
	if n.neg {
		step = -1
	}
	rounded, err := Add(units, step)
	return rounded, err == nil
}
