import { defineConfig } from 'vitest/config';

// Unit tests of state and formatting; none needs a DOM.
export default defineConfig({ test: { include: ['src/**/*.test.ts'], environment: 'node' }, server: { fs: { allow: ['..'] } } });
