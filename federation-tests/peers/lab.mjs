// How does a test get Mia on two independent programs, with TLS and host names, and be rid of it all afterwards?
//
// As a module:   const lab = await startLab({ routes: { north: 8081, south: 8082 } });
//                await lab.snac.follow("course@north.test"); ... await lab.stop();
// As a program:  node lab.mjs serve [north=PORT] [south=PORT]
//                prints one JSON line and answers the same verbs over HTTP until its standard input ends or it is
//                told to stop; see README.md.
//
// Needs root (port 443, mount namespace of snac). Names must lead to loopback: run inside ./alone, or after ./tls hosts.
import { execFile, execFileSync, spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { existsSync, openSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { GridMia } from "./grid/mia.mjs";
import { FedifyMia, SnacMia, until } from "./mia.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const run = promisify(execFile);
const tool = async (name, ...words) => (await run(join(HERE, name), words, { timeout: 60_000 })).stdout;

/** This Node where it is new enough for Fedify, else the one that `install` brought. */
function nodeForFedify() {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const brought = join(HERE, "node_modules/.bin/node");
  if (!existsSync(brought)) throw new Error("Fedify needs Node 22: run federation-tests/peers/install");
  return brought;
}

/** The running set: certificate authority, proxy on port 443, and Mia on each of the programs asked for. */
class Lab {
  snac = null;
  fedify = null;
  grid = null;
  #stopped = false;
  #fedifyProcess = null;

  constructor(directory, keep) {
    this.directory = directory;
    this.keep = keep;
    this.ca = join(directory, "tls/ca.pem");
  }

  get mias() { return [this.snac, this.fedify, this.grid].filter(Boolean); }

  async start({ peers, routes, firstKnock }) {
    for (const name of ["north", "south", ...peers]) {
      const { address } = await lookup(`${name}.test`, { family: 4 }).catch(() => ({ address: "nothing" }));
      if (!address.startsWith("127.")) throw new Error(`${name}.test leads to ${address}: run inside ./alone, or ./tls hosts before`);
    }
    await tool("tls", "make", this.directory);
    const ports = { ...routes };
    if (peers.includes("snac")) ports.snac = await this.#startSnac();
    if (peers.includes("fedify")) ports.fedify = await this.#startFedify(firstKnock);
    if (peers.includes("grid")) ports.grid = await this.#startGrid();
    await tool("tls", "start", this.directory, ...Object.entries(ports).map(([name, port]) => `${name}=${port}`));
  }

  async #startSnac() {
    const { port, password, base } = JSON.parse(await this.#detached("snac", "start", this.directory));
    this.snac = new SnacMia({ url: `http://127.0.0.1:${port}`, password, base });
    return port;
  }

  /** cattle_grid, which answers nobody who does not sign. */
  async #startGrid() {
    const { port, actor, token, database } = JSON.parse(await this.#detached("grid/server", "start", this.directory));
    this.grid = new GridMia({ port, actor, token, database, ask: (url) => this.fetch(url) });
    return port;
  }

  /** snac lives on after its starter, so the starter must not hold a pipe of ours. */
  async #detached(...words) {
    const log = join(this.directory, "start.out");
    await run("bash", ["-c", 'log=$1; shift; "$@" > "$log"', "start", log, join(HERE, words[0]), ...words.slice(1)], { timeout: 150_000 });
    return readFile(log, "utf8");
  }

  async #startFedify(firstKnock) {
    const child = spawn(nodeForFedify(), [join(HERE, "fedify/server.mjs")], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: this.ca, ...(firstKnock ? { FEDIFY_FIRST_KNOCK: firstKnock } : {}) },
      stdio: ["pipe", "pipe", openSync(join(this.directory, "fedify.log"), "a")],
    });
    this.#fedifyProcess = child;
    const line = await new Promise((told, failed) => {
      const late = setTimeout(() => failed(new Error("fedify does not start; see fedify.log")), 30_000);
      createInterface({ input: child.stdout }).once("line", (text) => { clearTimeout(late); told(text); });
      child.once("exit", (code) => { clearTimeout(late); failed(new Error(`fedify ended with ${code}; see ${this.directory}/fedify.log`)); });
    });
    const { port, control } = JSON.parse(line);
    this.fedify = new FedifyMia(control);
    return port;
  }

  /** Leads host names (north, south) to loopback ports, also while everything runs: a server may come back on another. */
  async route(routes) {
    await tool("tls", "route", this.directory, ...Object.entries(routes).map(([name, port]) => `${name}=${port}`));
  }

  /** What passed through port 443, in order: host, method, uri, status, agent, signature headers. */
  async wire() {
    const text = await readFile(join(this.directory, "access.log"), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** One request to a test host with our authority trusted: {status, headers, text}. */
  async fetch(url, { method = "GET", headers = {}, body } = {}) {
    const ca = await readFile(this.ca);
    return new Promise((told, failed) => {
      const request = https.request(url, { method, headers, ca, timeout: 30_000 }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => told({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
      });
      request.on("error", failed).on("timeout", () => request.destroy(new Error(`${url}: no answer`)));
      request.end(body);
    });
  }

  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#fedifyProcess?.kill("SIGTERM");
    await tool("tls", "stop", this.directory).catch(() => {});
    await tool("snac", "stop", this.directory).catch(() => {});
    if (this.grid) await tool("grid/server", "stop", this.directory).catch(() => {});
    if (!this.keep) await rm(this.directory, { recursive: true, force: true });
  }

  /** The same when the process is ending and cannot wait for anything. */
  stopNow() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#fedifyProcess?.kill("SIGKILL");
    for (const name of ["tls", "snac", ...(this.grid ? ["grid/server"] : [])]) {
      try { execFileSync(join(HERE, name), ["stop", this.directory], { timeout: 15_000, stdio: "ignore" }); } catch { /* ending anyway */ }
    }
    if (!this.keep) rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Starts the peers asked for and the proxy. `routes` are ports of our own servers, {north, south}, and may come later by
 * `lab.route`. `firstKnock` is how Fedify signs its first request to a host ("rfc9421", its default, or
 * "draft-cavage-http-signatures-12"). `directory` is kept when given; else a temporary one is removed by `stop`.
 */
export async function startLab({ peers = ["snac", "fedify"], routes = {}, firstKnock, directory } = {}) {
  const lab = new Lab(directory ?? await mkdtemp(join(tmpdir(), "hedgeschool-peers-")), Boolean(directory));
  process.on("exit", () => lab.stopNow());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
  try {
    await lab.start({ peers, routes, firstKnock });
    return lab;
  } catch (error) {
    lab.keep = true;
    await lab.stop();
    throw new Error(`${error.stderr || error.message} (files in ${lab.directory})`);
  }
}

// ---- the same over HTTP, for a driver in another language ----

const argumentsOf = {
  posts: () => [], find: (b) => [b.handle], follow: (b) => [b.handle], unfollow: (b) => [b.handle], following: (b) => [b.handle], followers: () => [],
  post: (b) => [b.text, b.visibility, b.mentions], reply: (b) => [b.to, b.text, b.visibility], edit: (b) => [b.id, b.text],
  delete: (b) => [b.id], like: (b) => [b.id], likers: (b) => [b.id], see: (b) => [b.id],
  waitForAccept: (b) => [b.handle, b.seconds], waitForPost: (b) => [b.match, b.seconds], waitForDirect: (b) => [b.match, b.seconds],
  waitUntilGone: (b) => [b.id, b.seconds], waitForLike: (b) => [b.id, b.seconds], received: () => [], problems: () => [],
};

async function answer(lab, request) {
  const [, first, verb] = new URL(request.url, "http://lab").pathname.split("/");
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = parts.length ? JSON.parse(Buffer.concat(parts)) : {};
  if (first === "route") return lab.route(body);
  if (first === "wire") return lab.wire();
  const mia = { snac: lab.snac, fedify: lab.fedify, grid: lab.grid }[first];
  if (!mia) throw new Error(`no peer ${first}`);
  if (!Object.hasOwn(argumentsOf, verb ?? "") || !mia[verb]) throw new Error(`${first} has no verb ${verb}; there are ${Object.keys(argumentsOf).join(", ")}`);
  return mia[verb](...argumentsOf[verb](body));
}

async function serve(words) {
  const routes = Object.fromEntries(words.map((word) => word.split("=")));
  const peers = process.env.LAB_PEERS?.split(",");
  const lab = await startLab({ ...(peers ? { peers } : {}), routes, firstKnock: process.env.FEDIFY_FIRST_KNOCK, directory: process.env.LAB_DIRECTORY });
  const control = createServer((request, response) => {
    const say = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value ?? null));
    answer(lab, request).then((value) => say(200, value), (error) => say(422, { error: error.stderr || error.message }));
  });
  await new Promise((ready) => control.listen(0, "127.0.0.1", ready));
  const mias = Object.fromEntries(lab.mias.map((mia) => [mia.handle.match(/@(\w+)/)[1], { handle: mia.handle, actor: mia.actor }]));
  console.log(JSON.stringify({ control: `http://127.0.0.1:${control.address().port}`, ca: lab.ca, directory: lab.directory, mias }));
  process.stdin.on("end", async () => { await lab.stop(); process.exit(0); }).resume();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command, ...words] = process.argv.slice(2);
  if (command !== "serve") { console.error("usage: node lab.mjs serve [north=PORT] [south=PORT]"); process.exit(2); }
  serve(words).catch((error) => { console.error(error.message); process.exit(1); });
}

export { until };
