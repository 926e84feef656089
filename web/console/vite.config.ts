import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `npm run dev` and `npm run preview` forward the API to a running Marquee.
const proxy = { '/v1': process.env.MARQUEE_URL ?? 'http://127.0.0.1:8080' };

export default defineConfig({
  plugins: [react()],
  base: '/',
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
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
});
