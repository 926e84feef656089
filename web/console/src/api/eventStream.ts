// Reads text/event-stream (WHATWG HTML, section 9.2.6) from chunks as they arrive. EventSource cannot send an Authorization
// header, so the live view reads the stream through fetch and this parser.

export interface StreamMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

export class EventStreamParser {
  private buffer = '';
  private event = '';
  private data: string[] = [];
  private id = '';
  private atStart = true;
  /** The server's `retry:` in milliseconds, once it sent one. */
  retryMilliseconds: number | undefined;

  /** Takes the next chunk of decoded text and returns the messages that it completes, oldest first. */
  push(chunk: string): StreamMessage[] {
    this.buffer += chunk;
    if (this.atStart && this.buffer.length > 0) {
      if (this.buffer.startsWith('\uFEFF')) this.buffer = this.buffer.slice(1);
      this.atStart = false;
    }
    const messages: StreamMessage[] = [];
    let start = 0;
    for (;;) {
      const end = this.lineEnd(start);
      if (end === undefined) break;
      const message = this.takeLine(this.buffer.slice(start, end.index));
      if (message !== undefined) messages.push(message);
      start = end.next;
    }
    this.buffer = this.buffer.slice(start);
    return messages;
  }

  private lineEnd(from: number): { index: number; next: number } | undefined {
    for (let i = from; i < this.buffer.length; i++) {
      const c = this.buffer[i];
      if (c === '\n') return { index: i, next: i + 1 };
      if (c === '\r') {
        // A carriage return at the end of a chunk may be half of CRLF: wait for what follows.
        if (i + 1 === this.buffer.length) return undefined;
        return { index: i, next: this.buffer[i + 1] === '\n' ? i + 2 : i + 1 };
      }
    }
    return undefined;
  }

  private takeLine(line: string): StreamMessage | undefined {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return undefined;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMilliseconds = Number(value);
    return undefined;
  }

  private dispatch(): StreamMessage | undefined {
    const message = { event: this.event === '' ? 'message' : this.event, data: this.data.join('\n'), id: this.id };
    const complete = this.data.length > 0;
    this.event = '';
    this.data = [];
    return complete ? message : undefined;
  }
}
