import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { devMock } from './dev-mock/plugin';

// `npm run dev` answers the API from dev-mock/; with MARQUEE_URL set it forwards to that running Marquee instead.
const upstream = process.env.MARQUEE_URL;

export default defineConfig(({ command, isPreview }) => ({
  plugins: [react(), ...(command === 'serve' && upstream === undefined ? [devMock()] : [])],
  base: '/',
  server: {
    host: '127.0.0.1',
    ...(upstream !== undefined ? { proxy: { '/v1': upstream } } : {}),
  },
  preview: { host: '127.0.0.1', ...(upstream !== undefined && isPreview ? { proxy: { '/v1': upstream } } : {}) },
  build: {
    target: 'es2022',
    // Two passes of terser make the chart library some 10 KB smaller than esbuild does.
    minify: 'terser',
    terserOptions: { ecma: 2020, module: true, compress: { passes: 2 }, format: { comments: false } },
    sourcemap: false,
    manifest: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
}));
