// Runs the SQL of Grafana's panels as grafana-clickhouse-datasource does: expands template variables and macros, and asks through
// clickhouse-go over HTTP. Reads one JSON document on stdin, writes one on stdout; what a query answered or why it failed stands beside its name.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

type job struct {
	Address  string `json:"address"`
	User     string `json:"user"`
	Password string `json:"password"`
	Queries  []struct {
		Name      string         `json:"name"`
		SQL       string         `json:"sql"`
		FromMs    int64          `json:"from_ms"`
		ToMs      int64          `json:"to_ms"`
		Interval  int64          `json:"interval_ms"`
		Variables map[string]any `json:"variables"`
	} `json:"queries"`
}

type answer struct {
	Name    string   `json:"name"`
	SQL     string   `json:"sql"`
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	Rows    [][]any  `json:"rows"`
	Seconds float64  `json:"seconds"`
	Error   string   `json:"error"`
}

// open connects as the plugin's driver does for protocol "http".
func open(j job) *sql.DB {
	return clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{j.Address},
		Auth:        clickhouse.Auth{Database: "marquee", Username: j.User, Password: j.Password},
		Protocol:    clickhouse.HTTP,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP},
		DialTimeout: 10 * time.Second,
		ReadTimeout: 60 * time.Second,
		ClientInfo: clickhouse.ClientInfo{Products: []struct{ Name, Version string }{
			{"grafana", "13.0.0"}, {"clickhouse-datasource", "4.11.0"}}},
	})
}

func ask(db *sql.DB, query string, out *answer) error {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		out.Columns = append(out.Columns, t.Name())
		out.Types = append(out.Types, t.DatabaseTypeName())
	}
	for rows.Next() {
		cells := make([]any, len(types))
		for i, t := range types {
			cells[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		line := make([]any, len(types))
		for i, cell := range cells {
			line[i] = plain(reflect.ValueOf(cell).Elem())
		}
		out.Rows = append(out.Rows, line)
	}
	return rows.Err()
}

// plain is a value as JSON can hold it: what is not a number as text, NULL as null.
func plain(v reflect.Value) any {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprint(x)
		}
	}
	return v.Interface()
}

func main() {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	db := open(j)
	defer db.Close()
	answers := []answer{}
	for _, q := range j.Queries {
		out := answer{Name: q.Name, Rows: [][]any{}}
		text, err := expand(q.SQL, q.Variables, span{time.UnixMilli(q.FromMs), time.UnixMilli(q.ToMs), time.Duration(q.Interval) * time.Millisecond})
		out.SQL = text
		if err == nil {
			begin := time.Now()
			err = ask(db, text, &out)
			out.Seconds = time.Since(begin).Seconds()
		}
		if err != nil {
			out.Error = err.Error()
		}
		answers = append(answers, out)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
