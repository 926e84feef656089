package main

import (
	"testing"
	"time"
)

var day = span{time.Unix(1_700_000_000, 0), time.Unix(1_700_086_400, 0), time.Hour}

func TestExpansions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"$__timeFilter(time)", "time >= toDateTime(1700000000) AND time <= toDateTime(1700086400)"},
		{"$__timeFilter_ms(t)", "t >= fromUnixTimestamp64Milli(1700000000000) AND t <= fromUnixTimestamp64Milli(1700086400000)"},
		{"$__timeFilter(toDateTime(p, 'UTC'))", "toDateTime(p, 'UTC') >= toDateTime(1700000000) AND toDateTime(p, 'UTC') <= toDateTime(1700086400)"},
		{"$__dateFilter(day)", "day >= toDate('2023-11-14') AND day <= toDate('2023-11-15')"},
		{"$__timeInterval(time) AS time", "toStartOfInterval(toDateTime(time), INTERVAL 3600 second) AS time"},
		{"$__toTime - $__fromTime + $__interval_s", "toDateTime(1700086400) - toDateTime(1700000000) + 3600"},
		{"s = ${site:sqlstring}", "s = 'o''hare'"},
		{"$__conditionalAll(c IN (${some:sqlstring}), $some)", "c IN ('a','b')"},
		{"$__conditionalAll(c IN ($every), $every) AND x", "1=1 AND x"},
		{"c IN ($some) AND ${one:raw}", "c IN ('a','b') AND f(x)"},
	} {
		got, err := expand(c.text, map[string]any{"site": "o'hare", "some": []any{"a", "b"}, "every": []any{"$__all"}, "one": "f(x)"}, day)
		if err != nil || got != c.want {
			t.Errorf("%s became %s (%v), not %s", c.text, got, err, c.want)
		}
	}
}

func TestWhatIsLeftIsAnError(t *testing.T) {
	for _, text := range []string{"$__timeFilter(a, b)", "$__timeFitler(a)", "$nobody", "${site:pipe}", "$__timeFilter(a"} {
		if got, err := expand(text, map[string]any{"site": "x"}, day); err == nil {
			t.Errorf("%s became %s", text, got)
		}
	}
}
