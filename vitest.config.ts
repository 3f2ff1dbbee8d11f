import { defineConfig } from 'vitest/config';
import { SemanticsCoverage } from './runtime/test-kit/semantics-coverage.test-kit.js';

// Tests run on the built output: workers need JavaScript files, and what is tested is then what is published.
export default defineConfig({
  test: {
    include: ['dist/**/*.test.js'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new SemanticsCoverage()],
  },
});
