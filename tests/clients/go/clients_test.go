// What Grafana's plugin and others do with clickhouse-go over HTTP, against a real store (STORE_PORT, STORE_PASSWORD).
package clients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

var methods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
	"gzip": clickhouse.CompressionGZIP, "deflate": clickhouse.CompressionDeflate, "br": clickhouse.CompressionBrotli,
}

func options(user, password string, method clickhouse.CompressionMethod) *clickhouse.Options {
	return &clickhouse.Options{
		Addr:        []string{"127.0.0.1:" + os.Getenv("STORE_PORT")},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Username: user, Password: password, Database: "default"},
		Compression: &clickhouse.Compression{Method: method, Level: 3},
		Settings:    clickhouse.Settings{"max_execution_time": 60, "enable_http_compression": 1},
	}
}

func connect(t *testing.T, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(options("default", os.Getenv("STORE_PASSWORD"), method))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// each runs a test with every compression.
func each(t *testing.T, test func(t *testing.T, conn driver.Conn)) {
	for name, method := range methods {
		t.Run(name, func(t *testing.T) { test(t, connect(t, method)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPingAndVersion(t *testing.T) {
	each(t, func(t *testing.T, conn driver.Conn) {
		must(t, conn.Ping(context.Background()))
		version, err := conn.ServerVersion()
		must(t, err)
		if version.Version.Major < 26 || version.Revision < 54460 {
			t.Fatalf("the server's version is %v", version)
		}
	})
}

func TestManyBlocksAreRead(t *testing.T) {
	each(t, func(t *testing.T, conn driver.Conn) {
		rows, err := conn.Query(context.Background(), "SELECT number, toString(number) FROM numbers(300000)")
		must(t, err)
		defer rows.Close()
		var count, number uint64
		var text string
		for rows.Next() {
			must(t, rows.Scan(&number, &text))
			if number != count || text != fmt.Sprint(count) {
				t.Fatalf("row %d is %d, %q", count, number, text)
			}
			count++
		}
		must(t, rows.Err())
		if count != 300000 {
			t.Fatalf("%d rows", count)
		}
	})
}

func TestTypes(t *testing.T) {
	var (
		low, null   *string
		array       []string
		table       map[string]uint8
		moment      time.Time
		fraction    time.Time
		nested      [][]uint16
		enum, fixed string
		decimal     string
		pair        []any
	)
	row := connect(t, clickhouse.CompressionLZ4).QueryRow(context.Background(), `SELECT
		toLowCardinality(toNullable('low')), CAST(NULL AS Nullable(String)), [toLowCardinality('a'), 'b'], map('k', 7::UInt8),
		toDateTime('2026-11-27 01:02:03', 'UTC'), toDateTime64('2026-11-27 01:02:03.456', 3, 'UTC'), [[1, 2], [], [3]]::Array(Array(UInt16)),
		CAST('b' AS Enum8('a' = 1, 'b' = 2)), toFixedString('xyz', 3), toString(toDecimal64(1.25, 2)), (1::UInt8, 'two')`)
	must(t, row.Scan(&low, &null, &array, &table, &moment, &fraction, &nested, &enum, &fixed, &decimal, &pair))
	want := time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC)
	got := fmt.Sprintln(*low, null == nil, array, table, moment.Equal(want), fraction.Equal(want.Add(456*time.Millisecond)), nested, enum, fixed,
		decimal, pair)
	if got != "low true [a b] map[k:7] true true [[1 2] [] [3]] b xyz 1.25 [1 two]\n" {
		t.Fatal(got)
	}
}

func TestInserts(t *testing.T) {
	each(t, func(t *testing.T, conn driver.Conn) {
		ctx := context.Background()
		must(t, conn.Exec(ctx, "CREATE OR REPLACE TABLE go_rows (a UInt32, b Nullable(String), c Array(LowCardinality(String))) ENGINE = MergeTree ORDER BY a"))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO go_rows")
		must(t, err)
		for i := range 20000 {
			text := fmt.Sprint("row ", i)
			must(t, batch.Append(uint32(i), &text, []string{"x", text}))
		}
		must(t, batch.Send())
		var count, sum uint64
		must(t, conn.QueryRow(ctx, "SELECT count(), sum(a) FROM go_rows WHERE b = concat('row ', toString(a)) AND c[2] = b").Scan(&count, &sum))
		if count != 20000 || sum != 199990000 {
			t.Fatal(count, sum)
		}
	})
}

func TestParameters(t *testing.T) {
	conn := connect(t, clickhouse.CompressionLZ4)
	var sum uint64
	var text string
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{"n": "41", "t": "it's"}))
	must(t, conn.QueryRow(ctx, "SELECT {n:UInt64} + 1, {t:String}").Scan(&sum, &text))
	if sum != 42 || text != "it's" {
		t.Fatal(sum, text)
	}
	must(t, conn.QueryRow(context.Background(), "SELECT toUInt64(?), ?", 7, "a 'quote'").Scan(&sum, &text))
	if sum != 7 || text != "a 'quote'" {
		t.Fatal(sum, text)
	}
}

func TestErrorsBeforeAndMidway(t *testing.T) {
	each(t, func(t *testing.T, conn driver.Conn) {
		var exception *clickhouse.Exception
		err := conn.Exec(context.Background(), "SELECT * FROM no_such_table")
		if !errors.As(err, &exception) || exception.Code != 60 {
			t.Fatal(err)
		}
		rows, err := conn.Query(context.Background(), "SELECT throwIf(number = 2000000), number FROM numbers(3000000) SETTINGS max_block_size = 10000")
		must(t, err)
		for rows.Next() {
		}
		exception = nil
		if !errors.As(rows.Err(), &exception) || exception.Code != 395 {
			t.Fatal(rows.Err())
		}
	})
}

func TestSession(t *testing.T) {
	option := options("default", os.Getenv("STORE_PASSWORD"), clickhouse.CompressionLZ4)
	option.Settings["session_id"] = "go's session"
	option.MaxOpenConns = 1
	conn, err := clickhouse.Open(option)
	must(t, err)
	defer conn.Close()
	ctx := context.Background()
	must(t, conn.Exec(ctx, "CREATE TEMPORARY TABLE mine (a UInt8)"))
	must(t, conn.Exec(ctx, "INSERT INTO mine VALUES (1), (2)"))
	var sum uint64
	must(t, conn.QueryRow(ctx, "SELECT sum(a) FROM mine").Scan(&sum))
	if sum != 3 {
		t.Fatal(sum)
	}
}

func TestStandardLibrary(t *testing.T) {
	db := clickhouse.OpenDB(options("reader", os.Getenv("READER_PASSWORD"), clickhouse.CompressionLZ4))
	defer db.Close()
	var count int
	must(t, db.QueryRow("SELECT count() FROM numbers(10) WHERE number > ?", 4).Scan(&count))
	if count != 5 {
		t.Fatal(count)
	}
	if _, err := db.Exec("CREATE TABLE readers (a Int8) ENGINE = Log"); err == nil {
		t.Fatal("the reader may create tables")
	}
}

func TestManyAtOnce(t *testing.T) {
	conn := connect(t, clickhouse.CompressionLZ4)
	var group sync.WaitGroup
	failed := make(chan error, 16)
	for i := range 16 {
		group.Go(func() {
			var sum uint64
			err := conn.QueryRow(context.Background(), "SELECT sum(number) + ? FROM numbers(100000)", i).Scan(&sum)
			if err == nil && sum != 4999950000+uint64(i) {
				err = fmt.Errorf("query %d: %d", i, sum)
			}
			if err != nil {
				failed <- err
			}
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}
