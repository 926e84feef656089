package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// span is the time picker's range and the step that Grafana chose for the panel.
type span struct {
	from, to time.Time
	interval time.Duration
}

// The order is the plugin's: in the browser $__conditionalAll and then template variables, in its backend the other macros. Whatever is
// left of either is an error, as it would be one in ClickHouse.
func expand(text string, variables map[string]any, s span) (string, error) {
	text, err := conditionals(text, variables)
	if err != nil {
		return text, err
	}
	if text, err = substitute(text, variables); err != nil {
		return text, err
	}
	if text, err = macros(text, s); err != nil {
		return text, err
	}
	if at := strings.Index(text, "$"); at >= 0 {
		return text, fmt.Errorf("nothing takes the place of %.30s", text[at:])
	}
	return text, nil
}

// arguments are those of the parenthesis that opens at text[at], and where it has closed.
func arguments(text string, at int) ([]string, int, error) {
	depth, begin := 0, at+1
	var out []string
	for i := at; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return append(out, strings.TrimSpace(text[begin:i])), i + 1, nil
			}
		case ',':
			if depth == 1 {
				out = append(out, strings.TrimSpace(text[begin:i]))
				begin = i + 1
			}
		}
	}
	return nil, 0, fmt.Errorf("a parenthesis is never closed: %.40s", text[at:])
}

var variableName = regexp.MustCompile(`\$\{?(\w+)`)

// conditionals leaves of $__conditionalAll(condition, $variable) the condition, or 1=1 where all of the variable's values are chosen.
func conditionals(text string, variables map[string]any) (string, error) {
	const macro = "$__conditionalAll"
	for {
		at := strings.LastIndex(text, macro+"(")
		if at < 0 {
			return text, nil
		}
		args, end, err := arguments(text, at+len(macro))
		if err != nil {
			return text, err
		}
		if len(args) != 2 {
			return text, fmt.Errorf("%s takes 2 arguments, got %d", macro, len(args))
		}
		condition := args[0]
		if found := variableName.FindStringSubmatch(args[1]); found != nil {
			if chosen := values(variables[found[1]]); len(chosen) == 0 || chosen[0] == "" || chosen[0] == "$__all" {
				condition = "1=1"
			}
		}
		text = text[:at] + condition + text[end:]
	}
}

func values(of any) []string {
	switch v := of.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			out = append(out, fmt.Sprint(one))
		}
		return out
	}
	return nil
}

var variable = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}|\$(\w+)`)

// substitute puts variables in: sqlstring quotes and doubles quotes, raw is as it is; without a format several values are quoted and
// one is not.
func substitute(text string, variables map[string]any) (string, error) {
	var problem error
	out := variable.ReplaceAllStringFunc(text, func(match string) string {
		found := variable.FindStringSubmatch(match)
		name, format := found[1]+found[3], found[2]
		value, known := variables[name]
		if !known {
			if !strings.HasPrefix(name, "__") {
				problem = fmt.Errorf("there is no variable %s", name)
			}
			return match
		}
		_, isMany := value.([]any)
		chosen := values(value)
		switch {
		case format == "raw" || (format == "" && !isMany):
			return strings.Join(chosen, ",")
		case format == "sqlstring":
			for i, one := range chosen {
				chosen[i] = strings.ReplaceAll(one, "'", "''")
			}
			return "'" + strings.Join(chosen, "','") + "'"
		case format == "":
			return "'" + strings.Join(chosen, "','") + "'"
		}
		problem = fmt.Errorf("the format %q of variable %s is not known here", format, name)
		return match
	})
	return out, problem
}

var macroName = regexp.MustCompile(`\$__(\w+)`)

// macros expands those of the plugin's backend.
func macros(text string, s span) (string, error) {
	for {
		found := macroName.FindStringSubmatchIndex(text)
		if found == nil {
			return text, nil
		}
		name, begin, end := text[found[2]:found[3]], found[0], found[1]
		var args []string
		if end < len(text) && text[end] == '(' {
			var err error
			if args, end, err = arguments(text, end); err != nil {
				return text, err
			}
		}
		expanded, err := macro(name, args, s)
		if err != nil {
			return text, err
		}
		text = text[:begin] + expanded + text[end:]
	}
}

func macro(name string, args []string, s span) (string, error) {
	seconds := func(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
	millis := func(t time.Time) string { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }
	date := func(t time.Time) string { return fmt.Sprintf("toDate('%s')", t.UTC().Format(time.DateOnly)) }
	within := func(column string, as func(time.Time) string) string {
		return fmt.Sprintf("%s >= %s AND %s <= %s", column, as(s.from), column, as(s.to))
	}
	wanted := map[string]int{"timeFilter": 1, "timeFilter_ms": 1, "dateFilter": 1, "dateTimeFilter": 2, "dt": 2, "timeInterval": 1, "timeInterval_ms": 1}[name]
	if given := len(args); given != wanted && !(wanted == 0 && given == 1 && args[0] == "") {
		return "", fmt.Errorf("$__%s takes %d arguments, got %d", name, wanted, given)
	}
	switch name {
	case "fromTime":
		return seconds(s.from), nil
	case "toTime":
		return seconds(s.to), nil
	case "fromTime_ms":
		return millis(s.from), nil
	case "toTime_ms":
		return millis(s.to), nil
	case "timeFilter":
		return within(args[0], seconds), nil
	case "timeFilter_ms":
		return within(args[0], millis), nil
	case "dateFilter":
		return within(args[0], date), nil
	case "dateTimeFilter", "dt":
		return fmt.Sprintf("(%s) AND (%s)", within(args[0], date), within(args[1], seconds)), nil
	case "timeInterval":
		return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", args[0], int(max(s.interval.Seconds(), 1))), nil
	case "timeInterval_ms":
		return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL %d millisecond)", args[0], max(s.interval.Milliseconds(), 1)), nil
	case "interval_s":
		return fmt.Sprintf("%d", int(max(s.interval.Seconds(), 1))), nil
	}
	return "", fmt.Errorf("the plugin has no macro $__%s", name)
}
