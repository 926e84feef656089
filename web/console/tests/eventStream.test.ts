import { describe, expect, it } from 'vitest';
import { EventStreamParser, type StreamMessage } from '../src/api/eventStream';

function parse(...chunks: string[]): StreamMessage[] {
  const parser = new EventStreamParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe('EventStreamParser', () => {
  it('reads a message with its event and id', () => {
    expect(parse('event: tick\nid: 7\ndata: {"a":1}\n\n')).toEqual([{ event: 'tick', id: '7', data: '{"a":1}' }]);
  });

  it('joins the lines of one message', () => {
    expect(parse('data: one\ndata: two\n\n')[0]?.data).toBe('one\ntwo');
  });

  it('keeps a message apart that has no data', () => {
    expect(parse('event: tick\n\ndata: x\n\n')).toEqual([{ event: 'message', id: '', data: 'x' }]);
  });

  it('passes over comments, which keep a connection alive', () => {
    expect(parse(': ping\n\n: ping\n\ndata: x\n\n')).toHaveLength(1);
  });

  it('takes one space after the colon, and only one', () => {
    expect(parse('data:  two\n\n')[0]?.data).toBe(' two');
    expect(parse('data:none\n\n')[0]?.data).toBe('none');
  });

  it('reads CRLF and CR, also when a chunk ends between them', () => {
    expect(parse('data: a\r\n\r\ndata: b\r\rdata: c\n\n').map((message) => message.data)).toEqual(['a', 'b', 'c']);
    expect(parse('data: a\r', '\n\r', '\ndata: b\n\n').map((message) => message.data)).toEqual(['a', 'b']);
  });

  it('remembers the retry time and ignores a wrong one', () => {
    const parser = new EventStreamParser();
    parser.push('retry: 2500\nretry: soon\n\n');
    expect(parser.retryMilliseconds).toBe(2500);
  });

  it('drops a byte order mark', () => {
    expect(parse('\uFEFFdata: x\n\n')[0]?.data).toBe('x');
  });

  it('gives the same messages however the text is cut', () => {
    const text = 'event: tick\r\ndata: {"n":1}\r\n\r\n: ping\n\nid: 2\ndata: a\ndata: b\n\ndata: ü€\n\n';
    const whole = parse(text);
    expect(whole).toHaveLength(3);
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second += 3) {
        expect(parse(text.slice(0, first), text.slice(first, second), text.slice(second))).toEqual(whole);
      }
    }
  });
});
