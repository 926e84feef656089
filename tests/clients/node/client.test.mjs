// What @clickhouse/client does, against a real store (STORE_URL, STORE_PASSWORD).
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createRequire } from 'node:module'

const { createClient } = createRequire(`${process.env.CLIENT_MODULES}/`)('@clickhouse/client')

const open = (more = {}) =>
  createClient({ url: process.env.STORE_URL, username: 'default', password: process.env.STORE_PASSWORD, ...more })

async function using(options, use) {
  const client = open(options)
  try {
    await use(client)
  } finally {
    await client.close()
  }
}

test('ping, query, headers', () =>
  using({}, async (client) => {
    assert.equal((await client.ping()).success, true)
    assert.equal((await client.ping({ select: true })).success, true)
    const answer = await client.query({ query: 'SELECT 1 AS one', query_id: 'nodes-own', format: 'JSON' })
    assert.equal(answer.query_id, 'nodes-own')
    assert.equal(answer.response_headers['x-clickhouse-format'], 'JSON')
    assert.deepEqual((await answer.json()).data, [{ one: 1 }])
  }))

for (const format of ['JSONEachRow', 'JSONStringsEachRow', 'JSONCompactEachRow', 'JSONCompactEachRowWithNames', 'CSV', 'TabSeparated',
  'JSONCompactEachRowWithNamesAndTypes', 'CSVWithNames', 'TabSeparatedWithNames']) {
  test(`rows stream in ${format}, compressed`, () =>
    using({ compression: { response: true, request: true } }, async (client) => {
      const answer = await client.query({ query: 'SELECT number, toString(number) AS text FROM numbers(50000)', format })
      let rows = 0
      for await (const some of answer.stream()) rows += some.length
      const headers = format.endsWith('WithNamesAndTypes') ? 2 : format.endsWith('WithNames') ? 1 : 0
      assert.equal(rows, 50000 + headers)
    }))
}

test('inserts: values, stream, compressed; the summary tells the rows', () =>
  using({ compression: { request: true } }, async (client) => {
    await client.command({ query: 'CREATE OR REPLACE TABLE node_rows (a UInt32, b String) ENGINE = MergeTree ORDER BY a' })
    const done = await client.insert({ table: 'node_rows', values: [{ a: 1, b: 'x' }, { a: 2, b: 'y' }], format: 'JSONEachRow' })
    assert.equal(done.summary.written_rows, '2')
    assert.ok(Number(done.summary.elapsed_ns) > 0)
    const stream = Readable.from((function* () { for (let i = 3; i <= 5000; i++) yield [i, `row ${i}`] })(), { objectMode: true })
    await client.insert({ table: 'node_rows', values: stream, format: 'JSONCompactEachRow' })
    const answer = await client.query({ query: 'SELECT count() AS rows, sum(a) AS sum FROM node_rows', format: 'JSONEachRow' })
    assert.deepEqual(await answer.json(), [{ rows: 5000, sum: 12502500 }])
  }))

test('parameters and settings', () =>
  using({ clickhouse_settings: { max_threads: 3 } }, async (client) => {
    const answer = await client.query({
      query: "SELECT {n:UInt8} + 1 AS n, {t:String} AS t, {a:Array(String)} AS a, getSetting('max_threads') AS threads", format: 'JSONEachRow',
      query_params: { n: 41, t: "it's\t\\", a: ['x', "y'"] },
    })
    assert.deepEqual(await answer.json(), [{ n: 42, t: "it's\t\\", a: ['x', "y'"], threads: 3 }])
  }))

test('an error has its code, before and in the middle of an answer', () =>
  using({}, async (client) => {
    await assert.rejects(client.query({ query: 'SELECT * FROM no_such_table' }), { code: '60', type: 'UNKNOWN_TABLE' })
    const answer = await client.query({
      query: 'SELECT throwIf(number = 2000000) AS x, number FROM numbers(3000000)', format: 'JSONEachRow',
      clickhouse_settings: { max_block_size: '10000' },
    })
    await assert.rejects(async () => { for await (const _ of answer.stream()); }, { code: '395' })
  }))

test('a session keeps a temporary table and a setting', () =>
  using({ session_id: "node's" }, async (client) => {
    await client.command({ query: 'CREATE TEMPORARY TABLE mine (a UInt8)' })
    await client.insert({ table: 'mine', values: [{ a: 1 }, { a: 2 }], format: 'JSONEachRow' })
    await client.command({ query: 'SET max_threads = 3' })
    await assert.rejects(client.query({ query: 'SELECT nothing' }))
    const answer = await client.query({ query: "SELECT sum(a) AS sum, getSetting('max_threads') AS t FROM mine", format: 'JSONEachRow' })
    assert.deepEqual(await answer.json(), [{ sum: 3, t: 3 }])
  }))

test('exec gives a stream; Parquet and Native pass through', () =>
  using({}, async (client) => {
    for (const [format, begin] of [['Parquet', 'PAR1'], ['Native', '\u0001\u0003']]) {
      const { stream } = await client.exec({ query: `SELECT number FROM numbers(3) FORMAT ${format}` })
      const chunks = []
      for await (const chunk of stream) chunks.push(chunk)
      assert.ok(Buffer.concat(chunks).toString('latin1').startsWith(begin))
    }
  }))

test('an aborted query ends for the client', () =>
  using({}, async (client) => {
    const controller = new AbortController()
    const answer = client.query({ query: 'SELECT sleepEachRow(0.1) FROM numbers(50)', abort_signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await assert.rejects(answer)
  }))

test('many at once', () =>
  using({ max_open_connections: 16 }, async (client) => {
    const sums = await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      const answer = await client.query({ query: `SELECT toUInt32(sum(number) + ${i}) AS s FROM numbers(1000)`, format: 'JSONEachRow' })
      return (await answer.json())[0].s
    }))
    assert.deepEqual(sums, sums.map((_, i) => 499500 + i))
  }))

test('users made by SQL have the roles that are asked for, and no more', () =>
  using({}, async (client) => {
    for (const query of ["CREATE USER noder IDENTIFIED WITH sha256_password BY 'p' DEFAULT DATABASE default", 'CREATE ROLE node_adds, node_reads',
      'CREATE TABLE node_granted (a UInt32) ENGINE = MergeTree ORDER BY a', 'GRANT node_adds, node_reads TO noder', 'GRANT INSERT ON default.node_granted TO node_adds',
      'GRANT SELECT ON node_granted TO node_reads']) await client.command({ query })
    const insert = { table: 'node_granted', values: [{ a: 7 }], format: 'JSONEachRow' }
    const read = { query: 'SELECT a, currentRoles() AS r FROM node_granted', format: 'JSONEachRow' }
    await using({ username: 'noder', password: 'p', role: 'node_reads' }, async (user) => {
      await assert.rejects(user.insert(insert), { code: '497', type: 'ACCESS_DENIED' })
      await user.insert({ ...insert, role: 'node_adds' })
      assert.deepEqual(await (await user.query(read)).json(), [{ a: 7, r: ['node_reads'] }])
      await assert.rejects(user.query({ ...read, role: 'node_adds' }), { code: '497' })
    })
  }))

test('small blocks come one by one, and so an error after the first of them', () =>
  using({}, async (client) => {
    const answer = await client.query({ query: "SELECT throwIf(number = 10, 'boom') FROM system.numbers LIMIT 100", format: 'JSONEachRow', clickhouse_settings: { max_block_size: '1' } })
    await assert.rejects(answer.json(), { code: '395' })
  }))
