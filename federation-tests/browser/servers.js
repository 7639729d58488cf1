// How is an instance started and stopped? A real process, a free port of loopback, a folder that ends with it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BINARY = process.env.HEDGESCHOOL_BIN || resolve(import.meta.dirname, '../../target/debug/hedgeschool');
const START_MS = 20_000;
const STOP_MS = 10_000;
// The program reads every HEDGESCHOOL_ variable as a setting; those around the tests are none.
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HEDGESCHOOL_')));

function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer().once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

// One instance. All share the name localhost, because not every system resolves names below it; so a person, whose
// browser would mix up the cookies of two ports, has a browser for one instance only.
export class Instance {
  static async start(name, clock) {
    const it = new Instance();
    it.name = name;
    it.folder = await mkdtemp(join(tmpdir(), `hedgeschool-${name}-`));
    const port = await freePort();
    it.host = `localhost:${port}`;
    it.url = `http://${it.host}`;
    const config = join(it.folder, 'hedgeschool.toml');
    await writeFile(config, [
      '[server]', 'requests_per_minute = 0', `bind = "127.0.0.1:${port}"`, `url = "${it.url}"`, `data = "${join(it.folder, 'data')}"`,
      'drain_seconds = 2', '[development]', `clock_file = "${clock}"`, '',
    ].join('\n'));
    it.output = '';
    it.process = spawn(BINARY, ['--config', config, 'serve'], { cwd: it.folder, env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
    const take = (chunk) => { it.output += chunk; };
    it.process.stdout.on('data', take);
    it.process.stderr.on('data', take);
    it.ended = new Promise((done) => it.process.once('close', done));
    it.process.once('error', (error) => take(`${BINARY}: ${error.message}\n`));
    it.setUp = await it.link();
    return it;
  }

  // The one-time link for the first administrator, as printed at the start.
  async link() {
    const until = Date.now() + START_MS;
    while (Date.now() < until && this.process.exitCode === null) {
      const found = this.output.match(/https?:\/\/\S+\/set-up\/[\w-]+/);
      if (found) return found[0];
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`${this.name} did not start:\n${this.output}`);
  }

  async stop() {
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
      await this.ended;
      clearTimeout(late);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
