import { defineConfig } from 'vite';

// `npm run dev` and `npm run preview` forward the API to a running Marquee whose demo is on.
const proxy = { '/v1': process.env.MARQUEE_URL ?? 'http://127.0.0.1:8080' };

export default defineConfig({
  base: '/demo/',
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  build: { target: 'es2022', sourcemap: false, manifest: true, modulePreload: { polyfill: false } },
});
