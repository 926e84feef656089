import type { Plugin } from 'vite';
import { answer } from './answers';
import { stream } from './live';

/** Answers /v1 inside `vite` (the development server). */
export function devMock(): Plugin {
  return {
    name: 'marquee-dev-mock',
    configureServer(server) {
      server.middlewares.use('/v1', (request, response) => {
        const url = new URL(request.url ?? '/', 'http://mock');
        if (!(request.headers.authorization ?? '').startsWith('Bearer ')) {
          response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"no token"}');
          return;
        }
        if (url.pathname === '/live') {
          stream(request, response);
          return;
        }
        const body = answer(url);
        response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(body ?? { error: 'the mock does not know this path' }));
      });
    },
  };
}
