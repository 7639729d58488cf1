// How is the browser started? Debian's own Chromium, one worker, no second try: a test that must be repeated is wrong.
import { defineConfig } from '@playwright/test';

const root = process.getuid?.() === 0;

export default defineConfig({
  testDir: '.',
  testMatch: '*.test.js',
  timeout: 235_000,
  globalTimeout: 240_000,
  expect: { timeout: 5_000 },
  retries: 0,
  workers: 1,
  forbidOnly: true,
  outputDir: 'node_modules/.results',
  reporter: [['./closing.js']],
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: root ? ['--no-sandbox'] : [],
    },
  },
});
