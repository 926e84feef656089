import type { IncomingMessage, ServerResponse } from 'node:http';

export function stream(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const timer = setInterval(() => {
    const n = 8 + Math.floor(Math.random() * 6);
    const time = Date.now();
    response.write(`event: tick\ndata: ${JSON.stringify({ time, spanMilliseconds: 250, events: n, byType: { impression: n - 4, page_view: 3, click: 1 }, byCampaign: { scholarships: { impressions: n - 6, clicks: 1 }, 'open-day': { impressions: 2, clicks: 0 } } })}\n\n`);
  }, 250);
  request.on('close', () => {
    clearInterval(timer);
  });
}
